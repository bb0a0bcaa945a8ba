"""The web application, put together: settings, connections, error shape, doors."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_smorest import Api
from flask_swagger_ui import get_swaggerui_blueprint

from moderation import blog, console, logs, metrics
from moderation.api import (
    batches,
    comment_batch,
    comments,
    cors,
    desk,
    labels,
    models,
    operations,
    people,
    queue,
    reports,
    shadows,
    sites,
    threads,
    webhooks,
)
from moderation.api.bodies import refuse_nul
from moderation.api.problems import MEDIA_TYPE, register_error_handlers
from moderation.api.proxies import BehindProxies
from moderation.api.service import Service
from moderation.api.watching import watch_requests
from moderation.compat import akismet, coral, openai, perspective
from moderation.database import open_database
from moderation.jobs import open_jobs
from moderation.rates import Rates
from moderation.schemas.problems import ProblemSchema
from moderation.scoring import open_scorer
from moderation.settings import Settings, load_settings

REQUEST_BYTES = 64 * 1024
DOORS = (
    comments.bp,
    comment_batch.bp,
    reports.bp,
    threads.bp,
    queue.bp,
    batches.bp,
    desk.bp,
    models.bp,
    shadows.bp,
    labels.bp,
    sites.bp,
    people.bp,
    webhooks.bp,
    operations.bp,
)
DOCS_URL, OPENAPI_URL = "/api/docs", "/api/openapi.json"


class Web(Flask):
    """A Flask whose views are all plain functions, which it need not find out for each request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself."""
        return func


def serve() -> Flask:
    """What gunicorn runs: the application, and this process's logs and figures."""
    settings = load_settings()
    logs.set_up(settings)
    metrics.start(settings.home)
    return create_app(settings)


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application; connections are opened on first use."""
    settings = settings or load_settings()
    app = Web("moderation")
    app.config.update(_config(settings))
    watch_requests(app)
    jobs = open_jobs(settings.redis_url)
    app.extensions["greenroom"] = Service(
        settings,
        open_database(settings.database_url, "greenroom web", settings.web_threads),
        jobs,
        open_scorer(settings),
        # With one breaker: a request that found Redis away need not find it out a second time.
        Rates(jobs.redis.connection_pool, jobs.breaker),
    )
    app.wsgi_app = BehindProxies(app.wsgi_app, settings.trusted_proxies, settings.proxy_header)  # type: ignore[method-assign]
    _add_api(app)
    app.register_blueprint(get_swaggerui_blueprint(DOCS_URL, OPENAPI_URL, {"app_name": "Greenroom API"}))
    app.register_blueprint(console.bp)
    app.register_blueprint(akismet.bp)
    app.register_blueprint(coral.bp)
    app.register_blueprint(perspective.bp)
    app.register_blueprint(openai.bp)
    if settings.demo:
        app.register_blueprint(blog.bp)
    app.before_request(refuse_nul)
    register_error_handlers(app)
    cors.allow_sites(app)
    return app


def _config(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "MAX_CONTENT_LENGTH": REQUEST_BYTES,
        "API_TITLE": "Greenroom",
        "API_VERSION": "1",
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/api",
        "OPENAPI_JSON_PATH": "openapi.json",
        "API_SPEC_OPTIONS": {
            "info": {"description": "Self-hosted comment moderation."},
            "servers": [{"url": settings.public_url}],
            "components": {
                "securitySchemes": {
                    "key": {"type": "http", "scheme": "bearer"},
                    "siteKey": {"type": "apiKey", "in": "header", "name": "X-Site-Key"},
                }
            },
            "security": [{"key": []}],
        },
    }


class ProblemApi(Api):  # type: ignore[misc]
    """Describes errors as the problems they are."""

    ERROR_SCHEMA = ProblemSchema


def _add_api(app: Flask) -> None:
    app.url_map.converters["thread"] = threads.ThreadKey
    # "//" is meant: a thread's id may begin with a slash.
    app.url_map.merge_slashes = False
    api = ProblemApi(app)
    for response in api.spec.components.responses_lazy.values():
        if "content" in response:
            response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}
    for bp in DOORS:
        api.register_blueprint(bp)
