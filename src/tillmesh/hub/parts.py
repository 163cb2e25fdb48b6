"""What head office is made of, opened as ``hub.toml`` says: where events are kept, and where they are added up."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.adapters.duckdb.analytics import FILE as ANALYTICS
from tillmesh.adapters.duckdb.analytics import DuckAnalytics
from tillmesh.adapters.host.blobs import Blobs
from tillmesh.adapters.sqlite.hub import log, master, models, office, pictures
from tillmesh.adapters.sqlite.hub.reading import SqliteReading
from tillmesh.fleet.models import Registry, Reports
from tillmesh.fleet.office import Office
from tillmesh.fleet.pictures import PictureShelf
from tillmesh.fleet.ports import Analytics, EventLog, Master, Reading
from tillmesh.hub.keys import MODELS, shared_key
from tillmesh.hub.models import FOLDER, Models
from tillmesh.hub.settings import (
    ClickReports,
    DuckReports,
    KafkaLog,
    MlflowRegistry,
    PostgresTables,
    Settings,
    SqliteLog,
    SqliteTables,
)


def open_log(settings: Settings, data_dir: Path, key: bytes, *, read_only: bool = False) -> EventLog:
    """Open the event log."""
    match settings.event_log:
        case SqliteLog():
            return log.SqliteEventLog(data_dir / log.FILE, key, read_only=read_only)
        case KafkaLog() as kafka:
            from tillmesh.adapters.kafka.log import KafkaEventLog

            return KafkaEventLog(
                kafka.servers, kafka.topic, partitions=kafka.partitions, replicas=kafka.replicas,
                properties=kafka.properties,
            )  # fmt: skip
        case other:
            assert_never(other)


def open_master(settings: Settings, data_dir: Path, key: bytes) -> Master:
    """Open the master database for writing."""
    match settings.master:
        case SqliteTables():
            return master.SqliteMaster(data_dir / master.FILE, key)
        case PostgresTables() as postgres:
            from tillmesh.adapters.postgres.master import PostgresMaster

            return PostgresMaster(postgres.dsn, postgres.schema)
        case other:
            assert_never(other)


def open_office(settings: Settings, data_dir: Path, key: bytes) -> Office:
    """Open what says who may do what; one more connection with each call."""
    match settings.master:
        case SqliteTables():
            return office.SqliteOffice(data_dir / office.FILE, key)
        case PostgresTables() as postgres:
            from tillmesh.adapters.postgres.office import PostgresOffice

            return PostgresOffice(postgres.dsn, postgres.schema)
        case other:
            assert_never(other)


def open_reading(settings: Settings, data_dir: Path, key: bytes) -> Reading:
    """Open one more connection to the master database that answers questions."""
    match settings.master:
        case SqliteTables():
            return SqliteReading(data_dir / master.FILE, key)
        case PostgresTables() as postgres:
            from tillmesh.adapters.postgres.reading import PostgresReading

            return PostgresReading(postgres.dsn, postgres.schema)
        case other:
            assert_never(other)


def open_pictures(settings: Settings, data_dir: Path, key: bytes) -> PictureShelf:
    """Open the shelf of pictures: with the master database, and no part of it."""
    match settings.master:
        case SqliteTables():
            return pictures.SqlitePictures(data_dir / pictures.FILE, key)
        case PostgresTables() as postgres:
            from tillmesh.adapters.postgres.pictures import PostgresPictures

            return PostgresPictures(postgres.dsn, postgres.schema)
        case other:
            assert_never(other)


def open_analytics(settings: Settings, data_dir: Path, key: bytes) -> Analytics:
    """Open what answers reports over all stores."""
    match settings.analytics:
        case DuckReports():
            return DuckAnalytics(data_dir / ANALYTICS, key)
        case ClickReports() as click:
            from tillmesh.adapters.clickhouse.analytics import ClickAnalytics
            from tillmesh.adapters.clickhouse.wire import Wire

            password = Path(click.password_file).read_text("utf-8").strip() if click.password_file else ""
            return ClickAnalytics(Wire(click.url, click.database, user=click.user, password=password))
        case other:
            assert_never(other)


def open_models(settings: Settings, data_dir: Path, key: bytes, pen: Ed25519PrivateKey) -> Models:
    """Open the registry of models, reports and bundles: in the folder that is named, else with the master database."""
    named, master_is = settings.models.folder, settings.master
    if named:
        data_dir, key = Path(named), shared_key(settings, MODELS)
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = data_dir / FOLDER
    registry: Registry
    reports: Reports
    if isinstance(master_is, PostgresTables) and not named:
        from tillmesh.adapters.postgres import models as shared

        dsn, schema = master_is.dsn, master_is.schema
        registry = shared.PostgresRegistry(shared.database(dsn, schema))
        reports = shared.PostgresReports(shared.database(dsn, schema))
        blobs = Blobs(folder, shared.PostgresBundles(shared.database(dsn, schema)))
    else:
        db = models.open_models(data_dir / models.FILE, key)
        registry, reports, blobs = models.SqliteRegistry(db), models.ModelReports(db), Blobs(folder)
    if isinstance(settings.models, MlflowRegistry):
        from tillmesh.adapters.mlflow.registry import MlflowRegistry as Mlflow

        registry = Mlflow(settings.models.uri or f"sqlite:///{(data_dir / 'mlflow.db').absolute()}", folder)
    return Models(registry, reports, blobs, pen)
