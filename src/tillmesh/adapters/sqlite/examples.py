"""What cameras learnt of products, as recognition needs it: the newest examples of each, after the last fresh start."""

from __future__ import annotations

from collections.abc import Collection

import apsw

from tillmesh.adapters.sqlite.database import rows
from tillmesh.kernel.codec import decode
from tillmesh.kernel.limits import EXAMPLES_MAX, EXAMPLES_PER_PRODUCT_MAX


def examples(db: apsw.Connection, space: str) -> list[tuple[str, bytes]]:
    """List sku and example, for products that are sold; the same on every till that holds the same events."""
    sql = (
        "SELECT x.sku, x.replaces, x.space, x.vectors FROM example x JOIN actor a ON a.id = x.actor "
        "JOIN product p ON p.sku = x.sku WHERE p.active ORDER BY x.sku, x.hlc DESC, a.name DESC, x.seq DESC"
    )
    found: list[tuple[str, bytes]] = []
    ended = ""  # the product whose older examples count no more
    taken: dict[str, int] = {}
    for sku, replaces, of_space, vectors in rows(db, sql):
        if sku == ended:
            continue
        if of_space == space:
            for vector in reversed(decode(vectors, tuple[bytes, ...])):
                if taken.get(sku, 0) < EXAMPLES_PER_PRODUCT_MAX and len(found) < EXAMPLES_MAX:
                    found.append((sku, vector))
                    taken[sku] = taken.get(sku, 0) + 1
        if replaces:
            ended = sku
    return found


def named(db: apsw.Connection, names: Collection[str]) -> list[tuple[str, str]]:
    """List products that are called as one of these names, whatever the case: sku and the name as given."""
    folded = {name.casefold(): name for name in names}
    if not folded:
        return []
    marks = ", ".join("?" * len(folded))
    sql = f"SELECT sku, lower(name) FROM product WHERE active AND lower(name) IN ({marks}) ORDER BY sku"  # noqa: S608
    return [(sku, folded[name]) for sku, name in rows(db, sql, tuple(folded)) if name in folded]
