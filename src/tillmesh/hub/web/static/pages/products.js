// Products of all stores, what they cost where, and changes of price that travel down to the tills.
import { html, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { query } from "../lib/http.js";
import { amount } from "../lib/amounts.js";
import { tick } from "../state/tick.js";
import { openDialog } from "../state/notices.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { PriceDialog } from "../parts/pricedialog.js";
import { Head } from "../parts/shell.js";

const TYPING_MS = 150;

/** @param {{picture: {store: string, sha256: string} | null}} props */
const Picture = ({ picture }) => {
  const [gone, setGone] = useState(false);
  const shown = picture && !gone;
  return html`<span class="th">${shown ? html`<img src=${`/api/v1/stores/${picture.store}/pictures/${picture.sha256}`} alt="" width="48" height="48" loading="lazy" decoding="async" onError=${() => setGone(true)} />` : html`<${Icon} name="package-open" />`}</span>`;
};

/** @param {{one: any, pictured: boolean}} props */
const Row = ({ one, pictured }) => {
  const [usual, ...others] = one.prices;
  return html`<button class="list-row priced-row" onClick=${() => openDialog(PriceDialog, { sku: one.sku })}>
    <span class=${pictured ? "with-pic" : ""}>${pictured && html`<${Picture} key=${one.picture?.sha256} picture=${one.picture} />`}<span><b>${one.name}</b><small>${one.sku}${one.active ? "" : ` · ${t("product.off")}`}</small></span></span>
    <span class="hide-s soft">${one.department}</span>
    <span class="hide-s soft r">${t("product.stores", { n: one.stores })}</span>
    <span class="r"><b class="num">${amount(usual.price_minor, usual)}</b>${others.length > 0 && html`<small>${t("product.others", { n: others.length })}</small>`}</span></button>`;
};

export function ProductsPage() {
  const [text, setText] = useState("");
  const load = useLoad(`/products${query({ q: text.trim(), limit: 100 })}`, tick.value, text ? TYPING_MS : 0);
  /** @type {any[]} */
  const products = load.data?.products ?? [];
  const pictured = products.some((one) => one.picture);
  return html`<${Head} title=${t("nav.products")} sub=${t("product.sub")} />
    <section class="list" aria-label=${t("nav.products")}>
      <div class="list-tools"><label class="search"><${Icon} name="search" /><span class="sr">${t("product.search")}</span><input autocomplete="off" placeholder=${t("product.search")} onInput=${(/** @type {Event} */ e) => setText(valueOf(e))} /></label></div>
      <div class="list-head priced-row" aria-hidden="true"><span>${t("sales.product")}</span><span class="hide-s">${t("product.department")}</span><span class="r hide-s">${t("nav.stores")}</span><span class="r">${t("product.price")}</span></div>
      ${!load.data ? html`<${Loading} load=${load} />` : products.length === 0 ? html`<${Nothing} icon="package-open" title=${t(text ? "product.nothing" : "product.none", { text })} hint=${t(text ? "product.nothing.hint" : "product.none.hint")} />`
        : html`<div class="priced-rows">${products.map((one) => html`<${Row} key=${one.sku} one=${one} pictured=${pictured} />`)}</div>`}
      ${load.data?.more && html`<p class="hint more">${t("product.more", { n: products.length })}</p>`}
    </section>`;
}
