"""The command line of ``tillmesh backup``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tillmesh.terminal import backup


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the words of ``tillmesh backup``."""
    words = parser.add_subparsers(required=True, metavar="WHAT", dest="what")
    key = argparse.ArgumentParser(add_help=False)
    key.add_argument("--key-file", type=Path, help="32-byte database key; default: keys/ in the data directory")
    here = argparse.ArgumentParser(add_help=False, parents=[key])
    here.add_argument("--data-dir", type=Path, required=True)
    here.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where back-ups are: another disk")
    making = words.add_parser("make", parents=[here], help="make one, beside the running till")
    making.add_argument("--keep", type=int, default=backup.KEEP, metavar="N", help="delete older ones but N (14)")
    words.add_parser("drill", parents=[here], help="put the newest one back in a place of its own and look through it")
    checking = words.add_parser("check", help="read all of one; with its key, everything that was ever sold in it")
    checking.add_argument("backup", type=Path)
    checking.add_argument("--key-file", type=Path, help="the database key of then; it is not in the back-up")
    restoring = words.add_parser("restore", help="make one a till again, in an empty data directory")
    restoring.add_argument("backup", type=Path)
    restoring.add_argument("--data-dir", type=Path, required=True, help="empty, or not there yet")
    restoring.add_argument("--key-file", type=Path, required=True, help="the database key of then")


def carry_out(options: argparse.Namespace) -> dict[str, Any]:
    """Do it, and give what there is to show; ``ok`` says whether all is well, where that is the question."""
    match options.what:
        case "make":
            return backup.make(options.data_dir, options.to, key_file=options.key_file, keep=max(1, options.keep))
        case "drill":
            return backup.drill(options.data_dir, options.to, key_file=options.key_file)
        case "check":
            return backup.check(options.backup, key_file=options.key_file)
        case _:
            return backup.restore(options.backup, options.data_dir, key_file=options.key_file)
