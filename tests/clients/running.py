"""Other people's clients as subprocesses: a script of `scripts/`, JSON in, JSON out."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
ENVIRONMENT = REPOSITORY / ".venv-clients"
INSTALLED = ENVIRONMENT / ".installed"
SCRIPTS = HERE / "scripts"
SECONDS = 60


def run_python(script: str, given: Any, *, apart: str | None = None, **environ: str) -> Any:
    """Run `scripts/SCRIPT` in the clients' environment; what it prints is its answer.

    `apart` is the name of a client that shares its module's name with another (`make clients` puts it into
    a folder of that name): it is found first.
    """
    if apart is not None:
        environ = {"PYTHONPATH": str(ENVIRONMENT / "apart" / apart)} | environ
    return _run([str(ENVIRONMENT / "bin" / "python"), str(SCRIPTS / script)], given, environ)


def run_node(script: str, given: Any, **environ: str) -> Any:
    """Run `scripts/SCRIPT` with the Node of the clients' environment."""
    return _run([str(ENVIRONMENT / "bin" / "node"), str(SCRIPTS / script)], given, environ)


def _run(command: list[str], given: Any, environ: dict[str, str]) -> Any:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    # No proxy of this machine's may come between.
    clean = {name: value for name, value in inherited.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        command, input=json.dumps(given), capture_output=True, text=True, timeout=SECONDS, env=clean | environ
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
