// What to order soon: how fast it sells, how long it lasts, how much to order, and how sure that is.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { quantity } from "../lib/money.js";
import { styleOf } from "./departments.js";
import { Icon } from "./icon.js";
import { quantityWords } from "./linedialogs.js";
import { Loading, Nothing, useLoad } from "./load.js";
import { Virtual } from "./virtual.js";

/** @param {number} days */
const lasts = (days) => (days < 1 ? t("order.lasts.less") : t("order.lasts", { n: Math.floor(days) }));

/** @param {{item: any, onMove: (item: any) => void}} props */
const Row = ({ item, onMove }) => {
  const style = styleOf(item.department ?? "");
  const why = t("order.why", { rate: quantity(String(item.per_day)), lead: item.lead_days });
  return html`<button class="list-row stock-row" onClick=${() => onMove(item)}><span class="th" data-c=${style.colour}><${Icon} name=${style.icon} /></span>
    <span><b>${item.name}</b><small>${why}</small></span><span class="hide-s soft">${t("order.range", { low: quantity(String(item.low)), high: quantity(String(item.high)), n: item.until_days })}</span>
    <span class=${`r num ${item.lasts_days < item.lead_days ? "down" : "soft"}`}>${quantity(item.stock)}<br /><small>${lasts(item.lasts_days)}</small></span><b class="r num">${quantityWords(String(item.suggested_order), item.unit)}</b></button>`;
};

/** @param {{turn: unknown, onMove: (item: any) => void}} props */
export function OrderSoon({ turn, onMove }) {
  const load = useLoad("/ai/demand/orders", turn);
  /** @type {any[]} */
  const items = load.data?.orders ?? [];
  return html`<div class="list-head stock-row" aria-hidden="true"><span /><span>${t("sale.product")}</span><span class="hide-s">${t("order.expected")}</span><span class="r">${t("stock.now")}</span><span class="r">${t("order.suggested")}</span></div>
    <${Loading} load=${load} />
    ${load.data && items.length === 0 && html`<${Nothing} icon="circle-check" title=${t("order.none")} hint=${t("order.none.hint")} />`}
    ${items.length > 0 && html`<${Virtual} count=${items.length} height=${58} top="soon" role="group" label=${t("order.soon")} item=${(/** @type {number} */ i) => html`<${Row} key=${items[i].sku} item=${items[i]} onMove=${onMove} />`} />`}`;
}
