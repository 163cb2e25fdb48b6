"""Search as you type: the index of all names is patched, not built anew, when products change."""

import json
from typing import Any

import pytest

from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]

# The page's own module renames products at random many times; each index must be what one built from nothing is.
PATCH = """async () => {
  const { indexOfNames, renamed, searchRows } = await import("/static/lib/search.js");
  let seed = 7;
  const draw = (below) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % below;
  const word = () => Array.from({ length: draw(6) }, () => "abcde"[draw(5)]).join("");
  const name = () => Array.from({ length: draw(4) }, word).join(" ");
  let compared = 0;
  for (let round = 0; round < 500; round += 1) {
    const names = Array.from({ length: draw(12) }, name);
    let index = indexOfNames(names);
    for (let step = 0; step < 3; step += 1) {
      const changed = new Map();
      for (let left = draw(5); left > 0; left -= 1) {
        const row = draw(2) && names.length ? draw(names.length) : names.length;
        names[row] = name();
        changed.set(row, names[row]);
      }
      index = renamed(index, changed);
      const anew = indexOfNames(names);
      const same = index.text === anew.text && index.starts.join() === anew.starts.join();
      if (!same) return [names, [...changed], index.text];
      const asked = "abcde"[draw(5)];
      const found = searchRows(index, asked, 100, () => true).sort((a, b) => a - b);
      const holds = names.flatMap((one, row) => (one.includes(asked) ? [row] : []));
      if (found.join() !== holds.join()) return [names, asked, found];
      compared += 1;
    }
  }
  return compared;
}"""


def test_an_index_that_was_patched_is_the_one_built_anew(shop_window: TillProcess, at_till: OpenCashier) -> None:
    found: Any = at_till(shop_window).sign_in().page.evaluate(PATCH)
    assert found == 1_500, json.dumps(found)
