// Reports: a day with its hours, departments and people; a stretch of days; the Z reports.
import { html, useState, valueOf } from "../lib/ui.js";
import { clock, day, dayClock, fullDay, isoDay, localeTag, number, percent, shortDay, t } from "../lib/i18n.js";
import { money, quantity } from "../lib/money.js";
import { useKeys } from "../lib/keys.js";
import { go, route } from "../lib/router.js";
import { salesNews } from "../state/live.js";
import { may } from "../state/session.js";
import { Choice } from "../parts/fields.js";
import { BarChart, Ranking, TableOf } from "../parts/charts.js";
import { Books } from "../parts/books.js";
import { Closes } from "../parts/closes.js";
import { Figure } from "../parts/figure.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { ReportCard } from "../parts/reportcard.js";
import { Head } from "../parts/top.js";

/** As many days the till adds up receipt by receipt. */
const STRETCH_DAYS_MAX = 100;
const TABS = ["day", "days", "z", "closes", "books"];

/** Axis words: whole units are enough. @param {number} minor */
const axis = (minor) => money(Math.round(minor)).replace(/[.,]00(?=\D*$)/, "");

/** @param {number} now @param {number} before */
function trend(now, before) {
  if (!(before > 0) || now < 0) return null; // no share says anything where more came back than was sold
  const change = (now - before) / before;
  return html`<span class=${change < 0 ? "down" : "up"}>${change < 0 ? "−" : "+"}${percent(Math.abs(Math.round(change * 100) / 100))}</span>`;
}

/** @param {{label: string, value: string, children?: any}} props */
const Kpi = ({ label, value, children }) => html`<div class="card"><small>${label}</small><${Figure} text=${value} /><small>${children}</small></div>`;

/** @param {{report: any}} props */
function Hours({ report }) {
  const used = report.hours.filter((/** @type {any} */ one) => one.sales > 0 || one.total_minor);
  if (!used.length) return html`<${Nothing} icon="chart-column" title=${t("report.nothing")} hint=${t("report.nothing.hint")} />`;
  const from = Math.min(8, used[0].hour);
  const to = Math.max(18, used[used.length - 1].hour);
  const hours = report.hours.filter((/** @type {any} */ one) => one.hour >= from && one.hour <= to);
  const name = (/** @type {number} */ hour) => String(hour).padStart(2, "0");
  return html`<${BarChart} label=${t("report.hours")} format=${axis} bars=${hours.map((/** @type {any} */ one) => ({ label: name(one.hour), value: one.total_minor, title: t("report.hour.title", { hour: `${name(one.hour)}:00`, amount: money(one.total_minor), n: one.sales }) }))} />
    <${TableOf} caption=${t("report.hours")} head=${[t("report.hour"), t("report.sales"), t("cart.total")]} rows=${hours.map((/** @type {any} */ one) => [`${name(one.hour)}:00`, one.sales, money(one.total_minor)])} />`;
}

