"""The demo site and its maintainer, made on the first start and remembered in HOME/demo.json."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from moderation.database import open_database
from moderation.models import Role
from moderation.services.access import create_moderator, create_site, name_taken
from moderation.settings import Settings

SITE_NAME = "Demo blog"
MAINTAINER_NAME = "maintainer"


@dataclass(frozen=True)
class DemoKeys:
    """The ids and keys of the demo site and its maintainer; only for trying things out."""

    site_id: str
    secret_key: str
    public_key: str
    akismet_key: str
    moderator_id: str
    moderator_key: str


def prepare(settings: Settings) -> DemoKeys:
    """The demo's keys; makes site and maintainer if this is the first start."""
    found = read(settings)
    if found is not None:
        return found
    database = open_database(settings.database_url)
    now, secret = datetime.now(UTC), settings.secret_key
    try:
        with database.write() as session:
            site = create_site(session, SITE_NAME, origins(settings), {}, secret=secret, now=now)
            person = create_moderator(
                session, _free_name(session, now), Role.MAINTAINER, secret=secret, now=now
            )
            keys = DemoKeys(**asdict(site), moderator_id=person.moderator_id, moderator_key=person.key)
            # Inside the transaction: keys that could not be written down must not exist either.
            _write(settings, keys)
    finally:
        database.engine.dispose()
    return keys


def read(settings: Settings) -> DemoKeys | None:
    """The keys from an earlier start, if there was one."""
    path = settings.home / "demo.json"
    return DemoKeys(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def origins(settings: Settings) -> list[str]:
    """The addresses under which the demo blog may be open in a browser."""
    local = [f"http://{host}:{settings.port}" for host in ("127.0.0.1", "localhost")]
    return list(dict.fromkeys([settings.public_url, *local]))


def _free_name(session: Session, now: datetime) -> str:
    # Without demo.json but with its database (restored, say), the plain name is taken.
    return (
        f"{MAINTAINER_NAME} {now:%Y-%m-%d %H:%M:%S}"
        if name_taken(session, MAINTAINER_NAME)
        else MAINTAINER_NAME
    )


def _write(settings: Settings, keys: DemoKeys) -> None:
    path = settings.home / "demo.json"
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(keys), file, indent=2)
    draft.replace(path)
