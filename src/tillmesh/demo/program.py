"""`tillmesh demo`: a shop on this machine, from nothing to a page that sells, and back."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import signal
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NamedTuple, TypeAlias

from tillmesh.adapters.lan.multicast import multicast_works
from tillmesh.demo import control
from tillmesh.demo.build import OpenTill, build
from tillmesh.demo.offers import GIFT_CARDS
from tillmesh.demo.office import (
    OFFICE_PASSWORD,
    OFFICE_USER,
    connect_all,
    cut_wan,
    hub_child,
    hub_view,
    to_hub,
)
from tillmesh.demo.processes import Child, stop_all, wait_ready
from tillmesh.demo.shop_data import PEOPLE, SETTINGS
from tillmesh.kernel.errors import Conflict, Invalid, NotFound, TillmeshError

PORT: Final = 8080
TILLS_MAX: Final = 15
HERE: Final = "127.0.0.1"
LINKS_FROM: Final = 100  # till N takes links at PORT + 100 + N
STATE: Final = "demo.json"
CUT: Final = "cut"  # beside a till's data: whom it does not reach
TICK_S: Final = 0.2
USAGE_ERROR: Final = 2


JoinTill: TypeAlias = Callable[[Path, Path, int], object]
Connect: TypeAlias = Callable[[Path, Sequence[Path]], object]


class Options(NamedTuple):
    """What the command line asks for."""

    data: Path
    port: int
    tills: int
    headless: bool
    products: Path | None
    no_hub: bool
    no_ai: bool
    mdns: bool


def main(argv: Sequence[str], open_till: OpenTill, join_till: JoinTill, connect: Connect) -> int:
    """Run `tillmesh demo ...`; give the exit status.

    ``open_till`` opens a data directory for building, ``join_till`` makes one more till of the first one's store,
    ``connect`` gives the tills what they prove themselves with to head office.
    """
    given = _parser().parse_intermixed_args(argv)
    try:
        match given.words:
            case []:
                return _run(
                    Options(**{name: getattr(given, name) for name in Options._fields}), open_till, join_till, connect
                )
            case ["ctl", *words]:
                return _steer(given.data, words)
            case _:
                raise Invalid(f"{' '.join(given.words)[:60]!r} is no demo command", hint="Say: demo, or demo ctl ...")
    except TillmeshError as error:
        print(f"{error.title}: {error.detail}\n{error.hint}".rstrip(), file=sys.stderr)
        return USAGE_ERROR if isinstance(error, Invalid) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tillmesh demo",
        description="Run a shop on this machine; 'demo ctl WORDS' steers one that runs.",
    )
    parser.add_argument("words", nargs="*", metavar="ctl ...", help=f"steer a running demo: {control.USAGE}")
    parser.add_argument("--tills", type=int, default=3, help="how many tills, each a process of its own (default 3)")
    parser.add_argument("--data", type=Path, default=Path("demo-data"), metavar="DIR", help="where everything is kept")
    parser.add_argument("--port", type=int, default=PORT, help="the hub's port; till N serves PORT+N (default 8080)")
    parser.add_argument("--headless", action="store_true", help="open no browser")
    parser.add_argument("--products", type=Path, metavar="FILE", help="sell these instead: CSV, packed or not")
    parser.add_argument("--no-hub", action="store_true", help="run without head office")
    parser.add_argument("--no-ai", action="store_true", help="run without models")
    parser.add_argument("--no-mdns", dest="mdns", action="store_false", help="tell the tills where the others are")
    return parser


def _steer(directory: Path, words: list[str]) -> int:
    answer = control.ask(directory, control.check(words))
    if "error" in answer:
        print(f"{answer['error']}\n{answer['hint']}".rstrip(), file=sys.stderr)
        return 1
    print(json.dumps(answer, indent=2))
    return 0


def _run(options: Options, open_till: OpenTill, join_till: JoinTill, connect: Connect) -> int:
    children = _children(_checked(options))
    hub = None if options.no_hub else hub_child(options.data.absolute(), options.port)
    everyone = [*children, *([hub] if hub is not None else [])]
    with _alone(options.data), _signals() as stopped:
        (options.data / STATE).unlink(missing_ok=True)
        listening = control.Control(options.data)
        try:
            _prepare(options, children, open_till)
            _enlarge(children, join_till)
            if hub is not None:
                connect_all(hub, children, connect)
            for child in everyone:
                child.start()
            for child in everyone:
                wait_ready(child)
            _write_state(options.data, everyone)
            _welcome(options, everyone)
            _watch(options.data, everyone, listening, stopped)
        except Stopped:
            print("Stopping ...", flush=True)
        finally:
            stopped.append(True)  # from here on a signal only hurries nobody
            (options.data / STATE).unlink(missing_ok=True)
            stop_all(children)
            stop_all([hub] if hub is not None else [])  # after the tills: what they hand over last still arrives
            listening.close()
    print("Stopped. Your shop is kept; the same command opens it again.", flush=True)
    return 0


def _checked(options: Options) -> Options:
    if not 1 <= options.tills <= TILLS_MAX:
        raise Invalid(f"--tills {options.tills}; 1 to {TILLS_MAX} are possible", hint="Choose a number of tills.")
    if not 1 <= options.port <= 65_535 - LINKS_FROM - options.tills:
        raise Invalid(f"--port {options.port} leaves no room for the tills' ports", hint="Choose 1024 to 65000.")
    return options._replace(mdns=options.mdns and multicast_works(HERE))


def _children(options: Options) -> list[Child]:
    data = options.data.absolute()
    return [
        Child(
            n=n,
            data_dir=data / f"till-{n}",
            port=options.port + n,
            log=data / "logs" / f"till-{n}.log",
            extra=(*_neighbours(options, n), *_head_office(options, n), *(("--no-ai",) if options.no_ai else ())),
        )
        for n in range(1, options.tills + 1)
    ]


def _neighbours(options: Options, n: int) -> tuple[str, ...]:
    """Say where till ``n`` takes links. They find each other by mDNS, or are told where multicast does not work."""
    if options.tills == 1:
        return ()
    first = options.port + LINKS_FROM
    place = ("--link-bind", HERE, "--link-port", str(first + n))
    cut = ("--cut-file", str(options.data.absolute() / f"till-{n}" / CUT))
    if options.mdns:
        return *place, *cut
    others = [("--peer", f"{HERE}:{first + m}") for m in range(1, options.tills + 1) if m != n]
    return *place, *cut, "--no-mdns", *(word for pair in others for word in pair)


def _head_office(options: Options, n: int) -> tuple[str, ...]:
    """Say where head office's door for stores is, and how till ``n`` learns that the internet is gone."""
    return () if options.no_hub else to_hub(options.data.absolute() / f"till-{n}", options.port)


