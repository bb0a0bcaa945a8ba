"""docs/policy.md says what the policy does"""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from moderation.domain import precedents, rules
from moderation.domain.policy import PolicySettings
from moderation.services import recall, traces
from moderation.services.policies import policy_from

PAGE = (Path(__file__).parent.parent / "docs" / "policy.md").read_text(encoding="utf-8")
# The page's words for defaults that are no numbers.
WORDS = {
    "automatic": "automatic",
    "the model's": {},
    "none": (),
    "never": None,
    "no": False,
    "yes": True,
    "the installation's": None,
    "no promise": {},
}


def rows(heading: str) -> list[list[str]]:
    part = PAGE.split(heading, 1)[1].split("\n## ")[0]
    table = [line for line in part.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table]


def test_it_has_every_rule_in_its_order() -> None:
    assert [name for name, *_ in rows("# The policy")] == [rule.__name__ for rule in rules.RULES]


def test_it_has_every_setting_with_its_default() -> None:
    told = {
        name: WORDS[default] if default in WORDS else float(default)
        for name, default, _ in rows("## Settings")
    }
    assert told == {
        field.name: getattr(PolicySettings(), field.name)
        for field in fields(PolicySettings)
        if field.name != "version"
    }


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (r"Below (\d+) pairs", precedents.LEAST_PAIRS),
        (r"from (\d+) pairs on", precedents.NOT_SHORT),
        (r"a text of (\d+) pairs or more", precedents.LONG),
        (r"latest ([\d,]+) texts a site", recall.MOST_OF_A_SITE),
        (r"found for (\d+) days", traces.KEPT.days),
        (r"at most (\d+); 0 switches", recall.LONGEST_DAYS),
    ],
)
def test_its_numbers_are_those_of_the_code(words: str, value: int) -> None:
    (found,) = re.findall(words, " ".join(PAGE.split()))
    assert int(found.replace(",", "")) == value


def test_its_shares_are_those_of_the_code() -> None:
    shares = (precedents.ALIKE, precedents.MUCH_ALIKE, precedents.THE_SAME, precedents.FAINTLY_ALIKE)
    assert shares == (1 / 5, 3 / 10, 9 / 10, 0.12)
    for words in (
        "a fifth of the pairs",
        "three tenths in common",
        "nine tenths of a text",
        "an eighth in common",
    ):
        assert words in PAGE


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("memory_days", -1),
        ("memory_days", 366),
        ("memory_days", 1.5),
        ("memory_rejections", True),
        ("domain_rejections", "3"),
        ("hold_new_domains", 1),
        ("hold_first_comments", "yes"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(setting: str, value: object) -> None:
    with pytest.raises(ValueError, match=setting):
        policy_from({setting: value}, 1)


def test_settings_of_the_memory_are_read_as_stored() -> None:
    policy = policy_from({"memory_days": 0, "hold_new_domains": True, "domain_rejections": 7}, 3)
    assert (policy.memory_days, policy.hold_new_domains, policy.domain_rejections) == (0, True, 7)
    assert (policy.memory_rejections, policy.hold_first_comments) == (2, False)
