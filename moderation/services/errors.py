"""What can go wrong in a use case; the doors translate each into their own words."""

from datetime import datetime


class ServiceError(Exception):
    """A use case was refused; nothing was changed."""


class NotFound(ServiceError):
    """No such thing, or not the caller's."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"no such {kind}")
        self.kind = kind


class ParentNotFound(ServiceError):
    """The comment replied to is not in this thread."""


class ExternalIdTaken(ServiceError):
    """The site already handed in a comment with this external id."""

    def __init__(self, comment_id: str) -> None:
        super().__init__("a comment with this external_id exists")
        self.comment_id = comment_id


class KeyReused(ServiceError):
    """An idempotency key came again with another request."""


class NotAllowed(ServiceError):
    """The comment's status does not allow this decision."""


class StaleItem(ServiceError):
    """The queue item changed since the caller saw it."""

    def __init__(self, version: int, decided_by: str | None, action: str | None, at: datetime | None) -> None:
        who = f"{decided_by} decided {action}" if decided_by else "it changed"
        super().__init__(f"the queue item is now at version {version}: {who}")
        self.version, self.decided_by, self.action, self.at = version, decided_by, action, at


class ClaimedByOther(ServiceError):
    """Another moderator holds a live claim."""

    def __init__(self, holder: str, until: datetime) -> None:
        super().__init__(f"claimed by {holder}")
        self.holder, self.until = holder, until


class NotReversible(ServiceError):
    """The decision cannot be undone, and why."""


class RunInProgress(ServiceError):
    """A retraining run is already queued or running."""

    def __init__(self, run_id: str) -> None:
        super().__init__("a retraining run is already under way")
        self.run_id = run_id


class ShadowRefused(ServiceError):
    """A model version cannot score in the shadow now, and why."""


class NeedsMaintainer(ServiceError):
    """A moderator asked for a maintainer, who decides this item."""


class StalePolicy(ServiceError):
    """Somebody changed the site's policy since the caller saw it."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version} of the policy is in force")
        self.version = version
