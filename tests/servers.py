"""The real servers of a production head office: started once for all tests, each test in rooms of its own."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.ports import free_ports
from tillmesh.adapters.kafka.log import KafkaEventLog
from tillmesh.adapters.postgres.master import PostgresMaster
from tillmesh.adapters.postgres.office import PostgresOffice
from tillmesh.adapters.postgres.reading import PostgresReading
from tillmesh.fleet.ports import Away, Entry
from tillmesh.hub.settings import KafkaLog, PostgresTables, Settings, read_settings
from tillmesh.hub.stack.kafka import Kafka
from tillmesh.hub.stack.postgres import Postgres

# All of these run in one of the test processes: the servers are started once.
ON_SERVERS = (pytest.mark.slow, pytest.mark.service, pytest.mark.xdist_group("servers"), pytest.mark.timeout(600))
PARTITIONS = 3
PATIENT = {"message.timeout.ms": "60000"}  # for tests that are not about a server that is away
READY_S = 240.0


class Servers:
    """PostgreSQL and Kafka, and names that no other test has."""

    def __init__(self, place: Path) -> None:
        first = free_ports(3)
        self.postgres = Postgres(place / "postgres", first, buffers="32MB")
        self.kafka = Kafka(place / "kafka", first + 1, first + 2)
        self._number = count(1)

    def up(self) -> None:
        """Start what does not run, until a message gets through: a broker answers some time before it takes any."""
        for server in (self.postgres, self.kafka):
            if server.pid is None:
                server.up()
        log = KafkaEventLog(self.kafka.servers, "warm", partitions=1, replicas=1)
        end = time.monotonic() + READY_S
        while True:
            try:
                log.append(Entry("warm", 0, "", 0, ()))
            except Away:
                assert time.monotonic() < end, "Kafka takes no messages"
                time.sleep(0.2)
            else:
                break
        log.close()

    def down(self) -> None:
        """End them at once: nobody wants what they hold, and a clean end would sync thousands of files."""
        self.kafka.kill()
        self.postgres.kill()

    def room(self, *, patient: bool = True) -> Settings:
        """Give a topic and a schema of one's own."""
        number = next(self._number)
        return Settings(
            event_log=KafkaLog(
                servers=self.kafka.servers,
                topic=f"events-{number}",
                partitions=PARTITIONS,
                replicas=1,
                properties=PATIENT if patient else {},
            ),
            master=PostgresTables(dsn=self.postgres.dsn, schema=f"office_{number}"),
        )


def log_in(room: Settings) -> KafkaEventLog:
    """Open the event log of a room."""
    assert isinstance(room.event_log, KafkaLog)
    kafka = room.event_log
    return KafkaEventLog(
        kafka.servers, kafka.topic, partitions=kafka.partitions, replicas=kafka.replicas, properties=kafka.properties
    )


def master_in(room: Settings) -> PostgresMaster:
    """Open the master database of a room."""
    assert isinstance(room.master, PostgresTables)
    return PostgresMaster(room.master.dsn, room.master.schema)


def office_in(room: Settings) -> PostgresOffice:
    """Open what says who may do what, in a room."""
    assert isinstance(room.master, PostgresTables)
    return PostgresOffice(room.master.dsn, room.master.schema)


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
    properties = "".join(f'"{name}" = "{value}"\n' for name, value in kafka.properties.items())
    file.write_text(
        f'[event_log]\nkind = "kafka"\nservers = "{kafka.servers}"\ntopic = "{kafka.topic}"\n'
        f"partitions = {kafka.partitions}\nreplicas = {kafka.replicas}\n\n[event_log.properties]\n{properties}\n"
        f'[master]\nkind = "postgres"\ndsn = "{postgres.dsn}"\nschema = "{postgres.schema}"\n'
        + (f'secret = "{postgres.secret}"\n' if postgres.secret else ""),
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
