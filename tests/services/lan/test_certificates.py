"""Who may be at the other end of a link: the store's tills, whatever any clock says, and nobody else."""

from __future__ import annotations

import datetime as dt
import shutil
import ssl
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.services.lan.lan_store import NOON_S, STORE, LanStore, actor_named, shake_hands
from tillmesh.adapters.lan.certificates import (
    AHEAD_S_MAX,
    LEAF_DAYS,
    RELEASED_S,
    Authority,
    CertificateRefused,
    Gate,
    issuing_time_s,
    make_request,
    needs_renewal,
    read_authority,
    read_request,
    ssl_context,
)
from tillmesh.adapters.lan.enrolment import rebirth_message, reborn
from tillmesh.adapters.lan.roster import (
    ACTORS_PER_TERMINAL_MAX,
    Member,
    Membership,
    RosterRefused,
    read_roster,
)
from tillmesh.kernel.ids import terminal_of
from tillmesh.sync.store_messages import Reborn

DAY_S = 86_400
ROOT = Path(__file__).resolve().parents[3]


def test_two_tills_of_one_store_see_who_the_other_is() -> None:
    store = LanStore()
    one, two = store.till("a"), store.till("b")
    of_client, of_server = shake_hands(server=one, client=two)
    gate = store.gate()
    assert (gate.admit(of_client), gate.admit(of_server)) == (two.actor, one.actor)


def test_a_till_of_a_rogue_authority_with_the_same_name_is_refused_in_the_handshake() -> None:
    store, rogue = LanStore(), LanStore(seed=b"\2" * 32)
    one, two = store.till("a"), rogue.till("b")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server=one, client=replace(two, authority=one.authority))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server=two, client=one)
    with pytest.raises(CertificateRefused, match="another authority"):
        store.gate().admit(two.certificate)


def test_a_till_without_a_certificate_gets_no_link() -> None:
    store = LanStore()
    one, two = store.till("a"), store.till("b")
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname = False
    bare.load_verify_locations(cadata=two.authority)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = bare.wrap_bio(to_client, to_server)
    server = ssl_context("server", one).wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server):
        with pytest.raises(ssl.SSLWantReadError):
            end.do_handshake()
    client.do_handshake()
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        server.do_handshake()
    with pytest.raises(CertificateRefused):
        store.gate().admit(None)


