"""Apache Kafka from its jars, as broker and controller in one process (KRaft)."""

from __future__ import annotations

import base64
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tillmesh.hub.stack.jars import jars
from tillmesh.hub.stack.processes import Server
from tillmesh.kernel.errors import NotFound, StorageFailed

HEAP_MIB: Final = 256
_SETTINGS: Final = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
num.network.threads=2
num.io.threads=2
background.threads=2
log.cleaner.dedupe.buffer.size=4194304
"""


class Kafka(Server):
    """One broker in a folder. ``port`` is for clients, ``controller`` for itself."""

    def __init__(self, place: Path, port: int, controller: int) -> None:
        super().__init__("Kafka", place)
        self.port, self._controller = port, controller

    @property
    def servers(self) -> str:
        """Give where it is."""
        return f"127.0.0.1:{self.port}"

    def up(self) -> None:
        """Start it, making its storage the first time."""
        self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        data, settings = self.place / "data", self.place / "server.properties"
        text = _SETTINGS.format(port=self.port, controller=self._controller, data=data)
        settings.write_text(text.lstrip(), "ascii")
        if not (data / "meta.properties").exists():
            self._format(settings)
        self.start([*_java(), "kafka.Kafka", str(settings)], self._answers)

    def _format(self, settings: Path) -> None:
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").replace("-", "_")
        made = subprocess.run(  # noqa: S603 - a command of ours
            [*_java(), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(settings)],
            capture_output=True, text=True, check=False, cwd=self.place,
        )  # fmt: skip
        if made.returncode != 0:
            raise StorageFailed(
                f"Kafka made no storage: {(made.stderr or made.stdout)[-400:]}", hint="See the message."
            )

    def _answers(self) -> bool:
        try:
            AdminClient({"bootstrap.servers": self.servers, "log_level": 0}).list_topics(timeout=2)
        except KafkaException:
            return False
        return True


def _java() -> list[str]:
    java = shutil.which("java")
    if java is None:
        raise NotFound("no Java is installed here", hint="Run scripts/setup.sh stack, or install Java 17 or newer.")
    # A broker on one machine: a small heap, and no second compiler that takes its time from everybody else.
    return [
        java, f"-Xmx{HEAP_MIB}m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
        "-cp", f"{jars()}/*",
    ]  # fmt: skip
