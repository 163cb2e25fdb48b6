"""The real servers of a production head office: started once for all tests, each test in rooms of its own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.ports import free_ports
from tillmesh.adapters.kafka.log import KafkaEventLog
from tillmesh.adapters.postgres.master import PostgresMaster
from tillmesh.adapters.postgres.reading import PostgresReading
from tillmesh.hub.settings import KafkaLog, PostgresTables, Settings, read_settings
from tillmesh.hub.stack.kafka import Kafka
from tillmesh.hub.stack.postgres import Postgres

# All of these run in one of the test processes: the servers are started once.
ON_SERVERS = (pytest.mark.slow, pytest.mark.service, pytest.mark.xdist_group("servers"), pytest.mark.timeout(600))
PARTITIONS = 3


class Servers:
    """PostgreSQL and Kafka, and names that no other test has."""

    def __init__(self, place: Path) -> None:
        first = free_ports(3)
        self.postgres = Postgres(place / "postgres", first, buffers="32MB")
        self.kafka = Kafka(place / "kafka", first + 1, first + 2)
        self._number = count(1)

    def up(self) -> None:
        for server in (self.postgres, self.kafka):
            if server.pid is None:
                server.up()

    def down(self) -> None:
        """End them at once: nobody wants what they hold, and a clean end would sync thousands of files."""
        self.kafka.kill()
        self.postgres.kill()

    def room(self) -> Settings:
        """Give a topic and a schema of one's own."""
        number = next(self._number)
        return Settings(
            event_log=KafkaLog(servers=self.kafka.servers, topic=f"events-{number}", partitions=PARTITIONS, replicas=1),
            master=PostgresTables(dsn=self.postgres.dsn, schema=f"office_{number}"),
        )


def log_in(room: Settings) -> KafkaEventLog:
    """Open the event log of a room."""
    assert isinstance(room.event_log, KafkaLog)
    kafka = room.event_log
    return KafkaEventLog(kafka.servers, kafka.topic, partitions=kafka.partitions, replicas=kafka.replicas)


def master_in(room: Settings) -> PostgresMaster:
    """Open the master database of a room."""
    assert isinstance(room.master, PostgresTables)
    return PostgresMaster(room.master.dsn, room.master.schema)


def reading_in(room: Settings) -> PostgresReading:
    """Open a reader of the master database of a room."""
    assert isinstance(room.master, PostgresTables)
    return PostgresReading(room.master.dsn, room.master.schema)


def configured(room: Settings, folder: Path) -> Path:
    """Write the ``hub.toml`` of a room."""
    assert isinstance(room.event_log, KafkaLog)
    assert isinstance(room.master, PostgresTables)
    kafka, postgres = room.event_log, room.master
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "hub.toml"
    file.write_text(
        f'[event_log]\nkind = "kafka"\nservers = "{kafka.servers}"\ntopic = "{kafka.topic}"\n'
        f"partitions = {kafka.partitions}\nreplicas = {kafka.replicas}\n\n"
        f'[master]\nkind = "postgres"\ndsn = "{postgres.dsn}"\nschema = "{postgres.schema}"\n',
        "ascii",
    )
    assert read_settings(file) == room
    return file


@contextmanager
def started() -> Iterator[Servers]:
    """Start the servers in a folder that PostgreSQL's own user can enter; nothing of them is left."""
    place = Path(tempfile.mkdtemp(prefix="tillmesh-servers-"))
    place.chmod(0o755)
    servers = Servers(place)
    try:
        servers.up()
        yield servers
    finally:
        servers.down()
        shutil.rmtree(place, ignore_errors=True)
