// Stock: what is low, what came in, what was counted, what was lost.
import { html, useLayoutEffect, useRef, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { parseQuantity, quantity, quantityText } from "../lib/money.js";
import { asProblem, query } from "../lib/http.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { product, productOf, rowOfCode, stockVersion } from "../state/catalogue.js";
import { isWeighed } from "../state/cart.js";
import { call, may } from "../state/session.js";
import { openDialog, toast, toastOk } from "../state/notices.js";
import { useScans } from "../state/scan.js";
import { styleOf } from "../parts/departments.js";
import { Refusal, Segments } from "../parts/fields.js";
import { Reasons } from "../parts/reasons.js";
import { Icon, Key } from "../parts/icon.js";
import { FormDialog } from "../parts/formdialog.js";
import { NumberField, quantityWords } from "../parts/linedialogs.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { OrderSoon } from "../parts/ordersoon.js";
import { RightsCard } from "../parts/rightscard.js";
import { Head } from "../parts/top.js";
import { Virtual } from "../parts/virtual.js";

const LIST_MAX = 500;
const KINDS = { receipts: "stock.receive", counts: "stock.count", adjustments: "stock.adjust" };

/** @typedef {keyof typeof KINDS} Kind */

/** @param {{sku: string, name: string, unit: string, kind?: Kind, close: (done?: any) => void}} props */
function StockDialog({ sku, name, unit, kind: first = "receipts", close }) {
  const [kind, setKind] = useState(/** @type {Kind} */ (first));
  const [text, setText] = useState("");
  const [minus, setMinus] = useState(true);
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const load = useLoad(`/stock/${encodeURIComponent(sku)}`);
  const milli = parseQuantity(text || "-");
  const ok = milli !== null && (kind === "counts" ? milli >= 0 : milli > 0) && (kind !== "adjustments" || Boolean(reason.trim()));
  const submit = async () => {
    const signed = kind === "adjustments" && minus ? -(milli ?? 0) : (milli ?? 0);
    try {
      close(await call("POST", `/stock/${kind}`, { sku, quantity: quantityText(signed), reason: reason.trim() }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${name} wide=${true} close=${() => close()} ok=${ok} submit=${submit} label=${t(KINDS[kind])}>
    <${Refusal} problem=${problem} />
    <div class="two"><div>
      <${Segments} label=${t("stock.what")} value=${kind} onChange=${setKind} options=${Object.entries(KINDS).map(([key, words]) => [key, t(words)])} />
      <p><small class="soft">${t("stock.now")}</small><br /><b class="step-big">${load.data ? quantityWords(load.data.value, unit) : "…"}</b></p>
      <p class="hint">${t(`${KINDS[kind]}.note`)}</p>${load.data?.rights && html`<${RightsCard} sku=${sku} unit=${unit} rights=${load.data.rights} onChange=${load.reload} />`}
      ${kind === "adjustments" && html`<${Segments} label=${t("stock.direction")} value=${minus ? "minus" : "plus"} onChange=${(/** @type {string} */ v) => setMinus(v === "minus")} options=${[["minus", t("stock.minus")], ["plus", t("stock.plus")]]} /><${Reasons} kind="stock" value=${reason} onChange=${setReason} />`}
    </div><div><${NumberField} label=${t(kind === "counts" ? "stock.counted" : "cart.quantity")} unit=${isWeighed(unit) ? unit : ""} value=${text} onChange=${setText} third=${isWeighed(unit) ? "." : ""} /></div></div>
  <//>`;
}

/** @param {{sku: string, name: string, unit?: string}} item @param {() => void} after */
async function move(item, after) {
  const done = await openDialog(StockDialog, { sku: item.sku, name: item.name, unit: item.unit ?? productOf(item.sku)?.unit ?? "piece" });
  if (!done) return;
  toastOk("stock.done", { name: item.name, quantity: quantity(done.value) });
  after();
}

/** @param {{item: any, onMove: () => void}} props */
const Row = ({ item, onMove }) => {
  const style = styleOf(item.department ?? "");
  const value = Number(item.value);
  const low = value < 0 || (Number(item.low_stock) > 0 && value <= Number(item.low_stock));
  return html`<button class="list-row stock-row" onClick=${onMove}><span class="th" data-c=${style.colour}><${Icon} name=${style.icon} /></span><span><b>${item.name}</b><small>${item.hard_limited ? `${item.sku} · ${t("stock.limited")}` : item.sku}</small></span><span class="hide-s soft">${item.department}</span>
    <span class="r num soft">${Number(item.low_stock) > 0 ? quantity(item.low_stock) : ""}</span><b class=${`r num ${low ? "down" : ""}`}>${quantityWords(item.value, item.unit ?? "piece")}</b></button>`;
};

export function StockPage() {
  const [text, setText] = useState("");
  const [which, setWhich] = useState("low");
  const low = which === "low";
  const soon = which === "soon" && !text.trim();
  const field = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLInputElement | null>} */ (useRef(null));
  const load = useLoad(soon ? "" : `/stock${query({ q: text.trim(), low: low && !text.trim() ? 1 : "", limit: LIST_MAX })}`, stockVersion.value, text ? 150 : 0);
  /** @type {any[]} */
  const items = load.data?.items ?? [];
  useLayoutEffect(() => field.current?.focus(), []);
  useKeys({ F2: () => field.current?.focus(), Escape: () => go("sell") });
  useScans((code) => {
    const row = rowOfCode(code);
    if (row >= 0) void move(product(row), load.reload);
    else toast({ tone: "info", title: t("scan.unknown.title"), detail: code });
  });
  return html`<${Head} title=${t("nav.stock")} sub=${t("stock.sub")} />
    <section class="list deep full" aria-label=${t("nav.stock")}>
      <div class="list-tools"><label class="search"><${Icon} name="search" /><span class="sr">${t("product.search")}</span><input ref=${field} autocomplete="off" placeholder=${t("product.search")} onInput=${(/** @type {Event} */ e) => setText(valueOf(e))} /><${Key} k="F2" /></label>
        <div class=${may("supervisor") ? "seg three" : "seg"} role="group" aria-label=${t("stock.which")}>${["low", ...(may("supervisor") ? ["soon"] : []), "all"].map((one) => html`<button key=${one} aria-pressed=${which === one} onClick=${() => setWhich(one)}>${t(one === "low" ? "stock.low" : one === "soon" ? "order.soon" : "sell.all")}</button>`)}</div></div>
      ${soon ? html`<${OrderSoon} turn=${stockVersion.value} onMove=${(/** @type {any} */ item) => void move(item, load.reload)} />` : html`<div class="list-head stock-row" aria-hidden="true"><span /><span>${t("sale.product")}</span><span class="hide-s">${t("product.department")}</span><span class="r">${t("stock.limit")}</span><span class="r">${t("stock.now")}</span></div>`}
      <${Loading} load=${load} />
      ${load.data && items.length === 0 && html`<${Nothing} icon=${low && !text ? "circle-check" : "boxes"} title=${text ? t("sell.nothing", { text }) : t(low ? "stock.nolow" : "stock.none")} hint=${t(low ? "stock.nolow.hint" : "stock.none.hint")} />`}
      ${items.length > 0 && html`<${Virtual} count=${items.length} height=${58} top=${`${text}|${low}`} role="group" label=${t("nav.stock")} item=${(/** @type {number} */ i) => html`<${Row} key=${items[i].sku} item=${items[i]} onMove=${() => void move(items[i], load.reload)} />`} />`}
    </section>`;
}
