"""The routes of the JSON API as the application has them."""

import re

from flask import Flask

# Doors with documents of their own: pages, and the dialects of others.
OTHER_DOORS = {"blog", "console", "swagger_ui", "compat", "akismet", "coral", "perspective", "openai"}
UNTOLD = {"HEAD", "OPTIONS"}


def api_routes(app: Flask) -> set[tuple[str, str]]:
    """Method and path of every route of the API, in the form of OpenAPI: `/queue/{item_id}`."""
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if is_api(rule.endpoint)
        for method in (rule.methods or set()) - UNTOLD
    }


def is_api(endpoint: str) -> bool:
    return endpoint != "static" and endpoint.split(".")[0] not in {*OTHER_DOORS, "api-docs"}
