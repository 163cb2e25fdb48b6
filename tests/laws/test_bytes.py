"""Every replicated value has one spelling in bytes, and no other bytes are taken for one."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.histories import KINDS, Kind, lived
from tillmesh.crdt import GCounter, LWWMap, ORSet, PNCounter
from tillmesh.kernel.errors import Damaged, Invalid, TillmeshError, TooLarge
from tillmesh.kernel.limits import CRDT_ACTORS_MAX, CRDT_STATE_BYTES_MAX

pytestmark = pytest.mark.slow
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
drawn = st.data()


def taken_or_refused(kind: Kind, data: bytes) -> None:
    """Bytes are refused as damaged or too large, or they are exactly how their value is written."""
    try:
        value = kind.type.from_bytes(data)
    except (Damaged, TooLarge):
        return
    assert value.to_bytes() == data


@every_kind
@given(data=drawn)
def test_what_is_written_reads_back_the_same(kind: Kind, data: st.DataObject) -> None:
    for value in lived(kind, data).tills:
        again = kind.type.from_bytes(value.to_bytes())
        assert again == value
        assert again.to_bytes() == value.to_bytes()


@every_kind
@given(data=drawn)
def test_replicas_that_agree_write_the_same_bytes_whatever_their_past(kind: Kind, data: st.DataObject) -> None:
    a, b, c = lived(kind, data).tills
    assert a.merge(b).merge(c).to_bytes() == c.merge(a).merge(b).to_bytes()


@every_kind
@given(data=drawn)
def test_a_truncated_value_is_refused(kind: Kind, data: st.DataObject) -> None:
    whole = lived(kind, data).everything.to_bytes()
    with pytest.raises(Damaged):
        kind.type.from_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(Damaged):
        kind.type.from_bytes(whole + b"\x00")


@every_kind
@given(data=drawn)
def test_a_value_with_bytes_changed_is_refused_or_another_value(kind: Kind, data: st.DataObject) -> None:
    changed = bytearray(lived(kind, data).everything.to_bytes())
    for place, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(changed) - 1), st.integers(0, 255)), max_size=4)
    ):
        changed[place] = byte
    taken_or_refused(kind, bytes(changed))


@every_kind
@given(noise=st.binary(max_size=64))
def test_noise_is_refused(kind: Kind, noise: bytes) -> None:
    number = kind.empty.to_bytes()[1:2]  # so that some noise gets past the number of the type
    taken_or_refused(kind, noise)
    taken_or_refused(kind, b"\x92" + number + noise)
    taken_or_refused(kind, b"\x93" + number + noise)


nested = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=3)
    | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@every_kind
@given(parts=st.lists(nested, max_size=2))
def test_well_formed_bytes_of_the_wrong_shape_are_refused(kind: Kind, parts: list[object]) -> None:
    number = kind.empty.to_bytes()[1]
    taken_or_refused(kind, msgspec.msgpack.encode([number, *parts]))


@every_kind
def test_one_type_is_never_read_as_another(kind: Kind) -> None:
    for other in KINDS:
        if other is not kind:
            with pytest.raises(Damaged):
                kind.type.from_bytes(other.empty.to_bytes())


BOMBS = {
    "an array that declares four thousand million parts": b"\xdd\xff\xff\xff\xff",
    "a map that declares four thousand million parts": b"\xdf\xff\xff\xff\xff",
    "a text that declares four gibibytes": b"\xdb\xff\xff\xff\xff",
    "bytes that declare four gibibytes": b"\xc6\xff\xff\xff\xff",
    "arrays in arrays": b"\x91" * 1_000_000 + b"\xc0",
    "maps in maps": b"\x81\xa1x" * 300_000 + b"\xc0",
    "a date": b"\xc7\x0c\xff\x00\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff",
    "an unknown extension": b"\xd4\x05\x00",
    "half a surrogate pair": b"\xa3\xed\xa0\x80",
    "a number beyond 64 bits with sign": b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
    "a float": b"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00",
}


@every_kind
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_without_harm(kind: Kind, bomb: bytes) -> None:
    number = kind.empty.to_bytes()[1:2]
    stamp = b"\x93\x00\x01\xa1a"
    for data in (
        bomb,
        b"\x92" + number + bomb,
        b"\x93" + number + bomb + stamp,  # the value of a register
        b"\x92" + number + b"\x91\x93" + stamp + b"\x81\xa1f" + bomb + b"\x90",  # the value of a field
        b"\x93" + number + b"\x91\x93\xa1a\x01" + bomb + b"\x92\x07\x81\xa1a\x91\x92\x01\x01",  # an element
        b"\x92" + number + b"\x81\xa1a" + bomb,  # an actor's column
    ):
        with pytest.raises(TillmeshError):
            kind.type.from_bytes(data)


@every_kind
def test_more_bytes_than_the_limit_are_not_even_looked_at(kind: Kind) -> None:
    with pytest.raises(TooLarge, match=str(CRDT_STATE_BYTES_MAX)):
        kind.type.from_bytes(bytes(CRDT_STATE_BYTES_MAX + 1))


def test_one_actor_more_than_the_limit_is_refused_written_and_read() -> None:
    full = PNCounter({f"t{n}": (1, 0) for n in range(CRDT_ACTORS_MAX)})
    assert PNCounter.from_bytes(full.to_bytes()) == full
    with pytest.raises(TooLarge, match=f"the limit is {CRDT_ACTORS_MAX}"):
        full.increment("one-more")
    columns = {**full.columns, "zz": (1, 0)}
    with pytest.raises(TooLarge):
        PNCounter.from_bytes(msgspec.msgpack.encode([1, columns], order="deterministic"))


@pytest.mark.parametrize(
    "spelling",
    [
        [1, {"a": [0, 0]}],  # says nothing
        [1, {"b": [1, 0], "a": [1, 0]}],  # out of order
        [1, {"a": [-1, 0]}],
        [1, {"": [1, 0]}],
        [1, {"a" * 65: [1, 0]}],
        [1, {"a": [1, 0, 0]}],
        [1, {"a": [1, 0]}, "more"],
        [1],
    ],
)
def test_another_spelling_of_a_counter_is_refused(spelling: list[object]) -> None:
    with pytest.raises(Damaged):
        PNCounter.from_bytes(msgspec.msgpack.encode(spelling))


def test_a_number_spelt_longer_than_needed_is_refused() -> None:
    assert PNCounter.from_bytes(b"\x92\x01\x81\xa1a\x92\x05\x00").value == 5
    with pytest.raises(Damaged, match="canonical"):
        PNCounter.from_bytes(b"\x92\x01\x81\xa1a\x92\xcc\x05\x00")


def test_an_actor_named_twice_is_refused() -> None:
    with pytest.raises(Damaged, match="canonical"):
        PNCounter.from_bytes(b"\x92\x01\x82\xa1a\x92\x05\x00\xa1a\x92\x06\x00")


@pytest.mark.parametrize(
    ("triples", "runs"),
    [
        ([["a", 1, "x"]], {}),  # live, yet never seen
        ([["a", 1, "x"]], {"a": [[2, 3]]}),
        ([["a", 1, "x"], ["a", 1, "y"]], {"a": [[1, 1]]}),  # one dot for two adds
        ([["a", 2, "x"], ["a", 1, "y"]], {"a": [[1, 2]]}),  # out of order
        ([["a", 1, True]], {"a": [[1, 1]]}),
        ([["a", 1, None]], {"a": [[1, 1]]}),
        ([["a", 1, "x" * 101]], {"a": [[1, 1]]}),
        ([], {"a": []}),
        ([], {"a": [[2, 1]]}),
        ([], {"a": [[1, 1], [2, 2]]}),  # touching runs are one run
        ([], {"a": [[3, 4], [1, 1]]}),
        ([], {"a": [[0, 4]]}),
    ],
)
def test_a_set_that_contradicts_itself_is_refused(triples: list[object], runs: dict[str, object]) -> None:
    with pytest.raises(Damaged):
        ORSet.from_bytes(msgspec.msgpack.encode([6, triples, [7, runs]]))


S1, S2 = [0, 1, "a"], [0, 2, "a"]


@pytest.mark.parametrize(
    "writes",
    [
        [[S1, {}, []]],  # says nothing
        [[S2, {"x": 1}, []], [S1, {"y": 1}, []]],  # out of order
        [[S1, {"x": 1}, []], [S1, {"y": 1}, []]],
        [[S1, {"x": 1}, []], [S2, {"x": 2}, []]],  # one field, two writes
        [[S1, {"x": 1}, ["x"]]],
        [[S1, {}, ["y", "x"]]],
        [[S1, {}, ["x", "x"]]],
        [[S1, {"": 1}, []]],
        [[[0, 1, ""], {"x": 1}, []]],
        [[[0, -1, "a"], {"x": 1}, []]],
        [[S1, {"x": 1.5}, []]],
        [[S1, {"x": [[[[[0]]]]]}, []]],
        [[S1, {"x": 2**63}, []]],
    ],
)
def test_a_record_that_contradicts_itself_is_refused(writes: list[object]) -> None:
    with pytest.raises(Damaged):
        LWWMap.from_bytes(msgspec.msgpack.encode([4, writes]))


def test_a_counter_cannot_be_made_of_columns_that_say_nothing() -> None:
    with pytest.raises(Invalid):
        PNCounter({"a": (0, 0)})
    with pytest.raises(Invalid):
        GCounter({"a": 0})


@every_kind
def test_a_value_is_never_equal_to_something_else(kind: Kind) -> None:
    assert [other.empty for other in KINDS if other.empty == kind.empty] == [kind.empty]
    strange: object = "something else"
    assert kind.empty != strange
