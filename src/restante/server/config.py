"""Settings: one frozen struct, built once from a file, the environment and the command line; nothing else reads it.

Each setting stands in docs/reference/settings.md.
"""

import os
import re
from collections.abc import Collection, Mapping, MutableMapping
from difflib import get_close_matches
from importlib.util import find_spec
from ipaddress import ip_network
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from restante.protocol import limits
from restante.protocol.names import is_server_name
from restante.protocol.wire_availability import SignUpPolicy
from restante.server import config_file, failpoints
from restante.transparency.errors import LogMalformed
from restante.transparency.witnessing import Witness

PREFIX = "RESTANTE_"
CONFIG = f"{PREFIX}CONFIG"
"""Where the file of settings is; it is no setting itself."""
CLIENT = frozenset(f"{PREFIX}{name}" for name in ("PROFILE", "PASSPHRASE", "RECOVERY_CODE", "SERVER"))
"""Variables of the commands that speak to a server: whoever runs both in one shell has them set here too."""
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}

_CONTACT = re.compile(r"(https://[^\s<>\"]+|[^\s<>\"@]+@[a-z0-9.-]+)\Z")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")
_ISSUER = re.compile(r"(https://[^\s?#]+|http://(localhost|127\.0\.0\.1)(:[0-9]+)?[^\s?#]*)\Z")
_ORIGIN = re.compile(r"https?://[a-z0-9_.-]+(?::[0-9]{1,5})?\Z")

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.:-]{0,251}[a-z0-9])?\Z")

Rate = Annotated[str, Meta(pattern=r"^[0-9]+/[0-9]+s$")]


