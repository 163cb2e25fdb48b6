"""A store made of real programs: created on one till, joined with a code, left, and cleared of a stolen till."""

from __future__ import annotations

import functools
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import History
from tests.faults.corner_shop import PINS, found_shop
from tests.faults.running import Program, until
from tests.ports import free_port
from tillmesh.adapters.lan.multicast import multicast_works
from tillmesh.cli import main
from tillmesh.kernel.errors import TillmeshError
from tillmesh.terminal import store_commands
from tillmesh.terminal.verifying import verify

HERE = "127.0.0.1"
REVOKED_WITHIN_S = 5.0  # F39, measured from the command to the closed sockets
pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.xdist_group("mdns")]


class Street:
    """Where the tills of a test stand; each knows the link ports of those before it."""

    def __init__(self, folder: Path, undo: ExitStack) -> None:
        self.folder, self._undo = folder, undo
        self.tills: list[Program] = []
        self.links: list[int] = []

    def start(self, place: Path) -> Program:
        link = free_port()
        peers = [word for port in self.links for word in ("--peer", f"{HERE}:{port}")]
        arguments = ("--link-bind", HERE, "--link-port", str(link), "--no-mdns", *peers)
        till = self._undo.enter_context(Program(place, arguments=arguments))
        self.tills.append(till)
        self.links.append(link)
        return till

    def found(self) -> Program:
        place = self.folder / "till-1"
        found_shop(place, pins=True)
        store_commands.create(place)
        return self.start(place)

    def join(self, host: Program) -> Program:
        """Take one more till in with a code that the host shows."""
        place = self.folder / f"till-{len(self.tills) + 1}"
        shown = invite(host)
        store_commands.join(place, shown["code"], address=f"{HERE}:{shown['port']}")
        till = self.start(place)
        until(lambda: till.call("POST", "/session", {"pin": PINS["maya"]}).status == 201, "people have arrived")
        return till


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with ExitStack() as undo:
        yield Street(tmp_path, undo)


def invite(host: Program) -> dict[str, Any]:
    answer = host.call("POST", "/store/pairing", None, host.sign_in("ruth"))
    assert answer.status == 201, answer
    return dict(answer.body)


def terminal_of(till: Program) -> str:
    return str(till.get("/state").body["terminal"]["terminal_id"])


def reached(till: Program) -> set[str]:
    return {peer["terminal_id"] for peer in till.get("/sync").body["peers"] if peer["reachable"]}


def sell(till: Program, cart: str) -> str:
    token = till.sign_in()
    if till.get("/shifts/current", token).status != 200:
        assert till.call("POST", "/shifts/open", {"float_minor": 0}, token).status == 201
    answer = till.sell(token, History(), cart, 1)
    assert answer is not None
    assert answer.status == 201, answer
    return str(answer.body["sale_id"])


def knows(till: Program, sale_id: str) -> bool:
    return till.get(f"/sales/{sale_id}", till.sign_in()).status == 200


def test_a_till_that_joins_with_a_code_knows_the_shop_and_its_sales_are_known(street: Street) -> None:
    first = street.found()
    sold = sell(first, "before")
    second = street.join(first)
    until(lambda: knows(second, sold), "the new till knows what was sold before it came")
    sale = sell(second, "after")
    until(lambda: knows(first, sale), "the first till knows what the new one sells")
    raft = until(lambda: (r := second.get("/raft").body)["leader_id"] and r, "somebody leads")
    assert raft["leader_id"] == terminal_of(first)
    third = street.join(second)  # the second one issues, too: the authority's key is on two tills
    until(lambda: knows(third, sale), "the third till knows everything")
    until(lambda: len(reached(first)) == 2, "all tills are linked")
    assert not (third.shop / "keys" / "authority.key").exists()
    status = first.call("POST", "/store/pairing", None, third.sign_in("ruth"))
    assert status.status == 401, "a session of one till is none of another"
    refused = third.call("POST", "/store/pairing", None, third.sign_in("ruth"))
    assert refused.status == 404
    assert "does not issue" in refused.body["detail"]
    for till in street.tills:
        assert till.stop() == 0
        report = verify(till.shop, quick=True)
        assert report["ok"], report["problems"]


def test_a_wrong_code_a_used_code_and_a_fourth_try_take_nobody_in(street: Street) -> None:
    first = street.found()
    shown = invite(first)
    address = f"{HERE}:{shown['port']}"
    wrong = f"{(int(shown['code']) + 1) % 1_000_000:06}"
    for place in ("b", "c", "d"):
        with pytest.raises(TillmeshError):
            store_commands.join(street.folder / place, wrong, address=address)
        assert not (street.folder / place).exists(), "nothing is left of a try that failed"
    with pytest.raises(TillmeshError, match="no longer good"):
        store_commands.join(street.folder / "e", shown["code"], address=address)
    manager = first.sign_in("ruth")
    assert not first.get("/store/pairing", manager).body["open"]
    assert "code" not in first.get("/store/pairing", manager).body
    again = invite(first)
    store_commands.join(street.folder / "f", again["code"], address=f"{HERE}:{again['port']}")
    with pytest.raises(TillmeshError, match="no longer good"):
        store_commands.join(street.folder / "g", again["code"], address=f"{HERE}:{again['port']}")
    assert first.get("/store/pairing", manager).body["state"] == "done"
    assert first.call("DELETE", "/store/pairing", None, manager).status == 204
    assert first.call("POST", "/store/pairing", None, first.sign_in("maya")).status == 403


