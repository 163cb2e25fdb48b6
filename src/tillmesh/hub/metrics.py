"""What head office counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from tillmesh.fleet.model_standing import Standing
from tillmesh.till.upkeep import Upkeep

ShownModel: TypeAlias = tuple[str, bool, Sequence[Standing]]  # name, whether its roll-out is halted, its versions
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
        for status in ("200", "503", "507"):  # a count that begins with the first failure hides it from a rate
            self.batches.labels(status)
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

        names = ["name", "version"]
        self.model_tills = Gauge(
            "tillmesh_hub_model_tills", "Tills that said in the last two days that they run it", names,
            registry=self.registry,
        )  # fmt: skip
        self.model_drift = Gauge(
            "tillmesh_hub_model_drift", "1 while a version does worse than at first: a new one is wanted", names,
            registry=self.registry,
        )  # fmt: skip
        self.model_psi = Gauge(
            "tillmesh_hub_model_stability_index", "How far its confidences are from those of the first time", names,
            registry=self.registry,
        )  # fmt: skip
        self.model_halted = Gauge(
            "tillmesh_hub_model_halted", "1 while the roll-out of a model is stopped", ["name"], registry=self.registry
        )

        self.certificate_left = Gauge(
            "tillmesh_certificate_left_seconds", "Until a certificate ends; of the stores' the first one", ["which"],
            registry=self.registry,
        )  # fmt: skip
        self.backup_age = Gauge(
            "tillmesh_backup_age_seconds", "Since the newest good back-up; since the first store, if there is none",
            registry=self.registry,
        )  # fmt: skip
        self.backup_ok = Gauge(
            "tillmesh_backup_ok", "1 while the last back-up that was tried worked", registry=self.registry
        )

    def show_upkeep(self, upkeep: Upkeep) -> None:
        """Say how long certificates last and how the back-ups stand."""
        self.certificate_left.clear()
        for which, left_s in upkeep.left_s.items():
            self.certificate_left.labels(which).set(left_s)
        if upkeep.backups is not None:
            self.backup_age.set(upkeep.backups.age_s)
            self.backup_ok.set(not upkeep.backups.why)

    def show_models(self, models: Sequence[ShownModel]) -> None:
        """Say how the models do now; versions that are gone are no longer named."""
        for gauge in (self.model_tills, self.model_drift, self.model_psi, self.model_halted):
            gauge.clear()
        for name, is_halted, standings in models:
            self.model_halted.labels(name).set(is_halted)
            for one in standings:
                version = str(one.version)
                self.model_tills.labels(name, version).set(len(one.running))
                self.model_drift.labels(name, version).set(one.verdict.retrain_wanted)
                if one.verdict.psi is not None:
                    self.model_psi.labels(name, version).set(one.verdict.psi)

    def text(self) -> bytes:
        """Give all of it in Prometheus' text format."""
        return generate_latest(self.registry)