class BadSettings(ValueError):
    """A setting is unknown or malformed; the text names it and the way out."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator may set. Sizes in bytes, rates as ``burst/refill`` (tokens, seconds per token)."""

    data: Path = Path("data")
    database_url: str = ""
    """postgresql://user:password@host/name; empty: a file of SQLite in the data folder."""
    bus_url: str = ""
    """nats://user:password@host:4222; empty: with PostgreSQL its NOTIFY, else the process."""
    blob_url: str = ""
    """s3://bucket/prefix?endpoint=https://s3.example&region=name; empty: files in the data folder."""
    blob_key: str = ""
    blob_secret: str = ""
    """Name and secret of the key that may use the bucket."""
    blob_reads: Literal["proxied", "direct"] = "proxied"
    """direct: clients that can are told addresses by which they read videos from the bucket themselves."""
    blob_join: Literal["off", "on"] = "off"
    """on: the objects of a finished upload are made one."""
    log_key: str = ""
    """Key of the log of account records, 64 hexadecimal digits; empty: log.key in the data folder, made at the first run."""
    server_name: str = ""
    """Right side of every acct, chosen at the first run and then read from the database; empty: `localhost`."""
    tls: Literal["off", "local", "files"] = "off"
    """local: an authority of the server's own, for a local network; files: the operator's certificate."""
    tls_cert: str = ""
    """PEM file of the certificate with its chain, when ``tls`` is files."""
    tls_key: str = ""
    """PEM file of its key."""
    tls_names: tuple[str, ...] = ()
    """More names and addresses for the own certificate, beside those that the machine knows."""
    ca_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    """Plain port of the page by which telephones learn to trust the own certificate; 0: the one after ``port``."""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    sign_up: SignUpPolicy = "open"
    sign_up_domains: tuple[str, ...] = ()
    """Domains of the mail addresses whose people may sign up, where the policy is ``domains``."""
    oidc_issuer: str = ""
    """The provider of identities by which people sign up: its address as its tokens write it."""
    oidc_client: str = ""
    oidc_secret: str = ""
    """What this server is called there, and its secret."""
    oidc_name: str = ""
    """How the provider is called to people; empty: its host."""
    country_database: str = ""
    """File in MaxMind's format that tells the country of a network; empty: none."""
    country_header: str = ""
    """Header in which a trusted proxy writes the country; empty: none."""
    abuse_contact: Annotated[str, Meta(max_length=200)] = ""
    """Where people write about abuse, and who was banned appeals: an e-mail address or a page. Without one nobody may have
    an answering page."""
    durability: Literal["power", "process"] = "power"
    """power: every acknowledged byte survives power loss; process: it survives the death of the process."""
    upload_bytes: Annotated[int, Meta(ge=1024, le=2**40)] = limits.UPLOAD_BYTES
    keep_free_bytes: Annotated[int, Meta(ge=0)] = 256 * limits.MIB
    """New uploads are refused when less than this is free on the disk."""
    body_timeout_s: Annotated[float, Meta(gt=0)] = 60.0
    header_timeout_s: Annotated[float, Meta(gt=0)] = 10.0
    body_min_rate: Annotated[int, Meta(ge=0)] = 1024
    """Bytes a second that a body must reach over each timeout window."""
    drain_s: Annotated[float, Meta(gt=0)] = 8.0
    sweep_every_s: Annotated[float, Meta(gt=0)] = 60.0
    rate_sign_in: Rate = "10/30s"
    rate_sign_up: Rate = "10/60s"
    rate_pairings: Rate = "5/600s"
    """Lookups of pairings that there are not, per account and per network."""
    rate_passkeys: Rate = "30/10s"
    rate_uploads: Rate = "20/30s"
    rate_sends: Rate = "30/10s"
    rate_mail_codes: Rate = "3/600s"
    """Codes sent to verify a mail address, per account and per address."""
    smtp_url: str = ""
    """Mail server: smtps://user:password@host:465, or smtp://host:25; empty: no mail is written."""
    mail_from: str = ""
    """Address that mail comes from."""
    webhook_url: str = ""
    """Where the operator is told that an account was made or deleted, or a report filed; empty: nowhere."""
    webhook_secret: str = ""
    """Signs what is told there: at least 16 characters."""
    private_targets: Literal["refuse", "allow"] = "refuse"
    """Whether push endpoints and the webhook may be addresses of one's own network, by http too."""
    rate_reports: Rate = "5/60s"
    rate_opens: Rate = "60/2s"
    """Opens of guest links, and challenges of answering pages, per network."""
    rate_calls: Rate = "10/60s"
    """Calls of answering pages, per network."""
    rate_page: Rate = "20/60s"
    """Calls of one answering page, from everywhere."""
    proof_cost: Annotated[int, Meta(ge=1, le=100_000)] = 5000
    """PBKDF2 rounds of each of the 100 to 199 keys that a stranger's proof of work derives."""
    origins: tuple[str, ...] = ()
    """Addresses at which passkeys are made and shown; empty: the one that a request was sent to."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose X-Forwarded-For is believed."""
    plans: str = ""
    """File of plans; empty: plans.toml in the data folder, if it is there. Without plans everything is free."""
    metrics_token: str = ""
    """Who shows it may read `/metrics`, at least 16 characters; empty: this machine may, while there are no `origins` and no `trusted_proxies`."""
    traces_url: str = ""
    """Where a collector takes traces by OTLP over HTTP; empty: there are none."""
    traces_secret: str = ""
    """What it is shown as ``Authorization: Bearer``, if it asks for that."""
    traces_share: Annotated[float, Meta(ge=0, le=1)] = 1.0
    """Which share of the requests is traced."""
    stripe_key: str = ""
    """Secret or restricted key of the account at Stripe."""
    stripe_webhook_secret: str = ""
    """Signs Stripe's notices: whsec_…"""
    stripe_url: str = "https://api.stripe.com"
    """For tests: where Stripe's API is."""
    connections: Annotated[int, Meta(ge=64, le=65536)] = 8192
    """Requests in flight at once, live channels and uploads included."""
    witnesses: tuple[str, ...] = ()
    """Who signs that the log of account records only grows: each an address and a verifier key, with a blank between."""
    failpoint: str = ""


SECRETS = frozenset(
    field
    for field in Settings.__struct_fields__
    if field in {"database_url", "bus_url", "log_key", "smtp_url", "stripe_key"} or field.endswith("_secret")
)
"""Settings that may also stand in a file of their own, and that are never shown."""
_LISTS = {
    field for field, kind in get_type_hints(Settings, include_extras=True).items() if kind == tuple[str, ...]
}


