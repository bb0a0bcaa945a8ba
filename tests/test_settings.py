"""The settings: defaults, refusals in one line, secrets from files, and a page that tells the truth."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from moderation.setting_values import Rate
from moderation.settings import (
    LONGEST_SOCKET_PATH,
    PREFIX,
    SETTINGS,
    Setting,
    SettingsError,
    load_settings,
    redis_socket,
    unknown_names,
)

REPOSITORY = Path(__file__).parent.parent
KEY = "a key of at least thirty-two characters"


def test_everything_has_a_default_under_home(tmp_path: Path) -> None:
    settings = load_settings({"GREENROOM_HOME": str(tmp_path)})
    assert settings.database_url == f"sqlite:///{tmp_path / 'greenroom.db'}"
    assert settings.redis_url == f"unix://{redis_socket(tmp_path)}"
    assert settings.embedded_redis
    assert settings.models_dir == tmp_path / "models"
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.demo


def test_values_are_taken_from_the_environment(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "GREENROOM_HOME": str(tmp_path),
            "GREENROOM_DATABASE_URL": "postgresql+psycopg://greenroom@db/greenroom",
            "GREENROOM_REDIS_URL": "redis://redis:6379/0",
            "GREENROOM_MODELS_DIR": "/models",
            "GREENROOM_SECRET_KEY": KEY,
            "GREENROOM_PUBLIC_URL": "https://comments.example/",
            "GREENROOM_LOG_LEVEL": "WARNING",
            "GREENROOM_DEMO": "false",
        }
    )
    assert settings.database_url == "postgresql+psycopg://greenroom@db/greenroom"
    assert not settings.embedded_redis
    assert settings.models_dir == Path("/models")
    assert settings.secret_key == KEY.encode()
    assert settings.public_url == "https://comments.example"
    assert settings.log_level == "warning"
    assert not settings.demo


def test_plain_port_works_and_gives_way_to_the_full_name(tmp_path: Path) -> None:
    home = {"GREENROOM_HOME": str(tmp_path)}
    assert load_settings({**home, "PORT": "9001"}).port == 9001
    assert load_settings({**home, "PORT": "9001", "GREENROOM_PORT": "9002"}).port == 9002


BAD = {
    "DATABASE_URL": "mysql://host/name",
    "REDIS_URL": "http://host",
    "MODELS_URL": "https://bucket",
    "SECRET_KEY": "too short",
    "PUBLIC_URL": "comments.example",
    "LOG_LEVEL": "loud",
    "LOG_FORMAT": "xml",
    "PORT": "65536",
    "TRUSTED_PROXIES": "10.0.0.1/8",
    "PROXY_HEADER": "x-real-ip",
    "RATE_SITE": "0/minute",
    "RATE_ADDRESS": "60",
    "RATE_KEYS": "-1/minute",
    "RATE_GUESSES": "1/fortnight",
    "WEB_PROCESSES": "0",
    "WEB_THREADS": "1.5",
    "WEB_ONE_CORE": "yes",
    "METRICS_PORT": "70000",
    "BATCH_COMMENTS": "many",
    "BATCH_BYTES": "-1",
    "SCORING_SECONDS": "0",
    "MAX_WAITING": "0",
    "SWEEP_SECONDS": "nan",
    "SPOT_CHECK_SHARE": "1.5",
    "DUE_HOURS": "0",
    "RETRAIN_MIN_LABELS": "3",
    "RETRAIN_AFTER_LABELS": "-1",
    "RETRAIN_EVERY_HOURS": "daily",
    "CIRCUIT_BREAKER": "on",
    "WEBHOOK_PRIVATE": "yes",
    "DEMO": "yes",
}


@pytest.mark.parametrize(("name", "value"), BAD.items())
def test_a_bad_value_is_refused_in_one_line_that_names_the_setting(
    name: str, value: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings({"GREENROOM_HOME": str(tmp_path), PREFIX + name: value})
    assert str(refusal.value).startswith(f"{PREFIX}{name} must be ")
    assert "\n" not in str(refusal.value)


def test_every_setting_that_can_be_wrong_is_tried_above() -> None:
    free = {"HOME", "MODELS_DIR", "HOST"}
    assert set(BAD) == {setting.name for setting in SETTINGS} - free


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://host",
        "redis+sentinel://host/",
        "redis+sentinel:///service",
        "redis+sentinel://host,/service",
        "redis+sentinel://host:port/service",
        "redis+sentinel://host/service/db",
        "sentinel://host/service",
        "redis:host",
    ],
)
def test_an_address_of_redis_that_cannot_work_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="GREENROOM_REDIS_URL must "):
        load_settings({"GREENROOM_HOME": str(tmp_path), "GREENROOM_REDIS_URL": url})


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis:6379/0",
        "rediss://:secret@redis/1?ssl_ca_certs=/etc/ca.pem",
        "unix:///run/redis.sock?db=2",
        "redis+sentinel://one,two:26380/mymaster",
        "rediss+sentinel://user:p%40ss@[::1]:26379,[fe80::2]/my-master/3?sentinel_password=x",
    ],
)
def test_every_form_of_redis_address_is_taken(url: str, tmp_path: Path) -> None:
    settings = load_settings({"GREENROOM_HOME": str(tmp_path), "GREENROOM_REDIS_URL": url})
    assert settings.redis_url == url


def test_a_rate_can_be_switched_off(tmp_path: Path) -> None:
    home = {"GREENROOM_HOME": str(tmp_path)}
    assert load_settings(home).rate_address == Rate(300, 60)
    assert load_settings({**home, "GREENROOM_RATE_ADDRESS": "off"}).rate_address is None
    assert load_settings({**home, "GREENROOM_RATE_ADDRESS": "5/Hour"}).rate_address == Rate(5, 3600)


def test_nobody_is_a_trusted_proxy_unless_named(tmp_path: Path) -> None:
    home = {"GREENROOM_HOME": str(tmp_path)}
    assert load_settings(home).trusted_proxies == ()
    named = load_settings({**home, "GREENROOM_TRUSTED_PROXIES": "10.0.0.0/8 2001:db8::1"}).trusted_proxies
    assert [str(network) for network in named] == ["10.0.0.0/8", "2001:db8::1/128"]


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "MODELS_URL", "SECRET_KEY"])
def test_a_bad_secret_is_not_repeated(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings({"GREENROOM_HOME": str(tmp_path), PREFIX + name: "x://swordfish"})
    assert "swordfish" not in str(refusal.value)


def test_a_home_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="GREENROOM_HOME: cannot use"):
        load_settings({"GREENROOM_HOME": str(tmp_path / "file")})


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    settings = load_settings(
        {"GREENROOM_HOME": str(tmp_path), "GREENROOM_SECRET_KEY_FILE": str(tmp_path / "key")}
    )
    assert settings.secret_key == KEY.encode()
    assert not (tmp_path / "secret_key").exists()


def test_a_secret_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="GREENROOM_SECRET_KEY_FILE: cannot read"):
        load_settings({"GREENROOM_HOME": str(tmp_path), "GREENROOM_SECRET_KEY_FILE": str(tmp_path / "none")})


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    both = {"GREENROOM_SECRET_KEY": KEY, "GREENROOM_SECRET_KEY_FILE": str(tmp_path / "key")}
    with pytest.raises(SettingsError, match="are both set"):
        load_settings({"GREENROOM_HOME": str(tmp_path), **both})


def test_only_secrets_may_come_from_files() -> None:
    assert unknown_names({"GREENROOM_PORT_FILE": "x"}) == ["GREENROOM_PORT_FILE"]
    assert unknown_names({"GREENROOM_SECRET_KEY_FILE": "x", "GREENROOM_PORT": "1", "PORT": "2"}) == []


def test_the_secret_is_made_once_by_processes_that_start_together(tmp_path: Path) -> None:
    code = "from moderation.settings import load_settings; print(load_settings().secret_key.decode())"
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={"GREENROOM_HOME": str(tmp_path / "new"), "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    keys = {starter.communicate()[0].strip() for starter in starters}
    assert len(keys) == 1
    assert len(keys.pop()) >= 32
    kept = tmp_path / "new" / "secret_key"
    assert kept.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in kept.parent.iterdir()] == ["secret_key"]


def test_the_socket_is_near_home_unless_the_path_is_too_long(tmp_path: Path) -> None:
    assert redis_socket(Path("/srv/greenroom")) == Path("/srv/greenroom/redis.sock")
    deep = Path("/srv") / ("x" * LONGEST_SOCKET_PATH)
    assert len(str(redis_socket(deep))) <= LONGEST_SOCKET_PATH
    assert redis_socket(deep) == redis_socket(deep)
    assert redis_socket(deep) != redis_socket(deep / "other")


def test_the_socket_is_elsewhere_when_home_has_a_space_which_would_end_every_worker() -> None:
    assert " " not in str(redis_socket(Path("/srv/our blog")))


def test_the_page_of_settings_says_what_the_table_says() -> None:
    page = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
    told = [line for line in page.splitlines() if re.match(rf"\| `{PREFIX}", line)]
    assert told == [row(setting) for setting in SETTINGS]


def row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "empty"
    secret = " *Secret.*" if setting.secret else ""
    return f"| `{PREFIX}{setting.name}` | {default} | {setting.help}{secret} |"
