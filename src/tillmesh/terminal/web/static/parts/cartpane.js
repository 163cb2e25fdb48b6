// The current sale: lines, totals, and the one primary action.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money, quantity } from "../lib/money.js";
import { cart, isWeighed, itemCount, moveSelection, pending, removeLine, selected, selectedLine, setQuantity, submit } from "../state/cart.js";
import { booted, parkedCount, shift, taxesIncluded } from "../state/session.js";
import { openDialog } from "../state/notices.js";
import { parseQuantity } from "../lib/money.js";
import { paidOf } from "../state/paint.js";
import { NoteDialog, PriceDialog, QuantityDialog } from "./linedialogs.js";
import { Icon, Key } from "./icon.js";
import { Lacking } from "./lacking.js";
import { Repriced } from "./repriced.js";
import { Virtual } from "./virtual.js";

/** @typedef {import("../state/paint.js").Line} Line */

/** @param {Line} line */
export const discountWords = (line) =>
  line.discount?.percent ? t("cart.off.percent", { percent: quantity(line.discount.percent) }) : line.discount ? t("cart.off.amount", { amount: money(line.discount_minor) }) : "";

/** @param {Line} line */
function under(line) {
  const parts = [];
  const weighed = isWeighed(line.unit);
  if (weighed) parts.push(t("cart.weight", { quantity: quantity(line.quantity), unit: line.unit, price: money(line.unit_price_minor) }));
  else parts.push(t("cart.each", { price: money(line.unit_price_minor) }));
  if (line.weighed === "hand" || line.weighed === "part") parts.push(t(line.weighed === "hand" ? "cart.byhand" : "cart.part"));
  if (line.unit_price_minor !== line.list_price_minor && line.list_price_minor) parts.push(t("cart.was", { price: money(line.list_price_minor) }));
  const off = discountWords(line);
  if (off) parts.push(off);
  for (const one of line.promotions ?? []) if (!one.on_cart) parts.push(`${one.name} −${money(one.amount_minor)}`);
  if (line.price_list) parts.push(line.price_list);
  if (line.note) parts.push(line.note);
  return parts.join(" · ");
}

/** What only moves money is named in the language of the page. @param {Line} line */
const nameOf = (line) => (line.sku === "gift-card" ? t("method.gift_card") : line.sku === "account-payment" ? t("payoff.line") : line.name);

/** Ask for a line's quantity or weight. @param {Line} line */
export async function askQuantity(line) {
  const milli = await openDialog(QuantityDialog, { name: line.name, unit: line.unit, price: line.unit_price_minor, quantity: line.quantity });
  if (milli !== undefined) setQuantity(line.line_id, milli);
}

/** A line as the customer counts it: a discount on the whole sale is shown once, below. @param {Line} line */
const beforeSale = (line) => line.total_minor + (line.cart_discount_minor ?? 0);

/** @param {{line: Line, index: number, all: number}} props */
const CartLine = ({ line, index, all }) =>
  html`<div role="listitem" aria-setsize=${all} aria-posinset=${index + 1} class=${`line ${selected.value === line.line_id ? "sel" : ""} ${line.unsaved ? "unsaved" : ""}`} data-line=${line.line_id}>
    <button class="q num" onClick=${() => { selected.value = line.line_id; void askQuantity(line); }} aria-label=${t("cart.quantity.change", { name: line.name, quantity: quantity(line.quantity) })}>
      ${isWeighed(line.unit) ? html`<${Icon} name="scale" />` : quantity(line.quantity)}</button>
    <button class="line-main" aria-pressed=${selected.value === line.line_id} onClick=${() => void (selected.value = selected.value === line.line_id ? "" : line.line_id)}>
      <b>${nameOf(line)}</b><small class="num">${under(line)}</small>
    </button>
    <span class="t num">${line.discount_minor > 0 && html`<s>${money(beforeSale(line) + line.discount_minor)}</s>`}${money(beforeSale(line))}</span>
  </div>`;

/** Raise or lower the selected line. @param {number} by */
export function step(by) {
  const line = selectedLine.peek();
  if (!line) return moveSelection(1);
  if (isWeighed(line.unit)) return void askQuantity(line);
  setQuantity(line.line_id, (parseQuantity(line.quantity) ?? 0) + by * 1000);
}

/** @param {{line: Line}} props */
function LineBar({ line }) {
  const price = async () => {
    const op = await openDialog(PriceDialog, { line });
    if (op) submit({ op: "set_price", line_id: line.line_id, ...op });
  };
  const note = async () => {
    const text = await openDialog(NoteDialog, { title: t("note.title"), text: line.note ?? "" });
    if (text !== undefined) submit({ op: "note", line_id: line.line_id, text });
  };
  return html`<div class="linebar" role="group" aria-label=${t("cart.line", { name: line.name })}>
    <div class="stepper"><button class="btn" onClick=${() => step(-1)} aria-label=${t("cart.less")}><${Icon} name="minus" /></button>
      <button class="btn num" onClick=${() => askQuantity(line)} aria-label=${t("cart.quantity.change", { name: line.name, quantity: quantity(line.quantity) })}>${quantity(line.quantity)}${isWeighed(line.unit) ? ` ${line.unit}` : ""}</button>
      <button class="btn" onClick=${() => step(1)} aria-label=${t("cart.more")}><${Icon} name="plus" /></button></div>
    <button class="btn" onClick=${price}><${Icon} name="tag" />${t("cart.price")}</button>
    <button class="btn" onClick=${note}><${Icon} name="square-pen" />${t("cart.note")}</button>
    <button class="btn bad-ink" onClick=${() => removeLine(line.line_id)} aria-label=${t("cart.remove", { name: line.name })} title=${t("cart.remove.key")}><${Icon} name="trash-2" /></button>
  </div>`;
}

