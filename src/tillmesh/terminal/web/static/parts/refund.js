// Giving money back: lines of a receipt, or goods without one.
import { freshId, html, useEffect, useMemo, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money, moneyField, parseMoney, parseQuantity, quantityText } from "../lib/money.js";
import { asProblem } from "../lib/http.js";
import { productOf, rowOfCode, product } from "../state/catalogue.js";
import { isWeighed } from "../state/cart.js";
import { call } from "../state/session.js";
import { openDialog } from "../state/notices.js";
import { useScans } from "../state/scan.js";
import { Field, Refusal, Toggle } from "./fields.js";
import { Reasons } from "./reasons.js";
import { Icon } from "./icon.js";
import { FormDialog } from "./formdialog.js";
import { quantityWords } from "./linedialogs.js";
import { ProductPicker } from "./picker.js";
import { ReceiptDialog } from "./receipt.js";

/** @typedef {import("../lib/http.js").Problem} Problem */

/** @param {{line: any, milli: number, onChange: (milli: number) => void}} props */
const RefundLine = ({ line, milli, onChange }) => {
  const most = parseQuantity(line.refundable_quantity) ?? 0;
  const by = isWeighed(line.unit) ? most : 1000;
  return html`<li class="refundline"><span><b>${line.name}</b><small>${most ? t("refund.open", { quantity: quantityWords(line.refundable_quantity, line.unit), price: money(line.total_minor) }) : t("refund.all.back")}</small></span>
    <div class="stepper"><button type="button" class="btn" disabled=${milli <= 0} aria-label=${t("refund.less", { name: line.name })} onClick=${() => onChange(Math.max(0, milli - by))}><${Icon} name="minus" /></button>
      <output class="btn num" aria-label=${t("cart.quantity")}>${quantityWords(quantityText(milli), line.unit)}</output>
      <button type="button" class="btn" disabled=${milli >= most} aria-label=${t("refund.more", { name: line.name })} onClick=${() => onChange(Math.min(most, milli + by))}><${Icon} name="plus" /></button></div></li>`;
};

