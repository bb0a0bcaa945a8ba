"""A real browser on the real service: `greenroom up` with a home of its own, and Debian's Chromium.

Skipped where there is no browser; the Python packages are the dependency group `browser`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from moderation import demo
from moderation.blog import THREAD
from moderation.database import Database, open_database
from moderation.domain.policy import CATEGORIES
from moderation.domain.status import Action
from moderation.models import Comment, Submission
from moderation.services.accept import NewComment, accept
from moderation.services.change import lock_comment
from moderation.services.decide import POLICY, Act, record_decision
from moderation.services.policies import change_policy
from moderation.settings import load_settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

REPOSITORY = Path(__file__).parents[2]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
CHROMIUM = shutil.which("chromium")
START_SECONDS = 90
# What the model thinks of a text is not the subject of most of these tests.
LENIENT = {"mode": "automatic", "thresholds": {c: {"hold": 1.0} for c in CATEGORIES}, "repeat_limit": 100}
LENIENT |= {"link_limit": 100}
AS_SHIPPED = {"mode": "automatic", "thresholds": {}, "link_limit": 3}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser and a whole service are real processes, and the first test waits for both to start."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.processes)
            item.add_marker(pytest.mark.timeout(START_SECONDS + 60))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Skip from one place, so that the summary says it in one line."""
    if CHROMIUM is None or importlib.util.find_spec("playwright") is None:
        pytest.skip("browser tests need chromium and the dependency group `browser`")


@dataclass(frozen=True)
class Blog:
    """The demo blog of the service under test."""

    url: str
    home: Path
    database: Database
    site_id: str

    def set_policy(self, changes: dict[str, Any]) -> None:
        with self.database.write() as session:
            change_policy(session, self.site_id, changes, datetime.now(UTC))

    def publish(self, *bodies: str, name: str = "Maren", parent: str | None = None, url: str = "") -> str:
        """Approve comments without asking the model, in one commit; gives the last one's id."""
        now, comment_id = datetime.now(UTC), ""
        author = {"name": name, "url": url} if url else {"name": name}
        with self.database.write() as session:
            for body in bodies:
                new = NewComment(THREAD, body, author, self.url + "/", "", parent)
                comment_id = accept(session, self.site_id, new, now).comment_id
                comment = lock_comment(session, comment_id)
                record_decision(
                    session, comment, Act(Action.APPROVE, "clean", POLICY, comment.submission_id), now
                )
            session.execute(update(Submission).where(Submission.judged_at.is_(None)).values(judged_at=now))
        return comment_id

    def clear(self) -> None:
        """Start the next test with a thread nobody commented on; past the one writer of status, for speed."""
        with self.database.write() as session:
            session.execute(update(Comment).values(status="removed"))
            session.execute(
                update(Submission).where(Submission.judged_at.is_(None)).values(judged_at=datetime.now(UTC))
            )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def service_of_blog(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    home, port = tmp_path_factory.mktemp("home"), free_port()
    with running_up(home, port):
        environment = {"GREENROOM_HOME": str(home), "GREENROOM_PORT": str(port)}
        settings = load_settings(environment)
        keys = demo.read(settings)
        assert keys is not None
        database = open_database(settings.database_url)
        yield Blog(f"http://127.0.0.1:{port}", home, database, keys.site_id)
        database.engine.dispose()


@pytest.fixture
def blog(service_of_blog: Blog) -> Blog:
    """The blog with an empty thread and a policy that lets everything through."""
    service_of_blog.clear()
    service_of_blog.set_policy(LENIENT)
    return service_of_blog


@contextlib.contextmanager
def running_up(home: Path, port: int) -> Iterator[None]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    environment = {**ours, "GREENROOM_HOME": str(home), "PORT": str(port)}
    with (home / "log").open("w") as log:
        command = [sys.executable, "-P", "-m", "workers.cli", "up"]
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}/readyz", home / "log")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.1)
    pytest.fail(f"the service did not start: {log.read_text()[-1000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Watch:
    """Everything that should never happen while a page is open."""

    host: str
    seen: list[str] = field(default_factory=list)

    def request(self, request: Request) -> None:
        if not request.url.startswith((self.host, "data:", "blob:")):
            self.seen.append(f"request to {request.url}")

    def console(self, message: ConsoleMessage) -> None:
        # The browser notes every answer that is an error; whether it should be one, the test says.
        ours = any(part in message.location["url"] for part in ("/api/v1/", "/console/items/"))
        refused = "Failed to load resource" in message.text and ours
        if message.type in {"error", "warning"} and not refused:
            self.seen.append(f"{message.type}: {message.text}")


Opener = Callable[..., AbstractContextManager["Page"]]


@pytest.fixture
def open_page(browser: Browser, blog: Blog) -> Opener:
    """Open the blog as a reader would; nothing may go wrong unseen meanwhile."""

    @contextlib.contextmanager
    def opened(path: str = "/", **options: Any) -> Iterator[Page]:
        context = browser.new_context(base_url=blog.url, **options)
        watch = Watch(blog.url)
        page = context.new_page()
        page.set_default_timeout(15_000)
        context.on("request", watch.request)
        page.on("console", watch.console)
        page.on("pageerror", lambda error: watch.seen.append(f"script error: {error}"))
        page.on("dialog", lambda dialog: (watch.seen.append("a dialog"), dialog.dismiss()))
        page.goto(path)
        try:
            yield page
            assert watch.seen == []
        finally:
            context.close()

    return opened


@pytest.fixture
def page(open_page: Opener) -> Iterator[Page]:
    """The blog in a browser with JavaScript."""
    with open_page() as opened:
        yield opened


@pytest.fixture
def plain_page(open_page: Opener) -> Iterator[Page]:
    """The blog in a browser without JavaScript."""
    with open_page(java_script_enabled=False) as opened:
        yield opened


def write(page: Page, body: str, name: str = "Ines") -> None:
    """Fill in the form and send it."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Comment", exact=True).fill(body)
    page.get_by_role("button", name="Send comment").click()
    # Without JavaScript the click leads to another page; what follows must not cut it short.
    page.wait_for_load_state()
