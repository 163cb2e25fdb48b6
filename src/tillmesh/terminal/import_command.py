"""``tillmesh import products``: a file into a data directory, with the till stopped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tillmesh.shop.product_file import batches, plan_import
from tillmesh.shop.product_rows import text_lines
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.importing import chunks, reading_of, report_view, shelf_of
from tillmesh.terminal.roomkeeping import measure
from tillmesh.till.commands import ChangeRecords, Command, Who
from tillmesh.till.room import check_room, stage_of

SYSTEM = Who(user_id="system", role="manager")


def import_products(
    file: Path,
    data_dir: Path,
    *,
    mapping: dict[str, str],
    dry_run: bool,
    skip_bad: bool,
    key_file: Path | None = None,
) -> dict[str, Any]:
    """Import a product file in one transaction and give the report."""
    opened = open_terminal(data_dir, key_file=key_file)
    try:
        room = measure(data_dir, opened.reserve)
        check_room(room, stage_of(room))
        books = opened.writer.books
        reading = reading_of(books.store(), mapping)
        plan = plan_import(text_lines(chunks(file)), reading, shelf_of(books), skip_bad=skip_bad, dry_run=dry_run)
        commands: list[tuple[Who, Command]] = [
            (SYSTEM, ChangeRecords(entity="product", changes=changes, source=file.name))
            for changes in batches(plan.changes)
        ]
        opened.writer.execute_all(opened.till, commands, time.time_ns() // 1_000_000)
        opened.anchor.remember(opened.till.head, opened.till.receipts)
        return report_view(plan.report)
    finally:
        opened.close()
