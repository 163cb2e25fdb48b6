// One sale, whole: lines, tenders, what became of it, and what can be done about it.
import { html } from "../lib/ui.js";
import { dayClock, percent, t } from "../lib/i18n.js";
import { money, quantity } from "../lib/money.js";
import { asProblem } from "../lib/http.js";
import { call } from "../state/session.js";
import { salesNews } from "../state/live.js";
import { openDialog, toastOk, toastProblem } from "../state/notices.js";
import { Icon } from "./icon.js";
import { Loading, useLoad } from "./load.js";
import { ReceiptDialog } from "./receipt.js";
import { ReasonDialog } from "./reasondialog.js";
import { RefundDialog } from "./refund.js";
import { quantityWords } from "./linedialogs.js";

/** @param {{sale: any}} props */
const Lines = ({ sale }) =>
  html`<table><caption class="sr">${t("sale.lines")}</caption><thead><tr><th>${t("sale.product")}</th><th class="r">${t("sale.quantity")}</th><th class="r">${t("sale.price")}</th><th class="r">${t("sale.total")}</th></tr></thead>
    <tbody>${sale.lines.map((/** @type {any} */ line) => {
      const back = Number(line.refunded_quantity) > 0;
      const off = line.discount_minor + line.cart_discount_minor;
      return html`<tr key=${line.line}><td><b>${line.name}</b>${off > 0 && html`<br /><small>${(line.promotions ?? []).map((/** @type {any} */ one) => `${one.name} `).join("· ")}${t("cart.off.amount", { amount: money(off) })}</small>`}${back && html`<br /><small class="down">${t("sale.back", { quantity: quantity(line.refunded_quantity) })}</small>`}${line.note && html`<br /><small>${line.note}</small>`}</td>
        <td class="r">${quantityWords(line.quantity, line.unit)}</td><td class="r">${money(line.unit_price_minor)}</td><td class="r"><b>${money(line.total_minor)}</b></td></tr>`;
    })}</tbody></table>`;

/** @param {{sale: any}} props */
const Sums = ({ sale }) =>
  html`<dl class="kvs">
    ${sale.discount_minor > 0 && html`<div><dt>${t("cart.discount")}</dt><dd>−${money(sale.discount_minor)}</dd></div>`}
    ${sale.taxes.map((/** @type {any} */ tax) => html`<div key=${tax.code}><dt>${t("sale.tax", { rate: percent(tax.rate_ppm / 1e6) })}</dt><dd>${money(tax.tax_minor)}</dd></div>`)}
    <div class="sum"><dt>${t("cart.total")}</dt><dd>${money(sale.total_minor)}</dd></div>
    ${sale.rounding_minor !== 0 && html`<div><dt>${t("sale.rounding")}</dt><dd>${money(sale.rounding_minor)}</dd></div>`}
    ${sale.payments.map((/** @type {any} */ one, /** @type {number} */ i) => html`<div key=${i}><dt>${t(`method.${one.method}`)}${one.last_four ? ` ···· ${one.last_four}` : ""}${one.reference ? ` (${one.reference})` : ""}</dt><dd>${money(one.amount_minor)}</dd></div>`)}
    ${sale.change_minor > 0 && html`<div><dt>${t("pay.change")}</dt><dd>${money(sale.change_minor)}</dd></div>`}
  </dl>`;

/** @param {{id: string, onChange: () => void}} props */
export function SaleDetail({ id, onChange }) {
  const load = useLoad(`/sales/${encodeURIComponent(id)}`, salesNews.value);
  const sale = load.data;
  if (!sale) return html`<section class="card"><${Loading} load=${load} /></section>`;
  const changed = () => {
    load.reload();
    onChange();
  };
  const refund = async () => {
    const done = await openDialog(RefundDialog, { sale });
    if (!done) return;
    changed();
    void openDialog(ReceiptDialog, { path: `/refunds/${done.refund_id}`, receipt: done.receipt_number });
  };
  const voidSale = async () => {
    const reason = await openDialog(ReasonDialog, { title: t("void.title", { receipt: sale.receipt_number }), note: t("void.note", { total: money(sale.total_minor) }), kind: "void", label: t("void.yes"), danger: true });
    if (!reason) return;
    try {
      await call("POST", `/sales/${sale.sale_id}/void`, { reason });
      toastOk("void.done", { receipt: sale.receipt_number });
      changed();
    } catch (error) {
      if (asProblem(error).kind !== "cancelled") toastProblem(error);
    }
  };
  const open = sale.state === "closed";
  const some = sale.lines.some((/** @type {any} */ line) => Number(line.refundable_quantity) > 0) && sale.state !== "voided";
  return html`<section class="card sale-card" aria-label=${t("paid.title", { receipt: sale.receipt_number })}>
    <header class="sale-head"><a class="btn ghost icon only-s" href="#/sales" aria-label=${t("back")}><${Icon} name="arrow-left" /></a>
      <div><h2 class="num">${sale.receipt_number}</h2><small>${dayClock(sale.at)} · ${sale.cashier?.name}${sale.customer ? ` · ${sale.customer.erased ? t("customer.erased") : sale.customer.name}` : ""}</small></div><span class="spacer" />
      <span class=${`pill sm ${open ? "ok" : sale.state === "voided" ? "bad" : "warn"}`}>${t(`sale.state.${sale.state}`)}</span></header>
    <div class="sale-acts">
      <button class="btn primary" disabled=${!some} onClick=${refund}><${Icon} name="undo-2" />${t("sale.refund")}</button>
      <button class="btn" onClick=${() => openDialog(ReceiptDialog, { path: `/sales/${sale.sale_id}`, receipt: sale.receipt_number })}><${Icon} name="receipt-text" />${t("paid.receipt")}</button>
      <button class="btn bad-ink" disabled=${!open} onClick=${voidSale}><${Icon} name="x" />${t("sale.void")}</button>
    </div>
    <${Lines} sale=${sale} /><${Sums} sale=${sale} />
    ${sale.refunds.length > 0 && html`<h3>${t("sale.answers")}</h3><ul class="rows">${sale.refunds.map(
      (/** @type {any} */ one) => html`<li key=${one.refund_id}><button class="row-main" onClick=${() => openDialog(ReceiptDialog, { path: `/refunds/${one.refund_id}`, receipt: one.receipt_number })}>
        <span class="row-icon"><${Icon} name="undo-2" /></span><span><b>${t(one.kind === "void" ? "sale.voided" : "sale.refunded")}</b><small>${one.receipt_number} · ${dayClock(one.at)}</small></span><span class="spacer" /><b class="num">−${money(Math.abs(one.total_minor))}</b></button></li>`,
    )}</ul>`}
    <p class="hint kept"><${Icon} name="circle-check" size="sm" />${sale.replicated_to?.length ? t("sale.kept.copies", { n: sale.replicated_to.length }) : t("sale.kept")}</p>
  </section>`;
}
