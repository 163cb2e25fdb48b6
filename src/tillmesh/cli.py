"""The ``tillmesh`` command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tillmesh import __version__
from tillmesh.kernel.errors import Invalid, TillmeshError
from tillmesh.terminal.logs import start_logging

OF_HEAD_OFFICE = (["publish"], ["rollback"], ["registry"])  # of tillmesh models: a till has not what they need
OWN_OPTIONS = (["demo"], ["bench"], ["hub"], ["models"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; problems go to standard error in words, with exit status 1 (2 for wrong usage)."""
    start_logging()
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    # These read their own options: argparse would take a leading "--option" of theirs for its own.
    options = parser.parse_args(given[:1]) if given[:1] in OWN_OPTIONS else parser.parse_args(given)
    if given[:1] in OWN_OPTIONS:
        options.rest = given[1:]
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        sys.exit(run(options))
    except TillmeshError as error:
        print(f"tillmesh: {error.detail}. {error.hint}".rstrip(), file=sys.stderr)
        sys.exit(1)
    except OSError as cause:
        if cause.filename is None:
            raise
        hint = "Look whether it is there, and whether this user may use it."
        print(f"tillmesh: {cause.filename} can't be used ({cause.strerror}). {hint}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tillmesh", description="An offline-first point of sale.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _terminal(commands.add_parser("terminal", help="run one till"))
    _demo(commands.add_parser("demo", help="run a demo store on this machine", add_help=False))
    _hub(commands.add_parser("hub", help="run head office", add_help=False))
    _import(commands.add_parser("import", help="import products from a CSV file"))
    _export(commands.add_parser("export", help="books of a store as a file for accountants"))
    _verify(commands.add_parser("verify", help="check a data directory: chains, gaps, money"))
    _bench(commands.add_parser("bench", help="reproducible benchmarks", add_help=False))
    _sim(commands.add_parser("sim", help="live through simulated stores, each from one seed"))
    _store(commands.add_parser("store", help="create a store, take tills in, remove them"))
    _backup(commands.add_parser("backup", help="back-ups of a till: make, try out, check, put back"))
    _language(commands.add_parser("language", help="begin another language, or say what one still lacks"))
    _doctor(commands.add_parser("doctor", help="what is wrong, in words"))
    _models(commands.add_parser("models", help="make, judge and ship models", add_help=False))
    return parser


def _terminal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--bind", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--key-file", type=Path, help="32-byte database key; default: keys/ in the data directory")
    parser.add_argument("--link-port", type=int, default=0, help="where the store's other tills reach this one")
    parser.add_argument("--link-bind", default="0.0.0.0", metavar="IP", help="the address for them; default: all")  # noqa: S104
    parser.add_argument(
        "--peer", action="append", default=[], metavar="HOST:PORT", help="another till, where mDNS does not reach"
    )
    parser.add_argument("--no-mdns", action="store_true", help="neither announce this till nor listen for others")
    parser.add_argument("--cut-file", type=Path, help="for demonstrations: terminal ids that are out of reach")
    parser.add_argument("--hub-url", default="", help="head office's door for stores, like https://hub.example:8180")
    parser.add_argument(
        "--wan-file", type=Path, help="for demonstrations: while it exists, head office is out of reach"
    )
    parser.add_argument("--no-ai", action="store_true", help="run no models on this till")
    parser.add_argument(
        "--office-port", type=int, default=0, metavar="PORT", help="let paired devices use this till's pages over TLS"
    )
    parser.add_argument("--office-bind", default="0.0.0.0", metavar="IP", help="the address for them; default: all")  # noqa: S104
    parser.add_argument(
        "--model-deadline-ms", type=int, default=0, metavar="MS", help="wait so long for a model; default: as it says"
    )

    parser.set_defaults(run=_run_terminal)


