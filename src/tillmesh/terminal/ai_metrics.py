"""What models do, for Prometheus: read from the tallies whenever somebody scrapes."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tillmesh.adapters.inference.tally import REASONS
from tillmesh.terminal.ai import Ai


class AiMetrics(Collector):
    """Counts of every model of one till."""

    def __init__(self, ai: Ai) -> None:
        self._ai = ai

    def collect(self) -> Iterator[Metric]:
        """Give every metric as it stands."""
        asked = CounterMetricFamily(
            "tillmesh_inferences", "Questions to models by what came of them", labels=["model", "outcome"]
        )
        fallbacks = CounterMetricFamily(
            "tillmesh_inference_fallbacks", "Times people went on without", labels=["model", "reason"]
        )
        judged = CounterMetricFamily(
            "tillmesh_suggestions", "Suggestions that a person judged", labels=["model", "verdict"]
        )
        latency = GaugeMetricFamily(
            "tillmesh_inference_ms", "Of the last answers, asked to answered", labels=["model", "quantile"]
        )
        version = GaugeMetricFamily("tillmesh_model_version", "The version that runs; 0: none", labels=["model"])
        given_up = GaugeMetricFamily(
            "tillmesh_model_given_up", "The version that failed at work here; 0: none", labels=["model"]
        )
        unusable = GaugeMetricFamily(
            "tillmesh_model_unusable", "1 while the model that should run is refused: it is not what was signed",
            labels=["model"],
        )  # fmt: skip
        for name in self._ai.shelf.names():
            tally = self._ai.tally(name)
            for outcome, count in (("answered", tally.answered), ("cached", tally.cached), ("late", tally.late)):
                asked.add_metric([name, outcome], count)
            asked.add_metric([name, "fallback"], sum(tally.fallbacks.values()))
            # A count that begins with the first failure hides it from a rate: the usual reasons begin at 0.
            for reason, count in ({**dict.fromkeys(REASONS, 0), **tally.fallbacks}).items():
                fallbacks.add_metric([name, reason], count)
            judged.add_metric([name, "confirmed"], tally.confirmed)
            judged.add_metric([name, "corrected"], tally.corrected)
            latency.add_metric([name, "0.5"], tally.percentile_ms(0.5))
            latency.add_metric([name, "0.99"], tally.percentile_ms(0.99))
            version.add_metric([name], self._ai.shelf.standing(name).version)
            given_up.add_metric([name], self._ai.shelf.standing(name).failed)
            unusable.add_metric([name], int(name in self._ai.runner.refused))
        yield from (asked, fallbacks, judged, latency, version, given_up, unusable, *self._of_orders())
        yield CounterMetricFamily(
            "tillmesh_model_worker_ends", "How often the model worker ended", self._ai.runner.restarts
        )
        yield GaugeMetricFamily(
            "tillmesh_model_worker_bytes", "Memory of the model worker", self._ai.runner.memory_bytes
        )

    def _of_orders(self) -> Iterator[Metric]:
        wanted = GaugeMetricFamily(
            "tillmesh_model_ordered", "The version that head office wants here", labels=["model"]
        )
        refused = CounterMetricFamily(
            "tillmesh_model_refused", "Orders and bundles of head office that were refused", labels=["model", "reason"]
        )
        orders = self._ai.orders
        if orders is None:
            return
        for name in orders.names():
            if order := orders.view(name)["order"]:
                wanted.add_metric([name], order["version"])
        for (name, reason), count in orders.refused.items():
            refused.add_metric([name, reason], count)
        yield from (wanted, refused)
