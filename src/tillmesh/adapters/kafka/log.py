"""The event log as one topic of Apache Kafka: one message per accepted batch, keyed by store.

All of a store's messages are in one partition, in the order in which they were taken. The producer is idempotent and
waits for every replica that is in sync; what it could not deliver in time may be in the log all the same, and whoever
reads deduplicates. Nothing is ever removed: the topic keeps its messages for ever.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tillmesh.adapters.kafka.messages import MESSAGE_BYTES_MAX, read_message, write_message
from tillmesh.fleet.ports import Away, Entry, LogBroken, Position, Stretch
from tillmesh.kernel.limits import LOG_PAGE_BODIES_BYTES, LOG_PAGE_ENTRIES_MAX, LOG_PAGE_SCANNED_MAX

log = logging.getLogger(__name__)
DELIVERY_MS: Final = 6_000  # well below how long a till waits for an answer
ASK_S: Final = 5.0  # for an answer of the cluster about itself
SILENCE_S: Final = 20.0  # while reading, until the cluster counts as away
SETTLE_S: Final = 10.0  # until a topic that was just made, or a broker that just came back, knows who leads
LOOK_S: Final = 0.1
RETRY_MS: Final = 2_000  # after the cluster was found away, until it is tried again
MESSAGES_AT_ONCE: Final = 200
SAFE_REPLICAS: Final = 3  # with so many, a message counts when two have it; with fewer it is synced to disk
_M: Final = 0x5BD1E995
_BITS: Final = 0xFFFFFFFF
UNSETTLED: Final = {
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
}


class KafkaEventLog:
    """One thread at a time; any number of these, in any number of processes, on one topic."""

    def __init__(
        self, servers: str, topic: str, *, partitions: int, replicas: int, properties: Mapping[str, str] | None = None
    ) -> None:
        self._topic, self._partitions, self._replicas = topic, partitions, replicas
        self._config: dict[str, Any] = {
            "bootstrap.servers": servers, "client.id": "tillmesh", "reconnect.backoff.max.ms": 1_000,
            "socket.nagle.disable": True, "logger": log, **(properties or {}),
        }  # fmt: skip
        self._delivery_ms = int((properties or {}).get("message.timeout.ms", DELIVERY_MS))
        self._there = False  # the topic, as far as is known
        self._producer: Producer | None = None
        self._consumer: Consumer | None = None
        self._away_until = 0.0  # monotonic: so long nobody waits for a cluster that is known to be away

    def append(self, entry: Entry) -> Position:
        """Store an entry durably and give its place."""
        self._require_there()
        delivered: list[tuple[KafkaError | None, Message]] = []
        producer = self._producing()
        try:
            producer.produce(
                self._topic, write_message(entry), entry.store.encode(),
                on_delivery=lambda error, message: delivered.append((error, message)),
            )  # fmt: skip
            producer.flush(2 * self._delivery_ms / 1000)
        except (KafkaException, BufferError) as cause:
            self._forget_producer()
            raise self._away(_said(cause)) from cause
        if not delivered or delivered[0][0] is not None:
            self._forget_producer()
            raise self._away(delivered[0][0].str() if delivered and delivered[0][0] is not None else "no answer")
        message = delivered[0][1]
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        return {str(partition): offset + 1}

    def replay(self, after: Position) -> Iterator[tuple[Position, Entry]]:
        """Iterate the entries behind a position, partition by partition, in each oldest first."""
        self._require_there()
        consumer = self._consuming()
        try:
            for partition, first, end in self._open_ends(consumer, after):
                if first < end:
                    yield from self._read(consumer, partition, first, end)
        finally:
            consumer.unassign()

    def of_store(self, store: str, after: Position) -> Stretch:
        """Read on behind a place for one store: in the one partition where all of its entries are."""
        self._require_there()
        consumer = self._consuming()
        try:
            bounds = self._bounds(consumer)
            partition, low, high = bounds[partition_of(store.encode(), len(bounds))]
            first = max(low, after.get(str(partition), 0))
            return self._of_store(consumer, store, (partition, first, high))
        finally:
            consumer.unassign()

    def _of_store(self, consumer: Consumer, store: str, span: tuple[int, int, int]) -> Stretch:
        partition, first, end = span
        until = min(end, first + LOG_PAGE_SCANNED_MAX)
        found: list[Entry] = []
        size = 0
        if first < until:
            for offset, message in self._messages(consumer, partition, first, until):
                if message.key() == store.encode():
                    entry = read_message(bytes(message.value() or b""))
                    size += sum(len(event.body) for event in entry.events)
                    full = size > LOG_PAGE_BODIES_BYTES or len(found) >= LOG_PAGE_ENTRIES_MAX
                    if found and full:
                        return Stretch({str(partition): offset}, tuple(found), whole=False)
                    found.append(entry)
        return Stretch({str(partition): max(first, until)}, tuple(found), whole=until >= end)

    def close(self) -> None:
        """Let go of the connections."""
        self._forget_producer()
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _open_ends(self, consumer: Consumer, after: Position) -> list[tuple[int, int, int]]:
        """Give of each partition where to begin and where it ends now."""
        ends = []
        for partition, low, high in self._bounds(consumer):
            first = after.get(str(partition), 0)
            if not low <= first <= high:
                raise LogBroken(
                    f"partition {partition} of the topic {self._topic} holds the messages {low} to {high}, "
                    f"the master database has applied {first}",
                    hint="This is another log, or some of it was removed. Restore it, or rebuild from it.",
                )
            ends.append((partition, first, high))
        return ends

    def _bounds(self, consumer: Consumer) -> list[tuple[int, int, int]]:
        """Give each partition with its first message and the one after its last."""
        end = time.monotonic() + SETTLE_S
        while True:
            try:
                known = consumer.list_topics(self._topic, ASK_S).topics[self._topic]
                if known.error is not None:
                    raise KafkaException(known.error)
                return [
                    (partition, *consumer.get_watermark_offsets(TopicPartition(self._topic, partition), ASK_S))
                    for partition in sorted(known.partitions)
                ]
            except KafkaException as cause:
                if cause.args[0].code() not in UNSETTLED or time.monotonic() > end:
                    raise self._away(_said(cause)) from cause
            time.sleep(LOOK_S)

    def _read(self, consumer: Consumer, partition: int, first: int, end: int) -> Iterator[tuple[Position, Entry]]:
        for offset, message in self._messages(consumer, partition, first, end):
            yield {str(partition): offset + 1}, read_message(bytes(message.value() or b""))

    def _messages(self, consumer: Consumer, partition: int, first: int, end: int) -> Iterator[tuple[int, Message]]:
        consumer.assign([TopicPartition(self._topic, partition, first)])
        heard = time.monotonic()
        while first < end:
            if time.monotonic() - heard > SILENCE_S:
                raise self._away(f"message {first} of partition {partition} does not come")
            for message in consumer.consume(min(MESSAGES_AT_ONCE, end - first), 1.0):
                if message.error() is not None:
                    log.warning("reading the event log: %s", message.error())
                    continue
                heard = time.monotonic()
                offset = message.offset()
                assert offset is not None
                first = offset + 1
                yield offset, message

    def _require_there(self) -> None:
        """Make the topic if it is not there yet; raises :class:`Away` at once if the cluster was away just now."""
        if time.monotonic() < self._away_until:
            raise self._away("it did not answer a moment ago", since_now=False)
        if self._there:
            return
        wanted = NewTopic(
            self._topic, num_partitions=self._partitions, replication_factor=self._replicas, config=self._kept()
        )
        try:
            admin = AdminClient(self._config)
            admin.create_topics([wanted], request_timeout=ASK_S)[self._topic].result(2 * ASK_S)
        except KafkaException as cause:
            if cause.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise self._away(_said(cause)) from cause
        except TimeoutError as cause:
            raise self._away("no answer") from cause
        self._there = True

    def _kept(self) -> dict[str, str]:
        safe = self._replicas >= SAFE_REPLICAS
        return {
            "cleanup.policy": "delete",
            "retention.ms": "-1",
            "retention.bytes": "-1",
            "max.message.bytes": str(MESSAGE_BYTES_MAX),
            "min.insync.replicas": "2" if safe else "1",
        } | ({} if safe else {"flush.messages": "1"})

    def _producing(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(
                {
                    **self._config, "enable.idempotence": True, "acks": "all", "linger.ms": 0,
                    "message.timeout.ms": self._delivery_ms, "message.max.bytes": MESSAGE_BYTES_MAX,
                    "partitioner": "murmur2_random", "compression.type": "none",
                }
            )  # fmt: skip
        return self._producer

    def _consuming(self) -> Consumer:
        if self._consumer is None:
            self._consumer = Consumer(
                {
                    **self._config, "group.id": "tillmesh", "enable.auto.commit": False, "auto.offset.reset": "error",
                    "fetch.message.max.bytes": MESSAGE_BYTES_MAX,
                }
            )  # fmt: skip
        return self._consumer

    def _forget_producer(self) -> None:
        """Let go of a producer and what it still tries to deliver: the store sends it again."""
        if self._producer is not None:
            self._producer.purge()
            self._producer = None

    def _away(self, why: str, *, since_now: bool = True) -> Away:
        if since_now:
            self._away_until = time.monotonic() + RETRY_MS / 1000
        return Away(f"the event log is away: {why}", part="event_log", retry_after_ms=RETRY_MS)


def partition_of(key: bytes, partitions: int) -> int:
    """Give the partition that the producer's partitioner (murmur2, as Java's) puts a key into."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Hash bytes as Kafka's partitioners do: MurmurHash2, 32 bits, little-endian, seed 0x9747b28c."""
    size, whole = len(data), len(data) & ~3
    hashed = 0x9747B28C ^ size
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * _M & _BITS
        k = (k ^ k >> 24) * _M & _BITS
        hashed = hashed * _M & _BITS ^ k
    if size > whole:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * _M & _BITS
    hashed = (hashed ^ hashed >> 13) * _M & _BITS
    return hashed ^ hashed >> 15


def _said(cause: BaseException) -> str:
    error = cause.args[0] if cause.args else None
    return error.str() if isinstance(error, KafkaError) else str(cause) or type(cause).__name__
