"""How a till and its store stand, for Prometheus: what the last look found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from tillmesh.terminal.driver import Driver
from tillmesh.terminal.watch import Watch
from tillmesh.till.upkeep import Upkeep

FAILOVER_S: Final = (0.1, 0.2, 0.35, 0.5, 1, 2, 5, 10, 30, 60)
DEVICES: Final = ("scale", "pole")  # each has a check(), which gives nothing where none is set up
PRINTER_READY: Final = frozenset({"ready", "off"})


class WatchMetrics(Collector):
    """What the watch of one till saw, the store's leadership, the disk and the printer among it."""

    def __init__(self, registry: CollectorRegistry, watch: Watch, driver: Driver, extra: Mapping[str, Any]) -> None:
        self._watch, self._driver, self._extra = watch, driver, extra
        self._failover = Histogram(
            "tillmesh_failover_seconds", "Without a leader, until the next one led", buckets=FAILOVER_S,
            registry=registry,
        )  # fmt: skip
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Give every metric as the last look found it."""
        for waited_ms in self._watch.leadership.failovers:
            self._failover.observe(waited_ms / 1000)
        self._watch.leadership.failovers.clear()
        yield from self._of_leadership()
        yield from self._of_queues()
        yield from self._of_machine()
        yield from self._of_upkeep()

    def _of_leadership(self) -> Iterator[Metric]:
        reading, raft = self._watch.reading, self._extra["raft"]()
        me = self._driver.identity
        yield InfoMetricFamily("tillmesh_till", "Which till this is", {"store": me.store, "terminal": me.terminal})
        story = self._watch.leadership
        yield CounterMetricFamily("tillmesh_elections", "Elections that another till won", story.elections)
        yield CounterMetricFamily("tillmesh_split_brain", "Terms in which two tills led", story.split_brains)
        yield GaugeMetricFamily("tillmesh_leaderless_seconds", "How long nobody has led", reading.leaderless_s)
        leads = raft["state"] == "leader" and raft["has_quorum"]
        yield GaugeMetricFamily(
            "tillmesh_leading_term", "The term in which this till leads with a majority, or 0",
            raft["term"] if leads else 0,
        )  # fmt: skip

        actors = GaugeMetricFamily("tillmesh_actors", "Actors of the store's tills, of 1024", labels=["state"])
        if (counts := self._extra.get("actors")) is not None:
            for state, count in counts().items():
                actors.add_metric([state], count)
        yield actors
        slowed = len(self._extra["flooding"]()) if "flooding" in self._extra else 0
        yield GaugeMetricFamily("tillmesh_tills_slowed", "Tills that wrote more than a shop does", slowed)

    def _of_queues(self) -> Iterator[Metric]:
        reading = self._watch.reading
        lag = GaugeMetricFamily(
            "tillmesh_sync_lag_seconds", "Age of the oldest event of this till that is not there", labels=["at"]
        )
        queue = GaugeMetricFamily("tillmesh_queue_events", "Events of this till that are not there", labels=["at"])
        if reading.in_store:
            lag.add_metric(["leader"], reading.leader_lag_s)
            queue.add_metric(["leader"], reading.queue_leader)
        if self._watch.has_office:
            lag.add_metric(["office"], reading.hub_lag_s)
            queue.add_metric(["office"], reading.queue_hub)
        yield from (lag, queue)
        yield GaugeMetricFamily(
            "tillmesh_conflicts_day", "Oversells and money taken twice, of the last day", reading.conflicts_of_day
        )
        yield GaugeMetricFamily("tillmesh_sales_day", "Sales of the whole store, of the last day", reading.sales_of_day)

    def _of_machine(self) -> Iterator[Metric]:
        opened = self._driver.opened
        yield GaugeMetricFamily("tillmesh_disk_free_bytes", "Free where the data is", opened.reserve.free_bytes())
        keeping = self._extra["room"]
        yield GaugeMetricFamily("tillmesh_data_bytes", "What the data takes on the disk", keeping.room.data)
        yield GaugeMetricFamily(
            "tillmesh_disk_stage", "0 room is plenty, 1 scarce, 2 kept for sales, 3 sales take the reserve",
            keeping.stage,
        )  # fmt: skip
        yield GaugeMetricFamily(
            "tillmesh_disk_reserve_held", "1 while the reserve for a full disk is held", int(opened.reserve.held)
        )
        yield GaugeMetricFamily(
            "tillmesh_writing", "1 while the last write went well", int(not self._driver.storage_error)
        )
        silent = GaugeMetricFamily(
            "tillmesh_device_silent", "1 while a device that is set up does not answer", labels=["device"]
        )
        for name in DEVICES:
            if (found := self._extra[name].check()) is not None:
                silent.add_metric([name], int(not found[0]))
        yield silent
        ready = self._extra["printer"]()["state"] in PRINTER_READY
        yield GaugeMetricFamily("tillmesh_printer_ready", "1 while the printer is ready, or none is set up", int(ready))

    def _of_upkeep(self) -> Iterator[Metric]:
        upkeep = self._watch.upkeep
        yield GaugeMetricFamily(
            "tillmesh_clock_skew_seconds", "How far this clock is ahead of the middle one of the store's", upkeep.skew_s
        )
        left = GaugeMetricFamily(
            "tillmesh_certificate_left_seconds", "Until a certificate that this till holds ends", labels=["which"]
        )
        for which, left_s in upkeep.left_s.items():
            left.add_metric([which], left_s)
        yield left
        silent = GaugeMetricFamily(
            "tillmesh_till_silent_seconds", "How long another till of the store has heard nothing", labels=["till"]
        )
        for terminal, silent_s in self._watch.silent_s.items():
            silent.add_metric([terminal], silent_s)
        yield silent
        yield from backup_metrics(upkeep)


def backup_metrics(upkeep: Upkeep) -> Iterator[Metric]:
    """Say how the back-ups stand; nothing where none is needed."""
    age = GaugeMetricFamily(
        "tillmesh_backup_age_seconds", "Since the newest good back-up; since the data began, if there never was one"
    )
    good = GaugeMetricFamily("tillmesh_backup_ok", "1 while the last back-up that was tried worked")
    if (backups := upkeep.backups) is not None:
        age.add_metric([], backups.age_s)
        good.add_metric([], int(not backups.why))
    yield from (age, good)
