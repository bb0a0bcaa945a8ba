"""greenroom site policy: the switches of the doors that only ask "is it spam?\""""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from moderation.services.access import NewSite
from workers.cli import main

SWITCHES = {
    "trust_roles": ("--trust-roles", "--distrust-roles", True),
    "toxic_is_spam": ("--toxic-is-spam", "--toxic-is-not-spam", False),
    "queue_spam_checks": ("--queue-spam-checks", "--no-queue-spam-checks", False),
}


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_is_left_as_it_is_until_it_is_named(
    database_url: str, tmp_path: Path, alma: NewSite, name: str
) -> None:
    def policy(*options: str) -> bool:
        environ = {"GREENROOM_DATABASE_URL": database_url, "GREENROOM_HOME": str(tmp_path)}
        command = ["site", "policy", alma.site_id, *options, "--json"]
        done = CliRunner().invoke(main, command, env=environ)
        assert done.exit_code == 0, done.output
        value: bool = json.loads(done.output)[name]
        return value

    on, off, default = SWITCHES[name]
    assert policy() is default
    assert policy(on) is True
    assert policy("--link-limit", "5") is True
    assert policy(off) is False
    assert policy("--blocked-word", "gadget") is False
