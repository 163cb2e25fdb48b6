"""What head office counts, for Prometheus."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

SECONDS: Final = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """Counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.batches = Counter(
            "tillmesh_hub_batches", "Batches that stores uploaded, by how they were answered", ["status"],
            registry=self.registry,
        )  # fmt: skip
        self.events = Counter(
            "tillmesh_hub_events", "Events in the batches that were answered 200, repeated ones too",
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "tillmesh_hub_batch_seconds", "Time from a batch's arrival to its answer", registry=self.registry,
            buckets=SECONDS,
        )  # fmt: skip
        self.listening = Gauge(
            "tillmesh_hub_listening", "Leaders that wait for news", registry=self.registry
        )  # fmt: skip

    def text(self) -> bytes:
        """Give all of it in Prometheus' text format."""
        return generate_latest(self.registry)