function Day() {
  const [date, setDate] = useState(route.peek().query.get("date") ?? isoDay());
  const load = useLoad(`/reports/day?date=${date}`, salesNews.value);
  const report = load.data;
  const tools = html`<div class="tools"><button class="btn icon" aria-label=${t("report.before")} onClick=${() => setDate(isoDay(-1, date))}><${Icon} name="chevron-left" /></button>
    <label class="datefield"><span class="sr">${t("report.date")}</span><input class="input" type="date" value=${date} max=${isoDay()} onChange=${(/** @type {Event} */ e) => valueOf(e) && setDate(valueOf(e))} /></label>
    <button class="btn icon" aria-label=${t("report.after")} disabled=${date >= isoDay()} onClick=${() => setDate(isoDay(1, date))}><${Icon} name="chevron-right" /></button>
    <b>${fullDay(`${date}T12:00:00`)}</b><span class="spacer" /><a class="btn" href=${`/api/v1/reports/day?date=${date}&format=csv&language=${localeTag()}`} download><${Icon} name="download" />${t("export.csv")}</a><a class="btn" href=${`/api/v1/reports/day?date=${date}&format=pdf`} download><${Icon} name="file-text" />${t("export.pdf")}</a></div>`;
  if (!report) return html`${tools}<${Loading} load=${load} />`;
  const before = report.previous ?? {};
  return html`${tools}
    <div class="kpis">
      <${Kpi} label=${t("report.net")} value=${money(report.total_minor)}>${before.date ? html`${trend(report.total_minor, before.total_minor) ?? ""} ${t("report.against", { day: day(`${before.date}T12:00:00`), amount: money(before.total_minor) })}` : ""}${report.vouchers_minor ? html`<br /><span>${t("report.vouchers", { amount: money(report.vouchers_minor) })}</span>` : ""}<//>
      <${Kpi} label=${t("report.baskets")} value=${number(report.sales)}>${t("report.average", { amount: money(report.average_minor) })}<//>
      <${Kpi} label=${t("report.items")} value=${typeof report.items === "string" ? quantity(report.items) : number(report.items, 1)}>${report.sales ? t("report.perbasket", { n: number(Number(report.items) / report.sales, 1) }) : ""}<//>
      <${Kpi} label=${t("report.tax")} value=${money(report.tax_minor)}>${t("report.off", { discounts: money(report.discount_minor), refunds: money(report.refunds_minor) })}<//>
      ${report.margin_minor !== null && report.margin_net_minor > 0 && html`<${Kpi} label=${t("report.margin")} value=${money(report.margin_minor)}>${t("report.margin.of", { percent: percent(Math.round((report.margin_minor / report.margin_net_minor) * 1000) / 1000) })}<//>`}
    </div>
    <div class="cols"><div class="stack">
      <section class="card"><h2>${t("report.hours")}</h2><${Hours} report=${report} /></section>
      ${report.products.length > 0 && html`<section class="card"><h2>${t("report.products")}</h2><div class="scroll-x"><table><thead><tr><th>${t("sale.product")}</th><th class="r">${t("sale.quantity")}</th><th class="r">${t("cart.total")}</th><th class="r hide-s">${t("report.margin")}</th></tr></thead>
        <tbody>${report.products.map((/** @type {any} */ one) => html`<tr key=${one.sku}><td>${one.name}</td><td class="r">${quantity(String(one.quantity))}</td><td class="r"><b>${money(one.total_minor)}</b></td><td class="r hide-s">${one.margin_minor === null ? "" : money(one.margin_minor)}</td></tr>`)}</tbody></table></div></section>`}
    </div><div class="stack">
      <section class="card"><h2>${t("report.departments")}</h2>${report.departments.length ? html`<${Ranking} rows=${report.departments.map((/** @type {any} */ one) => ({ label: one.name || t("report.nodepartment"), value: one.total_minor, text: money(one.total_minor) }))} />` : html`<p class="hint">${t("report.nothing")}</p>`}</section>
      ${(report.tenders.length > 0 || report.cashiers.length > 0) && html`<section class="card section"><div><h2 class="h2">${t("report.tenders")}</h2><table><tbody>${report.tenders.map((/** @type {any} */ one) => html`<tr key=${one.method}><td>${t(`method.${one.method}`)}</td><td class="r">${one.count}</td><td class="r"><b>${money(one.net_minor)}</b></td></tr>`)}</tbody></table></div>
        <div><h2 class="h2">${t("report.cashiers")}</h2><table><tbody>${report.cashiers.map((/** @type {any} */ one) => html`<tr key=${one.user_id}><td>${one.name}</td><td class="r">${one.sales}</td><td class="r"><b>${money(one.total_minor)}</b></td></tr>`)}</tbody></table></div>
        ${report.tills.length > 1 && html`<div><h2 class="h2">${t("report.tills")}</h2><table><tbody>${report.tills.map((/** @type {any} */ one) => html`<tr key=${one.terminal_id}><td>${one.name}</td><td class="r">${one.sales}</td><td class="r"><b>${money(one.total_minor)}</b></td></tr>`)}</tbody></table></div>`}
        <div><h2 class="h2">${t("report.taxes")}</h2><table><tbody>${report.taxes.map((/** @type {any} */ one) => html`<tr key=${one.code}><td>${one.code} · ${percent(one.rate_ppm / 1e6)}</td><td class="r">${money(one.net_minor)}</td><td class="r"><b>${money(one.tax_minor)}</b></td></tr>`)}</tbody></table></div></section>`}
    </div></div>`;
}

function Days() {
  const [from, setFrom] = useState(isoDay(-13));
  const [to, setTo] = useState(isoDay());
  const [group, setGroup] = useState("day");
  const load = useLoad(`/reports/days?from=${from}&to=${to}&group=${group}`, salesNews.value);
  /** @type {any[]} */
  const days = load.data?.days ?? [];
  const span = (Date.parse(to) - Date.parse(from)) / 864e5 + 1;
  const named = (/** @type {string} */ date, /** @type {(when: string) => string} */ show) => (date.length > 7 ? show(`${date}T12:00:00`) : date);
  const sum = (/** @type {string} */ key) => days.reduce((total, one) => total + one[key], 0);
  return html`<div class="tools">
      <label class="field"><span>${t("report.from")}</span><input class="input" type="date" value=${from} max=${to} onChange=${(/** @type {Event} */ e) => valueOf(e) && setFrom(valueOf(e))} /></label>
      <label class="field"><span>${t("report.to")}</span><input class="input" type="date" value=${to} min=${from} max=${isoDay()} onChange=${(/** @type {Event} */ e) => valueOf(e) && setTo(valueOf(e))} /></label>
      ${[7, 14, 30, 90].map((n) => html`<button class="btn" key=${n} onClick=${() => { setFrom(isoDay(1 - n)); setTo(isoDay()); }}>${t("report.lastdays", { n })}</button>`)}
      <${Choice} label=${t("report.group")} value=${group} options=${["day", "month", "quarter"].map((one) => [one, t(`report.group.${one}`)])} onChange=${setGroup} />
      <span class="spacer" /><a class="btn" href=${`/api/v1/reports/days?from=${from}&to=${to}&group=${group}&format=csv&language=${localeTag()}`} download><${Icon} name="download" />${t("export.csv")}</a></div>
    <${Loading} load=${load} />
    ${load.data && html`<div class="kpis"><${Kpi} label=${t("report.net")} value=${money(sum("total_minor"))} /><${Kpi} label=${t("report.baskets")} value=${number(sum("sales"))} /><${Kpi} label=${t("report.refunds")} value=${money(sum("refunds_minor"))} /><${Kpi} label=${t("report.tax")} value=${money(sum("tax_minor"))} /></div>
      <section class="card"><h2>${t(`report.by.${load.data.group}`)}</h2>
        <${BarChart} label=${t(`report.by.${load.data.group}`)} format=${axis} every=${Math.ceil(days.length / 12)} bars=${days.map((one) => ({ label: named(one.date, shortDay), value: one.total_minor, title: t("report.hour.title", { hour: named(one.date, day), amount: money(one.total_minor), n: one.sales }) }))} />
        <${TableOf} caption=${t(`report.by.${load.data.group}`)} head=${[t(`report.group.${load.data.group}`), t("report.baskets"), t("report.refunds"), t("report.tax"), t("cart.total")]} rows=${days.map((one) => [named(one.date, day), one.sales, money(one.refunds_minor), money(one.tax_minor), money(one.total_minor)])} /></section>
      ${span <= STRETCH_DAYS_MAX ? html`<${Breakdown} from=${from} to=${to} />` : html`<p class="hint">${t("report.toolong", { n: STRETCH_DAYS_MAX })}</p>`}`}`;
}

/** What sold in these days, in which departments and by whom. @param {{from: string, to: string}} props */
function Breakdown({ from, to }) {
  const load = useLoad(`/reports/stretch?from=${from}&to=${to}`, salesNews.value);
  const report = load.data;
  if (!report) return html`<${Loading} load=${load} />`;
  const margin = (/** @type {number | null} */ minor) => (minor === null ? "" : ` · ${t("report.margin.short", { amount: money(minor) })}`);
  const ranking = (/** @type {string} */ title, /** @type {any[]} */ rows) => html`<section class="card"><h2>${t(title)}</h2>${rows.length ? html`<${Ranking} rows=${rows} />` : html`<p class="hint">${t("report.nothing")}</p>`}</section>`;
  return html`<div class="tools"><span class="spacer" /><a class="btn" href=${`/api/v1/reports/stretch?from=${from}&to=${to}&format=csv&language=${localeTag()}`} download><${Icon} name="download" />${t("report.details.csv")}</a><a class="btn" href=${`/api/v1/reports/stretch?from=${from}&to=${to}&format=pdf`} download><${Icon} name="file-text" />${t("export.pdf")}</a></div>
    ${report.margin_minor !== null && report.margin_net_minor > 0 && html`<div class="kpis"><${Kpi} label=${t("report.margin")} value=${money(report.margin_minor)}>${t("report.margin.of", { percent: percent(Math.round((report.margin_minor / report.margin_net_minor) * 1000) / 1000) })}<//></div>`}
    <div class="cols"><div class="stack">${ranking("report.products", report.products.map((/** @type {any} */ one) => ({ label: one.name, value: one.total_minor, text: `${money(one.total_minor)}${margin(one.margin_minor)}` })))}</div>
      <div class="stack">${ranking("report.departments", report.departments.map((/** @type {any} */ one) => ({ label: one.name || t("report.nodepartment"), value: one.total_minor, text: money(one.total_minor) })))}
        ${ranking("report.cashiers", report.cashiers.map((/** @type {any} */ one) => ({ label: one.name, value: one.total_minor, text: money(one.total_minor) })))}</div></div>`;
}

function ZReports() {
  const load = useLoad("/reports/z");
  const [open, setOpen] = useState(/** @type {any} */ (null));
  /** @type {any[]} */
  const reports = load.data?.reports ?? [];
  const shown = open ?? reports[0];
  return html`<${Loading} load=${load} />${load.data && reports.length === 0 && html`<${Nothing} icon="file-text" title=${t("z.none")} hint=${t("z.none.hint")} />`}
    ${reports.length > 0 && html`<div class="cols zcols"><section class="card"><ul class="rows">${reports.map(
      (one) => html`<li key=${one.event_id ?? one.z_number}><button class="row-main" aria-pressed=${shown === one} onClick=${() => setOpen(one)}><span><b>${t("z.number", { n: one.z_number })}</b><small>${dayClock(one.closed_at)}${one.amended ? ` · ${t("z.amended.short")}` : ""}</small></span><span class="spacer" /><b class="num">${money(one.net_sales_minor)}</b></button></li>`,
    )}</ul></section><section class="card"><h2>${t("z.number", { n: shown.z_number })} · ${day(shown.closed_at)}, ${clock(shown.closed_at)}</h2><${ReportCard} report=${shown} /></section></div>`}`;
}

/** @param {{arg: string}} props */
export function ReportsPage({ arg }) {
  const tabs = TABS.filter((one) => one !== "books" || may("manager"));
  const tab = tabs.includes(arg) ? arg : "day";
  useKeys({ Escape: () => go("sell") });
  return html`<${Head} title=${t("nav.reports")}><nav class="seg" aria-label=${t("nav.reports")}>${tabs.map((one) => html`<button key=${one} aria-pressed=${tab === one} onClick=${() => go(`reports/${one}`)}>${t(`report.tab.${one}`)}</button>`)}</nav><//>
    ${tab === "day" ? html`<${Day} />` : tab === "days" ? html`<${Days} />` : tab === "z" ? html`<${ZReports} />` : tab === "books" ? html`<${Books} />` : html`<${Closes} />`}`;
}
