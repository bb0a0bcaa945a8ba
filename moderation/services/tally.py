"""What a transaction did, to be counted once it is committed: what is rolled back never happened."""

from sqlalchemy.orm import Session

TALLY = "tally"


def note(session: Session, event: str, *told: str | float | None) -> None:
    """Remember something this transaction did; `Database.write` hands it on after the commit."""
    session.info.setdefault(TALLY, []).append((event, *told))
