"""The keys of customers' personal data: beside the log, so that they can be destroyed.

A database of its own, encrypted like the log. Nothing in it is an event: a key is made, told to the other tills of the
store, and one day destroyed. All keys are held in memory too, as every list of customers opens many texts.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Final, NamedTuple

import apsw
import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tillmesh.adapters.sqlite.database import DatabaseDamaged, connect, rows, settle, storage_errors, write
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import (
    KEY_CHARS_MAX,
    SUBJECT_KEY_BUCKETS,
    SUBJECT_KEY_BYTES,
    SUBJECT_KEYS_EACH_MAX,
    SUBJECT_KEYS_MAX,
    SUBJECT_TEXTS_CACHED_MAX,
)
from tillmesh.shop.events import Change, Value
from tillmesh.shop.personal import PERSONAL, SEAL, is_sealed
from tillmesh.till.commands import ChangeRecords

log = logging.getLogger(__name__)
FILE: Final = "customers.db"
PUT_AWAY: Final = "customers.damaged"
_NONCE_BYTES: Final = 12
_NAME_CHARS: Final = 16
_TABLE: Final = "CREATE TABLE IF NOT EXISTS subject_key (subject TEXT PRIMARY KEY, keys BLOB NOT NULL) STRICT"
_SAVE: Final = (
    "INSERT INTO subject_key (subject, keys) VALUES (?, ?) ON CONFLICT (subject) DO UPDATE SET keys = excluded.keys"
)


class SubjectKey(NamedTuple):
    """One key of one customer. Two tills apart may have made one each; both open what they sealed."""

    subject: str
    key: bytes

    @property
    def name(self) -> str:
        """What a sealed text calls the key that it was sealed under: nothing else can have this name."""
        return name_of(self.key)


def name_of(key: bytes) -> str:
    """Name a key by its hash."""
    return sha256(b"tillmesh subject key" + key).hexdigest()[:_NAME_CHARS]


def bucket_of(subject: str) -> int:
    """Say in which bucket a customer's keys are compared with those of another till."""
    return blake2b(subject.encode(), digest_size=1).digest()[0] % SUBJECT_KEY_BUCKETS


