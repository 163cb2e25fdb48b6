"""The audit log speaks the language of whoever reads it: no name of the program's own stands there."""

import json
import re

from tests.tracked_files import ROOT
from tillmesh.adapters.sqlite.ledger import _AUDITED

WORDS = ROOT / "src/tillmesh/terminal/web/static/locales/en.json"
NAMED_OTHERWISE = {"audited", "sale_closed", "cash_moved"}  # by what happened: see till/audit_text.py
NOTED = re.compile(r'(?:Note\(\s*action=|\.note\(\s*|\.audit\(\s*|_note\(opened, )"([a-z_]+)"')


def test_whatever_stands_in_the_audit_log_has_words() -> None:
    sources = [*(ROOT / "src/tillmesh/terminal").rglob("*.py"), *(ROOT / "src/tillmesh/till").glob("*.py")]
    noted = {name for path in sources for name in NOTED.findall(path.read_text("utf-8"))}
    assert {"till_revoked", "drawer_opened", "clock_ahead", "store_created"} <= noted
    known = {key.removeprefix("audit.") for key in json.loads(WORDS.read_text("utf-8"))}
    assert (noted | _AUDITED) - NAMED_OTHERWISE - known == set()
