"""Every setting of Greenroom: one table of name, default, help and parser, read from the environment.

A setting `NAME` is the variable `GREENROOM_NAME`; one marked secret may also be given as the path of a
file in `GREENROOM_NAME_FILE`. `docs/settings.md` is tested against this table.
"""

import contextlib
import hashlib
import importlib.util
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from moderation.model_store import parse_address
from moderation.setting_values import Network, Rate, networks, rate, redis_url, switch

PREFIX = "GREENROOM_"
# The kernel's limit on a socket's path is 108 bytes (104 on macOS).
LONGEST_SOCKET_PATH = 100


class SettingsError(Exception):
    """A setting has a value that cannot be used; the message is one line naming it."""


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = int(text) if text.strip().lstrip("-").isdigit() else None
        if number is None or not low <= number <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return number

    return parse


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g}")
        return number

    return parse


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text.lower()

    return parse


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text and urlsplit(text).scheme not in schemes:
            raise ValueError(f"must be a URL starting with {' or '.join(s + '://' for s in schemes)}")
        return text

    return parse


def _object_store(text: str) -> str:
    if text:
        parse_address(text)
        if importlib.util.find_spec("obstore") is None:
            raise ValueError("needs the package obstore: pip install 'greenroom[s3]'")
    return text


def _text(text: str) -> str:
    return text


def _secret(text: str) -> str:
    if text and len(text) < 32:
        raise ValueError("must be at least 32 characters")
    return text


