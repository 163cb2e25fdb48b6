// Products: find among all, change, add, read from and write to CSV files.
import { html, useLayoutEffect, useMemo, useRef, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money, quantity } from "../lib/money.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { count, product, ready, rowOfCode, rowsOf, search, stockOf, stockVersion, version } from "../state/catalogue.js";
import { call, get, may } from "../state/session.js";
import { openDialog, toast, toastOk, toastProblem } from "../state/notices.js";
import { useScans } from "../state/scan.js";
import { isWeighed } from "../state/cart.js";
import { styleOf } from "../parts/departments.js";
import { BulkDialog } from "../parts/bulkdialog.js";
import { LabelsDialog } from "../parts/labelsdialog.js";
import { Icon, Key } from "../parts/icon.js";
import { ImportDialog } from "../parts/importdialog.js";
import { Nothing } from "../parts/load.js";
import { ProductForm } from "../parts/productform.js";
import { Thumb } from "../parts/thumb.js";
import { perUnit } from "../parts/tiles.js";
import { Head } from "../parts/top.js";
import { Virtual } from "../parts/virtual.js";

const FOUND_MAX = 2000;
/** One event holds as many. */
const BULK_MAX = 500;

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

/** Change all that are chosen; the toast takes it back. @param {Set<string>} skus @param {() => void} done */
async function changeMany(skus, done) {
  const wanted = await openDialog(BulkDialog, { skus: [...skus] });
  if (!wanted) return;
  const send = async (/** @type {any} */ body) => {
    try {
      return await call("POST", "/products/bulk", body, { timeout: 60_000 });
    } catch (error) {
      toastProblem(error);
      return null;
    }
  };
  const answer = await send(wanted);
  if (!answer) return;
  done();
  const undo = { label: t("undo"), run: () => void send({ changes: answer.before }).then((back) => back && toastOk("bulk.undone")) };
  toast({ tone: "ok", title: t("bulk.done", { n: answer.changed }), action: undo });
}

/** @param {{row: number, chosen?: boolean, onChoose?: (sku: string) => void}} props */
function Row({ row, chosen, onChoose }) {
  const item = product(row);
  const style = styleOf(item.department);
  const left = stockOf(item.sku);
  return html`<button class="list-row product-row" aria-pressed=${onChoose ? chosen : undefined} onClick=${() => (onChoose ? onChoose(item.sku) : void edit(item.sku))}>
    <span class=${`th ${item.image && !onChoose ? "pic" : ""}`} data-c=${onChoose ? (chosen ? "green" : "slate") : style.colour}>${onChoose ? html`<${Icon} name=${chosen ? "check" : "plus"} />` : html`<${Thumb} image=${item.image} icon=${style.icon} />`}</span>
    <span><b>${item.name}</b><small>${item.barcodes || item.sku}</small></span>
    <span class="hide-s soft">${item.department}</span><span class="r hide-s soft">${item.tax_code}</span>
    <span class="r num">${left === undefined ? "" : quantity(left)}</span>
    <b class="r num">${money(item.price_minor)}${isWeighed(item.unit) ? html`<small class="per">${perUnit(item.unit)}</small>` : ""}</b></button>`;
}

export function ProductsPage() {
  const [text, setText] = useState("");
  const field = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLInputElement | null>} */ (useRef(null));
  const manager = may("manager");
  const [chosen, setChosen] = useState(/** @type {Set<string> | null} */ (null));
  const choose = (/** @type {string} */ sku) => setChosen((now) => {
    const next = new Set(now);
    if (!next.delete(sku)) next.add(sku);
    return next;
  });
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
      ${manager && html`<button class="btn" aria-pressed=${chosen !== null} onClick=${() => setChosen(chosen ? null : new Set())}><${Icon} name="check" />${t("bulk.choose")}</button>`}
      ${manager && html`<button class="btn" onClick=${() => openDialog(ImportDialog, {})}><${Icon} name="upload" />${t("import")}</button>`}
      ${may("supervisor") && html`<a class="btn" href="/api/v1/products/export" download><${Icon} name="download" />${t("export")}</a>`}
      ${manager && html`<button class="btn primary" onClick=${() => make()}><${Icon} name="plus" />${t("product.new")}</button>`}<//>
    <section class="list deep full" aria-label=${t("nav.products")}>
      <div class="list-tools"><label class="search"><${Icon} name="search" /><span class="sr">${t("sell.search")}</span><input ref=${field} autocomplete="off" placeholder=${t("product.search")} onInput=${(/** @type {Event} */ e) => setText(valueOf(e))} /><${Key} k="F2" /></label></div>
      <div class="list-head product-row" aria-hidden="true"><span /><span>${t("sale.product")}</span><span class="hide-s">${t("product.department")}</span><span class="r hide-s">${t("product.tax")}</span><span class="r">${t("nav.stock")}</span><span class="r">${t("sale.price")}</span></div>
      ${!ready.value ? html`<div class="waiting" role="status"><span class="spin" />${t("sell.loading")}</div>`
        : rows.length === 0 ? html`<${Nothing} icon="package-open" title=${text ? t("sell.nothing", { text }) : t("sell.empty")} hint=${t(text ? "sell.nothing.hint" : "product.empty.hint")} />`
        : html`<${Virtual} count=${rows.length} height=${58} top=${text} role="group" label=${t("nav.products")} item=${(/** @type {number} */ i) => html`<${Row} key=${rows[i]} row=${rows[i]} chosen=${chosen?.has(product(rows[i]).sku)} onChoose=${chosen ? choose : undefined} />`} />`}
    </section>
    ${chosen && html`<div class="savebar"><span class="hint">${t("bulk.chosen", { n: chosen.size })}</span><button class="btn" onClick=${() => setChosen(new Set(rows.slice(0, BULK_MAX).map((row) => product(row).sku)))}>${t("bulk.all")}</button>
      <button class="btn" disabled=${!chosen.size} onClick=${() => openDialog(LabelsDialog, { skus: [...chosen] })}><${Icon} name="printer" />${t("labels")}</button>
      <button class="btn primary tall" disabled=${!chosen.size} onClick=${() => changeMany(chosen, () => setChosen(null))}>${t("bulk.change")}</button></div>`}`;
}