def from_environment(
    environ: Mapping[str, str] = os.environ, *, config: Path | None = None, **overrides: Any
) -> Settings:
    """Builds the settings: a file, over it ``RESTANTE_*`` from the environment, over it what the command line gave.

    Raises BadSettings for an unknown name, and for a value out of range.
    """
    _check_known(environ)
    path = config or (Path(environ[CONFIG]) if environ.get(CONFIG) else None)
    values = _from_file(path) if path else {}
    elsewhere = {key for key, value in overrides.items() if value is not None}
    for field in Settings.__struct_fields__:
        text = _from_variable(environ, field)
        if text is not None:
            values[field] = _parse(field, text)
            elsewhere.add(field)
    values.update({key: value for key, value in overrides.items() if value is not None})
    if values.get("tls") == "local":
        values.setdefault("host", "0.0.0.0")  # noqa: S104 - that telephones reach it is what it is for
    try:
        settings = _converted(values)
        _check(settings)
    except BadSettings as error:
        raise BadSettings(_said_of(str(error), path, elsewhere) if path else str(error)) from error
    failpoints.arm(settings.failpoint)
    return settings


def hand_over(settings: Settings, environ: MutableMapping[str, str]) -> None:
    """Leaves the settings to a worker process, which reads no file again."""
    for variable in (CONFIG, *(f"{PREFIX}{field.upper()}_FILE" for field in SECRETS)):
        environ.pop(variable, None)
    environ.update(to_environment(settings))


def to_environment(settings: Settings) -> dict[str, str]:
    """Writes the settings as the environment of a worker process."""
    values = {field: getattr(settings, field) for field in Settings.__struct_fields__}
    return {
        PREFIX + field.upper(): ",".join(value) if isinstance(value, tuple) else str(value)
        for field, value in values.items()
    }


def parse_rate(rate: str) -> tuple[int, float]:
    """Splits ``10/30s`` into the burst and the seconds until one more."""
    burst, _, refill = rate.rstrip("s").partition("/")
    return int(burst), float(refill)


def _check_known(environ: Mapping[str, str]) -> None:
    """A misspelt setting would otherwise be one that silently does nothing."""
    known = [field.upper() for field in Settings.__struct_fields__]
    known += ["CONFIG", *(f"{field.upper()}_FILE" for field in sorted(SECRETS))]
    for variable in sorted(environ):
        name = variable.removeprefix(PREFIX)
        if variable == name or name in known or variable in CLIENT:
            continue
        meant = "".join(
            f", do you mean {PREFIX}{near}?" for near in get_close_matches(name, known, n=1, cutoff=0.7)
        )
        raise BadSettings(f"{variable} is not a setting{meant} (see docs/reference/settings.md)")


def _check(settings: Settings) -> None:
    if settings.server_name and not is_server_name(settings.server_name):
        raise BadSettings(f"{PREFIX}SERVER_NAME is not a name such as post.example: lower-case, without port")
    if settings.abuse_contact and not _CONTACT.match(settings.abuse_contact):
        raise BadSettings(
            f"{PREFIX}ABUSE_CONTACT is no e-mail address such as abuse@post.example, and no https:// address"
        )
    _check_engines(settings)
    _check_bucket(settings)
    _check_tls(settings)
    _check_outward(settings)
    _check_entry(settings)
    _check_witnesses(settings)
    for origin in settings.origins:
        if not _ORIGIN.match(origin):
            raise BadSettings(
                f"{PREFIX}ORIGINS has {origin}, which is no address such as https://post.example"
            )
    for proxy in settings.trusted_proxies:
        try:
            ip_network(proxy, strict=False)
        except ValueError as error:
            raise BadSettings(
                f"{PREFIX}TRUSTED_PROXIES has {proxy}, which is no address or network"
            ) from error


