// Which one of a product that comes in sizes or colours: all of them on one page, one tap each.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money, quantity } from "../lib/money.js";
import { stockOf, stockVersion, variantsOf } from "../state/catalogue.js";
import { Dialog } from "./dialog.js";

/** @typedef {import("../state/catalogue.js").Product} Product */

/** @param {Product} one @param {number} at */
const valueOfOption = (one, at) => one.options?.[at]?.split("=")[1] ?? "";

/** @param {Product} one */
const rest = (one) => (one.options ?? []).slice(1).map((_, at) => valueOfOption(one, at + 1));

/** As the shop has listed them: S before M. @param {Product} item @returns {Product[]} */
function ordered(item) {
  const places = (item.options ?? []).map((option) => option.split("=")[1].split(","));
  const rank = (/** @type {Product} */ one) => places.reduce((sum, values, at) => sum * 1000 + values.indexOf(valueOfOption(one, at)), 0);
  return variantsOf(item.sku).sort((a, b) => rank(a) - rank(b));
}

/** @param {{one: Product, choose: (one: Product) => void, first: boolean}} props */
const Variant = ({ one, choose, first }) => {
  const left = stockOf(one.sku);
  const words = (one.options?.length ?? 0) > 1 ? rest(one) : [valueOfOption(one, 0)];
  return html`<button class="btn variant" data-first=${first} onClick=${() => choose(one)}>${words.map((word) => html`<b key=${word}>${word}</b>`)}
    <small class="num">${money(one.price_minor)}</small>${left !== undefined && html`<small class=${`st ${Number(left) <= 0 ? "low" : ""}`}><span class="sr">${t("stock.left")} </span>${quantity(left)}</small>`}</button>`;
};

/** @param {{item: Product, close: (chosen?: Product) => void}} props */
export const VariantDialog = ({ item, close }) => {
  stockVersion.value;
  const all = ordered(item);
  const several = (item.options?.length ?? 0) > 1;
  const groups = several ? [...new Set(all.map((one) => valueOfOption(one, 0)))] : [""];
  return html`<${Dialog} title=${item.name} note=${t("variant.note")} onClose=${() => close()} wide=${true}>
    ${all.length === 0 && html`<p class="hint">${t("variant.none")}</p>`}
    ${groups.map((group, at) => html`<section key=${group} class="variants">${several && html`<h3>${group}</h3>`}
      <div class="variant-row">${all.filter((one) => !several || valueOfOption(one, 0) === group).map((one, n) => html`<${Variant} key=${one.sku} one=${one} choose=${close} first=${at === 0 && n === 0} />`)}</div></section>`)}
  <//>`;
};
