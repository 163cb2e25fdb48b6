"""``tillmesh models``: what models there are, how they are made and judged, how they come to tills and go back."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from tillmesh.edge.bundle import Manifest, Refused, open_bundle
from tillmesh.kernel.errors import Invalid, NotFound
from tillmesh.learn.shipping import SHIPPED, ship, shipped_keys

PIPELINES: Final = {
    "fraud": "tillmesh.learn.fraud.program",
    "recognition": "tillmesh.learn.recognition",
    "voice": "tillmesh.learn.voice.pipeline",
}
# Judged, and never trained.
ARITHMETIC: Final = {"barcode": "tillmesh.learn.photographs", "demand": "tillmesh.learn.demand.program"}


class Made(Protocol):
    """What a pipeline gives: a bundle before it is signed, and what was measured."""

    @property
    def manifest(self) -> Manifest:
        """Everything about the bundle but the hashes of its files."""

    @property
    def files(self) -> Mapping[str, bytes]:
        """The files of the bundle."""

    @property
    def report(self) -> Mapping[str, float]:
        """The figures of the model card."""


def main(arguments: Sequence[str], say: Callable[[str], object]) -> int:
    """Run one command of the pipeline."""
    options = _parser().parse_args(list(arguments))
    logging.basicConfig(format="%(message)s")  # the program may have done so
    logging.getLogger("tillmesh.learn").setLevel(logging.INFO)  # how far it is, beside the answer
    # Before numpy comes: threads that wait for each other on a busy machine cost ten times what one does.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    run: Callable[[argparse.Namespace], Any] = options.run
    found = run(options)
    say(json.dumps(found, indent=2, ensure_ascii=False) if options.json else "\n".join(plain(found)))
    return 0


def plain(value: Any, depth: int = 0) -> list[str]:
    """Write an answer for people: a line for each figure, groups indented."""
    if isinstance(value, str):
        return [f"{'  ' * depth}{line}" for line in value.splitlines()]
    pairs = value.items() if isinstance(value, dict) else enumerate(value, 1)
    lines = []
    for name, one in pairs:
        if isinstance(one, dict | list | tuple):
            lines += [f"{'  ' * depth}{name}", *plain(one, depth + 1)]
        else:
            lines.append(f"{'  ' * depth}{name}: {one}")
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tillmesh models", description="Models: how they are made, judged, and brought to tills.",
        epilog="With head office: tillmesh models publish|rollback|registry --help",
    )  # fmt: skip
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="the models that ship with the program, and those of a till")
    listing.add_argument("--data-dir", type=Path, help="a till's")
    listing.set_defaults(run=_list)
    training = commands.add_parser("train", help="make a model from data, judge it, and ship it with the program")
    training.add_argument("name", choices=sorted(PIPELINES))
    training.add_argument("--data", type=Path, required=True, help="the folder of the data set")
    training.add_argument("--out", type=Path, default=SHIPPED, help="where the signed bundle goes")
    training.add_argument("--version", type=int, help="default: one more than what is there")
    training.add_argument("--share", type=float, default=1.0, help="voice: of all lines, to try the way out (0.02)")
    training.set_defaults(run=_train)
    judging = commands.add_parser("evaluate", help="judge a signed bundle on photos or records it never saw")
    judging.add_argument("name", choices=sorted(PIPELINES | ARITHMETIC))
    judging.add_argument("--data", type=Path, required=True, help="the folder of the data set")
    judging.add_argument("--out", type=Path, default=SHIPPED, help="where the signed bundle is")
    judging.set_defaults(run=_evaluate)
    card = commands.add_parser("card", help="the model card of a bundle that ships: what it is, made of what, how good")
    card.add_argument("name", choices=sorted(PIPELINES))
    card.add_argument("--out", type=Path, default=SHIPPED, help="where the signed bundle is")
    card.set_defaults(run=_card)
    for one in (listing, training, judging, card):
        one.add_argument("--json", action="store_true", help="the answer as JSON")
    return parser


def _list(options: argparse.Namespace) -> Any:
    from tillmesh.adapters.inference.shelf import Shelf

    found = {"shipped": [_described(SHIPPED / name) for name in _names(SHIPPED)]}
    if options.data_dir is not None:
        shelf = Shelf(options.data_dir / "models", shipped_keys(SHIPPED))
        found["till"] = [{"name": name, **msgspec.to_builtins(shelf.standing(name))} for name in shelf.names()]
    return found


def _card(options: argparse.Namespace) -> Any:
    folder = options.out / options.name
    if not folder.is_dir():
        raise NotFound(f"{folder} is missing", hint="Train the model first.")
    found = _described(folder)
    if "refused" in found:
        raise Invalid(found["refused"], hint="Train the model again, or take the one that ships.")
    return found if options.json else card_of(found)


def card_of(found: Mapping[str, Any]) -> str:
    """Write a model card in Markdown from what the signed manifest says."""
    rows = [f"| {name} | {value:g} |" for name, value in sorted(found["metrics"].items())]
    return "\n".join(
        [
            f"# {found['name']}, version {found['version']}",
            "",
            f"Engine {found['engine']}, {found['bytes']:,} bytes, licence {found['licence']}.",
            "What it can't do is said in docs/reference/models.md.",
            "",
            "Made of:",
            "",
            *(f"- {source}" for source in found["sources"]),
            "",
            "| measured | |",
            "|---|--:|",
            *rows,
        ]
    )


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _described(folder: Path) -> dict[str, Any]:
    from tillmesh.adapters.inference.shelf import read_folder

    try:
        bundle = open_bundle(read_folder(folder), shipped_keys(folder.parent))
    except Refused as refused:
        return {"name": folder.name, "refused": refused.detail}
    manifest = bundle.manifest
    size = sum(len(data) for data in bundle.files.values())
    return {
        "name": manifest.name, "version": manifest.version, "engine": manifest.engine, "licence": manifest.licence,
        "bytes": size, "sources": list(manifest.sources), "metrics": manifest.metrics,
    }  # fmt: skip


def _train(options: argparse.Namespace) -> Any:
    there = [one["version"] for one in map(_described, [options.out / options.name]) if "version" in one]
    version = options.version or max(there, default=0) + 1
    if version < 1:
        raise Invalid(f"version {version}; versions count from 1")
    some = {"share": options.share} if options.name == "voice" else {}
    made: Made = importlib.import_module(PIPELINES[options.name]).train(options.data, version, **some)
    manifest = msgspec.structs.replace(made.manifest, made_ms=made_ms())
    folder = ship(manifest, made.files, options.out)
    return {"bundle": str(folder), "version": version, "report": dict(made.report)}


def made_ms() -> int:
    """Give the time that a bundle says it was made at: now, unless SOURCE_DATE_EPOCH says another, in seconds.

    Source: reproducible-builds.org/specs/source-date-epoch; with it a bundle made again is the same to the last byte.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        return time.time_ns() // 1_000_000
    if not given.isdecimal():
        raise Invalid(f"SOURCE_DATE_EPOCH is {given[:40]!r}", hint="Whole seconds since 1970.")
    return int(given) * 1_000


def _evaluate(options: argparse.Namespace) -> Any:
    from tillmesh.adapters.inference.shelf import read_folder

    if options.name in ARITHMETIC:
        return {
            "name": options.name,
            "report": importlib.import_module(ARITHMETIC[options.name]).evaluate(options.data),
        }
    folder = options.out / options.name
    if not folder.is_dir():
        raise NotFound(f"{folder} is missing", hint="Train the model first.")
    bundle = open_bundle(read_folder(folder), shipped_keys(options.out))
    report = importlib.import_module(PIPELINES[options.name]).evaluate(bundle, options.data)
    return {"name": bundle.manifest.name, "version": bundle.manifest.version, "report": report}