def _enlarge(children: Sequence[Child], join_till: JoinTill) -> None:
    """Make the tills that are not there yet, from the first one."""
    first, *others = children
    for child in others:
        if not child.data_dir.exists():
            site = child.data_dir.with_name(child.data_dir.name + ".building")
            shutil.rmtree(site, ignore_errors=True)  # an earlier build that was interrupted
            join_till(first.data_dir, site, child.n)
            site.rename(child.data_dir)
            print(f"Till {child.n} has joined the store.", flush=True)


def _prepare(options: Options, children: Sequence[Child], open_till: OpenTill) -> None:
    """Build the shop unless it is there."""
    (options.data / "logs").mkdir(exist_ok=True)
    place = children[0].data_dir
    if place.exists():
        print(f"Opening the shop in {place}.", flush=True)
        if options.products is not None:
            print("--products is only for a new shop; use the import in the shop instead.", flush=True)
        return
    print(f"Building {SETTINGS['name']} in {place} ...", flush=True)
    started = time.monotonic()
    count = build(place, open_till, now_ms=time.time_ns() // 1_000_000, products=options.products)
    print(f"{count:,} products and two weeks of sales in {time.monotonic() - started:.1f} s.", flush=True)


def _watch(directory: Path, children: Sequence[Child], listening: control.Control, stopped: list[bool]) -> None:
    """Answer questions and report tills that fell over, until somebody stops us."""
    alive = {child.n: True for child in children}

    def handle(words: list[str]) -> control.Answer:
        answer = _obey(children, words)
        alive.update({child.n: child.alive for child in children})
        _write_state(directory, children)
        return answer

    while not stopped:
        listening.serve(handle, TICK_S)
        for child in children:
            if alive[child.n] and not child.alive:
                alive[child.n] = False
                _write_state(directory, children)
                start = f"'demo ctl start {child.n}' starts it." if child.n else "Stop and start the demo."
                print(f"{child.name.capitalize()} stopped by itself; see {child.log}. {start}", flush=True)


def _obey(everyone: Sequence[Child], words: list[str]) -> control.Answer:
    children = [child for child in everyone if child.n]
    match control.check(words):
        case ["kill", number]:
            _find(children, int(number)).kill()
        case ["start", number]:
            child = _find(children, int(number))
            child.start()
            wait_ready(child)
        case ["cut", listed]:
            _cut(children, {_find(children, int(number)).n for number in listed.split(",")})
        case ["heal"]:
            _cut(children, set())
        case ["wan", to]:
            cut_wan([child.data_dir for child in children], off=to == "off")
        case _:
            pass
    return _state(everyone)


def _cut(children: Sequence[Child], apart: set[int]) -> None:
    """Part the named tills from the others: each one finds whom it does not reach in a file, and obeys."""
    for child in children:
        beyond = [other.terminal_id for other in children if (other.n in apart) != (child.n in apart)]
        half = child.data_dir / (CUT + ".new")
        half.write_text("".join(f"{terminal}\n" for terminal in beyond), "utf-8")
        half.rename(child.data_dir / CUT)


def _find(children: Sequence[Child], number: int) -> Child:
    for child in children:
        if child.n == number:
            return child
    raise NotFound(f"this demo has no till {number}", hint=f"It has {', '.join(str(child.n) for child in children)}.")


def _state(everyone: Sequence[Child]) -> control.Answer:
    hub = next((child for child in everyone if not child.n), None)
    return {
        "pid": os.getpid(),
        "tills": [child.view() for child in everyone if child.n],
        "hub": None if hub is None else hub_view(hub),
    }


def _write_state(directory: Path, children: Sequence[Child]) -> None:
    """Write demo.json so that a reader sees all of it or none."""
    half = directory / (STATE + ".new")
    half.write_text(json.dumps(_state(children), indent=2) + "\n", "utf-8")
    half.rename(directory / STATE)


def _welcome(options: Options, children: Sequence[Child]) -> None:
    print(f"\n{SETTINGS['name']} is open:\n")
    for child in children:
        print(f"  {child.name:<12} {child.url}")
    print("\nSign in with a PIN:\n")
    for person in PEOPLE:
        print(f"  {person.pin}   {person.name} ({person.role})")
    print(f"\nA gift card to pay with: {GIFT_CARDS[0][0]}. A coupon from 40.00 on: WELCOME5.")
    if not options.no_hub:
        print(f"\nAt head office sign in as {OFFICE_USER} with the password {OFFICE_PASSWORD}.")
    print("\nCtrl-C stops everything.\n", flush=True)
    if not options.headless and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(children[0].url)


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM while we were busy."""


@contextmanager
def _signals() -> Iterator[list[bool]]:
    """Turn SIGINT and SIGTERM into a mark, and into an exception the first time: waiting is cut short."""
    stopped: list[bool] = []

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        first = not stopped
        stopped.append(True)
        if first:
            raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold the directory's lock; raises :class:`Conflict` when another demo runs in it."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as cause:
            raise Conflict(
                f"a demo is running in {directory}", hint="Stop it, or choose another --data DIR and --port."
            ) from cause
        yield