def _run_terminal(options: argparse.Namespace) -> int:
    from tillmesh.terminal.belonging import Around
    from tillmesh.terminal.program import Options, serve

    around = Around(
        link_port=options.link_port,
        peers=tuple(options.peer),
        link_bind=options.link_bind,
        mdns=not options.no_mdns,
        cut_file=options.cut_file,
        hub_url=options.hub_url,
        wan_file=options.wan_file,
    )
    serve(
        Options(
            options.data_dir,
            options.bind,
            options.port,
            options.key_file,
            around,
            ai=not options.no_ai,
            office_port=options.office_port,
            office_bind=options.office_bind,
            model_deadline_ms=options.model_deadline_ms,
        )
    )
    return 0


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="see: tillmesh demo --help")

    def run(options: argparse.Namespace) -> int:
        from tillmesh.demo.history import FLOAT_MINOR
        from tillmesh.demo.program import main as demo
        from tillmesh.demo.shop_data import MANAGER
        from tillmesh.terminal.joining import join_here, store_of
        from tillmesh.terminal.offline import OfflineTill
        from tillmesh.till.commands import Who

        opener = Who(user_id=MANAGER.user_id, role=MANAGER.role)

        def join(first: Path, data_dir: Path, number: int) -> object:
            return join_here(first, data_dir, number=number, float_minor=FLOAT_MINOR, by=opener)

        def connect(hub_dir: Path, tills: Sequence[Path]) -> None:
            from tillmesh.demo.office import OFFICE_PASSWORD, OFFICE_USER
            from tillmesh.hub.enrolling import prepare
            from tillmesh.terminal.provisioning import store_authority
            from tillmesh.terminal.store_commands import head_office

            believed = store_authority(tills[0])
            bundle = prepare(hub_dir, store_of(tills[0]), OFFICE_USER, OFFICE_PASSWORD, believed)
            for till in tills:
                head_office(till, bundle)

        return demo(options.rest, lambda data_dir: OfflineTill(data_dir, hurried=True), join, connect)

    parser.set_defaults(run=run)


def _hub(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="see: tillmesh hub --help")

    def run(options: argparse.Namespace) -> int:
        from tillmesh.hub.commands import main as hub

        return hub(options.rest)

    parser.set_defaults(run=run)


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=["products"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--key-file", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
    parser.add_argument("--skip-bad", action="store_true", help="import the good lines when others are wrong")
    parser.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="name a column of the file")

    def run(options: argparse.Namespace) -> int:
        from tillmesh.shop.product_columns import parse_mapping
        from tillmesh.terminal.import_command import import_products

        mapping = parse_mapping(options.map)
        report = import_products(
            options.file,
            options.data_dir,
            mapping=mapping,
            dry_run=options.dry_run,
            skip_bad=options.skip_bad,
            key_file=options.key_file,
        )
        print(json.dumps(report, indent=2, ensure_ascii=False))
        return 1 if report["error_count"] and not options.skip_bad else 0

    parser.set_defaults(run=run)


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=["accounting"])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--key-file", type=Path)
    parser.add_argument("--from", dest="first", default="", metavar="DAY", help="default: the first of the month")
    parser.add_argument("--to", dest="last", default="", metavar="DAY", help="default: yesterday")
    parser.add_argument("--format", default="plain", choices=["plain", "datev"], help="default: plain")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="default: here")

    def run(options: argparse.Namespace) -> int:
        from tillmesh.terminal.bookkeeping import export

        file = export(options.data_dir, options.first, options.last, options.format, key_file=options.key_file)
        place = options.out / file.name
        place.write_bytes(file.content)
        print(place)
        return 0

    parser.set_defaults(run=run)


def _verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--key-file", type=Path)
    parser.add_argument("--quick", action="store_true", help="do not build the tables anew to compare them")

    def run(options: argparse.Namespace) -> int:
        from tillmesh.terminal.verifying import verify

        report = verify(options.data_dir, key_file=options.key_file, quick=options.quick)
        print(json.dumps(report, indent=2))
        return 0 if report["ok"] else 1

    parser.set_defaults(run=run)


def _bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="see: tillmesh bench --help")

    def run(options: argparse.Namespace) -> int:
        from tillmesh.bench.program import main as bench

        return bench(options.rest)

    parser.set_defaults(run=run)


def _models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="see: tillmesh models --help")

    def run(options: argparse.Namespace) -> int:
        if options.rest[:1] in OF_HEAD_OFFICE:
            from tillmesh.hub.publishing import main as registry

            return registry(options.rest, print)
        from tillmesh.learn.program import main as models

        return models(options.rest, print)

    parser.set_defaults(run=run)


