"""gunicorn's own lines in the shape of all the others; named to it by `greenroom web`."""

from typing import Any

from gunicorn.glogging import Logger

from moderation import logs
from moderation.settings import load_settings


class OneShape(Logger):  # type: ignore[misc]
    """Hands gunicorn's lines on instead of writing them."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logs.set_up(load_settings())
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True

    def exception(self, msg: Any, *args: Any, **kwargs: Any) -> None:
        # gunicorn names the address it was asked for, whose query may hold a receipt.
        without_query = (str(one).partition("?")[0] for one in args)
        super().exception(msg, *without_query, **kwargs)
