"""What the stack of real servers refuses before anything starts: taken ports, jars with another hash."""

import socket
from pathlib import Path

import pytest

from tests.ports import free_port, free_ports
from tillmesh.hub.stack import jars
from tillmesh.hub.stack.program import Ports, Stack, main, ports_from
from tillmesh.kernel.errors import Conflict, Damaged, NotFound


def test_a_port_that_is_taken_is_named_before_anything_starts(tmp_path: Path) -> None:
    taken = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", taken))
        other.listen()
        first = free_ports(6)
        stack = Stack(tmp_path, Ports(first, first + 1, first + 2, taken, first + 3, first + 4, first + 5))
        with pytest.raises(Conflict, match=f"port {taken} for Kafka is taken"):
            stack.up()
    assert {server.pid for server in stack.servers} == {None}


def test_a_stack_that_was_never_started_is_not_stopped(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no stack was started"):
        main(["stop", "--data-dir", str(tmp_path)])


def test_the_ports_of_a_stack_are_counted_from_one_and_differ() -> None:
    ports = ports_from(8_080)
    every = [getattr(ports, name) for name in Ports.__slots__]
    assert len(set(every)) == len(every)
    assert ports.stores == 8_180


def test_a_jar_with_another_hash_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "repository" / jars.listed()[0].path
    file.parent.mkdir(parents=True)
    file.write_bytes(b"altered")
    monkeypatch.setenv("TILLMESH_MAVEN", f"file://{tmp_path}/repository")
    monkeypatch.setenv("TILLMESH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(Damaged, match="another hash"):
        jars.fetch()
    with pytest.raises(NotFound, match="not there yet"):
        jars.jars()
    assert not list((tmp_path / "cache").rglob("*.jar"))
