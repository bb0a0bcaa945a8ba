"""A comment of this dialect's fields: what is judged, what is kept, and by what it is found again."""

import hashlib
import ipaddress
from dataclasses import dataclass
from typing import Any

from moderation.compat.akismet.call import Call
from moderation.schemas.fields import BODY_LENGTH, EMAIL_LENGTH, KEY_LENGTH, NAME_LENGTH, URL_LENGTH
from moderation.services.accept import NewComment, body_digest

# Before the site's own ids, which are our digests here.
EXTERNAL = "akismet:"
WORD_LENGTH = 100
# Of a text that is too long the end is kept too: that is where a link would be hidden.
END_LENGTH, GAP = 5_000, "\n[...]\n"
TEST_AUTHORS = {"akismet-guaranteed-spam", "viagra-test-123"}
TEST_EMAIL = "akismet-guaranteed-spam@example.com"
_NO = {"", "0", "false", "no", "off"}
# What has a meaning of its own is no trap, whatever the call names as one.
_NAMED = ("comment_", "blog", "user_", "permalink", "referrer", "api_key", "key")


@dataclass(frozen=True)
class Handed:
    """What a call says about a comment."""

    new: NewComment
    is_test: bool
    guaranteed_spam: bool
    wants_discard: bool
    administrator: bool

    @property
    def external_id(self) -> str:
        """The same for the same text of the same author on the same page, whenever it comes."""
        return self.new.external_id or ""

    def as_example(self) -> dict[str, Any]:
        """The form in which the classifier learns from a comment."""
        author = {name: self.new.author.get(name) for name in ("name", "email", "url")}
        return {"body": self.new.body, "author": author, "thread": {"title": None}}

    def as_comment(self) -> dict[str, Any]:
        """The form in which the classifier judges it: without the e-mail address.

        Blogs that ask here demand one of everybody, and the shipped model has hardly seen a harmless comment
        with one: given any address it would hold every fifth harmless comment instead of every fortieth.
        """
        example = self.as_example()
        return example | {"author": {**example["author"], "email": None}}


def read_comment(call: Call) -> Handed:
    """Whatever the fields hold; too much of anything is cut."""
    author, email = call.read("comment_author"), call.read("comment_author_email")
    return Handed(
        new=_new_comment(call),
        is_test=is_true(call.read("is_test")),
        guaranteed_spam=author in TEST_AUTHORS or email == TEST_EMAIL,
        wants_discard=is_true(call.read("test_discard")),
        administrator=call.read("user_role").lower() == "administrator",
    )


def is_true(text: str) -> bool:
    """A yes as clients write it: anything but a no.

    >>> [is_true(text) for text in ("1", "True", "0", "False", "")]
    [True, True, False, False, False]
    """
    return text.strip().lower() not in _NO


def shortened(text: str) -> str:
    """The text, or its beginning and its end if it is too long."""
    if len(text) <= BODY_LENGTH:
        return text
    return text[: BODY_LENGTH - END_LENGTH - len(GAP)] + GAP + text[-END_LENGTH:]


def _new_comment(call: Call) -> NewComment:
    body = shortened(call.read("comment_content"))
    permalink = call.read("permalink") or call.read("blog")
    author = {
        "name": call.read("comment_author")[:NAME_LENGTH],
        "email": call.read("comment_author_email")[:EMAIL_LENGTH],
        "url": call.read("comment_author_url")[:URL_LENGTH],
        "ip": _address(call.read("user_ip")),
        "user_agent": call.read("user_agent")[:URL_LENGTH],
    }
    context = {
        "door": "akismet",
        "kind": (call.read("comment_type") or call.read("content_type"))[:WORD_LENGTH],
        "recheck_reason": call.read("recheck_reason")[:WORD_LENGTH],
        "honeypot_filled": _in_the_trap(call),
    }
    return NewComment(
        thread_key=permalink[:KEY_LENGTH],
        thread_url=permalink[:URL_LENGTH] if permalink.startswith(("http://", "https://")) else None,
        body=body,
        author={name: value for name, value in author.items() if value},
        external_id=EXTERNAL + _digest(permalink, call.read("comment_author"), body),
        context={name: value for name, value in context.items() if value},
    )


def _digest(permalink: str, author: str, body: str) -> str:
    parts = "\0".join((permalink, author.casefold(), body_digest(body)))
    return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:32]


def _in_the_trap(call: Call) -> bool:
    """Whether a field that people cannot see was filled in: the one that is named, or the usual one."""
    name = call.read("honeypot_field_name")
    trapped = call.read(name) if name and not name.startswith(_NAMED) else ""
    return bool(trapped or call.read("hidden_honeypot_field"))


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