class SubjectKeys:
    """The keys that this till holds. Reads from any thread, everything else on the writer's.

    Invariant: no key and no text of an erased customer is in memory; on disk at most until :meth:`sweep` could write.
    """

    def __init__(self, folder: Path, key: bytes, entropy: Callable[[int], bytes], erased: Iterable[str]) -> None:
        self._folder = folder
        self._entropy = entropy
        self._erased = set(erased)
        self._keys: dict[str, dict[str, bytes]] = {}
        self._count = 0  # of all keys in it
        self._texts: dict[tuple[str, str, str], str] = {}  # opened; none of an erased customer
        self._buckets = [0] * SUBJECT_KEY_BUCKETS
        self._db = _open(folder, key)
        with storage_errors():
            held = rows(self._db, "SELECT subject, keys FROM subject_key")
        for subject, keys in held:
            for each in msgspec.msgpack.decode(keys, type=list[bytes]):
                self._hold(SubjectKey(subject, each))
        self._unswept = {subject for subject in self._keys if subject in self._erased}
        for subject in self._unswept:
            self._drop(subject)
        self.sweep()

    def sealed(self, command: ChangeRecords) -> ChangeRecords:
        """Give the command with what is personal sealed, under keys that are on disk when this returns."""
        new: list[SubjectKey] = []
        changes = tuple(self._sealed(change, new) for change in command.changes)
        self._save(new)
        return msgspec.structs.replace(command, changes=changes)

    def _sealed(self, change: Change, new: list[SubjectKey]) -> Change:
        plain = {name: text for name in PERSONAL if isinstance(text := change.fields.get(name), str) and text}
        if not plain or change.key in self._erased:  # whoever decides will refuse the change of an erased customer
            return change
        held = self._keys.get(change.key)
        if held:
            key = held[min(held)]
        else:
            new.append(made := SubjectKey(change.key, self._entropy(SUBJECT_KEY_BYTES)))
            self._hold(made)
            key = made.key
        texts = {name: self._seal(key, change.key, name, text) for name, text in plain.items()}
        return Change(key=change.key, fields={**change.fields, **texts})

    def _seal(self, key: bytes, subject: str, name: str, text: str) -> str:
        nonce = self._entropy(_NONCE_BYTES)
        hidden = AESGCM(key).encrypt(nonce, text.encode(), _bound(subject, name))
        return f"{SEAL}{name_of(key)}{base64.b64encode(nonce + hidden).decode()}"

    def opened(self, subject: str, fields: Mapping[str, Value]) -> dict[str, Value]:
        """Give the fields of a customer with every sealed text opened; one whose key is not here is empty."""
        return {
            name: self._opened(subject, name, str(value)) if is_sealed(value) else value
            for name, value in fields.items()
        }

    def _opened(self, subject: str, name: str, text: str) -> str:
        """Open a sealed text; a list of customers opens the same ones with every letter that is typed."""
        place = name, subject, text
        known = self._texts.get(place)
        if known is None:
            known = self._open_text(subject, name, text)
            if known and subject in self._keys:
                if len(self._texts) >= SUBJECT_TEXTS_CACHED_MAX:
                    self._texts.clear()
                self._texts[place] = known
        return known

    def _open_text(self, subject: str, name: str, text: str) -> str:
        key = self._keys.get(subject, {}).get(text[1 : 1 + _NAME_CHARS])
        if key is None:
            return ""
        try:
            raw = base64.b64decode(text[1 + _NAME_CHARS :], validate=True)
            return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(subject, name)).decode()
        except (InvalidTag, ValueError, binascii.Error):
            return ""  # another program wrote nonsense: there is nothing to show

    def lacks(self, subject: str) -> bool:
        """Say whether no key of a customer is here."""
        return subject not in self._keys

    def keys(self, subjects: Iterable[str]) -> list[SubjectKey]:
        """Give the keys of some customers, as far as they are here."""
        return [SubjectKey(one, key) for one in subjects for key in list(self._keys.get(one, {}).values())]

    def buckets(self) -> list[int]:
        """Give a sum over the keys in each bucket: tills that hold the same keys have the same sums."""
        return list(self._buckets)

    def in_buckets(self, wanted: Iterable[int]) -> list[SubjectKey]:
        """Give the keys in some buckets."""
        these = frozenset(wanted)
        return self.keys([subject for subject in list(self._keys) if bucket_of(subject) in these])

    def keep(self, told: Iterable[SubjectKey]) -> list[SubjectKey]:
        """Keep keys that another till told; give those that are new. Keys of erased customers are not kept.

        A till that was taken over may make up as many as it likes: of one customer and in all there is an end to it.
        """
        new = []
        for each in told:
            fits = 1 <= len(each.subject) <= KEY_CHARS_MAX and len(each.key) == SUBJECT_KEY_BYTES
            held = self._keys.get(each.subject, {})
            if fits and each.subject not in self._erased and each.name not in held:
                if self._count >= SUBJECT_KEYS_MAX:
                    break
                if len(held) < SUBJECT_KEYS_EACH_MAX:
                    self._hold(each)
                    new.append(each)
        self._save(new)
        return new

    def destroy(self, subjects: Iterable[str]) -> None:
        """Forget the keys of erased customers at once, and wipe them from the disk as soon as it takes it."""
        for subject in subjects:
            self._erased.add(subject)
            self._unswept.add(subject)
            self._drop(subject)
        self._texts.clear()
        try:
            self.sweep()
        except TillmeshError as cause:
            log.warning("keys of erased customers are still on the disk: %s", cause.detail)

    def sweep(self) -> None:
        """Wipe from the disk what was destroyed: the file is written anew, so no page of it holds a trace."""
        if not self._unswept:
            return
        with write(self._db):
            self._db.executemany("DELETE FROM subject_key WHERE subject = ?", [(one,) for one in self._unswept])
        with storage_errors():
            self._db.execute("VACUUM")
        settle(self._db)
        with suppress(FileNotFoundError):
            (self._folder / PUT_AWAY).unlink()
        self._unswept.clear()

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _hold(self, one: SubjectKey) -> None:
        self._keys.setdefault(one.subject, {})[one.name] = one.key
        self._count += 1
        self._buckets[bucket_of(one.subject)] ^= _weight(one)

    def _drop(self, subject: str) -> None:
        for key in self._keys.pop(subject, {}).values():
            self._count -= 1
            self._buckets[bucket_of(subject)] ^= _weight(SubjectKey(subject, key))

    def _save(self, new: list[SubjectKey]) -> None:
        if not new:
            return
        subjects = {each.subject for each in new}
        saved = [(one, msgspec.msgpack.encode(sorted(self._keys[one].values()))) for one in sorted(subjects)]
        try:
            with write(self._db):
                self._db.executemany(_SAVE, saved)
        except BaseException:
            for each in new:  # what is not on disk was never held
                del self._keys[each.subject][each.name]
                self._count -= 1
                self._buckets[bucket_of(each.subject)] ^= _weight(each)
                if not self._keys[each.subject]:
                    del self._keys[each.subject]
            raise


def _open(folder: Path, key: bytes) -> apsw.Connection:
    """Open the keys' database; a damaged one is put aside, as a till must sell, and other tills have the keys."""
    path = folder / FILE
    try:
        return _ready(path, key)
    except DatabaseDamaged as cause:
        log.warning("the keys of customers' data are damaged (%s): put aside as %s", cause.detail, PUT_AWAY)
        path.replace(folder / PUT_AWAY)
        for rest in ("-wal", "-shm"):
            path.with_name(path.name + rest).unlink(missing_ok=True)
        return _ready(path, key)


def _ready(path: Path, key: bytes) -> apsw.Connection:
    db = connect(path, key)
    try:
        settle(db)
        with storage_errors():
            db.execute(_TABLE)
            db.execute("PRAGMA secure_delete=ON").fetchall()
    except BaseException:
        db.close()
        raise
    return db


def _bound(subject: str, name: str) -> bytes:
    """Bind a sealed text to its place: moved to another customer or field it does not open."""
    return f"{name}\0{subject}".encode()


def _weight(one: SubjectKey) -> int:
    return int.from_bytes(blake2b(one.key + one.subject.encode(), digest_size=7).digest(), "big")