def _sim(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--count", type=int, default=1, help="how many seeds, one after the other (1)")
    parser.add_argument("--tills", type=int, help="1 to 15; as the seed says, when not given")
    parser.add_argument("--steps", type=int, help="what people do in each world (60)")
    parser.add_argument("--trace", action="store_true", help="tell everything that happens")

    def run(options: argparse.Namespace) -> int:
        from tillmesh.sim.program import simulate

        seeds = range(options.seed, options.seed + options.count)
        return simulate(seeds, options.tills, options.steps, say=print, trace=options.trace)

    parser.set_defaults(run=run)


def _store(parser: argparse.ArgumentParser) -> None:
    from tillmesh.terminal.store_program import add_commands, carry_out

    def run(options: argparse.Namespace) -> int:
        print(json.dumps(carry_out(options), indent=2))
        return 0

    add_commands(parser)
    parser.set_defaults(run=run)


def _backup(parser: argparse.ArgumentParser) -> None:
    from tillmesh.terminal.backup_program import add_commands, carry_out

    def run(options: argparse.Namespace) -> int:
        found = carry_out(options)
        print(json.dumps(found, indent=2))
        return 0 if found.get("ok", True) else 1

    add_commands(parser)
    parser.set_defaults(run=run)


def _language(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("language", help="two letters, such as it or pl")
    parser.add_argument("--todo", type=Path, help="where to write what is missing; default: LANGUAGE.todo.json")

    def run(options: argparse.Namespace) -> int:
        from tillmesh.terminal.speaking import work_on

        print(json.dumps(work_on(options.language, options.todo), indent=2))
        return 0

    parser.set_defaults(run=run)


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--key-file", type=Path)
    parser.add_argument("--rebuild", action="store_true", help="make all tables anew from the log; stop the till first")

    parser.add_argument(
        "--restore",
        action="store_true",
        help="give the database up and get it from the other tills; stop the till first",
    )

    parser.add_argument(
        "--before-upgrade",
        action="store_true",
        help="put the database back as it was before an upgrade, for an older program; stop the till first",
    )

    parser.add_argument("--bundle", type=Path, metavar="FILE.zip", help="write what support needs, without any names")

    def run(options: argparse.Namespace) -> int:
        from tillmesh.terminal.doctor import examine

        if options.bundle:
            return _bundle(options)
        if options.restore:
            return _restore(options)
        if options.before_upgrade:
            return _before_upgrade(options)
        if options.rebuild:
            _rebuild(options)
        findings = examine(options.data_dir, key_file=options.key_file)
        for finding in findings:
            print(f"{'ok  ' if finding.ok else 'BAD '} {finding.text}")
        return 0 if all(finding.ok for finding in findings) else 1

    parser.set_defaults(run=run)


def _bundle(options: argparse.Namespace) -> int:
    from tillmesh.terminal.support import write_bundle

    if options.data_dir is None:
        raise Invalid("nothing to look at", hint="Name the till with --data-dir.")
    try:
        parts = write_bundle(options.data_dir, options.bundle, key_file=options.key_file)
    except OSError as cause:
        raise Invalid(f"{options.bundle} can't be written ({cause.strerror})", hint="Name a new file.") from cause
    print(f"ok   {options.bundle} holds {', '.join(parts)}; look into it before you send it")
    return 0


def _restore(options: argparse.Namespace) -> int:
    from tillmesh.terminal.recovering import give_up

    if options.data_dir is None:
        raise Invalid("nothing to restore", hint="Name the till with --data-dir.")
    folder = give_up(options.data_dir, "the database was given up by hand")
    print(f"ok   put into {folder}; start the till, and it asks the others")
    return 0


def _before_upgrade(options: argparse.Namespace) -> int:
    from tillmesh.terminal.going_back import go_back

    if options.data_dir is None:
        raise Invalid("nothing to put back", hint="Name the till with --data-dir.")
    print(f"ok   {go_back(options.data_dir)}; start the older program, and it asks the other tills for the rest")
    return 0


def _rebuild(options: argparse.Namespace) -> None:
    from tillmesh.terminal.rebuilding import rebuild

    if options.data_dir is None:
        raise Invalid("nothing to rebuild", hint="Name the till with --data-dir.")
    print(f"ok   {rebuild(options.data_dir, key_file=options.key_file)}")