def test_an_older_tls_is_not_spoken() -> None:
    store = LanStore()
    one = store.till("a")
    assert ssl_context("server", one).minimum_version == ssl.TLSVersion.TLSv1_3
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.load_verify_locations(cadata=one.authority)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = old.wrap_bio(to_client, to_server)
    server = ssl_context("server", one).wrap_bio(to_server, to_client, server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        server.do_handshake()


def test_a_revoked_till_is_refused_though_its_certificate_is_still_good() -> None:
    store = LanStore()
    stolen = store.till("b")
    gate = store.gate()
    assert gate.admit(stolen.certificate) == stolen.actor
    assert gate.membership.merge(store.revoke(stolen.actor)) == {stolen.actor}
    with pytest.raises(CertificateRefused, match="removed") as refused:
        gate.admit(stolen.certificate)
    assert refused.value.reason == "revoked"


def test_a_till_paired_elsewhere_a_moment_ago_is_admitted_before_the_list_arrives() -> None:
    store = LanStore()
    gate = store.gate()
    assert gate.admit(store.till("b").certificate) == actor_named("b")


def test_a_certificate_of_another_store_under_the_same_key_is_refused() -> None:
    other = LanStore(name="0therst0re00").till("b")
    with pytest.raises(CertificateRefused, match="a till of the store 0therst0re00"):
        LanStore().gate().admit(other.certificate)


def test_the_authority_itself_is_no_till() -> None:
    store = LanStore()
    with pytest.raises(CertificateRefused):
        store.gate().admit(store.authority.certificate)


def test_a_certificate_expires_by_the_time_that_the_authority_vouches_for() -> None:
    store = LanStore()
    late = store.till("b")
    gate = store.gate()
    signed = store.authority.sign(gate.membership.revised(NOON_S + LEAF_DAYS * DAY_S, {}))
    gate.membership.merge(signed)
    assert gate.admit(late.certificate) == late.actor
    gate.membership.merge(store.authority.sign(gate.membership.revised(NOON_S + LEAF_DAYS * DAY_S + 1, {})))
    with pytest.raises(CertificateRefused, match="expired"):
        gate.admit(late.certificate)


def test_a_till_renews_when_a_third_of_its_time_is_gone() -> None:
    certificate = LanStore().till("a").certificate
    assert not needs_renewal(certificate, NOON_S + 10 * DAY_S)
    assert needs_renewal(certificate, NOON_S + 10 * DAY_S + 1)


def test_an_issuer_whose_clock_died_issues_as_of_what_the_store_has_seen() -> None:
    def issuing(wall_s: int, running_s: int = 0) -> int:
        return issuing_time_s(LanStore().membership(), wall_s=wall_s, running_s=running_s)

    assert issuing(3_600) == NOON_S
    assert issuing(NOON_S + 60) == NOON_S + 60
    assert issuing(NOON_S + 400 * DAY_S) == NOON_S + AHEAD_S_MAX
    assert issuing(NOON_S + 400 * DAY_S, 60 * DAY_S) == NOON_S + AHEAD_S_MAX + 60 * DAY_S


def test_an_issuer_gone_mad_that_writes_list_after_list_expires_nobody() -> None:
    store = LanStore()
    away = store.till("b")
    held = store.membership()
    for _ in range(100):
        as_of_s = issuing_time_s(held, wall_s=NOON_S + 400 * DAY_S, running_s=60)
        held.merge(store.authority.sign(held.revised(as_of_s, {})))
    assert held.as_of_s == NOON_S + AHEAD_S_MAX + 60
    assert Gate(store.authority.certificate, held).admit(away.certificate) == away.actor


def test_the_authority_names_only_tills() -> None:
    store = LanStore()
    request = make_request(Ed25519PrivateKey.generate(), STORE, actor_named("a"))
    for name in ("", "a", "tza.0/..", "TZAAAA.0000", "x" * 80):
        with pytest.raises(CertificateRefused):
            store.authority.issue(request, name, NOON_S)


def test_a_request_that_was_changed_on_the_way_is_refused() -> None:
    request = make_request(Ed25519PrivateKey.generate(), STORE, actor_named("a"))
    for at in range(0, len(request), 7):
        changed = bytearray(request)
        changed[at] ^= 1
        with pytest.raises(CertificateRefused):
            read_request(bytes(changed))


def test_one_terminal_does_not_fill_the_list_of_tills_with_what_it_goes_on_as() -> None:
    store = LanStore()
    held, membership = store.till("b"), store.membership()
    signer, taken = Ed25519PrivateKey.generate(), 0
    for number in range(ACTORS_PER_TERMINAL_MAX + 1):
        new = f"{terminal_of(held.actor)}.{number:08d}"
        request = make_request(held.key, STORE, new)
        proof = signer.sign(rebirth_message(held.actor, new, request))
        asked = Reborn(new, request, signer.public_key().public_bytes_raw(), proof)
        with suppress(CertificateRefused):
            _, signed = reborn(store.authority, membership, asked, held.actor, wall_s=NOON_S, running_s=0)
            membership.merge(signed)
            taken += 1
    assert taken == ACTORS_PER_TERMINAL_MAX - 1


def test_a_second_till_can_be_the_issuer_with_the_secret() -> None:
    store = LanStore()
    second = Authority(STORE, store.authority.secret, store.authority.certificate)
    request = make_request(Ed25519PrivateKey.generate(), STORE, actor_named("c"))
    assert store.gate().admit(second.issue(request, actor_named("c"), NOON_S)) == actor_named("c")
    with pytest.raises(CertificateRefused):
        Authority(STORE, b"\7" * 32, store.authority.certificate)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_gate(data: bytes) -> None:
    with pytest.raises(CertificateRefused):
        LanStore().gate().admit(data)


# The roster ---------------------------------------------------------------------------------------------------------


def test_a_list_wins_by_version_whoever_brings_it_and_in_whatever_order() -> None:
    store = LanStore()
    lists = [store.roster]
    for letter in "abc":
        store.till(letter)
        lists.append(store.roster)
    held = store.membership()
    for signed in reversed(lists):
        assert held.merge(signed) == frozenset()
    assert held.roster.version == 4
    assert held.lists == (lists[-1],)


def test_a_revocation_is_never_lost_to_a_newer_list_that_did_not_know_of_it() -> None:
    store = LanStore()
    stolen = store.till("b")
    before = store.membership()
    revoked = store.revoke(stolen.actor)
    unaware = store.authority.sign(msgspec.structs.replace(before.revised(NOON_S, {}), version=9))
    held = store.membership()
    held.merge(unaware)
    assert held.state(stolen.actor) == "revoked"
    assert read_roster(read_authority(stolen.authority), STORE, revoked).members[stolen.actor].state == "revoked"
    assert held.revised(NOON_S, {}).members[stolen.actor].state == "revoked"


def test_a_till_that_starts_again_remembers_what_a_losing_list_revoked() -> None:
    store = LanStore()
    stolen = store.till("b")
    base = store.membership()
    newer = store.authority.sign(msgspec.structs.replace(base.revised(NOON_S, {}), version=9))
    revoking = store.revoke(stolen.actor)
    public = read_authority(stolen.authority)
    for order in ([newer, revoking], [revoking, newer]):
        held = Membership(public, STORE, *order)
        assert held.lists == (newer, revoking)
        again = Membership(public, STORE, *held.lists)
        assert set(again.revoked) == {stolen.actor}
        assert again.roster.version == 9
        whole = store.authority.sign(again.revised(NOON_S, {}))
        assert again.merge(whole) == frozenset()
        assert again.lists == (whole,)


def test_of_two_lists_with_one_version_every_till_keeps_the_same() -> None:
    store = LanStore()
    base = store.membership()
    lists = [
        store.authority.sign(base.revised(NOON_S, {actor_named(letter): Member("active", bytes(32), b"")}))
        for letter in "ab"
    ]
    one, two = store.membership(), store.membership()
    for signed in lists:
        one.merge(signed)
    for signed in reversed(lists):
        two.merge(signed)
    assert one.lists == two.lists


def test_a_forged_foreign_or_oversized_list_is_refused() -> None:
    store = LanStore()
    held = store.membership()
    rogue = LanStore(seed=b"\2" * 32).roster
    foreign = LanStore(name="0therst0re00").roster
    flipped = store.roster[:-1] + bytes([store.roster[-1] ^ 1])
    for data in (rogue, foreign, flipped, b"", b"\xc1", bytes(400_000), store.roster + b"\0"):
        with pytest.raises(RosterRefused):
            held.merge(data)
    assert held.roster.version == 1


@given(st.binary(max_size=300))
def test_no_bytes_break_the_list(data: bytes) -> None:
    with pytest.raises(RosterRefused):
        LanStore().membership().merge(data)


def test_time_never_goes_back_whatever_the_lists_say() -> None:
    store = LanStore()
    held: Membership = store.membership()
    held.merge(store.authority.sign(held.revised(NOON_S + 100, {})))
    assert held.revised(5, {}).as_of_s == NOON_S + 100
    assert store.gate().floor_s >= RELEASED_S


# Dead clocks --------------------------------------------------------------------------------------------------------

HANDSHAKE = """
import datetime, ssl
from tests.services.lan.lan_store import LanStore, shake_hands
store = LanStore()
one, two = store.till("a"), store.till("b")
seen = shake_hands(one, two)
assert [store.gate().admit(der) for der in seen] == [two.actor, one.actor]
import tillmesh.adapters.lan.certificates as certificates
certificates.NO_CHECK_TIME = 0
try:
    shake_hands(one, two)
    print(datetime.date.today().year, "passed either way")
except (ssl.SSLError, AssertionError):
    print(datetime.date.today().year, "only because time is not OpenSSL's business")
"""


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.skipif(shutil.which("faketime") is None, reason="needs faketime")
@pytest.mark.parametrize("clock", ["1970-01-02 03:04:05", None])
def test_a_till_whose_clock_died_still_links(clock: str | None) -> None:
    """At 1970, and 400 days after the certificates were issued, where plain OpenSSL refuses."""
    when = clock or str(dt.datetime.fromtimestamp(NOON_S + 400 * DAY_S, dt.UTC))[:19]
    done = subprocess.run(
        ["faketime", when, sys.executable, "-c", HANDSHAKE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.split(" ", 1)[1].strip() == "only because time is not OpenSSL's business"


def test_certificates_are_small_enough_for_the_limit() -> None:
    credentials = LanStore().till("a")
    assert len(credentials.certificate) < 600
    assert x509.load_der_x509_certificate(credentials.certificate).version == x509.Version.v3
