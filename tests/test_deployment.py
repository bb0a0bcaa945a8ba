"""What ships the service: compose file, image, locks and make targets agree with the code they name."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from moderation.settings import PREFIX, SETTINGS

REPOSITORY = Path(__file__).parent.parent
COMPOSE = REPOSITORY / "docker-compose.yml"
DOCKERFILE = REPOSITORY / "Dockerfile"
LOCKS = [REPOSITORY / "requirements" / f"{name}.lock" for name in ("run", "s3", "dev", "train")]
LOCKS_APART = [
    REPOSITORY / "requirements" / f"{name}.lock" for name in ("clients", "clients-apart", "large-teacher")
]


def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return parsed


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def own_services() -> dict[str, dict[str, Any]]:
    return {name: service for name, service in services().items() if "build" in service}


def setting_names() -> set[str]:
    return {PREFIX + s.name for s in SETTINGS} | {f"{PREFIX}{s.name}_FILE" for s in SETTINGS if s.secret}


def command_line() -> click.Group:
    from workers.cli import main

    return main


def dockerfile_lines(word: str) -> list[list[str]]:
    joined = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.split()[1:] for line in joined.splitlines() if line.startswith(f"{word} ")]


def test_every_process_of_the_service_has_its_container() -> None:
    assert set(services()) == {
        "database",
        "redis",
        "migrate",
        "web",
        "worker",
        "trainer",
        "courier",
        "sweeper",
    }


@pytest.mark.parametrize("name", ["migrate", "web", "worker", "trainer", "courier", "sweeper"])
def test_every_container_runs_a_command_that_exists(name: str) -> None:
    group = command_line()
    words: list[str] = own_services()[name]["command"]
    command = group.get_command(click.Context(group), words[0])
    assert command is not None
    command.make_context(words[0], words[1:])


def test_every_setting_of_the_containers_is_a_setting() -> None:
    given = {name for service in own_services().values() for name in service["environment"]}
    in_image = {word.partition("=")[0] for words in dockerfile_lines("ENV") for word in words}
    named = {name for name in given | in_image if name.startswith(PREFIX)}
    assert len(named) > 5
    assert named <= setting_names()


def test_everything_waited_for_is_a_service() -> None:
    for service in services().values():
        assert set(service.get("depends_on", {})) <= set(services())


def test_the_service_waits_for_the_migration_and_the_migration_for_the_database() -> None:
    assert set(services()["migrate"]["depends_on"]) == {"database"}
    for name in set(own_services()) - {"migrate"}:
        assert services()[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_what_is_waited_for_as_healthy_says_whether_it_is() -> None:
    for service in services().values():
        for name, condition in service.get("depends_on", {}).items():
            assert condition["condition"] != "service_healthy" or "test" in services()[name]["healthcheck"]


def test_all_but_the_migration_come_back_after_a_crash() -> None:
    for name, service in services().items():
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_models_and_the_signing_key_are_shared_by_all() -> None:
    for service in own_services().values():
        assert service["volumes"] == ["models:/data/models"]
        assert service["environment"]["GREENROOM_MODELS_DIR"] == "/data/models"
        assert "GREENROOM_SECRET_KEY" in service["environment"]


def test_every_volume_used_is_declared() -> None:
    used = {v.partition(":")[0] for service in services().values() for v in service.get("volumes", [])}
    assert used == set(compose()["volumes"])


def test_no_secret_has_a_default() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    for name in ("GREENROOM_SECRET_KEY", "POSTGRES_PASSWORD"):
        uses = re.findall(rf"\$\{{{name}[^}}]*\}}", text)
        assert uses
        assert all(use.startswith(f"${{{name}:?") for use in uses)
        assert re.search(rf"^{name}=$", (REPOSITORY / ".env.example").read_text(), re.MULTILINE)


def test_the_example_names_every_variable_of_the_compose_file() -> None:
    wanted = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text(encoding="utf-8")))
    given = re.findall(r"^([A-Z_]+)=", (REPOSITORY / ".env.example").read_text(), re.MULTILINE)
    assert set(given) == wanted


def test_the_image_copies_files_that_exist_and_reach_the_builder() -> None:
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    sources = {s for words in dockerfile_lines("COPY") if not words[0].startswith("--") for s in words[:-1]}
    assert sources == let_in
    for source in sources:
        assert (REPOSITORY / source).exists(), source


def test_the_image_holds_every_package_of_the_project() -> None:
    copied = {words[0] for words in dockerfile_lines("COPY")}
    wheel = pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["packages"]) <= copied


def test_the_image_does_not_run_as_root() -> None:
    assert dockerfile_lines("USER") == [["greenroom"]]


def pyproject() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def bare_name(requirement: str) -> str:
    return re.split(r"[\[<>=;~! ]", requirement)[0].lower().replace("_", "-")


def locked(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS + LOCKS_APART, ids=lambda lock: lock.name)
def test_a_lock_pins_every_file_by_hash_and_names_no_place(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=[a-z0-9])", text.split("make lock\n")[1].strip()):
        assert "--hash=sha256:" in entry, entry
    assert not re.search(r"https?:|file:|--(index|extra|find|trusted)|/(home|root|tmp|opt|usr)/", text)


def test_the_locks_hold_what_the_project_declares() -> None:
    run, s3, dev, train = map(locked, LOCKS)
    project, groups = pyproject()["project"], pyproject()["dependency-groups"]
    assert {bare_name(r) for r in [*project["dependencies"], *groups["build"]]} <= run
    assert {bare_name(r) for r in groups["dev"] if isinstance(r, str)} <= dev
    assert {bare_name(r) for r in project["optional-dependencies"]["s3"]} <= s3 & dev
    # PyTorch's builds differ by processor: the Makefile installs it by version.
    assert {bare_name(r) for r in project["optional-dependencies"]["train"]} - train == {"torch"}
    assert "TORCH ?= torch==" in (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def test_the_locks_of_what_is_no_part_of_ours_hold_what_is_declared() -> None:
    groups = pyproject()["dependency-groups"]
    for lock in LOCKS_APART:
        assert {bare_name(r).replace(".", "-") for r in groups[lock.stem]} <= locked(lock)


def test_every_lock_has_the_versions_that_run() -> None:
    run, *others = (set(re.findall(r"^[a-z0-9-]+==.*?(?= \\)", k.read_text(), re.MULTILINE)) for k in LOCKS)
    for other in others:
        assert run <= other


def test_make_help_lists_every_target() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (help .*)$", makefile, re.MULTILINE)
    assert targets is not None
    answer = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    told = re.findall(r"^  make ([a-z]+)", answer.stdout, re.MULTILINE)
    assert sorted(told) == sorted(targets[1].split())


def test_the_check_can_be_run() -> None:
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)