def _check_engines(settings: Settings) -> None:
    if settings.database_url and not re.match(
        r"postgres(ql)?://[^\s/]*/[^\s/?]+(\?\S*)?\Z", settings.database_url
    ):
        raise BadSettings(
            f"{PREFIX}DATABASE_URL is no address such as postgresql://user:password@db.example/restante"
        )
    if settings.database_url and find_spec("psycopg") is None:
        raise BadSettings(f"{PREFIX}DATABASE_URL needs what `pip install 'restante[scale]'` brings")
    if settings.bus_url and not re.match(r"(nats|tls)://[^\s/?]+(\?\S*)?\Z", settings.bus_url):
        raise BadSettings(f"{PREFIX}BUS_URL is no address such as nats://user:password@bus.example:4222")
    if settings.bus_url and not settings.database_url:
        raise BadSettings(
            f"{PREFIX}BUS_URL needs {PREFIX}DATABASE_URL: it is for nodes that share a database"
        )
    if settings.bus_url and find_spec("nats") is None:
        raise BadSettings(f"{PREFIX}BUS_URL needs what `pip install 'restante[scale]'` brings")


def _check_bucket(settings: Settings) -> None:
    if not settings.blob_url:
        for field, default in (("blob_reads", "proxied"), ("blob_join", "off")):
            if (value := getattr(settings, field)) != default:
                raise BadSettings(f"{PREFIX}{field.upper()}={value} needs {PREFIX}BLOB_URL")
        return
    if not (settings.blob_key and settings.blob_secret):
        raise BadSettings(f"{PREFIX}BLOB_URL needs {PREFIX}BLOB_KEY and {PREFIX}BLOB_SECRET")
    if find_spec("obstore") is None:
        raise BadSettings(f"{PREFIX}BLOB_URL needs what `pip install 'restante[scale]'` brings")


def _check_witnesses(settings: Settings) -> None:
    for witness in settings.witnesses:
        try:
            Witness.parse(witness)
        except LogMalformed as error:
            raise BadSettings(
                f"{PREFIX}WITNESSES has {witness}, which is no address and key such as https://witness.example NAME+ID+KEY"
            ) from error


def _check_tls(settings: Settings) -> None:
    if (settings.tls == "files") != bool(settings.tls_cert and settings.tls_key):
        raise BadSettings(f"{PREFIX}TLS_CERT and {PREFIX}TLS_KEY belong to {PREFIX}TLS=files, and it to both")
    for name in settings.tls_names:
        if not _NAME.match(name):
            raise BadSettings(f"{PREFIX}TLS_NAMES has {name}, which is no name and no address")


def _check_entry(settings: Settings) -> None:
    """Checks what decides who may sign up."""
    if settings.sign_up == "domains" and not (settings.sign_up_domains and settings.smtp_url):
        raise BadSettings(f"{PREFIX}SIGN_UP=domains needs {PREFIX}SIGN_UP_DOMAINS and {PREFIX}SMTP_URL")
    for domain in settings.sign_up_domains:
        if not _DOMAIN.match(domain):
            raise BadSettings(
                f"{PREFIX}SIGN_UP_DOMAINS has {domain}, which is no domain such as post.example"
            )
    if settings.sign_up == "provider" and not settings.oidc_issuer:
        raise BadSettings(f"{PREFIX}SIGN_UP=provider needs {PREFIX}OIDC_ISSUER")
    if settings.oidc_issuer and not (settings.oidc_client and settings.oidc_secret and settings.origins):
        raise BadSettings(
            f"{PREFIX}OIDC_ISSUER needs {PREFIX}OIDC_CLIENT, {PREFIX}OIDC_SECRET and {PREFIX}ORIGINS"
        )
    if settings.oidc_issuer and not _ISSUER.match(settings.oidc_issuer):
        raise BadSettings(f"{PREFIX}OIDC_ISSUER is no address such as https://login.example")
    if settings.country_database and not Path(settings.country_database).is_file():
        raise BadSettings(f"{PREFIX}COUNTRY_DATABASE is no file")
    if settings.country_header and not settings.trusted_proxies:
        raise BadSettings(f"{PREFIX}COUNTRY_HEADER needs {PREFIX}TRUSTED_PROXIES: nobody else is believed")


