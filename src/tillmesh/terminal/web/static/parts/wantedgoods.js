// Goods that somebody puts together, for an order or for another store: found by name or scanned, each with how many.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { moneyField, parseMoney, parseQuantity } from "../lib/money.js";
import { product, rowOfCode } from "../state/catalogue.js";
import { get } from "../state/session.js";
import { useScans } from "../state/scan.js";
import { Field } from "./fields.js";
import { Icon } from "./icon.js";
import { ProductPicker } from "./picker.js";

/** As it is typed. @typedef {{sku: string, name: string, quantity: string, cost: string}} Wanted */

/** @param {Wanted[]} lines */
export const areGood = (lines) => lines.length > 0 && lines.every((line) => (parseQuantity(line.quantity) ?? 0) > 0 && (!line.cost || parseMoney(line.cost) !== null));

/** @param {Wanted} line */
export const quantityOf = (line) => line.quantity.replace(",", ".");

/** @param {{lines: Wanted[], setLines: (change: (now: Wanted[]) => Wanted[]) => void, priced?: boolean}} props `priced`: what they cost is asked, too */
export function WantedGoods({ lines, setLines, priced = false }) {
  const add = async (/** @type {{sku: string, name: string}} */ { sku, name }) => {
    const whole = priced ? await get(`/products/${encodeURIComponent(sku)}`).catch(() => ({})) : {};
    setLines((now) => (now.some((line) => line.sku === sku) ? now : [...now, { sku, name, quantity: "1", cost: whole.cost_minor ? moneyField(whole.cost_minor) : "" }]));
  };
  const set = (/** @type {string} */ sku, /** @type {Partial<Wanted>} */ change) => setLines((now) => now.map((line) => (line.sku === sku ? { ...line, ...change } : line)));
  useScans((code) => {
    const row = rowOfCode(code);
    if (row >= 0) void add(product(row));
  });
  return html`<div class="field"><span class="label">${t("buy.add")}</span><${ProductPicker} auto=${false} onPick=${add} /></div>
    <ul class="rows">${lines.map((line) => html`<li key=${line.sku} class=${`buy-line ${priced ? "priced" : ""}`}><b>${line.name}</b>
      <${Field} label=${t("cart.quantity")} mode="decimal" value=${line.quantity} onChange=${(/** @type {string} */ quantity) => set(line.sku, { quantity })} />
      ${priced && html`<${Field} label=${t("product.cost")} mode="decimal" value=${line.cost} onChange=${(/** @type {string} */ cost) => set(line.sku, { cost })} />`}
      <button type="button" class="btn ghost icon" aria-label=${t("cart.remove", { name: line.name })} onClick=${() => setLines((now) => now.filter((one) => one.sku !== line.sku))}><${Icon} name="x" /></button></li>`)}</ul>`;
}