const Empty = () =>
  booted.value && !shift.value
    ? html`<div class="empty"><${Icon} name="wallet" size="xl" /><b>${t("shift.none")}</b><span>${t("shift.none.hint")}</span><a class="btn primary" href="#/shift">${t("shift.open")}</a></div>`
    : html`<div class="empty"><${Icon} name="scan-barcode" size="xl" /><b>${t("cart.empty")}</b><span>${t("cart.empty.hint")}</span></div>`;

const Totals = () => {
  const now = cart.value;
  const off = now.discount_minor;
  return html`<div class="tot">
    ${now.coupons?.map((one) => html`<div key=${one.code}><button class="btn" aria-label=${t("coupon.remove", { code: one.code })} onClick=${() => submit({ op: "remove_coupon", text: one.code })}>${one.code}<${Icon} name="x" /></button>${!one.used && html`<span>${t("coupon.waits")}</span>`}</div>`)}
    ${now.promotions?.map((one) => one.on_cart && html`<div key=${one.promotion_id}><span>${one.name}</span><output class="num">−${money(one.amount_minor)}</output></div>`)}
    ${off > 0 && html`<div class="off"><span>${t("cart.discount")}${now.discount?.percent ? ` ${quantity(now.discount.percent)} %` : ""}</span><output class="num">−${money(off)}</output></div>`}
    <div><span>${t(taxesIncluded.value ? "cart.tax.included" : "cart.tax")}</span><output class="num">${money(now.tax_minor)}</output></div>
    <div class="big" aria-live="polite" aria-atomic="true"><span>${t("cart.total")}</span><output class="num" id="total">${money(now.total_minor)}</output></div>
    ${paidOf(now) > 0 && html`<div><span>${t("cart.paid")}</span><output class="num" id="paid">−${money(paidOf(now))}</output></div>`}
  </div>`;
};

/**
 * @param {{actions: {customer: () => void, discount: () => void, park: () => void, refund: () => void, clear: () => void, charge: () => void}, multiplier: string}} props
 */
export function CartPane({ actions, multiplier }) {
  const now = cart.value;
  const line = selectedLine.value;
  const at = line ? now.lines.indexOf(line) : -1;
  const empty = now.lines.length === 0;
  const parked = parkedCount.value;
  return html`<aside class="cart" aria-label=${t("cart.title")}>
    <header><h2>${t("cart.title")}</h2>${!empty && html`<span class="pill sm num">${t("cart.items", { n: itemCount.value })}</span>`}<span class="spacer" />
      <button class=${`btn ghost ${now.customer ? "named" : ""}`} onClick=${actions.customer}><${Icon} name="user" /><span class="clip">${now.customer?.name || t("cart.customer")}</span><${Key} k="F4" /></button></header>
    ${multiplier && html`<p class="multiplier" role="status"><b class="num">${multiplier}</b> ${t("sell.multiplier")}</p>`}
    ${empty
      ? html`<${Empty} />`
      : html`<${Virtual} className="lines" role="list" label=${t("cart.lines")} count=${now.lines.length} height=${62} show=${at >= 0 ? at : now.lines.length - 1}
          item=${(/** @type {number} */ index) => html`<${CartLine} key=${now.lines[index].line_id} line=${now.lines[index]} index=${index} all=${now.lines.length} />`} />`}
    <${Lacking} /><${Repriced} />${line && html`<${LineBar} line=${line} />`}
    <${Totals} />
    <div class="acts">
      <button class="btn" disabled=${empty} onClick=${actions.discount}><${Icon} name="percent" /><span>${t("cart.act.discount")}</span><${Key} k="F7" /></button>
      <button class="btn" disabled=${empty && !parked} onClick=${actions.park}><${Icon} name=${empty && parked ? "play" : "pause"} /><span>${empty && parked ? t("cart.act.resume", { n: parked }) : t("cart.act.park")}</span><${Key} k="F6" /></button>
      <button class="btn" onClick=${actions.refund}><${Icon} name="undo-2" /><span>${t("cart.act.return")}</span><${Key} k="F8" /></button>
      <button class="btn" disabled=${empty && !paidOf(now)} onClick=${actions.clear}><${Icon} name="trash-2" /><span>${t("cart.act.clear")}</span></button>
    </div>
    <button class="pay" disabled=${empty || pending.value > 0} onClick=${actions.charge} aria-keyshortcuts="F9">
      <span>${t("cart.charge")} <${Key} k="F9" /></span><span class="num">${money(Math.max(0, now.total_minor - paidOf(now)))}</span></button>
  </aside>`;
}
