"""The chain of a till's log: an event counts only as the very next one after the very one that it was sealed behind."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel.envelope import Envelope, Head, check_link, seal
from tillmesh.kernel.errors import Damaged

STORE = "store"
BODIES = st.lists(st.binary(max_size=20), min_size=2, max_size=8)


def chain(bodies: list[bytes], head: Head) -> list[Envelope]:
    found = []
    for hlc, body in enumerate(bodies, 1):
        found.append(event := seal(STORE, head, hlc=hlc, kind="sale_closed", version=1, body=body))
        head = Head(event.actor, event.seq, event.hash)
    return found


@given(BODIES)
def test_a_log_as_it_was_written_holds(bodies: list[bytes]) -> None:
    head = Head("a")
    for event in chain(bodies, head):
        head = check_link(STORE, head, event)
    assert head.seq == len(bodies)


@given(BODIES, st.data())
def test_another_past_that_fits_together_in_itself_does_not_continue_this_one(
    bodies: list[bytes], data: st.DataObject
) -> None:
    """Who rewrites an event seals all later ones anew: each of them is sound, and none follows what others hold."""
    at = data.draw(st.integers(0, len(bodies) - 2))
    told, rewritten = chain(bodies, Head("a")), chain([*bodies[:at], bodies[at] + b"!", *bodies[at + 1 :]], Head("a"))
    head = Head("a", at + 1, told[at].hash)
    forged = rewritten[at + 1]
    assert check_link(STORE, Head("a", at + 1, rewritten[at].hash), forged).seq == at + 2
    with pytest.raises(Damaged, match="other previous hash"):
        check_link(STORE, head, forged)


@given(BODIES, st.data())
def test_an_event_that_is_left_out_told_twice_or_changed_in_any_part_is_refused(
    bodies: list[bytes], data: st.DataObject
) -> None:
    events = chain(bodies, Head("a"))
    at = data.draw(st.integers(1, len(events) - 1))
    before, event = events[at - 1], events[at]
    head = Head("a", before.seq, before.hash)
    for wrong in (Head("a", before.seq - 1, before.prev_hash), Head("a", event.seq, event.hash), Head("b", before.seq)):
        with pytest.raises(Damaged):
            check_link(STORE, wrong, event)
    changed = {"hlc": event.hlc + 1, "type": "sale_voided", "version": 2, "body": event.body + b"!"}
    part = data.draw(st.sampled_from(sorted(changed)))
    with pytest.raises(Damaged, match="altered"):
        check_link(STORE, head, msgspec.structs.replace(event, **{part: changed[part]}))
    with pytest.raises(Damaged, match="altered"):
        check_link("another store", head, event)