@dataclass(frozen=True)
class Setting:
    """One row of the table."""

    name: str
    default: str
    help: str
    parse: Callable[[str], object] = _text
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("HOME", "./var", "Folder of everything a single machine keeps: database, Redis data, models."),
    Setting(
        "DATABASE_URL",
        "",
        "Database; empty: SQLite under HOME. Production: postgresql+psycopg://user:password@host/name.",
        _url("sqlite", "postgresql+psycopg"),
        secret=True,
    ),
    Setting(
        "REDIS_URL",
        "",
        "Redis, with TLS or Sentinel too; empty: the embedded server that `greenroom up` starts under HOME.",
        redis_url,
        secret=True,
    ),
    Setting("MODELS_DIR", "", "Folder of model versions; empty: HOME/models. Share it between machines."),
    Setting(
        "MODELS_URL",
        "",
        "S3-compatible object store instead of MODELS_DIR: "
        "s3://bucket/prefix?endpoint=https://host&region=name, with key:secret@ before the bucket "
        "unless AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set.",
        _object_store,
        secret=True,
    ),
    Setting(
        "SECRET_KEY",
        "",
        "Key (32 characters or more) that signs receipts, cursors and the model manifest and peppers key "
        "hashes; empty: made on first start and kept in HOME/secret_key. The same on every machine.",
        _secret,
        secret=True,
    ),
    Setting(
        "PUBLIC_URL",
        "",
        "Address under which browsers reach this service; empty: http://127.0.0.1:PORT.",
        _url("http", "https"),
    ),
    Setting(
        "LOG_LEVEL",
        "info",
        "How much is logged; never comment text.",
        _choice("debug", "info", "warning", "error"),
    ),
    Setting(
        "LOG_FORMAT",
        "auto",
        "text, or json with one object a line; auto: text on a terminal, json elsewhere.",
        _choice("auto", "text", "json"),
    ),
    Setting("HOST", "127.0.0.1", "Address the web server listens on."),
    Setting("PORT", "8000", "Port the web server listens on; plain PORT works too.", _integer(1, 65535)),
    Setting(
        "TRUSTED_PROXIES",
        "",
        "Addresses or prefixes of the proxies in front, separated by commas; what others say of a client's "
        "address is ignored.",
        networks,
    ),
    Setting(
        "PROXY_HEADER",
        "x-forwarded-for",
        "How trusted proxies tell the client's address: x-forwarded-for or forwarded (RFC 7239).",
        _choice("x-forwarded-for", "forwarded"),
    ),
    Setting(
        "RATE_SITE",
        "off",
        "Most comments handed in or edited by one site, such as 600/minute (or second, hour, day); or off.",
        rate,
    ),
    Setting(
        "RATE_ADDRESS",
        "300/minute",
        "Most comments handed in by browsers of one network (IPv4 /24, IPv6 /48); or off.",
        rate,
    ),
    Setting("RATE_KEYS", "600/minute", "Most requests with an unknown key from one network; or off.", rate),
    Setting("RATE_GUESSES", "30/minute", "Most sign-ins to the console from one network; or off.", rate),
    Setting("WEB_PROCESSES", "1", "Web server processes.", _integer(1, 64)),
    Setting("WEB_THREADS", "32", "Threads of each web server process.", _integer(2, 256)),
    Setting("WEB_ONE_CORE", "true", "Keep each of them on one core, which is quicker (Linux).", switch),
    Setting(
        "METRICS_PORT",
        "0",
        "Port on HOST where a worker or sweeper serves /metrics itself; 0: not at all, the web server does.",
        _integer(0, 65535),
    ),
    Setting("BATCH_COMMENTS", "256", "Most comments scored in one batch.", _integer(1, 4096)),
    Setting("BATCH_BYTES", "400000", "Most bytes of text scored in one batch.", _integer(1000, 50_000_000)),
    Setting(
        "SCORING_SECONDS",
        "15",
        "How long a worker may keep a batch before another worker takes it over.",
        _integer(1, 3600),
    ),
    Setting(
        "MAX_WAITING",
        "250000",
        "Most comments that may wait to be scored; beyond it 503 is answered until workers caught up.",
        _integer(1, 100_000_000),
    ),
    Setting("SWEEP_SECONDS", "2", "Pause between two rounds of the sweeper.", _number(0.1, 3600)),
    Setting(
        "SPOT_CHECK_SHARE",
        "0.01",
        "Of what is decided without a person, the share that one looks at all the same; a site's policy may "
        "say otherwise.",
        _number(0, 1),
    ),
    Setting("DUE_HOURS", "24", "Hours after which a held comment counts as overdue.", _number(0.01, 8760)),
    Setting(
        "RETRAIN_MIN_LABELS", "20", "Fewest labelled texts a retraining run starts with.", _integer(4, 10**6)
    ),
    Setting(
        "RETRAIN_AFTER_LABELS", "0", "Newly labelled texts that begin a run; 0: never.", _integer(0, 10**6)
    ),
    Setting(
        "RETRAIN_EVERY_HOURS", "0", "Hours between runs, if anything was labelled; 0: none.", _number(0, 8760)
    ),
    Setting(
        "CIRCUIT_BREAKER",
        "true",
        "Whether a new model is rolled back by itself when people correct it, or it approves, clearly more "
        "or less than the one before.",
        switch,
    ),
    Setting(
        "WEBHOOK_PRIVATE",
        "false",
        "Whether webhooks may go to private addresses and any port; true only if all maintainers may reach "
        "what this machine reaches.",
        switch,
    ),
    Setting(
        "DEMO", "true", "Whether `greenroom up` makes a demo site and serves the demo blog at /.", switch
    ),
)