/** @param {{sale: any, close: (done?: any) => void}} props */
export function RefundDialog({ sale, close }) {
  const [counts, setCounts] = useState(/** @type {Record<number, number>} */ ({}));
  const [reason, setReason] = useState("");
  const [restock, setRestock] = useState(true);
  const [worth, setWorth] = useState(/** @type {number | null} */ (null));
  const [back, setBack] = useState(/** @type {any[]} */ ([]));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  // One key for this dialog: sent twice, paid back once.
  const key = useMemo(freshId, []);
  const lines = Object.entries(counts).filter(([, milli]) => milli > 0).map(([line, milli]) => ({ line: Number(line), quantity: quantityText(milli), restock }));
  const asked = JSON.stringify(lines);
  useEffect(() => {
    let over = false;
    setWorth(null);
    const take = (/** @type {any} */ answer) => {
      if (over) return;
      setWorth(answer.total_minor);
      setBack(answer.payments);
    };
    if (lines.length) call("POST", `/sales/${sale.sale_id}/refunds/quote`, { lines }).then(take, (error) => !over && setProblem(asProblem(error)));
    return () => void (over = true);
  }, [asked]);
  const all = () => setCounts(Object.fromEntries(sale.lines.map((/** @type {any} */ line) => [line.line, parseQuantity(line.refundable_quantity) ?? 0])));
  const submit = async () => {
    setBusy(true);
    setProblem(null);
    try {
      close(await call("POST", `/sales/${sale.sale_id}/refunds`, { refund_key: key, lines, reason: reason.trim() }));
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return html`<${FormDialog} title=${t("refund.title", { receipt: sale.receipt_number })} note=${t("refund.note")} wide=${true} close=${() => close()} submit=${submit}
      ok=${lines.length > 0 && Boolean(reason.trim()) && worth !== null && !busy} label=${worth === null ? t("sale.refund") : t("refund.give", { amount: money(worth) })}>
    <${Refusal} problem=${problem} />
    <button type="button" class="btn" onClick=${all}>${t("refund.everything")}</button>
    <ul>${sale.lines.map((/** @type {any} */ line) => html`<${RefundLine} key=${line.line} line=${line} milli=${counts[line.line] ?? 0} onChange=${(/** @type {number} */ milli) => setCounts({ ...counts, [line.line]: milli })} />`)}</ul>
    ${worth !== null && back.length > 0 && html`<p class="hint num">${t("refund.to")}: ${back.map((one) => `${t(`method.${one.method}`)}${one.last_four ? ` ···· ${one.last_four}` : ""} ${money(one.amount_minor)}`).join(" + ")}</p>`}
    <${Reasons} kind="refund" value=${reason} onChange=${setReason} />
    <${Toggle} label=${t("refund.restock")} hint=${t("refund.restock.hint")} value=${restock} onChange=${setRestock} />
  <//>`;
}

/** @typedef {{sku: string, name: string, unit: string, quantity: string, price: string}} Back */

/** @param {{close: (done?: any) => void}} props */
function ReturnDialog({ close }) {
  const [lines, setLines] = useState(/** @type {Back[]} */ ([]));
  const [reason, setReason] = useState("");
  const [restock, setRestock] = useState(true);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const key = useMemo(freshId, []);
  const add = (/** @type {import("../state/catalogue.js").Product} */ item) =>
    setLines((now) => (now.some((one) => one.sku === item.sku) ? now : [...now, { sku: item.sku, name: item.name, unit: item.unit, quantity: "1", price: moneyField(item.price_minor) }]));
  useScans((code) => {
    const row = rowOfCode(code);
    if (row >= 0) add(product(row));
  });
  const set = (/** @type {number} */ at, /** @type {Partial<Back>} */ change) => setLines(lines.map((one, i) => (i === at ? { ...one, ...change } : one)));
  const wrong = lines.some((one) => (parseQuantity(one.quantity) ?? 0) <= 0 || (parseMoney(one.price) ?? -1) < 0);
  const submit = async () => {
    setBusy(true);
    try {
      const body = { refund_key: key, reason: reason.trim(), payments: [], lines: lines.map((one) => ({ sku: one.sku, quantity: quantityText(parseQuantity(one.quantity) ?? 0), unit_price_minor: parseMoney(one.price), restock })) };
      close(await call("POST", "/refunds", body));
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return html`<${FormDialog} title=${t("return.without")} note=${t("return.note")} wide=${true} close=${() => close()} submit=${submit} ok=${lines.length > 0 && !wrong && Boolean(reason.trim()) && !busy} label=${t("return.give")}>
    <${Refusal} problem=${problem} />
    <${ProductPicker} onPick=${add} />
    <ul>${lines.map((one, i) => html`<li class="refundline three" key=${one.sku}><b>${productOf(one.sku)?.name ?? one.name}</b>
      <${Field} label=${t("cart.quantity")} mode="decimal" value=${one.quantity} onChange=${(/** @type {string} */ v) => set(i, { quantity: v })} />
      <${Field} label=${t("sale.price")} mode="decimal" value=${one.price} onChange=${(/** @type {string} */ v) => set(i, { price: v })} />
      <button type="button" class="btn ghost icon" aria-label=${t("cart.remove", { name: one.name })} onClick=${() => setLines(lines.filter((_, at) => at !== i))}><${Icon} name="trash-2" /></button></li>`)}</ul>
    <${Reasons} kind="refund" value=${reason} onChange=${setReason} />
    <${Toggle} label=${t("refund.restock")} hint=${t("refund.restock.hint")} value=${restock} onChange=${setRestock} />
  <//>`;
}

/** Take goods back without a receipt (a manager approves). */
export async function openReturn() {
  const done = await openDialog(ReturnDialog, {});
  if (done) void openDialog(ReceiptDialog, { path: `/refunds/${done.refund_id}`, receipt: done.receipt_number });
}
