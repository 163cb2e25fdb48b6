// Purchasing: orders at suppliers, what has come of them, and what the stock is worth.
import { html, useState } from "../lib/ui.js";
import { day, dayClock, t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { money, parseMoney, quantity } from "../lib/money.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { productOf, stockVersion } from "../state/catalogue.js";
import { call, get, may } from "../state/session.js";
import { openDialog, toastOk } from "../state/notices.js";
import { Confirm } from "../parts/dialog.js";
import { ArrivalForm } from "../parts/arrivalform.js";
import { Refusal } from "../parts/fields.js";
import { FormDialog } from "../parts/formdialog.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { Suppliers } from "../parts/suppliers.js";
import { Head } from "../parts/top.js";
import { areGood, quantityOf, WantedGoods } from "../parts/wantedgoods.js";

const TONES = { open: "", partly: "warn", received: "ok", closed: "" };

/** @typedef {import("../parts/wantedgoods.js").Wanted} Wanted */

/** What is low, as a start. @param {any} item @returns {Wanted} */
const lowOne = (item) => ({ sku: item.sku, name: item.name, quantity: String(Math.max(1, Math.ceil(Number(item.low_stock) * 2 - Number(item.value)))), cost: "" });

/** @param {{suppliers: string[], records: any[], start: Wanted[], close: (order?: any) => void}} props */
function OrderForm({ suppliers, records, start, close }) {
  const [supplier, setSupplier] = useState("");
  const [lines, setLines] = useState(start);
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const known = records.find((one) => one.active && one.name === supplier.trim());
  const submit = async () => {
    try {
      close(await call("POST", "/orders", { ...(known ? { supplier_id: known.supplier_id } : { supplier }), lines: lines.map((line) => ({ sku: line.sku, quantity: quantityOf(line), cost_minor: parseMoney(line.cost || "0") })) }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${t("buy.new")} wide=${true} close=${() => close()} ok=${Boolean(supplier.trim()) && areGood(lines)} submit=${submit} label=${t("buy.place")}>
    <${Refusal} problem=${problem} />
    <div class="field"><label for="buy-supplier">${t("buy.supplier")}</label><input id="buy-supplier" list="buy-suppliers" maxlength="100" data-first value=${supplier} onInput=${(/** @type {Event} */ e) => setSupplier(/** @type {HTMLInputElement} */ (e.currentTarget).value)} />
      <datalist id="buy-suppliers">${suppliers.map((one) => html`<option key=${one} value=${one} />`)}</datalist></div>
    <${WantedGoods} lines=${lines} setLines=${setLines} priced=${true} />
  <//>`;
}

/** @param {{order: any, again: () => void}} props */
function Order({ order, again }) {
  const receive = async () => {
    if (!(await openDialog(ArrivalForm, { title: t("buy.receive.title", { supplier: order.supplier }), path: `/orders/${encodeURIComponent(order.order_id)}`, expected: order.lines }))) return;
    toastOk("buy.received", { supplier: order.supplier });
    again();
  };
  const end = async () => {
    const yes = await openDialog(Confirm, { title: t("buy.close.title"), text: t("buy.close.text", { supplier: order.supplier }), yes: t("buy.close") });
    if (yes) await call("POST", `/orders/${encodeURIComponent(order.order_id)}/close`, {}).then(again);
  };
  const waits = order.state === "open" || order.state === "partly";
  return html`<section class="card section"><header class="buy-head"><div><h2>${order.supplier}</h2><small>${dayClock(order.ordered_at)} · ${order.by.name}${order.expected_at && (order.state === "open" || order.state === "partly") ? ` · ${t("buy.expected", { day: day(order.expected_at) })}` : ""}</small></div><span class=${`pill sm ${TONES[/** @type {keyof typeof TONES} */ (order.state)] ?? ""}`}>${t(`buy.state.${order.state}`)}</span><span class="spacer" /><b class="num">${money(order.total_minor)}</b></header>
    <div class="scroll-x"><table><thead><tr><th>${t("sale.product")}</th><th class="r">${t("buy.ordered")}</th><th class="r">${t("buy.came")}</th><th class="r">${t("product.cost")}</th></tr></thead>
      <tbody>${order.lines.map((/** @type {any} */ line) => html`<tr key=${line.sku}><td>${line.name}${line.their_number ? html`<br /><small class="soft">${line.their_number}</small>` : ""}</td><td class="r">${quantity(line.quantity)}</td><td class="r">${quantity(line.received)}</td><td class="r">${line.cost_minor ? money(line.cost_minor) : ""}</td></tr>`)}</tbody></table></div>
    ${waits && html`<div class="buy-acts">${may("supervisor") && html`<button class="btn" onClick=${end}>${t("buy.close")}</button>`}<button class="btn primary" onClick=${receive}><${Icon} name="package" />${t("stock.receive")}</button></div>`}</section>`;
}

const Worth = () => {
  const load = useLoad("/stock-value", stockVersion.value);
  /** @type {any[]} */
  const rows = load.data?.departments ?? [];
  const sum = rows.reduce((total, one) => total + one.value_minor, 0);
  return html`<section class="card"><h2>${t("buy.worth")}</h2><${Loading} load=${load} />${load.data && html`<p class="kv num">${money(sum)}</p>
    <table><tbody>${rows.map((one) => html`<tr key=${one.name}><td>${one.name || t("report.nodepartment")}</td><td class="r"><b>${money(one.value_minor)}</b></td></tr>`)}</tbody></table>`}</section>`;
};

export function PurchasingPage() {
  const [turn, setTurn] = useState(0);
  const load = useLoad("/orders", turn);
  useKeys({ Escape: () => go("sell") });
  const again = () => setTurn((now) => now + 1);
  const make = async () => {
    const records = (await get("/suppliers").catch(() => ({ suppliers: [] }))).suppliers;
    const low = await get("/stock?low=1&limit=20").catch(() => ({ items: [] }));
    const start = low.items.filter((/** @type {any} */ one) => productOf(one.sku)).map(lowOne);
    if (!(await openDialog(OrderForm, { suppliers: [...new Set([...records.filter((/** @type {any} */ one) => one.active).map((/** @type {any} */ one) => one.name), ...(load.data?.suppliers ?? [])])], records, start }))) return;
    toastOk("buy.placed");
    again();
  };
  const orders = load.data?.orders ?? [];
  return html`<${Head} title=${t("nav.purchasing")} sub=${t("buy.sub")}>${may("supervisor") && html`<button class="btn primary" onClick=${make}><${Icon} name="plus" />${t("buy.new")}</button>`}<//>
    <${Loading} load=${load} />
    <div class="cols"><div class="stack">${load.data && orders.length === 0 && html`<${Nothing} icon="package-open" title=${t("buy.none")} hint=${t("buy.none.hint")} />`}
      ${orders.map((/** @type {any} */ order) => html`<${Order} key=${order.order_id} order=${order} again=${again} />`)}</div>
    ${may("supervisor") && html`<div class="stack"><${Suppliers} /><${Worth} /></div>`}</div>`;
}
