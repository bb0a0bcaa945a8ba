"""The documents say what is true: commands, links and files they name exist."""

import re
import shlex
from pathlib import Path

import click
import pytest

from workers.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
COMMAND = re.compile(r"(?:^|\s|`|/)greenroom ((?:[a-z]+(?:-[a-z]+)*)(?: [^`\n|#>]*)?)")
LINK = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_a_document_names_exists_with_its_options(path: Path) -> None:
    for found in COMMAND.finditer(path.read_text()):
        words = shlex.split(found[1].replace("'", " "))
        if words[0] in COMMANDS:
            _check(main, words)
        else:
            # Prose about the program, not a command line.
            assert found[0].strip().startswith("greenroom") and words[0].replace("-", "").isalpha(), found[0]
            assert f"`greenroom {words[0]}" not in path.read_text(), f"no command {words[0]}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_file_a_document_links_to_exists(path: Path) -> None:
    for found in LINK.finditer(path.read_text()):
        assert (path.parent / found[1]).exists(), found[1]


def test_every_command_has_a_help_text() -> None:
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        assert (command.help or "").strip(), name


def test_the_make_targets_the_readme_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def _check(command: click.Command, words: list[str]) -> None:
    """Follow sub-commands and check that each option exists."""
    rest = list(words)
    while isinstance(command, click.Group) and rest:
        found = command.get_command(click.Context(command), rest.pop(0))
        assert found is not None, words
        command = found
    options = {flag for one in command.params for flag in [*one.opts, *one.secondary_opts]} | {"--help"}
    for word in rest:
        assert not word.startswith("--") or word.split("=")[0] in options, f"{command.name} has no {word}"
