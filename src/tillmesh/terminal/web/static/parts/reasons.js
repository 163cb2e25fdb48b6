// Why something was done: the usual reasons, or one's own words.
import { html, useId, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";

/** @type {Record<string, string[]>} */
const REASONS = {
  discount: ["damaged", "short_date", "loyal", "staff", "complaint"],
  price: ["wrong_label", "damaged", "price_match", "manager"],
  refund: ["faulty", "changed_mind", "wrong_item", "overcharged"],
  void: ["mistake", "customer_left", "wrong_tender"],
  cash: ["bank", "change", "supplier", "petty"],
  drawer: ["change", "check", "float"],
  stock: ["breakage", "expired", "theft", "found", "own_use"],
  count: ["stocktake", "spot_check"],
  flag: ["talked", "camera", "counted"],
  card: ["card_lost", "card_stolen", "card_doubt"],
  rights: ["till_lost", "till_broken", "till_replaced"],
  money: ["paid_back", "told_customer", "written_off"],
};

/** Tap a usual reason or write one. @param {{kind: string, value: string, onChange: (value: string) => void}} props */
export function Reasons({ kind, value, onChange }) {
  const id = useId();
  const usual = REASONS[kind].map((key) => t(`reason.${key}`));
  return html`<div class="field"><label for=${id}>${t("reason.label")}</label>
    <div class="chips">${usual.map((text) => html`<button key=${text} type="button" class="chip" aria-pressed=${value === text} onClick=${() => onChange(value === text ? "" : text)}>${text}</button>`)}</div>
    <input id=${id} maxlength="120" placeholder=${t("reason.other")} value=${value} onInput=${(/** @type {Event} */ e) => onChange(valueOf(e))} /></div>`;
}
