"""The command line of ``tillmesh store``."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any

from tillmesh.kernel.errors import Invalid


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the words of ``tillmesh store``."""
    words = parser.add_subparsers(required=True, metavar="WHAT", dest="what")
    here = argparse.ArgumentParser(add_help=False)
    here.add_argument("--data-dir", type=Path, required=True)
    here.add_argument("--key-file", type=Path, help="32-byte database key; default: keys/ in the data directory")
    words.add_parser("create", parents=[here], help="make this till the first of a store with others")
    joining = words.add_parser("join", parents=[here], help="make a new till of the store whose till shows a code")
    joining.add_argument("--code", required=True, help="the six digits")
    joining.add_argument("--address", default="", metavar="HOST:PORT", help="where that till is; default: it is found")
    joining.add_argument("--interface", action="append", default=[], metavar="IP", help="look for it only here")
    joining.add_argument("--name", default="", help="what the new till is called; default: Till and a number")
    inviting = words.add_parser("invite", help="show a code at a running till; asks for a manager's PIN")
    inviting.add_argument("--url", required=True, help="of the till's page, like http://127.0.0.1:8081")
    removing = words.add_parser("revoke", help="remove a till for good: lost, stolen, broken")
    removing.add_argument("terminal", help="its id, as shown on the store page")
    place = removing.add_mutually_exclusive_group(required=True)
    place.add_argument("--data-dir", type=Path, help="of a till that issues, running or not")
    place.add_argument("--url", help="of a running till's page; asks for a manager's PIN")
    losing = argparse.ArgumentParser(add_help=False)
    losing.add_argument(
        "--lose-sales", type=int, metavar="N", help="go on although so many sales are on this till alone"
    )
    words.add_parser("leave", parents=[here, losing], help="take this running till out of its store")
    words.add_parser("reset", parents=[here, losing], help="delete the data of a till that is not running")
    words.add_parser("members", parents=[here], help="list the tills of the store")
    office = words.add_parser("office", parents=[here], help="let this till upload to head office when it leads")
    office.add_argument("--bundle", type=Path, required=True, help="the file from: tillmesh hub enrol")
    recovering = words.add_parser(
        "recover", parents=[here], help="let this till decide alone, or (--bundle) get a lost store from head office"
    )
    recovering.add_argument("--yes", action="store_true", help="the lost tills will not come back by themselves")
    recovering.add_argument(
        "--new-authority",
        action="store_true",
        help="the tills that issue are lost, too: let this one issue; all others join again",
    )
    recovering.add_argument("--bundle", type=Path, help="all tills are lost: the file from: tillmesh hub recovery")
    recovering.add_argument(
        "--hub-url", default="", help="head office's door for stores, like https://hub.example:8180"
    )
    recovering.add_argument(
        "--terminal", default="", help="go on as this till; default: the one with the lowest number"
    )
    recovering.add_argument("--person", default="", help="the manager who gets the new PIN, if there are several")


def carry_out(options: argparse.Namespace) -> dict[str, Any]:
    """Do it, and give what there is to show."""
    return _do(options, str(options.what))


def _do(options: argparse.Namespace, what: str) -> dict[str, Any]:
    from tillmesh.terminal import store_commands

    match what:
        case "create":
            return store_commands.create(options.data_dir, key_file=options.key_file)
        case "join":
            return store_commands.join(
                options.data_dir,
                options.code,
                address=options.address,
                name=options.name,
                interfaces=options.interface,
                key_file=options.key_file,
            )
        case "invite":
            found = store_commands.ask_till(options.url, _pin(), "/store/pairing")
            return {key: found[key] for key in ("code", "port", "expires_in_ms")}
        case "revoke" if options.url:
            return store_commands.ask_till(options.url, _pin(), "/store/revoke", {"terminal_id": options.terminal})
        case "revoke":
            return store_commands.revoke(options.data_dir, options.terminal)
        case "office":
            return store_commands.head_office(options.data_dir, options.bundle.read_bytes())
        case "leave" | "reset" | "members":
            return _own(options, what)
        case _:
            return _recover(options)


def _own(options: argparse.Namespace, what: str) -> dict[str, Any]:
    """Do what concerns the till of a data directory alone."""
    from tillmesh.terminal import store_commands
    from tillmesh.terminal.resetting import reset

    if what == "members":
        return store_commands.members(options.data_dir)
    ask = reset if what == "reset" else store_commands.leave
    return ask(options.data_dir, options.lose_sales, key_file=options.key_file)


def _recover(options: argparse.Namespace) -> dict[str, Any]:
    if options.bundle is not None:
        from tillmesh.terminal.store_recovery import Asked, recover_from_office

        asked = Asked(options.bundle.read_bytes(), options.terminal, options.person, _pin("New PIN of a manager: "))
        return recover_from_office(options.data_dir, asked, options.hub_url, key_file=options.key_file)
    from tillmesh.terminal.council_recovery import recover_store

    if not options.yes:
        raise Invalid(
            "this makes the till the only one that decides; do it when most of the others are lost for good",
            hint="Say --yes if that is so. Tills that come back are taken in again.",
        )
    found = recover_store(options.data_dir, key_file=options.key_file, new_authority=options.new_authority)
    if not found["issues"]:
        found["note"] = "it can't take tills in: if all that can are lost, too, run this again with --new-authority"
    return found


def _pin(prompt: str = "Manager's PIN: ") -> str:
    """Ask for the PIN, never on the command line, where every program on the machine can read it."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.readline().strip()
