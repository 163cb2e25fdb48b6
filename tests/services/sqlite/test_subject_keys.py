"""Keys of customers' data that another till tells: kept as they are needed, and no more than that."""

from __future__ import annotations

import secrets
from contextlib import closing
from pathlib import Path

from tillmesh.adapters.sqlite.subject_keys import FILE, SubjectKey, SubjectKeys
from tillmesh.kernel.limits import SUBJECT_KEY_BYTES, SUBJECT_KEYS_EACH_MAX
from tillmesh.shop.events import Change
from tillmesh.shop.personal import CUSTOMER, is_sealed
from tillmesh.till.commands import ChangeRecords

KEY = bytes(32)


def keys_in(place: Path) -> SubjectKeys:
    return SubjectKeys(place, KEY, secrets.token_bytes, [])


def made(subject: str, count: int) -> list[SubjectKey]:
    return [SubjectKey(subject, secrets.token_bytes(SUBJECT_KEY_BYTES)) for _ in range(count)]


def test_a_till_that_makes_up_keys_of_one_customer_without_end_fills_no_disk(tmp_path: Path) -> None:
    """They are no part of the log, so what one till may write to the log does not bound them."""
    with closing(keys_in(tmp_path)) as keys:
        first = made("c1", 2)
        assert keys.keep(first) == first
        kept = sum(len(keys.keep(made("c1", 50))) for _ in range(40))
        assert kept == SUBJECT_KEYS_EACH_MAX - 2
        size = (tmp_path / FILE).stat().st_size
        assert keys.keep(made("c1", 50)) == [], "nothing to tell the other tills either"
        assert (tmp_path / FILE).stat().st_size == size
        assert keys.keep(made("c2", 1)), "another customer's are kept"
    with closing(keys_in(tmp_path)) as again:
        assert set(first) <= set(again.keys(["c1"]))
        assert len(again.keys(["c1"])) == SUBJECT_KEYS_EACH_MAX


def test_no_key_is_made_for_a_customer_that_is_erased(tmp_path: Path) -> None:
    """The change itself is refused by whoever decides; a key made for it would be told to all tills."""
    change = Change(key="c1", fields={"name": "Ann", "phone": "555"})
    with closing(keys_in(tmp_path)) as keys:
        assert is_sealed(keys.sealed(ChangeRecords(entity=CUSTOMER, changes=(change,))).changes[0].fields["name"])
        keys.destroy(["c1"])
        assert keys.sealed(ChangeRecords(entity=CUSTOMER, changes=(change,))).changes == (change,)
        assert keys.keys(["c1"]) == []


def test_keys_of_customers_that_are_erased_leave_room_for_others(tmp_path: Path) -> None:
    with closing(keys_in(tmp_path)) as keys:
        keys.keep(made("c1", 3))
        keys.keep(made("c2", 1))
        assert keys._count == 4
        keys.destroy(["c1"])
        assert keys._count == 1
        assert keys.keep(made("c1", 1)) == []
