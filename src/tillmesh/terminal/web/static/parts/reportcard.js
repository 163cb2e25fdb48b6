// An X or Z report as a page: the same numbers as on paper.
import { html } from "../lib/ui.js";
import { dayClock, number, percent, t } from "../lib/i18n.js";
import { money } from "../lib/money.js";

/** @param {{report: any}} props */
export function ReportCard({ report }) {
  const variance = report.variance_minor;
  /** @type {[string, string, number?][]} */
  const rows = [
    ["report.sales", money(report.sales_minor), report.sales], ["report.voids", money(-report.voids_minor), report.voids], ["report.refunds", money(-report.refunds_minor), report.refunds],
    ["report.discounts", money(report.discount_minor)], ["report.tax", money(report.tax_minor)],
  ];
  const amended = report.amended;
  return html`${amended && html`<div class="refusal warn" role="note"><b>${t("z.amended", { n: amended.late.length })}</b><span>${t("z.amended.text", { net: money(amended.net_sales_minor), expected: money(amended.expected_cash_minor), variance: money(amended.variance_minor) })}</span>
    <ul>${amended.late.map((/** @type {any} */ one) => html`<li key=${one.event_id}>${one.receipt_number || t("report.moved")} · ${dayClock(one.at)} · ${money(one.amount_minor)}</li>`)}</ul></div>`}<div class="cols even report">
    <div><dl class="kvs">${rows.map(([key, text, n]) => html`<div key=${key}><dt>${n === undefined ? t(key) : `${t(key)} · ${number(n)}`}</dt><dd>${text}</dd></div>`)}<div class="sum"><dt>${t("report.net")}</dt><dd>${money(report.net_sales_minor)}</dd></div></dl>
      <h3>${t("report.cash")}</h3><dl class="kvs"><div><dt>${t("shift.float")}</dt><dd>${money(report.float_minor)}</dd></div><div><dt>${t("report.moved")}</dt><dd>${money(report.moved_minor)}</dd></div><div><dt>${t("shift.expected")}</dt><dd>${money(report.expected_cash_minor)}</dd></div>
        ${report.counted_minor !== undefined && html`<div><dt>${t("shift.counted")}</dt><dd>${money(report.counted_minor)}</dd></div><div class="sum"><dt>${t("report.variance")}</dt><dd class=${variance === 0 ? "up" : "down"}>${variance === 0 ? t("report.exact") : money(variance)}</dd></div>`}</dl></div>
    <div><table><caption class="sr">${t("report.tenders")}</caption><thead><tr><th>${t("report.tenders")}</th><th class="r">${t("report.taken")}</th><th class="r">${t("report.returned")}</th><th class="r">${t("report.nettender")}</th></tr></thead>
        <tbody>${report.tenders.map((/** @type {any} */ one) => html`<tr key=${one.method}><td>${t(`method.${one.method}`)}</td><td class="r">${money(one.taken_minor)}</td><td class="r">${money(one.returned_minor)}</td><td class="r"><b>${money(one.net_minor)}</b></td></tr>`)}</tbody></table>
      <table><caption class="sr">${t("report.tax")}</caption><thead><tr><th>${t("report.tax")}</th><th class="r">${t("report.nettax")}</th><th class="r">${t("report.tax")}</th></tr></thead>
        <tbody>${report.taxes.map((/** @type {any} */ one) => html`<tr key=${one.code}><td>${one.code} · ${percent(one.rate_ppm / 1e6)}</td><td class="r">${money(one.net_minor)}</td><td class="r">${money(one.tax_minor)}</td></tr>`)}</tbody></table>
      <p class="hint">${t("report.receipts", { first: report.first_receipt || "–", last: report.last_receipt || "–" })}<br />${t("report.opened", { at: dayClock(report.opened_at) })}${report.closed_at ? ` · ${t("report.closed", { at: dayClock(report.closed_at) })}` : ""}<br />${report.perpetual_minor !== undefined ? t("report.perpetual", { amount: money(report.perpetual_minor) }) : ""}</p></div>
  </div>`;
}
