"""One suite for every registry of models: in a file of head office, in MLflow's tables."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.servers import ON_SERVERS, Servers
from tillmesh.adapters.host.blobs import Blobs
from tillmesh.adapters.postgres.models import PostgresBundles, PostgresRegistry, PostgresReports, database
from tillmesh.adapters.sqlite.hub.models import ModelReports, SqliteRegistry, open_models
from tillmesh.edge.bundle import Contract, Manifest
from tillmesh.fleet.models import Published, Registry, Reports, Rollout, activated, rolled_back
from tillmesh.hub.models import Models
from tillmesh.hub.settings import PostgresTables, Settings
from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.kernel.limits import MODEL_REPORT_VERSIONS_MAX, MODEL_REPORTS_KEPT_MS, MODELS_MAX
from tillmesh.sync.model_orders import Kind, Report

KEY = bytes(range(32))
NOW = 1_800_000_000_000
Opener = Callable[[], Registry]


def sqlite(folder: Path) -> Registry:
    return SqliteRegistry(open_models(folder / "models.db", KEY))


def mlflow(folder: Path) -> Registry:
    from tillmesh.adapters.mlflow.registry import MlflowRegistry

    return MlflowRegistry(f"sqlite:///{folder / 'mlflow.db'}", folder / "models")


def postgres(room: Settings) -> Registry:
    assert isinstance(room.master, PostgresTables)
    return PostgresRegistry(database(room.master.dsn, room.master.schema))


@pytest.fixture(scope="session")
def mlflow_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without anything in them: making them takes seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    made = mlflow(folder)
    assert made.names() == []
    made.close()
    return folder / "mlflow.db"


# MLflow still asks SQLAlchemy for what that calls old, and leaves its pool of connections to the end of the process.
OF_MLFLOW = [
    pytest.mark.slow,
    *map(pytest.mark.filterwarnings, ("ignore::DeprecationWarning", "ignore::ResourceWarning")),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=ON_SERVERS), pytest.param("mlflow", marks=OF_MLFLOW)])
def open_registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the registry, again and again the same one."""
    opened: list[Registry] = []
    room = request.getfixturevalue("servers").room() if request.param == "postgres" else None
    if request.param == "mlflow":
        shutil.copy(request.getfixturevalue("mlflow_tables"), tmp_path)

    def reopen() -> Registry:
        while opened:
            opened.pop().close()
        opened.append(postgres(room) if room else {"sqlite": sqlite, "mlflow": mlflow}[request.param](tmp_path))
        return opened[0]

    yield reopen
    while opened:
        opened.pop().close()


def manifest(number: int, name: str) -> bytes:
    made = Manifest(
        name=name, version=number, task=name, engine="onnx", licence="Apache-2.0", contract=Contract(input="WAV"),
        files={}, metrics={"accuracy": 0.9},
    )  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


def version(number: int, name: str = "voice", sha256: str = "") -> Published:
    return Published(
        name=name, version=number, sha256=sha256 or f"{number:064x}", size=1_000 + number,
        manifest=manifest(number, name), at_ms=NOW + number, by="ann", signer="ab" * 32,
    )  # fmt: skip


def test_versions_come_back_as_they_were_put_the_latest_first(open_registry: Opener) -> None:
    registry = open_registry()
    assert (registry.names(), registry.versions("voice"), registry.rollouts()) == ([], [], {})
    for one in (version(2), version(5), version(1, "fraud")):
        registry.put(one)
    again = open_registry()
    assert again.names() == ["fraud", "voice"]
    assert again.versions("voice") == [version(5), version(2)]
    assert again.versions("nothing") == []


def test_a_version_that_is_not_later_is_refused_and_the_very_same_one_is_no_news(open_registry: Opener) -> None:
    registry = open_registry()
    registry.put(version(3))
    registry.put(msgspec.structs.replace(version(3), by="bob"))
    for wrong in (version(2), version(3, sha256="f" * 64)):
        with pytest.raises(Conflict, match="not later than 3"):
            registry.put(wrong)
    assert registry.versions("voice") == [version(3)]


