"""Signing in and out, and what a moderator sets for themselves."""

from flask import Response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as Redirect

from moderation.api.access import Who, moderator_caller, now, requires
from moderation.api.limits import charge_guess
from moderation.api.service import service
from moderation.console.blueprint import bp
from moderation.console.sign_in import (
    own_page,
    show_severe,
    sign_in,
    sign_in_by_password,
    sign_in_page,
    signed_in,
)
from moderation.passwords import LEAST_CHARACTERS, UnusablePassword, hashed
from moderation.services.claims import release_all
from moderation.services.people import keep_password


@bp.route("/sign-in", methods=["GET", "POST"])
@requires(Who.EVERYBODY)
def show_sign_in() -> Response | Redirect:
    """Ask for a key, or name and password; the right ones lead to the page that was wanted."""
    wanted = request.form.get("wanted", "")
    if request.method == "GET":
        return sign_in_page(200, wanted)
    charge_guess()
    name = request.form.get("name", "").strip()
    if name:
        found = sign_in_by_password(name, request.form.get("password", ""))
    else:
        found = sign_in(request.form.get("key", "").strip())
    if not found:
        return sign_in_page(401, wanted, wrong="name" if name else "key")
    return redirect(own_page(wanted), 303)


@bp.post("/sign-out")
@signed_in
def sign_out() -> Redirect:
    """End the session in this browser, and give back what one held."""
    with service().database.write() as writing:
        release_all(writing, moderator_caller().moderator_id)
    session.clear()
    return redirect(url_for(".show_sign_in"), 303)


@bp.get("/me")
@signed_in
def show_me() -> str:
    """One's own password and what one wants to see."""
    return _me()


@bp.post("/me/password")
@signed_in
def change_password() -> Response | Redirect | tuple[str, int]:
    """Set a password; every session of one's own but this one ends."""
    new, again = request.form.get("password", ""), request.form.get("again", "")
    if new != again:
        return _me("The two do not agree."), 422
    try:
        kept = hashed(new, moderator_caller().name)
        with service().database.write() as writing:
            moderator = keep_password(writing, moderator_caller().moderator_id, kept, now())
    except UnusablePassword as error:
        return _me(str(error)), 422
    session["since"] = moderator.sessions_since.timestamp() if moderator.sessions_since else 0
    return redirect(url_for(".show_me", saved="password"), 303)


@bp.post("/me/severe")
@signed_in
def change_severe() -> Redirect:
    """Whether severe texts are shown at once; kept in this browser's session."""
    show_severe(request.form.get("show") == "yes")
    return redirect(url_for(".show_me", saved="severe"), 303)


def _me(wrong: str = "") -> str:
    return render_template(
        "console/me.html", wrong=wrong, least=LEAST_CHARACTERS, saved=request.args.get("saved")
    )
