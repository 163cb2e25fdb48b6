"""The audit log speaks the language of whoever reads it: no name of the program's own stands there."""

import json
import re

from tests.tracked_files import ROOT
from tillmesh.adapters.sqlite.ledger import _AUDITED
from tillmesh.fleet.ingest import Forked, TooManyActors, Unsigned
from tillmesh.shop import catalogue, setting_fields
from tillmesh.shop.offers import fields as offers
from tillmesh.till import audit_text

WORDS = ROOT / "src/tillmesh/terminal/web/static/locales/en.json"
NAMED_OTHERWISE = {"audited", "sale_closed", "cash_moved"}  # by what happened: see till/audit_text.py
NOTED = re.compile(r'(?:Note\(\s*action=|\.note\(\s*|\.audit\(\s*|_note\(opened, |noted\(\s*|_alarm\(\s*)"([a-z_]+)"')
FROM_OFFICE = {f"hub_{trouble.kind}".replace("-", "_") for trouble in (Forked, Unsigned, TooManyActors)}


def words(prefix: str) -> set[str]:
    """Name what stands in the catalogue under a prefix."""
    return {key.removeprefix(prefix) for key in json.loads(WORDS.read_text("utf-8")) if key.startswith(prefix)}


def test_whatever_stands_in_the_audit_log_has_words() -> None:
    places = ("terminal", "till", "sync")
    sources = [path for place in places for path in (ROOT / "src/tillmesh" / place).rglob("*.py")]
    noted = {name for path in sources for name in NOTED.findall(path.read_text("utf-8"))}
    assert {"till_revoked", "drawer_opened", "clock_ahead", "store_created", "hub_refused", "model_refused"} <= noted
    assert (noted | FROM_OFFICE | _AUDITED) - NAMED_OTHERWISE - words("audit.") == set()


def test_every_code_that_the_audit_log_gives_has_words() -> None:
    code = (ROOT / "src/tillmesh/till/audit_text.py").read_text("utf-8")
    codes = set(re.findall(r'_word\("([a-z_]+)"', code))
    assert {"float", "variance", "field", "records"} <= codes
    assert codes - {"field", "purse"} - words("audit.word.") == set()  # these two are said by what they name
    assert {"gift_card", "account", "points"} == words("audit.purse.")


def test_every_field_that_somebody_can_change_has_a_name_in_the_audit_log() -> None:
    stored = {name for table in (offers._PROMOTION, offers._LIST) for name, _ in table.values()}
    fields = {*catalogue.Product.__struct_fields__, *setting_fields._STORE, *setting_fields._TERMINAL, *stored}
    assert (fields | audit_text.SECRET) - words("audit.field.") == set()
