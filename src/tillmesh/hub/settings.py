"""``hub.toml``: what head office is made of, and where its doors are. The command line goes before the file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from tillmesh.fleet.notifying import TOLD
from tillmesh.fleet.throttle import ASKS_BURST, ASKS_PER_S, PICTURES_BURST, PICTURES_PER_S
from tillmesh.kernel.errors import Invalid

BYTES_MAX: Final = 65_536
Port = Annotated[int, Meta(ge=0, le=65_535)]
Service = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]{1,253}:[0-9]{1,5}$")]


class Doors(Struct, frozen=True, forbid_unknown_fields=True):
    """Where people and stores knock."""

    bind: str = "127.0.0.1"
    people_port: Port = 8080
    stores_port: Port = 0  # 0: a hundred above the one for people


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """How often one store may upload, ask and bring pictures, and how long a call may take and wait."""

    uploads_burst: Annotated[int, Meta(ge=1, le=100_000)] = 60
    uploads_per_s: Annotated[int, Meta(ge=1, le=10_000)] = 10
    asks_burst: Annotated[int, Meta(ge=1, le=100_000)] = ASKS_BURST
    asks_per_s: Annotated[int, Meta(ge=1, le=10_000)] = ASKS_PER_S
    pictures_burst: Annotated[int, Meta(ge=1, le=100_000)] = PICTURES_BURST
    pictures_per_s: Annotated[int, Meta(ge=1, le=10_000)] = PICTURES_PER_S
    waiting_max: Annotated[int, Meta(ge=1, le=10_000)] = 64
    request_s: Annotated[int, Meta(ge=5, le=3_600)] = 60  # in which a call has to have arrived


class InProcess(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="embedded"):
    """Head office itself checks certificates, keys and rates at the door for stores."""


class Envoy(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="envoy"):
    """Envoy stands before one or more sync services, which take a store's identity from nobody else."""

    bind: str = "0.0.0.0"  # noqa: S104 - stores come from outside
    port: Port = 8443
    admin_port: Port = 0  # on loopback; 0: none
    services: Annotated[tuple[Service, ...], Meta(min_length=1, max_length=256)] = ("127.0.0.1:8180",)
    folder: Annotated[str, Meta(pattern=r"^(/[\w./-]*)?$")] = ""  # of Envoy's files; nothing: DATA/gateway
    connections_max: Annotated[int, Meta(ge=1, le=1_000_000)] = 50_000


class SqliteLog(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sqlite"):
    """The event log in a file of the data directory."""


class KafkaLog(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="kafka"):
    """The event log in a topic of Apache Kafka, which is made if it is not there.

    ``partitions`` counts for a new topic only, and is for ever: it decides where a store's events are.
    """

    servers: str
    topic: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,200}$")] = "tillmesh-events"
    partitions: Annotated[int, Meta(ge=1, le=10_000)] = 16
    replicas: Annotated[int, Meta(ge=1, le=9)] = 3
    properties: dict[str, str] = {}


class SqliteTables(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sqlite"):
    """The master database in a file of the data directory."""


class PostgresTables(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="postgres"):
    """The master database in PostgreSQL, in a schema of its own that is made if it is not there.

    People, keys and certificates are in a second schema, ``SCHEMA_office``; ``secret`` seals head office's keys there.
    """

    dsn: str
    schema: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,50}$")] = "tillmesh"
    secret: str = ""  # the same for all services; nothing: keys/database.key of the data directory
    secret_file: str = ""


class DuckReports(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="duckdb"):
    """Analytics in a file of the data directory."""


class ClickReports(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="clickhouse"):
    """Analytics in ClickHouse, in a database that somebody has made; its tables are made if they are not there."""

    url: str
    database: Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,100}$")] = "tillmesh"
    user: str = ""
    password_file: str = ""


class SqliteRegistry(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sqlite"):
    """The registry of models in PostgreSQL if the master database is, else in a file; in the folder if one is named."""

    folder: Annotated[str, Meta(pattern=r"^(/[\w./-]*)?$")] = ""


class MlflowRegistry(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="mlflow"):
    """The registry of models in MLflow's own tables: SQLite or PostgreSQL, as an address of SQLAlchemy."""

    uri: Annotated[str, Meta(pattern=r"^((sqlite|postgresql(\+psycopg)?)://.{1,500})?$")] = ""  # FOLDER/mlflow.db
    folder: Annotated[str, Meta(pattern=r"^(/[\w./-]*)?$")] = ""  # of the bundles; nothing: the data directory


class Webhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Another program that is told what stores sold."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}$")]
    url: Annotated[str, Meta(max_length=2_000)]
    secret_file: str
    events: Annotated[tuple[str, ...], Meta(max_length=32)] = ("sale_closed", "sale_refunded", "sale_voided")
    stores: Annotated[tuple[str, ...], Meta(max_length=10_000)] = ()  # none: all
    from_start: bool = False  # whether a new one is told everything that ever was


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All of it. Another kind of a part is one more class beside its first, in a union."""

    doors: Doors = Doors()
    limits: Limits = Limits()
    gateway: InProcess | Envoy = InProcess()
    event_log: SqliteLog | KafkaLog = SqliteLog()
    master: SqliteTables | PostgresTables = SqliteTables()
    analytics: DuckReports | ClickReports = DuckReports()
    models: SqliteRegistry | MlflowRegistry = SqliteRegistry()
    webhook: Annotated[tuple[Webhook, ...], Meta(max_length=32)] = ()


def read_settings(file: Path | None) -> Settings:
    """Read a file, or take the defaults; raises :class:`Invalid` naming what is wrong."""
    if file is None:
        return Settings()
    try:
        with file.open("rb") as handle:
            text = handle.read(BYTES_MAX + 1)
        if len(text) > BYTES_MAX:
            raise Invalid(f"{file} has more than {BYTES_MAX} bytes", hint="That is no hub.toml.")
        settings = msgspec.convert(tomllib.loads(text.decode()), Settings)
        _check_webhooks(settings)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as cause:
        raise Invalid(f"{file}: {cause}", hint="See docs/reference/hub-toml.md.") from cause
    return settings


def _check_webhooks(settings: Settings) -> None:
    names = [hook.name for hook in settings.webhook]
    if len(set(names)) < len(names):
        raise Invalid("two webhooks have the same name", hint="Give each [[webhook]] a name of its own.")
    for hook in settings.webhook:
        unknown = [event for event in hook.events if event not in TOLD]
        if unknown:
            raise Invalid(f"webhook {hook.name} wants {unknown[0]!r}", hint=f"There are {', '.join(TOLD)}.")
