"""The examples in the docstrings of `moderation` are true."""

import doctest
from types import ModuleType

import pytest

from moderation import importing, rates, scoring, setting_values
from moderation.api import proxies
from moderation.domain import (
    contrary,
    drift,
    likeness,
    links,
    new_words,
    precedents,
    rightness,
    sources,
    status,
    teaching,
    training_set,
)
from moderation.exports import found
from moderation.services import accept, records, usage

MODULES = [
    status,
    teaching,
    contrary,
    drift,
    likeness,
    links,
    new_words,
    precedents,
    rightness,
    sources,
    training_set,
    accept,
    records,
    usage,
    found,
    importing,
    rates,
    scoring,
    setting_values,
    proxies,
]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_its_examples_are_true(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
