"""`make hub-stack`: everything that a production head office needs runs on this machine, and stops again."""

import shutil
import tempfile
from pathlib import Path

from tests.ports import free_ports
from tests.servers import ON_SERVERS
from tests.services.hub.gateway import TILL, batch, sales
from tests.services.hub.office import RunningOffice, enrolled
from tillmesh.adapters.wan.client import HubClient
from tillmesh.hub.stack.program import Ports, Stack
from tillmesh.sync.upload import MEDIA, read_answer

pytestmark = list(ON_SERVERS)


def test_a_store_uploads_to_a_whole_stack_on_one_machine_and_nothing_of_it_is_left_running() -> None:
    place = Path(tempfile.mkdtemp(prefix="tillmesh-stack-"))  # PostgreSQL's own user has to be able to enter
    place.chmod(0o755)
    first = free_ports(7)
    stack = Stack(place, Ports(*range(first, first + 7)))
    bundle = enrolled(stack.hub.place, "one")
    try:
        stack.up()
        assert all(server.pid is not None for server in stack.servers)
        client = HubClient(f"https://127.0.0.1:{stack.ports.gateway}", bundle)
        reply = client.upload(batch("one", sales("one", 5)), MEDIA)
        client.close()
        assert (reply.status, dict(read_answer(reply.body).acked)) == (200, {TILL: 5})
        assert RunningOffice(stack.hub.place, stack.ports.people).call("GET", "/health")[1]["ok"] is True
    finally:
        stack.down()
        shutil.rmtree(place, ignore_errors=True)
    assert [server.name for server in stack.servers if server.pid is not None] == []
