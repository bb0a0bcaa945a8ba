"""The document from which Google's clients build themselves."""

from typing import Any
from urllib.parse import urlsplit

from flask import Response, request

from moderation.api.access import Who, requires
from moderation.api.service import service
from moderation.compat.perspective.call import bp, in_dialect, say, site_of_call

TEXT = {"type": "string"}
ANY = {"type": "any"}


@bp.get("/$discovery/rest")
@requires(Who.EVERYBODY)  # The key is found and checked here, if there is one.
def discover() -> Response:
    """The methods, below this installation's own address; a key that is sent must be right."""

    def answer() -> Response:
        if request.args.get("key") or request.headers.get("X-Goog-Api-Key"):
            site_of_call()
        return say(document(_root()))

    return in_dialect(answer)


def document(root: str) -> dict[str, Any]:
    """The discovery document (Google API Discovery Service, version 1) for an address that ends in `/`."""
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "commentanalyzer:v1alpha1",
        "name": "commentanalyzer",
        "version": "v1alpha1",
        "title": "Comment analyzer",
        "description": "Scores comments; served by Greenroom.",
        "protocol": "rest",
        "rootUrl": root,
        "baseUrl": root,
        "servicePath": "",
        "basePath": "",
        "batchPath": "batch",
        "parameters": {
            "key": {"type": "string", "location": "query"},
            "alt": {"type": "string", "location": "query", "default": "json"},
            "prettyPrint": {"type": "boolean", "location": "query", "default": "true"},
            "fields": {"type": "string", "location": "query"},
        },
        "schemas": _SCHEMAS,
        "resources": {
            "comments": {"methods": {"analyze": _method("analyze"), "suggestscore": _method("suggestscore")}}
        },
    }


def _root() -> str:
    """The public address; in front of none, such as on one's own machine, the one that was asked."""
    public = service().settings.public_url.rstrip("/")
    local = urlsplit(public).hostname in {"127.0.0.1", "localhost"}
    return (request.host_url.rstrip("/") if local else public) + "/"


def _method(name: str) -> dict[str, Any]:
    title = {"analyze": "AnalyzeComment", "suggestscore": "SuggestCommentScore"}[name]
    return {
        "id": f"commentanalyzer.comments.{name}",
        "path": f"v1alpha1/comments:{name}",
        "flatPath": f"v1alpha1/comments:{name}",
        "httpMethod": "POST",
        "parameters": {},
        "parameterOrder": [],
        "request": {"$ref": f"{title}Request"},
        "response": {"$ref": f"{title}Response"},
    }


def _schema(name: str, **properties: Any) -> dict[str, Any]:
    return {name: {"id": name, "type": "object", "properties": properties}}


_LISTS = {"type": "array", "items": TEXT}
_MAP = {"type": "object", "additionalProperties": ANY}
_SCHEMAS: dict[str, Any] = (
    _schema("TextEntry", text=TEXT, type=TEXT)
    | _schema(
        "AnalyzeCommentRequest",
        comment={"$ref": "TextEntry"},
        requestedAttributes=_MAP,
        languages=_LISTS,
        context=_MAP,
        spanAnnotations={"type": "boolean"},
        doNotStore={"type": "boolean"},
        clientToken=TEXT,
        sessionId=TEXT,
        communityId=TEXT,
    )
    | _schema(
        "AnalyzeCommentResponse",
        attributeScores=_MAP,
        languages=_LISTS,
        detectedLanguages=_LISTS,
        clientToken=TEXT,
    )
    | _schema(
        "SuggestCommentScoreRequest",
        comment={"$ref": "TextEntry"},
        attributeScores=_MAP,
        languages=_LISTS,
        context=_MAP,
        clientToken=TEXT,
        sessionId=TEXT,
        communityId=TEXT,
    )
    | _schema(
        "SuggestCommentScoreResponse", requestedLanguages=_LISTS, detectedLanguages=_LISTS, clientToken=TEXT
    )
)
