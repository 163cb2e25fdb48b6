"""What only Envoy does: new keys while it runs, refusing before head office hears of it, saying that nobody answers."""

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.services.hub.gateway import Door, Gateway, door, until
from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.adapters.wan.certificates import GATEWAY, serial_of, ssl_context
from tillmesh.adapters.wan.client import HubClient
from tillmesh.hub.commands import main as hub
from tillmesh.hub.gateway import find_envoy

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.xdist_group("gateway"), pytest.mark.timeout(300)]


def gateway_of(made: Door) -> Gateway:
    assert made.gateway is not None
    return made.gateway


def renew(made: Door) -> None:
    assert hub(["gateway-config", "--data-dir", str(made.office.data_dir), "--config", str(made.config)]) == 0


def shown_by(made: Door, bundle: Bundle) -> bytes:
    """The serial number of the certificate that the door shows now."""
    context = ssl_context("client", bundle.identity)
    with socket.create_connection(("127.0.0.1", made.port), 60) as raw, context.wrap_socket(raw) as secure:
        certificate = secure.getpeercert(binary_form=True)
    assert certificate is not None
    return serial_of(certificate)


def inside(made: Door) -> str:
    """The newest certificate that the gateway proves itself to head office with."""
    issued = made.office.call("GET", "/credentials")[1]["credentials"]
    return str(next(one["serial"] for one in issued if one["store"] == GATEWAY and one["revoked"] is None))


def test_the_gateway_takes_a_new_key_while_it_runs_and_an_old_one_can_be_revoked(tmp_path: Path) -> None:
    with door("envoy", tmp_path) as made:
        bundle = made.enrol()
        client, before, old = made.client(bundle), shown_by(made, bundle), inside(made)
        assert client.state().status == 200
        renew(made)
        until(lambda: shown_by(made, bundle), lambda serial: serial != before, "Envoy shows its old certificate")
        assert client.state().status == 200
        assert made.office.call("DELETE", f"/stores/{GATEWAY}/credentials/{old}")[0] == 204
        until(lambda: client.state().status, lambda status: status == 200, "the new key is not taken inside")
        newest = inside(made)
        assert newest != old
        assert made.office.call("DELETE", f"/stores/{GATEWAY}/credentials/{newest}")[0] == 204
        until(lambda: client.state().status, lambda status: status == 503, "a revoked gateway is believed")
        renew(made)
        until(lambda: client.state().status, lambda status: status == 200, "a renewed gateway is not believed")
        assert gateway_of(made).process.poll() is None


def test_a_store_that_comes_past_the_gateway_is_refused(envoy_door: Door) -> None:
    bundle = envoy_door.enrol()
    past = HubClient(f"https://127.0.0.1:{envoy_door.office.port + 1}", bundle)
    reply = past.state()
    past.close()
    assert (reply.status, reply.problem()["kind"]) == (403, "certificate-refused")
    assert "past the gateway" in str(reply.problem()["detail"])


def test_wrong_keys_do_not_reach_head_office_and_its_absence_is_said_with_a_time_to_wait(tmp_path: Path) -> None:
    with door("envoy", tmp_path) as made:
        bundle = made.enrol()
        guessed = made.client(msgspec.structs.replace(bundle, api_key="guessed"))
        process = made.office.process
        assert process is not None
        process.kill()
        process.wait()
        assert (guessed.state().status, guessed.state().problem()["kind"]) == (401, "key-refused")
        reply = made.client(bundle).state()
        assert (reply.status, reply.problem()["kind"]) == (503, "busy")
        assert reply.retry_after_s >= 1
        refused = until(lambda: [call for call in calls(made) if call["status"] == 401], bool, "nothing is logged")
        assert {(call["refused"], call["service"], call["name"]) for call in refused} == {
            ("key-refused", None, f"pos://hub/{bundle.store}")
        }


def calls(made: Door) -> list[dict[str, Any]]:
    """What Envoy has logged of calls."""
    lines = [json.loads(line) for line in made.logged().splitlines() if line.startswith('{"') and line.endswith("}")]
    return [line for line in lines if line["what"] == "call"]


def test_what_is_written_for_envoy_is_valid_and_nobody_else_can_read_it(envoy_door: Door) -> None:
    folder = gateway_of(envoy_door).folder
    file = folder / "envoy.yaml"
    check = [find_envoy(), "--mode", "validate", "-c"]
    assert subprocess.run([*check, str(file)], check=False, capture_output=True, timeout=60).returncode == 0
    broken = folder.parent / "broken.yaml"
    broken.write_text(file.read_text().replace("codec_type: HTTP1", "codec_typo: HTTP1"))
    assert subprocess.run([*check, str(broken)], check=False, capture_output=True, timeout=60).returncode != 0
    assert {path.stat().st_mode & 0o077 for path in folder.glob("*.*")} == {0}