@pytest.mark.skipif(not multicast_works(HERE), reason="multicast does not work on this machine's loopback")
def test_a_till_that_shows_a_code_is_found_without_an_address(street: Street) -> None:
    place = street.folder / "till-1"
    found_shop(place, pins=True)
    store_commands.create(place)
    with Program(place, arguments=("--link-bind", HERE)) as first:
        with pytest.raises(TillmeshError, match="no till on this network shows a code"):
            store_commands.join(street.folder / "till-2", "123456", interfaces=[HERE])
        code = invite(first)["code"]
        joined = store_commands.join(street.folder / "till-2", code, interfaces=[HERE], name="Garden till")
        with Program(street.folder / "till-2", arguments=("--link-bind", HERE)) as second:
            until(lambda: reached(first) == {joined["terminal_id"]}, "they have found each other")
            until(lambda: second.call("POST", "/session", {"pin": PINS["maya"]}).status == 201, "people have arrived")


def test_f39_a_stolen_till_is_cut_off_everywhere_within_five_seconds_and_sells_in_vain(street: Street) -> None:
    first = street.found()
    second, stolen = street.join(first), street.join(first)
    victim = terminal_of(stolen)
    until(lambda: victim in reached(first) and victim in reached(second) and len(reached(stolen)) == 2, "all linked")
    until(lambda: len(first.get("/raft").body["voters"]) == 3, "all of them vote")
    kept = sell(stolen, "before the theft")
    until(lambda: knows(first, kept) and knows(second, kept), "that sale is everywhere")
    begun = time.monotonic()
    answer = store_commands.revoke(first.shop, victim)
    assert victim not in answer["members"]
    for till in (first, second):
        until(functools.partial(_without, till, victim), "its links are closed", REVOKED_WITHIN_S)
    took_s = time.monotonic() - begun
    lost = sell(stolen, "after the theft")
    until(lambda: not reached(stolen), "it reaches nobody")
    sale = sell(first, "life goes on")
    until(lambda: knows(second, sale), "the others sell on")
    until(lambda: victim not in first.get("/raft").body["voters"], "it has no vote any more")
    assert not knows(first, lost)
    assert not knows(second, lost)
    assert knows(second, kept), "what it sold before stays"
    assert took_s < REVOKED_WITHIN_S
    again = first.call("POST", "/store/revoke", {"terminal_id": victim}, first.sign_in("ruth"))
    assert again.status == 404


def _without(till: Program, victim: str) -> bool:
    return victim not in reached(till)


def test_a_manager_removes_a_till_on_the_page_and_a_cashier_can_not(street: Street) -> None:
    first = street.found()
    second = street.join(first)
    gone = terminal_of(second)
    until(lambda: gone in reached(first), "they are linked")
    wanted = {"terminal_id": gone}
    assert first.call("POST", "/store/revoke", wanted, first.sign_in("maya")).status == 403
    assert first.call("POST", "/store/revoke", wanted, first.sign_in("ruth")).status == 200
    until(lambda: gone not in reached(first), "its link is closed")


def test_a_till_leaves_its_store_and_sells_on_alone(street: Street, capsys: pytest.CaptureFixture[str]) -> None:
    first = street.found()
    second = street.join(first)
    gone = terminal_of(second)
    until(lambda: gone in reached(first), "they are linked")
    with pytest.raises(SystemExit) as done:
        main(["store", "leave", "--data-dir", str(second.shop)])
    assert done.value.code == 0
    assert json.loads(capsys.readouterr().out)["left"]
    until(lambda: gone not in reached(first), "the other one knows")
    second.stop()
    second.start()
    sell(second, "alone")
    assert second.get("/sync").body["peers"] == []
    with pytest.raises(TillmeshError, match="belongs to no store"):
        store_commands.members(second.shop)


def test_whoever_is_demoted_or_gone_at_one_till_is_signed_out_at_the_others(street: Street) -> None:
    first = street.found()
    second = street.join(first)
    manager = first.sign_in("ruth")
    here, demoted = second.sign_in("maya"), second.sign_in("daniel")
    assert second.get("/shifts/current", here).status in {200, 404}
    assert first.call("PATCH", "/people/daniel", {"role": "cashier"}, manager).status == 200
    until(lambda: second.get("/shifts/current", demoted).status == 401, "the new role needs a new session")
    assert second.get("/shifts/current", here).status != 401, "nobody else is"
    assert first.call("PATCH", "/people/maya", {"active": False}, manager).status == 200
    until(lambda: second.get("/shifts/current", here).status == 401, "whoever left is signed out")
    assert second.call("POST", "/session", {"pin": PINS["maya"]}).status == 401


def test_what_the_command_can_not_do_is_said_in_words(street: Street, capsys: pytest.CaptureFixture[str]) -> None:
    place = street.folder / "till-1"
    found_shop(place, pins=True)
    store_commands.create(place)
    with socket.socket() as nobody:
        nobody.bind((HERE, 0))
        address = f"{HERE}:{nobody.getsockname()[1]}"
        for words, said in (
            (["create", "--data-dir", str(place)], "belongs to a store already"),
            (["revoke", "nobody", "--data-dir", str(place)], "is no till of this store"),
            (["leave", "--data-dir", str(street.folder / "none")], "belongs to no store"),
            (["join", "--data-dir", str(street.folder / "b"), "--code", "12"], "6 digits"),
            (
                ["join", "--data-dir", str(street.folder / "b"), "--code", "123456", "--address", address],
                "nobody pairs",
            ),
            (["recover", "--data-dir", str(place)], "--yes"),
        ):
            with pytest.raises(SystemExit) as done:
                main(["store", *words])
            assert done.value.code == 1
            assert said in capsys.readouterr().err