@dataclass(frozen=True)
class Settings:
    """The settings in force, parsed and with every default filled in."""

    home: Path
    database_url: str
    redis_url: str
    embedded_redis: bool
    models_dir: Path
    models_url: str
    secret_key: bytes
    public_url: str
    log_level: str
    log_format: str
    host: str
    port: int
    trusted_proxies: tuple[Network, ...]
    proxy_header: str
    rate_site: Rate | None
    rate_address: Rate | None
    rate_keys: Rate | None
    rate_guesses: Rate | None
    web_processes: int
    web_threads: int
    web_one_core: bool
    metrics_port: int
    batch_comments: int
    batch_bytes: int
    scoring_seconds: int
    max_waiting: int
    sweep_seconds: float
    spot_check_share: float
    due_hours: float
    retrain_min_labels: int
    retrain_after_labels: int
    retrain_every_hours: float
    circuit_breaker: bool
    webhook_private: bool
    demo: bool


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read, check and complete the settings; raises SettingsError with one line for a bad value."""
    values = _read(os.environ if environ is None else environ)
    home = Path(str(values["HOME"])).expanduser().absolute()
    port = values["PORT"]
    return Settings(
        home=home,
        database_url=str(values["DATABASE_URL"] or f"sqlite:///{home / 'greenroom.db'}"),
        redis_url=str(values["REDIS_URL"] or f"unix://{redis_socket(home)}"),
        embedded_redis=not values["REDIS_URL"],
        models_dir=Path(str(values["MODELS_DIR"])).absolute() if values["MODELS_DIR"] else home / "models",
        secret_key=str(values["SECRET_KEY"] or _kept_secret(home)).encode(),
        public_url=str(values["PUBLIC_URL"] or f"http://127.0.0.1:{port}").rstrip("/"),
        **{name: values[name.upper()] for name in _PLAIN},  # type: ignore[arg-type]
    )


# Settings whose parsed value is used as it is.
_PLAIN = (
    "models_url",
    "log_level",
    "log_format",
    "host",
    "port",
    "trusted_proxies",
    "proxy_header",
    "rate_site",
    "rate_address",
    "rate_keys",
    "rate_guesses",
    "web_processes",
    "web_threads",
    "web_one_core",
    "metrics_port",
    "batch_comments",
    "batch_bytes",
    "scoring_seconds",
    "max_waiting",
    "sweep_seconds",
    "spot_check_share",
    "due_hours",
    "retrain_min_labels",
    "retrain_after_labels",
    "retrain_every_hours",
    "circuit_breaker",
    "webhook_private",
    "demo",
)


def unknown_names(environ: Mapping[str, str] | None = None) -> list[str]:
    """Variables that look like settings but are none, so that a misspelt one does not pass unseen."""
    known = {PREFIX + s.name for s in SETTINGS} | {f"{PREFIX}{s.name}_FILE" for s in SETTINGS if s.secret}
    return sorted(
        n for n in (os.environ if environ is None else environ) if n.startswith(PREFIX) and n not in known
    )


def redis_socket(home: Path) -> Path:
    """Where the embedded Redis listens: under home, or in the temporary folder if that path will not do."""
    near = home / "redis.sock"
    # Redis lists its clients with this path, words parted by spaces, and RQ reads that list.
    if len(os.fsencode(near)) <= LONGEST_SOCKET_PATH and not any(c.isspace() for c in str(near)):
        return near
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"greenroom-{os.getuid()}-{digest}" / "redis.sock"


def _read(environ: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for setting in SETTINGS:
        text = _raw(setting, environ)
        try:
            values[setting.name] = setting.parse(text)
        except ValueError as error:
            shown = "" if setting.secret else f", not {text!r}"
            raise SettingsError(f"{PREFIX}{setting.name} {error}{shown}") from None
    return values


def _raw(setting: Setting, environ: Mapping[str, str]) -> str:
    name = PREFIX + setting.name
    file_name = f"{name}_FILE"
    if setting.secret and environ.get(file_name):
        if environ.get(name):
            raise SettingsError(f"{name} and {file_name} are both set; give one of them")
        return _secret_file(file_name, environ[file_name])
    fallback = environ.get("PORT", "") if setting.name == "PORT" else ""
    return environ.get(name) or fallback or setting.default


def _secret_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: cannot read {path} ({type(error).__name__})") from None


def _kept_secret(home: Path) -> str:
    """The key of this installation, made once; two processes starting together agree on one."""
    path = home / "secret_key"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with tempfile.NamedTemporaryFile("w", dir=home, prefix=".secret_key-") as draft:
                draft.write(secrets.token_urlsafe(48))
                draft.flush()
                os.fsync(draft.fileno())
                # A link appears whole or not at all, and never replaces another process's key.
                with contextlib.suppress(FileExistsError):
                    os.link(draft.name, path)
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{PREFIX}HOME: cannot use {home} ({error.strerror})") from None
