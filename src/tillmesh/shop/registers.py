"""How a record that several tills write stays within the fields that one register can hold."""

from __future__ import annotations

from typing import Final

from tillmesh.crdt import LWWMap
from tillmesh.kernel.limits import CRDT_FIELDS_MAX
from tillmesh.shop.personal import CUSTOMER, ERASED

# Every name that this program writes into any register. Names that it does not know come after all of these when a
# register has too many; whoever adds one here, and nobody else, changes what is kept of such a register.
KNOWN: Final = frozenset(
    "name price_minor unit tax_code department barcodes active favourite track_stock low_stock_milli cost_minor "
    "colour icon parent options min_age image hard_limited sku email phone note address group credit_limit_minor "
    "erased role pin_tag language last_four blocked_reason until_ms contact lead_days articles tax_id currency "
    "locale time_zone prices_include_tax tax_rounding rounding cash_step_minor cash_rounding tax_rates "
    "receipt_footer discount_limit_ppm refund_limit_minor barcode_layouts scanner_prefix pay_methods "
    "loyalty_earn_minor loyalty_point_minor offline_redeem_max_minor departments oversell_policy "
    "oversell_adjust_max_milli fiscal_closes quick_keys shelf accounts oversell_policy_name number printer_kind "
    "printer_target printer_columns print_receipts open_drawer training signature_device signature_late "
    "card_terminal card_simulation kind rate_ppm amount_minor buy_count get_count skus codes groups "
    "minimum_minor most_minor uses_max code_uses_max customer_uses_max start_ms weekdays from_minute "
    "until_minute exclusive priority everyone customers times_max scale_kind scale_target scale_least_g scale_tares "
    "scale_auto pole_kind pole_target pole_page pole_greeting".split()
)
assert len(KNOWN) < CRDT_FIELDS_MAX


def join(entity: str, held: LWWMap | None, written: LWWMap) -> LWWMap:
    """Merge what was written into a register; an erased customer stays erased, and nothing else stays of it.

    It never fails: a till that lies can't make a register too long for others to write. Of too many names the same
    ones stay in whatever order they come: those that are known, then the first of the rest. A name that gave way once
    gives way for good, as the names before it never go.
    """
    if entity == CUSTOMER and any(each is not None and each.get("erased") is True for each in (held, written)):
        return ERASED
    if held is None:
        return written
    names = held.entries.keys() | written.entries.keys()
    if len(names) <= CRDT_FIELDS_MAX:
        return held.merge(written)
    kept = set(sorted(names, key=lambda name: (name not in KNOWN, name))[:CRDT_FIELDS_MAX])
    return _only(kept, held).merge(_only(kept, written))


def _only(names: set[str], one: LWWMap) -> LWWMap:
    return LWWMap({name: entry for name, entry in one.entries.items() if name in names})
