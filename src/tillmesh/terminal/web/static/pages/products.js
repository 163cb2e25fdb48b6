// Products: find among all, change, add, read from and write to CSV files.
import { html, useLayoutEffect, useMemo, useRef, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money, quantity } from "../lib/money.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { count, product, ready, rowOfCode, rowsOf, search, stockOf, stockVersion, version } from "../state/catalogue.js";
import { get, may } from "../state/session.js";
import { openDialog, toast, toastOk, toastProblem } from "../state/notices.js";
import { useScans } from "../state/scan.js";
import { isWeighed } from "../state/cart.js";
import { styleOf } from "../parts/departments.js";
import { Icon, Key } from "../parts/icon.js";
import { ImportDialog } from "../parts/importdialog.js";
import { Nothing } from "../parts/load.js";
import { ProductForm } from "../parts/productform.js";
import { perUnit } from "../parts/tiles.js";
import { Head } from "../parts/top.js";
import { Virtual } from "../parts/virtual.js";

const FOUND_MAX = 2000;

/** Fetch a product whole, change it, say so. @param {string} sku */
async function edit(sku) {
  try {
    const start = await get(`/products/${encodeURIComponent(sku)}`);
    if (await openDialog(ProductForm, { start })) toastOk("saved");
  } catch (error) {
    toastProblem(error);
  }
}

/** @param {Record<string, any>} [start] */
async function make(start = {}) {
  const made = await openDialog(ProductForm, { start });
  if (made) toastOk("product.made", { name: made.name });
}

/** @param {{row: number}} props */
function Row({ row }) {
  const item = product(row);
  const style = styleOf(item.department);
  const left = stockOf(item.sku);
  return html`<button class="list-row product-row" onClick=${() => void edit(item.sku)}>
    <span class="th" data-c=${style.colour}><${Icon} name=${style.icon} /></span>
    <span><b>${item.name}</b><small>${item.barcodes || item.sku}</small></span>
    <span class="hide-s soft">${item.department}</span><span class="r hide-s soft">${item.tax_code}</span>
    <span class="r num">${left === undefined ? "" : quantity(left)}</span>
    <b class="r num">${money(item.price_minor)}${isWeighed(item.unit) ? html`<small class="per">${perUnit(item.unit)}</small>` : ""}</b></button>`;
}

export function ProductsPage() {
  const [text, setText] = useState("");
  const field = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLInputElement | null>} */ (useRef(null));
  const manager = may("manager");
  stockVersion.value;
  const rows = useMemo(() => (text.trim() ? search(text, FOUND_MAX) : rowsOf("")), [text, version.value]);
  useLayoutEffect(() => field.current?.focus(), []);
  useKeys({ F2: () => field.current?.focus(), Escape: () => go("sell") });
  useScans((code) => {
    const row = rowOfCode(code);
    if (row >= 0) return void edit(product(row).sku);
    if (manager) void make({ barcodes: [code] });
    else toast({ tone: "info", title: t("scan.unknown.title"), detail: code });
  });
  return html`<${Head} title=${t("nav.products")} sub=${ready.value ? t("product.count", { n: count() }) : ""}>
      ${manager && html`<button class="btn" onClick=${() => openDialog(ImportDialog, {})}><${Icon} name="upload" />${t("import")}</button>`}
      ${may("supervisor") && html`<a class="btn" href="/api/v1/products/export" download><${Icon} name="download" />${t("export")}</a>`}
      ${manager && html`<button class="btn primary" onClick=${() => make()}><${Icon} name="plus" />${t("product.new")}</button>`}<//>
    <section class="list deep full" aria-label=${t("nav.products")}>
      <div class="list-tools"><label class="search"><${Icon} name="search" /><span class="sr">${t("sell.search")}</span><input ref=${field} autocomplete="off" placeholder=${t("product.search")} onInput=${(/** @type {Event} */ e) => setText(valueOf(e))} /><${Key} k="F2" /></label></div>
      <div class="list-head product-row" aria-hidden="true"><span /><span>${t("sale.product")}</span><span class="hide-s">${t("product.department")}</span><span class="r hide-s">${t("product.tax")}</span><span class="r">${t("nav.stock")}</span><span class="r">${t("sale.price")}</span></div>
      ${!ready.value ? html`<div class="waiting" role="status"><span class="spin" />${t("sell.loading")}</div>`
        : rows.length === 0 ? html`<${Nothing} icon="package-open" title=${text ? t("sell.nothing", { text }) : t("sell.empty")} hint=${t(text ? "sell.nothing.hint" : "product.empty.hint")} />`
        : html`<${Virtual} count=${rows.length} height=${58} top=${text} role="group" label=${t("nav.products")} item=${(/** @type {number} */ i) => html`<${Row} key=${rows[i]} row=${rows[i]} />`} />`}
    </section>`;
}
