"""Pictures of the console for the documents: made-up comments, the real service, a real browser.

    python -m benchmarks.screenshots [--out FOLDER] [--all]

Needs Chromium and the dependency group `browser` (`make browser`). With `--all` every page is taken at 390,
768 and 1,440 pixels, light and dark, to be looked at; without it only those that the documents show.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.installation import GREENROOM
from moderation import demo
from moderation.settings import load_settings
from tests.browser.conftest import CHROMIUM, QUIET, free_port, running_up
from tests.processes.running import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS, SCHEMES = (390, 768, 1440), ("light", "dark")
PAGES = {
    "queue": "/console",
    "item": "item",
    "history": "/console/history",
    "statistics": "/console/statistics",
    "models": "/console/models",
    "sites": "/console/sites",
    "site": "site",
    "people": "/console/people",
    "me": "/console/me",
}
# What the documents show: page, width, scheme.
SHOWN = (
    ("queue", 1440, "light"),
    ("queue", 390, "dark"),
    ("item", 1440, "dark"),
    ("item", 768, "light"),
    ("statistics", 1440, "light"),
    ("site", 1440, "light"),
    ("history", 390, "light"),
)
THREAD = {"id": "/2026/bread", "title": "Bread without a machine", "url": "https://blog.example/2026/bread"}
OTHER = {"id": "/2026/lamp", "title": "The lamp by the bridge", "url": "https://blog.example/2026/lamp"}
COMMENTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "Ines",
        "I let mine rise overnight in the fridge and the crust got so much better. Thank you for this!",
        THREAD,
    ),
    ("Otto", "Could you say how warm the kitchen was? Mine takes twice as long in winter.", THREAD),
    (
        "Best Deals",
        "Buy cheap watches online now!!! Limited offer, visit http://watches.example/deal today",
        THREAD,
    ),
    (
        "Maren",
        "The photo of the second fold helped me more than any video. I had been folding it the wrong way.",
        THREAD,
    ),
    (
        "Kit",
        "You clearly never baked anything in your life. What a stupid way to waste flour, you idiot.",
        THREAD,
    ),
    (
        "SEO Expert",
        "Great post! I can bring your site to page one of Google, see http://rank.example for our prices",
        OTHER,
    ),
    ("Lio", "We used to wait for the bus under that lamp. Odd what one misses.", OTHER),
    ("anon", "I know where you live and I will find you, you will regret that you wrote this.", OTHER),
    ("Nur", "Is there a map of the walk? I would like to take my mother along the river.", OTHER),
    (
        "Casino Bonus",
        "Play and win real money, 200% bonus for new players http://casino.example/bonus http://casino.example",
        OTHER,
    ),
    ("Tam", "shut up, nobody asked for your opinion", OTHER),
    (
        "Pharma",
        "Cheap pills without prescription, fast delivery worldwide, order now http://pills.example",
        THREAD,
    ),
)


@dataclass
class Stage:
    """A running service with a maintainer and some comments."""

    url: str
    key: str
    site_id: str
    item: str


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--all", action="store_true", help="every page, width and scheme")
    options = parser.parse_args()
    if CHROMIUM is None:
        sys.exit("no chromium here")
    wanted = tuple(product(PAGES, WIDTHS, SCHEMES)) if options.all else SHOWN
    options.out.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    with _stage() as stage, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        signed_in = _signed_in(browser, stage)
        for page, width, scheme in wanted:
            path = options.out / f"console-{page}-{width}-{scheme}.png"
            _take(browser, stage, signed_in, page, width, scheme, path)
            print(f"{path}  {path.stat().st_size // 1024} kB")
        browser.close()


def _signed_in(browser: "Browser", stage: Stage) -> Any:
    """The cookies of a session, for every picture: signing in is limited."""
    page = browser.new_context(base_url=stage.url).new_page()
    sign_in(page, stage.key)
    return page.context.storage_state()


def _take(
    browser: "Browser", stage: Stage, state: Any, name: str, width: int, scheme: Any, path: Path
) -> None:
    size = {"width": width, "height": 844 if width < 500 else 900}
    context = browser.new_context(
        base_url=stage.url,
        viewport=size,  # type: ignore[arg-type]
        color_scheme=scheme,
        storage_state=state,
    )
    page = context.new_page()
    address = {"item": f"/console/items/{stage.item}", "site": f"/console/sites/{stage.site_id}"}
    page.goto(address.get(name, PAGES[name]))
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path)
    context.close()


def sign_in(page: "Page", key: str) -> None:
    """Sign in with a key."""
    page.goto("/console")
    page.get_by_label("Your key").fill(key)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="Queue", exact=True).wait_for()


@contextmanager
def _stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder), free_port()
        with running_up(home, port):
            settings = load_settings({"GREENROOM_HOME": folder, "GREENROOM_PORT": str(port)})
            keys = demo.read(settings)
            assert keys is not None
            made = _command(home, "moderator", "create", "--name", "Carla", "--role", "maintainer", "--json")
            key = str(json.loads(made)["key"])
            thresholds = [
                part for c in ("spam", "toxicity", "threat") for part in ("--threshold", f"{c}:0.12:0.995")
            ]
            _command(home, "site", "policy", keys.site_id, *thresholds)
            stage = Stage(f"http://127.0.0.1:{port}", key, keys.site_id, "")
            _fill(stage, keys.secret_key)
            yield stage


def _fill(stage: Stage, secret: str) -> None:
    """Hand everything in, decide a few, and leave the rest to be looked at."""
    for name, body, thread in COMMENTS:
        comment = {
            "thread": thread,
            "author": {"name": name, "email": f"{name[:3].lower()}@example.org"},
            "body": body,
        }
        _call(stage, secret, "/api/v1/comments", comment)
    wait_until(lambda: _call(stage, stage.key, "/api/v1/stats")["waiting"] == 0, seconds=30)
    items = _call(stage, stage.key, "/api/v1/queue")["items"]
    for item in items[:3]:
        ruling = {"action": "reject", "reason": "spam" if item["reason"] == "spam" else "toxic"}
        _call(
            stage,
            stage.key,
            f"/api/v1/queue/{item['id']}/decision",
            ruling,
            {"If-Match": f'"{item["version"]}"'},
        )
    again = {"thread": OTHER, "author": {"name": "Top Deals"}, "body": COMMENTS[2][1] + " for you"}
    _call(stage, secret, "/api/v1/comments", again)
    wait_until(lambda: _call(stage, stage.key, "/api/v1/stats")["waiting"] == 0, seconds=30)
    left = _call(stage, stage.key, "/api/v1/queue")["items"]
    stage.item = max(left, key=lambda one: len(one["why"]))["id"]
    _call(stage, stage.key, f"/api/v1/queue/{stage.item}/notes", {"note": "The same wording came on Monday."})


def _call(
    stage: Stage, key: str, path: str, data: dict[str, Any] | None = None, more: dict[str, str] | None = None
) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} | (more or {})
    body = None if data is None else json.dumps(data).encode()
    asked = urllib.request.Request(stage.url + path, body, headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer)


def _command(home: Path, *words: str) -> bytes:
    environ = {"GREENROOM_HOME": str(home), "PATH": "/usr/bin:/bin"}
    return subprocess.run([GREENROOM, *words], env=environ, check=True, capture_output=True).stdout


if __name__ == "__main__":
    main()
