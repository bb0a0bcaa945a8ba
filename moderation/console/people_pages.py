"""People: who moderates, their roles and keys, and what was done to all of it."""

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from moderation.api.access import moderator_caller, now
from moderation.api.problems import Problem
from moderation.api.service import service
from moderation.console.blueprint import bp
from moderation.console.sign_in import maintainers_only
from moderation.models import Role
from moderation.schemas.fields import NAME_LENGTH
from moderation.services.access import NameTaken, create_moderator
from moderation.services.audit import latest_acts, record
from moderation.services.errors import NotAllowed
from moderation.services.people import (
    change_role,
    disable,
    enable,
    list_people,
    new_moderator_key,
    revoke_key,
)


@bp.get("/people")
@maintainers_only
def show_people() -> str:
    """Everybody, and the latest acts of administration."""
    return _people_page()


@bp.post("/people")
@maintainers_only
def let_in() -> str | tuple[str, int]:
    """Somebody new; their key is on the page that answers, and nowhere else."""
    name, role = request.form.get("name", "").strip(), _role()
    if not 0 < len(name) <= NAME_LENGTH or "\0" in name:
        return _people_page(wrong=f"A name of 1 to {NAME_LENGTH} characters is needed."), 422
    try:
        with service().database.write() as writing:
            made = create_moderator(writing, name, role, secret=service().settings.secret_key, now=now())
            record(writing, moderator_caller().name, "moderator made", name, now(), role=role)
    except NameTaken:
        return _people_page(wrong="Somebody has this name already."), 409
    return _people_page(new_key=made.key, key_of=name)


@bp.post("/people/<string:moderator_id>")
@maintainers_only
def change_person(moderator_id: str) -> Redirect | tuple[str, int]:
    """Change a role, or let somebody out or in."""
    who, act = moderator_caller().name, request.form.get("act")
    try:
        with service().database.write() as writing:
            if act == "role":
                change_role(writing, moderator_id, _role(), who, now())
            elif act in {"disable", "enable"}:
                (disable if act == "disable" else enable)(writing, moderator_id, who, now())
            else:
                raise Problem("invalid", "There is no such act.")
    except NotAllowed as error:
        return _people_page(wrong=f"{error}."), 409
    return redirect(url_for(".show_people", saved="person"), 303)


@bp.post("/people/<string:moderator_id>/keys")
@maintainers_only
def make_moderator_key(moderator_id: str) -> str:
    """Another key, on the page that answers and nowhere else."""
    who, secret = moderator_caller().name, service().settings.secret_key
    with service().database.write() as writing:
        key = new_moderator_key(writing, moderator_id, who, secret=secret, now=now())
    return _people_page(new_key=key, key_of="them")


@bp.post("/people/keys/<string:key_id>/revocation")
@maintainers_only
def revoke_moderator_key(key_id: str) -> Redirect | tuple[str, int]:
    """Take a key away for good."""
    try:
        with service().database.write() as writing:
            revoke_key(writing, key_id, moderator_caller().name, now())
    except NotAllowed as error:
        return _people_page(wrong=f"{error}."), 409
    return redirect(url_for(".show_people", saved="key"), 303)


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        raise Problem("invalid", "Choose a role.") from None


def _people_page(**more: Any) -> str:
    with service().database.read() as reading:
        people, acts = list_people(reading), latest_acts(reading)
        return render_template(
            "console/people.html",
            people=people,
            acts=acts,
            roles=list(Role),
            saved=request.args.get("saved"),
            **more,
        )