def test_the_aliases_follow_what_is_tried_widened_and_taken_back(open_registry: Opener) -> None:
    registry = open_registry()
    for number in (1, 2):
        registry.put(version(number))
    held = registry.versions("voice")
    assert registry.aliases("voice") == {}
    everywhere = activated(Rollout(), held, 1, (), 100, NOW)
    registry.note("voice", everywhere)
    assert registry.aliases("voice") == {"champion": 1}
    tried = activated(everywhere, held, 2, ["one", "two"], 30, NOW + 1)
    registry.note("voice", tried)
    assert open_registry().aliases("voice") == {"champion": 1, "challenger": 2}
    assert open_registry().rollouts() == {"voice": tried}
    registry = open_registry()
    registry.note("voice", activated(tried, held, 2, (), 100, NOW + 2))
    assert registry.aliases("voice") == {"champion": 2}
    back = rolled_back(registry.rollouts()["voice"], held, 1, NOW + 3)
    registry.note("voice", back)
    assert registry.aliases("voice") == {"champion": 1}
    assert open_registry().rollouts()["voice"] == back
    assert back.kind is Kind.ROLLBACK


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=ON_SERVERS)])
def reports(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reports]:
    """What tills say of their models, with nothing said yet."""
    if request.param == "postgres":
        master = request.getfixturevalue("servers").room().master
        made: Reports = PostgresReports(database(master.dsn, master.schema))
    else:
        made = ModelReports(open_models(tmp_path / "models.db", KEY))
    yield made
    made.close()


def report(end_ms: int, asked: int = 1, name: str = "voice", terminal: str = "till1") -> Report:
    start = end_ms - 1_000
    return Report(terminal=terminal, name=name, version=1, window_start=start, window_end=end_ms, asked=asked)


def test_reports_count_once_come_newest_first_and_are_kept_for_a_season(reports: Reports) -> None:
    old, early, late = report(NOW - MODEL_REPORTS_KEPT_MS - 1), report(NOW - 5_000), report(NOW)
    assert reports.take("one", [old, early, late], NOW) == 3
    again = report(NOW, asked=9)
    reports.take("one", [again], NOW)
    reports.take("two", [report(NOW - 1, name="fraud")], NOW)
    assert reports.of("voice") == [("one", again), ("one", early)]
    assert reports.of("voice", NOW - 10) == [("one", again)]
    assert reports.names() == ["fraud", "voice"]


def test_a_report_on_a_time_that_is_not_over_is_refused_with_all_that_came_with_it(reports: Reports) -> None:
    with pytest.raises(Invalid, match="till2"):
        reports.take("one", [report(NOW), report(NOW + 86_400_000, terminal="till2")], NOW)
    assert reports.names() == []


@pytest.mark.parametrize("_on", [pytest.param("", marks=ON_SERVERS)])
def test_a_bundle_that_one_machine_keeps_is_found_by_another(servers: Servers, tmp_path: Path, _on: str) -> None:
    master = servers.room().master
    assert isinstance(master, PostgresTables)
    here, there = (
        Blobs(tmp_path / name, PostgresBundles(database(master.dsn, master.schema))) for name in ("here", "there")
    )
    name = here.put(b"a bundle")
    assert there.has(name)
    assert there.read(name) == b"a bundle"
    assert not there.has("0" * 64)
    here.close()
    there.close()


def test_a_store_that_makes_names_and_versions_up_fills_no_disk_and_no_page(reports: Reports, tmp_path: Path) -> None:
    db = open_models(tmp_path / "models.db", KEY)
    pen = Ed25519PrivateKey.from_private_bytes(KEY)
    models = Models(SqliteRegistry(db), reports, Blobs(tmp_path / "blobs"), pen)
    for first in range(0, 600, 200):
        names = [
            Report(terminal="till1", name=f"m{n}", version=1, window_start=NOW, window_end=NOW)
            for n in range(first, first + 200)
        ]
        versions = [
            msgspec.structs.replace(names[0], name="voice", version=n + 1, window_end=NOW + n)
            for n in range(first, first + 200)
        ]
        assert models.take("one", [*names, *versions], NOW + 1_000) == {}
    assert len(models.reports.names()) <= MODELS_MAX + 1
    said = {report.version for _, report in models.reports.of("voice")}
    assert said == set(range(600, 600 - MODEL_REPORT_VERSIONS_MAX, -1))
    models.close()
