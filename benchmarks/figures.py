"""Figures for people and for the record: medians with their spread, percentiles, and a JSON file."""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MEGABYTE = 1024 * 1024
# Memory or pace is called flat within this share.
FLAT = 0.10


def median_and_range(values: Sequence[float], digits: int = 0) -> str:
    """The median and, in brackets, the smallest and the largest value."""
    middle = statistics.median(values)
    return f"{middle:,.{digits}f} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies; 0 of none."""
    ordered = sorted(values)
    return ordered[int(share * (len(ordered) - 1))] if ordered else 0.0


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """The usual ones."""
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    return {name: percentile(values, share) for name, share in shares.items()}


def parser_for(description: str | None) -> argparse.ArgumentParser:
    """A parser that shows the module's own words and knows `--json`."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return parser


def keep(options: argparse.Namespace, name: str, figures: dict[str, Any]) -> None:
    """Write the figures, how they were asked for and on what machine, if a file was named."""
    if options.json is None:
        return
    record = {
        "benchmark": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "os": platform.platform()},
        "options": {key: value for key, value in vars(options).items() if key != "json"},
        "figures": figures,
    }
    options.json.write_text(json.dumps(record, indent=1, default=str) + "\n", encoding="utf-8")
