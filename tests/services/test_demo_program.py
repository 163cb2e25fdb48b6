"""`tillmesh demo` as people run it: processes, files, signals."""

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import jpeg
from tests.ports import free_ports
from tillmesh.demo.control import check
from tillmesh.demo.program import main
from tillmesh.kernel.errors import Invalid

WAIT_S = 60.0


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tillmesh", "demo", *arguments]


def ctl(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("ctl", *words, "--data", str(data)), capture_output=True, text=True, timeout=WAIT_S, check=False
    )


@contextmanager
def demo(data: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run a demo until it is ready; whatever happens, nothing of it outlives the test."""
    port = str(free_ports(4, links=True))
    process = subprocess.Popen(
        command("--headless", "--data", str(data), "--port", port, *arguments),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Ctrl-C"):
                break
        assert (data / "demo.json").exists(), "".join(said)
        yield process, json.loads((data / "demo.json").read_text())
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def call(url: str, method: str, path: str, body: object = None, token: str = "") -> Any:
    status, data = ask(url, method, path, None if body is None else json.dumps(body).encode(), token)
    assert status < 300, data
    return json.loads(data)


def ask(url: str, method: str, path: str, body: bytes | None = None, token: str = "") -> tuple[int, bytes]:
    """Call the API with bytes, for bytes."""
    host, port = url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request(method, "/api/v1" + path, body, headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


@pytest.mark.slow
@pytest.mark.service
def test_a_demo_sells_is_steered_stops_and_opens_again_with_its_sales(tmp_path: Path) -> None:
    data = tmp_path / ("a directory with a long name " * 4).strip()  # longer than a Unix socket's address may be
    with demo(data, "--tills", "1", "--no-hub") as (process, state):
        (till,) = state["tills"]
        assert state["hub"] is None
        assert till["n"] == 1
        assert Path(till["data_dir"]) == data / "till-1"
        token = call(till["url"], "POST", "/session", {"pin": "1111"})["token"]
        assert call(till["url"], "GET", "/shifts/current", token=token)["sales"] > 0
        sale = {
            "cart_id": "basket-1",
            "lines": [{"sku": "FM-00301", "quantity": "1"}],
            "payments": [{"method": "cash", "amount_minor": 500}],
        }
        sold = call(till["url"], "POST", "/sales", sale, token)
        assert (sold["total_minor"], sold["change_minor"]) == (380, 120)

        killed = json.loads(ctl(data, "kill", "1").stdout)
        assert killed["tills"][0]["pid"] is None
        assert not alive(till["pid"])
        assert ctl(data, "kill", "1").returncode == 1
        started = json.loads(ctl(data, "start", "1").stdout)["tills"][0]
        assert started["terminal_id"] == till["terminal_id"]
        assert json.loads((data / "demo.json").read_text())["tills"] == [started]
        token = call(till["url"], "POST", "/session", {"pin": "1111"})["token"]
        assert call(till["url"], "POST", "/sales", sale, token)["sale_id"] == sold["sale_id"]
        assert json.loads(ctl(data, "status").stdout)["tills"] == [started]
        assert ctl(data, "start", "2").returncode == 1

        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert not alive(started["pid"])
        assert not (data / "demo.json").exists()

    with demo(data, "--tills", "1") as (process, state):
        assert state["tills"][0]["terminal_id"] == till["terminal_id"]
        token = call(till_url := state["tills"][0]["url"], "POST", "/session", {"pin": "9999"})["token"]
        assert call(till_url, "GET", f"/sales/{sold['sale_id']}", token=token)["total_minor"] == 380
        second = subprocess.run(
            command("--headless", "--data", str(data)), capture_output=True, text=True, timeout=30, check=False
        )
        assert second.returncode == 1
        assert "a demo is running" in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


@pytest.mark.slow
@pytest.mark.service
def test_a_demo_sells_the_products_of_a_file(tmp_path: Path) -> None:
    listing = tmp_path / "mine.csv"
    listing.write_text("barcode,name,department,price_minor_illustrative,vat_rate_percent_illustrative\n"
                       "4006381333931,Blue pencil,Stationery,120,20\n")  # fmt: skip
    with demo(tmp_path / "data", "--products", str(listing), "--tills", "1") as (_, state):
        (till,) = state["tills"]
        token = call(till["url"], "POST", "/session", {"pin": "9999"})["token"]
        found = call(till["url"], "GET", "/products/4006381333931", token=token)
        assert (found["sku"], found["price_minor"], found["tax_code"]) == ("4006381333931", 120, "standard")


@pytest.mark.slow
@pytest.mark.service
def test_a_till_outlives_no_demo_that_was_killed(tmp_path: Path) -> None:
    with demo(tmp_path, "--tills", "1") as (process, state):
        pid = state["tills"][0]["pid"]
        till = os.pidfd_open(pid)
        process.kill()
        process.wait()
        assert select.select([till], [], [], 20)[0], "the till stayed behind"
        os.close(till)


def no_till(*places: object) -> Any:
    raise AssertionError(f"nothing is to be built, but {places} was opened")


def test_steering_where_no_demo_runs_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ctl", "status", "--data", str(tmp_path)], no_till, no_till, no_till) == 1
    assert "no demo is running" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["kill"],
        ["kill", "one"],
        ["start", "1", "2"],
        ["cut"],
        ["cut", "1,x"],
        ["heal", "1"],
        ["wan", "up"],
    ],
)
def test_words_that_are_no_command_are_refused(words: list[str]) -> None:
    with pytest.raises(Invalid, match="no command"):
        check(words)


@pytest.mark.parametrize("arguments", [["--tills", "0"], ["--port", "70000"], ["dance"]])
def test_a_wrong_command_line_starts_nothing(arguments: list[str], tmp_path: Path) -> None:
    assert main([*arguments, "--data", str(tmp_path / "data"), "--headless"], no_till, no_till, no_till) == 2
    assert not (tmp_path / "data").exists()


def test_a_bad_products_file_leaves_no_half_a_shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("barcode,name,price\n1,Tea,cheap\n")
    assert main(["--data", str(tmp_path / "d"), "--products", str(bad), "--headless"], no_till, no_till, no_till) == 2
    assert "line 2, price" in capsys.readouterr().err
    assert not (tmp_path / "d" / "till-1").exists()


def test_a_port_that_is_taken_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "till-1").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        asked = ["--data", str(tmp_path), "--port", str(port - 1), "--tills", "1", "--headless", "--no-hub"]
        assert main(asked, no_till, no_till, no_till) == 1
    assert f"port {port} can't be used" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.service
def test_three_tills_sell_apart_and_agree_when_they_hear_each_other_again(tmp_path: Path) -> None:
    with demo(tmp_path / "data", "--tills", "3") as (_, state):
        urls = [till["url"] for till in state["tills"]]
        tokens = [call(url, "POST", "/session", {"pin": "1111"})["token"] for url in urls]
        until(lambda: all(reachable(url) == 2 for url in urls))
        before = hashes(urls)
        assert len(before) == 1, "the store starts in agreement"

        ctl(tmp_path / "data", "cut", "3")
        until(lambda: [reachable(url) for url in urls] == [1, 1, 0])
        sold = {}
        for place, (url, token) in enumerate(zip(urls, tokens, strict=True)):
            sale = {
                "cart_id": f"apart-{place}",
                "lines": [{"sku": "FM-00301", "quantity": "1"}],
                "payments": [{"method": "cash", "amount_minor": 500}],
            }
            sold = call(url, "POST", "/sales", sale, token)
            assert sold["durable"] is True
        until(lambda: len(hashes(urls[:2])) == 1)
        assert len(hashes(urls)) == 2, "the till that is cut off sells on its own"
        assert call(urls[2], "GET", "/sync")["unreplicated"] == 1
        assert sold["replicated_to"] == []
        manager = call(urls[0], "POST", "/session", {"pin": "9999"})["token"]
        status, product = ask(urls[0], "PUT", "/products/FM-00301/image", jpeg(), manager)
        assert status == 200, product
        picture = f"/pictures/{json.loads(product)['image'][:64]}"
        until(lambda: ask(urls[1], "GET", picture, token=tokens[1])[0] == 200)
        assert ask(urls[2], "GET", picture, token=tokens[2])[0] == 404
        path = f"/sales/{sold['sale_id']}"
        # If it was this till that led: it notices within an election timeout that nobody follows any more.
        until(lambda: call(urls[2], "GET", path, token=tokens[2])["sync_state"] == "pending")

        ctl(tmp_path / "data", "heal")
        until(lambda: len(hashes(urls)) == 1)
        assert hashes(urls) != before
        until(lambda: call(urls[2], "GET", "/sync")["unreplicated"] == 0)
        until(lambda: len(call(urls[2], "GET", path, token=tokens[2])["replicated_to"]) == 2)
        held = {"acked_by_leader", "sent_to_hub", "complete"}
        until(lambda: call(urls[2], "GET", path, token=tokens[2])["sync_state"] in held)
        until(lambda: ask(urls[2], "GET", picture, token=tokens[2])[0] == 200)
        assert ask(urls[2], "GET", picture, token=tokens[2]) == ask(urls[0], "GET", picture, token=tokens[0])


def until(holds: Callable[[], bool]) -> None:
    """Ask again and again, within the test's time limit, until something is so."""
    while not holds():
        select.select([], [], [], 0.05)


def reachable(url: str) -> int:
    return sum(peer["reachable"] for peer in call(url, "GET", "/sync")["peers"])


def hashes(urls: list[str]) -> set[str]:
    return {call(url, "GET", "/state-hash")["hash"] for url in urls}