def _check_outward(settings: Settings) -> None:
    if settings.smtp_url and not re.match(r"smtps?://[^\s/]+\Z", settings.smtp_url):
        raise BadSettings(f"{PREFIX}SMTP_URL is no address such as smtps://user:password@mail.example:465")
    if settings.smtp_url and not re.match(r"[^\s@<>]+@[A-Za-z0-9.-]+\Z", settings.mail_from):
        raise BadSettings(f"{PREFIX}MAIL_FROM is needed for mail: an address such as restante@post.example")
    if settings.smtp_url and not settings.origins:
        raise BadSettings(f"{PREFIX}ORIGINS is needed for mail: links in it lead to the first of them")
    if settings.metrics_token and not re.match(r"[\x21-\x7e]{16,}\Z", settings.metrics_token):
        raise BadSettings(f"{PREFIX}METRICS_TOKEN must have at least 16 characters, without spaces")
    if settings.traces_url and not re.match(r"https?://[^\s/?#]+/[^\s?#]*\Z", settings.traces_url):
        raise BadSettings(f"{PREFIX}TRACES_URL is no address such as http://127.0.0.1:4318/v1/traces")
    if settings.traces_url and find_spec("opentelemetry") is None:
        raise BadSettings(f"{PREFIX}TRACES_URL needs what `pip install 'restante[otel]'` brings")
    if settings.webhook_url and len(settings.webhook_secret) < 16:
        raise BadSettings(f"{PREFIX}WEBHOOK_SECRET is needed for the webhook: at least 16 characters")


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return config_file.read(path, Settings.__struct_fields__, SECRETS)
    except config_file.BadFile as error:
        raise BadSettings(str(error)) from error


def _from_variable(environ: Mapping[str, str], field: str) -> str | None:
    variable = PREFIX + field.upper()
    file = environ.get(f"{variable}_FILE") if field in SECRETS else None
    if file is None:
        return environ.get(variable)
    if variable in environ:
        raise BadSettings(f"{variable} and {variable}_FILE are both set: one of them must go")
    try:
        return config_file.secret_of(file, f"{variable}_FILE")
    except config_file.BadFile as error:
        raise BadSettings(str(error)) from error


def _converted(values: dict[str, Any]) -> Settings:
    kinds = get_type_hints(Settings, include_extras=True)
    for field, given in values.items():
        value = values[field] = _parse_bytes(field, given) if _is_size(field, given) else given
        try:
            if isinstance(value, bool) or (isinstance(value, float) and not isfinite(value)):
                raise msgspec.ValidationError("no number")  # noqa: TRY301 - said below, with the rest
            msgspec.convert(value, kinds[field], strict=isinstance(value, float), dec_hook=_path)
        except msgspec.ValidationError as error:
            shown = "" if field in SECRETS else f" is {value!r}, and"
            wanted = config_file.wanted(kinds[field])
            raise BadSettings(f"{PREFIX}{field.upper()}{shown} must be {wanted}") from error
    return msgspec.convert(values, Settings, strict=False, dec_hook=_path)


def _is_size(field: str, value: object) -> bool:
    return field.endswith("_bytes") and isinstance(value, str)


def _said_of(text: str, path: Path, elsewhere: Collection[str]) -> str:
    """Calls what stands, or is missing, in the file as the file calls it; not what was said ``elsewhere``."""
    named = text
    for field in Settings.__struct_fields__:
        if field not in elsewhere:
            named = re.sub(rf"{PREFIX}{field.upper()}\b", field, named)
    return f"{path}: {named}" if named != text else text


def _parse(field: str, text: str) -> Any:
    if field in _LISTS:
        return tuple(filter(None, text.split(",")))
    if field.endswith("_bytes"):
        return _parse_bytes(field, text)
    return text


def _parse_bytes(field: str, text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,15}) ?([kmgKMG]?)(?:i?[bB])?", text)
    if not match:
        raise BadSettings(f"{PREFIX}{field.upper()} is not a size such as 64M")
    return int(match[1]) * _UNITS[match[2].lower()]


def _path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)
