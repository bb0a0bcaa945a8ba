"""Who may import whom, and how large things may grow; read off the syntax tree."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PACKAGES = ("classifier", "moderation", "workers")
DOORS = (
    "moderation.api",
    "moderation.compat",
    "moderation.console",
    "moderation.blog",
    "moderation.app",
    "moderation.page_safety",
)
MACHINE_LEARNING = ("numpy", "scipy", "sklearn", "joblib")
# What the `train` extra is for; nothing that serves imports these.
TRAINING = (
    *("classifier.corpus", "classifier.encoders", "classifier.quantised"),
    *("classifier.student", "classifier.teacher", "classifier.polyglot", "classifier.word_vectors"),
)

LONGEST_MODULE, LONGEST_FUNCTION = 400, 60
EMPTY_NAMES = {"helper", "helpers", "util", "utils", "common", "misc"}


@dataclass(frozen=True)
class Border:
    """What the modules `inside` may import beside the standard library, and what never.

    `only` None leaves open whatever `never` does not name; the exact names of `but` are let through.
    """

    inside: tuple[str, ...]
    only: tuple[str, ...] | None = None
    never: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


BORDERS = {
    "the classifier knows machine learning and nothing of the service": Border(
        ("classifier",),
        only=("classifier", *MACHINE_LEARNING),
        outside=(
            *("classifier.dataset", "classifier.pictures"),
            *TRAINING,
        ),
    ),
    "what is needed to train only stays where the model is trained": Border(
        TRAINING, only=("classifier", *MACHINE_LEARNING, "torch", "transformers", "tokenizers")
    ),
    "only reports draw pictures": Border(
        ("classifier.pictures",), only=("classifier", *MACHINE_LEARNING, "matplotlib")
    ),
    "only the reader of training data knows its file format": Border(
        ("classifier.dataset",), only=("classifier", *MACHINE_LEARNING, "pyarrow")
    ),
    "the domain knows the standard library": Border(("moderation.domain",), only=("moderation.domain",)),
    "the tables know the domain's words": Border(
        ("moderation.models",), only=("moderation.models", "moderation.domain", "sqlalchemy")
    ),
    "the use cases know the domain, the tables and SQL": Border(
        ("moderation.services",),
        only=("moderation.services", "moderation.domain", "moderation.models", "sqlalchemy"),
    ),
    "the schemas know the words and limits, no request and no SQL": Border(
        ("moderation.schemas",),
        only=("moderation.schemas", "moderation.services", "moderation.domain", "marshmallow"),
    ),
    "the readers of other systems' exports know neither our tables nor our rules": Border(
        ("moderation.exports",), only=("moderation.exports",)
    ),
    # They pass a Session on to a service, so they may name its type.
    "the doors leave SQL, Redis and the model to others": Border(
        DOORS,
        never=("sqlalchemy", "redis", "rq", "classifier", "workers", *MACHINE_LEARNING),
        but=("sqlalchemy.orm.Session",),
    ),
    "one module loads the model": Border(
        ("moderation.scoring",),
        only=("classifier", "moderation.domain", "moderation.model_store", "moderation.settings"),
    ),
    "no other module of moderation does": Border(
        ("moderation",), never=("classifier", *MACHINE_LEARNING), outside=("moderation.scoring",)
    ),
    "one module speaks to an object store": Border(
        ("moderation.model_store",), only=("obstore", "moderation.model_cache")
    ),
    "no other module does": Border(PACKAGES, never=("obstore",), outside=("moderation.model_store",)),
    "one module enqueues": Border(
        ("moderation.jobs",), only=("redis", "rq", "moderation.settings", "moderation.redis_connection")
    ),
    "no other module of moderation does it": Border(
        ("moderation",), never=("rq",), outside=("moderation.jobs",)
    ),
    "one module connects to Redis": Border(
        ("moderation.redis_connection",), only=("redis", "moderation.setting_values")
    ),
    "one module counts in Redis": Border(
        ("moderation.rates",),
        only=("redis", "limits", "moderation.redis_connection", "moderation.setting_values"),
    ),
    "no other module of moderation touches Redis": Border(
        ("moderation",),
        never=("redis", "limits"),
        outside=("moderation.jobs", "moderation.redis_connection", "moderation.rates"),
    ),
    "figures and logs know neither request nor database, for everybody uses them": Border(
        ("moderation.metrics", "moderation.metric_files", "moderation.logs"),
        only=(
            "prometheus_client",
            "moderation.metrics",
            "moderation.metric_files",
            "moderation.logs",
            "moderation.settings",
        ),
    ),
    "one module knows the web server's log": Border(
        ("moderation", "workers"), never=("gunicorn",), outside=("moderation.web_log",)
    ),
    "moderation never imports its workers": Border(("moderation",), never=("workers",)),
    "everything below the doors works without the web": Border(
        ("moderation",), never=("flask", "flask_smorest", "werkzeug", "webargs"), outside=DOORS
    ),
    "the workers are no web": Border(("workers",), never=("flask", *DOORS)),
    # The command line is where everything is put together.
    "only retraining and the command line know the classifier": Border(
        ("workers",), never=("classifier",), outside=("workers.retraining", "workers.cli")
    ),
}


def violations(border: Border, module: str, source: str, *, package: bool = False) -> list[str]:
    """Every import in the source of a module that its border forbids."""
    if not under(module, border.inside) or under(module, border.outside):
        return []
    return [
        f"{module} imports {name}"
        for name in imports(module, source, package=package)
        if not allows(border, name)
    ]


def allows(border: Border, name: str) -> bool:
    if name in border.but:
        return True
    if under(name, border.never):
        return False
    return (
        border.only is None or name.partition(".")[0] in sys.stdlib_module_names or under(name, border.only)
    )


def under(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def imports(module: str, source: str, *, package: bool) -> Iterator[str]:
    """The full name of everything imported, wherever it stands: `from a import b` gives a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(module, node, package=package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def absolute(module: str, node: ast.ImportFrom, *, package: bool) -> str:
    """The full name of the package a `from` names, which may be relative."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    upwards = node.level - 1 if package else node.level
    base = parts[: len(parts) - upwards]
    return ".".join([*base, *([node.module] if node.module else [])])


def modules() -> dict[str, Path]:
    """Every module of the three packages by its full name."""
    files = sorted(path for name in PACKAGES for path in (REPOSITORY / name).rglob("*.py"))
    return {module_name(path): path for path in files}


def module_name(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = modules()


@pytest.mark.parametrize("name", BORDERS)
def test_imports_stay_within_the_borders(name: str) -> None:
    crossed = [
        found
        for module, path in MODULES.items()
        for found in violations(
            BORDERS[name], module, path.read_text(encoding="utf-8"), package=path.stem == "__init__"
        )
    ]
    assert crossed == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("moderation.domain.rules", "import flask"),
        ("moderation.domain.rules", "from moderation.models import Comment"),
        ("moderation.domain.rules", "from ..models import Comment"),
        ("moderation.domain.rules", "def rule():\n    from .. import services"),
        ("moderation.services.accept", "from flask import g"),
        ("moderation.services.accept", "import moderation.api.problems"),
        ("moderation.services.accept", "def f():\n    import redis.exceptions"),
        ("moderation.services.accept", "from moderation import jobs"),
        ("moderation.services.accept", "from moderation import *"),
        ("moderation.api.queue", "from sqlalchemy import select"),
        ("moderation.api.queue", "import sqlalchemy.orm"),
        ("moderation.api.queue", "from workers.scoring import drain"),
        ("moderation.console.pages", "from classifier.registry import Registry"),
        ("moderation.schemas.queue", "from sqlalchemy.orm import Session"),
        ("moderation.exports.isso", "from moderation.services.accept import NewComment"),
        ("moderation.exports.wordpress", "from lxml import etree"),
        ("moderation.scoring", "from flask import g"),
        ("moderation.jobs", "from workers import scoring"),
        ("moderation.settings", "from redis import Redis"),
        ("moderation.metrics", "from moderation.database import Database"),
        ("moderation.logs", "from flask import g"),
        ("moderation.services.decide", "from moderation import metrics"),
        ("moderation.app", "import gunicorn.glogging"),
        ("classifier.model", "from moderation.domain.policy import CATEGORIES"),
        ("classifier.model", "import pyarrow"),
        ("workers.scoring", "from classifier import Classifier"),
        ("workers.scoring", "from flask import current_app"),
        ("workers.sweeper", "if True:\n    from moderation.app import create_app"),
    ],
)
def test_a_crossing_is_noticed(module: str, source: str) -> None:
    assert [name for name, border in BORDERS.items() if violations(border, module, source)]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("moderation.domain.rules", "import re\nfrom .policy import Finding"),
        (
            "moderation.services.accept",
            "from sqlalchemy import select\nfrom moderation.models import Comment",
        ),
        ("moderation.api.queue", "from sqlalchemy.orm import Session"),
        ("moderation.scoring", "from classifier.registry import Registry"),
        ("workers.retraining", "from classifier import Classifier"),
        ("workers.cli.classifier_commands", "from classifier import load"),
        ("classifier.dataset", "def read():\n    import pyarrow.parquet as parquet"),
    ],
)
def test_what_is_allowed_is_not_called_a_crossing(module: str, source: str) -> None:
    assert not [name for name, border in BORDERS.items() if violations(border, module, source)]


def test_a_package_counts_its_dots_from_itself() -> None:
    border = BORDERS["the domain knows the standard library"]
    assert not violations(border, "moderation.domain", "from . import rules", package=True)
    assert violations(border, "moderation.domain", "from .. import rules", package=True)


def test_the_reader_of_training_data_needs_its_library_only_when_called() -> None:
    tree = ast.parse(MODULES["classifier.dataset"].read_text(encoding="utf-8"))
    at_import = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert "pyarrow" not in " ".join(map(ast.unparse, at_import))


def test_no_module_has_a_name_that_says_nothing() -> None:
    parts = {part for module in MODULES for name in module.split(".") for part in name.split("_")}
    assert not parts & EMPTY_NAMES


@pytest.mark.parametrize("module", MODULES)
def test_modules_and_functions_stay_small(module: str) -> None:
    source = MODULES[module].read_text(encoding="utf-8")
    # A migration is a list of the tables as they were, not a piece of logic to be divided.
    is_migration = module.startswith("moderation.migrations.")
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    }
    assert len(source.splitlines()) <= LONGEST_MODULE
    assert is_migration or {name: n for name, n in long.items() if n > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize(
    "module", [m for m in MODULES if under(m, ("moderation.domain", "moderation.services"))]
)
def test_everything_public_in_domain_and_services_says_what_it_is_for(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    assert [node.name for node in public if not ast.get_docstring(node)] == []
    assert ast.get_docstring(tree) or not tree.body


@pytest.mark.parametrize(
    "folder",
    [
        *("classifier", "moderation/api", "moderation/compat", "moderation/domain"),
        *("moderation/exports", "moderation/services"),
    ],
)
def test_a_folder_with_a_border_states_it_in_a_few_lines(folder: str) -> None:
    lines = (REPOSITORY / folder / "README.md").read_text(encoding="utf-8").splitlines()
    assert 1 <= len(lines) <= 10
