"""Taking a terminal into the store: the right code, once, in time, from the terminal that typed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.services.lan.lan_store import NOON_S, LanStore, actor_named
from tillmesh.adapters.lan.certificates import CertificateRefused, make_request, read_authority
from tillmesh.adapters.lan.enrolment import Enrolled, ask_for, enrol, renew, settle
from tillmesh.adapters.lan.pairing import CODE_MS, RUNS_MAX, Asked, Host, Joiner, Reply, new_code, read_code
from tillmesh.adapters.lan.pairing_messages import (
    Begin,
    Claim,
    Grant,
    Offer,
    PairingFailed,
    Proof,
    Request,
    Sealed,
    read_message,
    write_message,
)
from tillmesh.adapters.lan.roster import Membership

CODE = "204816"
PEPPER = b"\5" * 32
Tamper = Callable[[str, bytes], bytes]


def untouched(_: str, data: bytes) -> bytes:
    return data


@dataclass
class Scene:
    """A till that shows a code, a terminal that types one, and whoever sits on the wire between them."""

    store: LanStore = field(default_factory=LanStore)
    said: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.first = self.store.till("a")
        self.joining = actor_named("b")
        self.key, self.sign_key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        self.host = self.fresh_host()

    def fresh_host(self, code: str = CODE) -> Host:
        return Host(store=self.store.name, actor=self.first.actor, code=code, now_ms=0)

    def joiner(self, code: str = CODE) -> Joiner:
        return Joiner(actor=self.joining, code=code, now_ms=0)

    def over(self, name: str, data: bytes, tamper: Tamper) -> bytes:
        data = tamper(name, data)
        self.said.append(data)
        return data

    def asked(self, joiner: Joiner, tamper: Tamper = untouched, now_ms: int = 0) -> Asked:
        """Go as far as the request."""
        begin = self.over("begin", joiner.start(), tamper)
        offer = self.over("offer", reply(self.host.receive(begin, now_ms)), tamper)
        claim = self.over("claim", reply(joiner.receive(offer, now_ms)), tamper)
        proof = self.over("proof", reply(self.host.receive(claim, now_ms)), tamper)
        assert joiner.receive(proof, now_ms) is None
        store, _ = joiner.host
        request = ask_for(self.key, self.sign_key, store=store, actor=self.joining, transcript=joiner.transcript)
        sealed = self.over("request", joiner.ask(request), tamper)
        asked = self.host.receive(sealed, now_ms)
        assert isinstance(asked, Asked)
        return asked

    def pair(self, joiner: Joiner, tamper: Tamper = untouched, now_ms: int = 0) -> Enrolled:
        """Go all the way."""
        asked = self.asked(joiner, tamper, now_ms)
        certificate, self.store.roster = enrol(
            self.store.authority, self.store.membership(), asked, wall_s=NOON_S, running_s=0
        )
        grant = Grant(self.first.authority, certificate, self.store.roster, PEPPER)
        given = joiner.receive(self.over("grant", self.host.grant(grant), tamper), now_ms)
        assert isinstance(given, Grant)
        return settle(given, self.key, self.sign_key, store=joiner.host[0], actor=self.joining)


def reply(answer: object) -> bytes:
    assert isinstance(answer, Reply)
    return answer.data


def test_the_right_code_makes_a_terminal_a_till_of_the_store() -> None:
    scene = Scene()
    joiner = scene.joiner()
    enrolled = scene.pair(joiner)
    assert joiner.host == (scene.store.name, scene.first.actor)
    assert scene.store.gate().admit(enrolled.credentials.certificate) == scene.joining
    assert (enrolled.pepper, enrolled.issuer_secret) == (PEPPER, b"")
    member = scene.store.membership().roster.members[scene.joining]
    assert member.sign_public == scene.sign_key.public_key().public_bytes_raw()


def test_nothing_of_value_is_readable_on_the_wire() -> None:
    scene = Scene()
    enrolled = scene.pair(scene.joiner())
    wire = b"".join(scene.said)
    for secret in (PEPPER, enrolled.credentials.authority, enrolled.credentials.certificate, CODE.encode()):
        assert secret not in wire


def test_a_wrong_code_learns_nothing_and_costs_one_of_three_tries() -> None:
    scene = Scene()
    for left in (2, 1, 0):
        joiner = scene.joiner("204817")
        offer = reply(scene.host.receive(joiner.start(), 0))
        claim = reply(joiner.receive(offer, 0))
        with pytest.raises(PairingFailed, match="another code") as failed:
            scene.host.receive(claim, 0)
        assert (failed.value.reason, failed.value.tries_left, scene.host.tries_left) == ("wrong-code", left, left)
        with pytest.raises(PairingFailed, match="not the code") as told:
            joiner.receive(failed.value.reply, 0)
        assert told.value.tries_left == left
    assert scene.host.state == "spent"


def test_the_fourth_try_is_refused_though_the_code_is_right() -> None:
    scene = Scene()
    for _ in range(3):
        joiner = scene.joiner("000000")
        claim = reply(joiner.receive(reply(scene.host.receive(joiner.start(), 0)), 0))
        with pytest.raises(PairingFailed):
            scene.host.receive(claim, 0)
    with pytest.raises(PairingFailed, match="used up") as failed:
        scene.host.receive(scene.joiner().start(), 0)
    assert failed.value.reason == "spent"
    begun = scene.joiner()
    begun.start()
    with pytest.raises(PairingFailed, match="no longer good"):
        begun.receive(failed.value.reply, 0)


def test_a_right_code_after_two_wrong_ones_still_pairs() -> None:
    scene = Scene()
    for _ in range(2):
        joiner = scene.joiner("111111")
        claim = reply(joiner.receive(reply(scene.host.receive(joiner.start(), 0)), 0))
        with pytest.raises(PairingFailed):
            scene.host.receive(claim, 0)
    scene.pair(scene.joiner())
    assert scene.host.state == "done"


def test_a_code_is_good_for_two_minutes_and_not_a_moment_more() -> None:
    good, late = Scene(), Scene()
    good.pair(good.joiner(), now_ms=CODE_MS - 1)
    with pytest.raises(PairingFailed, match="120 seconds") as failed:
        late.host.receive(late.joiner().start(), CODE_MS)
    assert failed.value.reason == "expired"
    with pytest.raises(PairingFailed, match="used up"):
        late.host.receive(late.joiner().start(), 0)


def test_a_code_is_good_for_one_terminal() -> None:
    scene = Scene()
    scene.pair(scene.joiner())
    with pytest.raises(PairingFailed, match="used up"):
        scene.host.receive(scene.joiner().start(), 1)


def test_what_was_recorded_can_not_be_played_again() -> None:
    """To the same till after the fact, and to a till that happens to show the same code."""
    scene = Scene()
    scene.pair(scene.joiner())
    begin, offer, claim, _, request, grant = scene.said
    with pytest.raises(PairingFailed, match="used up"):
        scene.host.receive(begin, 1)
    again = scene.fresh_host()
    again.receive(begin, 0)
    with pytest.raises(PairingFailed, match="another code"):
        again.receive(claim, 0)
    with pytest.raises(PairingFailed):
        again.receive(request, 0)
    joiner = scene.joiner()
    joiner.start()
    joiner.receive(offer, 0)
    with pytest.raises(PairingFailed):
        joiner.receive(grant, 0)


def swap(name: str, change: Callable[[bytes], bytes]) -> Tamper:
    return lambda said, data: change(data) if said == name else data


def other_store(data: bytes) -> bytes:
    offer = read_message(data)
    assert isinstance(offer, Offer)
    return write_message(msgspec.structs.replace(offer, store="r0guest0re00"))


def other_host(data: bytes) -> bytes:
    offer = read_message(data)
    assert isinstance(offer, Offer)
    return write_message(msgspec.structs.replace(offer, actor=actor_named("z")))


def other_joiner(data: bytes) -> bytes:
    begin = read_message(data)
    assert isinstance(begin, Begin)
    return write_message(msgspec.structs.replace(begin, actor=actor_named("z")))


@pytest.mark.parametrize(("name", "change"), [("offer", other_store), ("offer", other_host), ("begin", other_joiner)])
def test_a_man_in_the_middle_can_not_change_who_is_who(name: str, change: Callable[[bytes], bytes]) -> None:
    scene = Scene()
    with pytest.raises(PairingFailed) as failed:
        scene.pair(scene.joiner(), swap(name, change))
    assert failed.value.reason == "wrong-code"


def test_a_man_in_the_middle_who_runs_his_own_exchange_with_each_side_gets_nothing() -> None:
    scene = Scene()
    joiner = scene.joiner()
    false_host = Host(store=scene.store.name, actor=scene.first.actor, code="000000", now_ms=0)
    false_joiner = Joiner(actor=scene.joining, code="000000", now_ms=0)
    claim = reply(joiner.receive(reply(false_host.receive(joiner.start(), 0)), 0))
    with pytest.raises(PairingFailed, match="another code"):
        false_host.receive(claim, 0)
    false_claim = reply(false_joiner.receive(reply(scene.host.receive(false_joiner.start(), 0)), 0))
    with pytest.raises(PairingFailed, match="another code"):
        scene.host.receive(false_claim, 0)


def test_a_false_till_that_does_not_know_the_code_is_not_believed() -> None:
    joiner = Scene().joiner()
    false_host = Scene().fresh_host("000000")
    joiner.receive(reply(false_host.receive(joiner.start(), 0)), 0)
    with pytest.raises(PairingFailed, match="does not know the code"):
        joiner.receive(write_message(Proof(bytes(32))), 0)
    assert joiner.host == ("", "")
    assert joiner.state == "failed"


def test_a_proof_sent_back_to_its_sender_proves_nothing() -> None:
    scene = Scene()
    joiner = scene.joiner()
    claim = read_message(reply(joiner.receive(reply(scene.host.receive(joiner.start(), 0)), 0)))
    assert isinstance(claim, Claim)
    with pytest.raises(PairingFailed, match="does not know the code"):
        joiner.receive(write_message(Proof(claim.proof)), 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["begin", "offer", "claim", "proof", "request", "grant"])
def test_every_bit_changed_on_the_way_ends_the_pairing(name: str) -> None:
    length = len(dict(zip(("begin", "offer", "claim", "proof", "request", "grant"), recorded(), strict=True))[name])
    for at in {0, 1, 2, length // 3, length // 2, length - 40, length - 1} & set(range(length)):
        scene = Scene()

        def flip(data: bytes, at: int = at) -> bytes:
            here = min(at, len(data) - 1)  # a request is a byte or two longer or shorter each time
            return data[:here] + bytes([data[here] ^ 1]) + data[here + 1 :]

        with pytest.raises(PairingFailed):
            scene.pair(scene.joiner(), swap(name, flip))


def recorded() -> list[bytes]:
    scene = Scene()
    scene.pair(scene.joiner())
    return scene.said


def test_a_request_for_a_key_that_the_terminal_does_not_hold_is_refused() -> None:
    scene = Scene()
    asked = scene.asked(scene.joiner())
    request = bytearray(asked.request.certificate_request)
    request[-1] ^= 1
    false = Asked(
        asked.actor, msgspec.structs.replace(asked.request, certificate_request=bytes(request)), asked.transcript
    )
    with pytest.raises(CertificateRefused):
        enrol(scene.store.authority, scene.store.membership(), false, wall_s=NOON_S, running_s=0)


def test_a_signing_key_that_the_terminal_does_not_hold_is_refused() -> None:
    scene = Scene()
    asked = scene.asked(scene.joiner())
    stolen = Request(asked.request.certificate_request, bytes(32), asked.request.sign_proof)
    with pytest.raises(PairingFailed, match="signing key"):
        enrol(
            scene.store.authority, scene.store.membership(), Asked(asked.actor, stolen, b""), wall_s=NOON_S, running_s=0
        )


def test_the_certificate_names_the_terminal_that_paired_whatever_its_request_says() -> None:
    scene = Scene()
    asked = scene.asked(scene.joiner())
    wish = make_request(scene.key, scene.store.name, scene.first.actor)
    bold = Asked(asked.actor, msgspec.structs.replace(asked.request, certificate_request=wish), asked.transcript)
    certificate, _ = enrol(scene.store.authority, scene.store.membership(), bold, wall_s=NOON_S, running_s=0)
    assert scene.store.gate().admit(certificate) == scene.joining


@pytest.mark.parametrize("state", ["active", "revoked"])
def test_a_name_that_the_store_knows_is_not_given_again(state: str) -> None:
    scene = Scene()
    asked = scene.asked(scene.joiner())
    scene.store.till("b")
    if state == "revoked":
        scene.store.revoke(scene.joining)
    with pytest.raises(PairingFailed, match="new incarnation"):
        enrol(scene.store.authority, scene.store.membership(), asked, wall_s=NOON_S, running_s=0)


def test_a_terminal_whose_receipts_would_be_numbered_like_another_till_s_is_not_taken() -> None:
    scene = Scene()
    scene.joining = "tzzzzzzz." + scene.first.actor.partition(".")[2]
    asked = scene.asked(scene.joiner())
    with pytest.raises(PairingFailed, match=r"receipts A000-\.\.\. are another till's"):
        enrol(scene.store.authority, scene.store.membership(), asked, wall_s=NOON_S, running_s=0)


def test_a_refused_terminal_is_told() -> None:
    scene = Scene()
    joiner = scene.joiner()
    scene.asked(joiner)
    with pytest.raises(PairingFailed, match="refused"):
        joiner.receive(scene.host.refuse(), 0)


def test_a_grant_that_does_not_fit_together_is_not_stored() -> None:
    scene = Scene()
    joiner = scene.joiner()
    enrolled = scene.pair(joiner)
    good = Grant(enrolled.credentials.authority, enrolled.credentials.certificate, enrolled.roster, PEPPER)
    rogue = LanStore(seed=b"\2" * 32)
    for bad in (
        msgspec.structs.replace(good, certificate=scene.first.certificate),
        msgspec.structs.replace(good, authority=rogue.authority.certificate),
        msgspec.structs.replace(good, roster=rogue.roster),
        msgspec.structs.replace(good, issuer_secret=b"\2" * 32),
    ):
        with pytest.raises(Exception, match=r".") as failed:
            settle(bad, scene.key, scene.sign_key, store=scene.store.name, actor=scene.joining)
        assert type(failed.value).__name__ in {"PairingFailed", "CertificateRefused", "RosterRefused"}
    with pytest.raises(PairingFailed, match="another key"):
        settle(good, Ed25519PrivateKey.generate(), scene.sign_key, store=scene.store.name, actor=scene.joining)
    with pytest.raises(PairingFailed, match="signing key"):
        settle(good, scene.key, Ed25519PrivateKey.generate(), store=scene.store.name, actor=scene.joining)


def test_a_second_issuer_is_made_with_the_secret_in_the_grant() -> None:
    scene = Scene()
    enrolled = scene.pair(scene.joiner())
    grant = Grant(
        enrolled.credentials.authority,
        enrolled.credentials.certificate,
        enrolled.roster,
        PEPPER,
        scene.store.authority.secret,
    )
    settled = settle(grant, scene.key, scene.sign_key, store=scene.store.name, actor=scene.joining)
    assert settled.issuer_secret == scene.store.authority.secret


def test_a_linked_till_renews_and_a_revoked_one_does_not() -> None:
    scene = Scene()
    enrolled = scene.pair(scene.joiner())
    request = make_request(scene.key, scene.store.name, scene.joining)
    certificate, roster = renew(
        scene.store.authority, scene.store.membership(), request, scene.joining, wall_s=NOON_S + 9, running_s=0
    )
    public = read_authority(enrolled.credentials.authority)
    renewed = Membership(public, scene.store.name, roster)
    assert certificate != enrolled.credentials.certificate
    assert renewed.roster.version == scene.store.membership().roster.version + 1
    scene.store.revoke(scene.joining)
    with pytest.raises(CertificateRefused):
        renew(scene.store.authority, scene.store.membership(), request, scene.joining, wall_s=NOON_S, running_s=0)


@pytest.mark.slow
def test_beginning_over_and_over_ends_the_code() -> None:
    scene = Scene()
    for _ in range(RUNS_MAX):
        scene.host.receive(scene.joiner().start(), 0)
    with pytest.raises(PairingFailed, match="attempts"):
        scene.host.receive(scene.joiner().start(), 0)


def test_nobody_pushes_in_once_a_terminal_has_proved_the_code() -> None:
    scene = Scene()
    scene.asked(scene.joiner())
    with pytest.raises(PairingFailed, match="another terminal"):
        scene.host.receive(scene.joiner().start(), 0)


def test_messages_out_of_turn_are_refused() -> None:
    for message in (Claim(bytes(33), bytes(32)), Sealed(b""), Proof(bytes(32)), Offer("s", "a", bytes(16), b"")):
        with pytest.raises(PairingFailed) as failed:
            Scene().host.receive(write_message(message), 0)
        assert failed.value.reason == "order"


def test_an_element_that_is_no_point_counts_as_a_wrong_code() -> None:
    for element in (b"", b"A" + bytes(32), b"A" + b"\xff" * 32, b"B" + bytes(32), b"A" + b"\1" + bytes(31)):
        scene = Scene()
        scene.host.receive(scene.joiner().start(), 0)
        with pytest.raises(PairingFailed) as failed:
            scene.host.receive(write_message(Claim(element, bytes(32))), 0)
        assert failed.value.tries_left == 2


@pytest.mark.slow
@given(st.binary(max_size=200))
def test_no_bytes_break_either_side(data: bytes) -> None:
    scene = Scene()
    joiner = scene.joiner()
    joiner.start()
    with pytest.raises(PairingFailed):
        joiner.receive(data, 0)
    with pytest.raises(PairingFailed):
        scene.host.receive(data, 0)


def test_codes_are_typed_as_people_type_them() -> None:
    assert read_code(" 204 816") == read_code("204-816") == CODE
    assert len(new_code()) == 6
    for typed in ("", "12345", "123456789", "12345a", "१२३४५६"):
        with pytest.raises(PairingFailed):
            read_code(typed)
