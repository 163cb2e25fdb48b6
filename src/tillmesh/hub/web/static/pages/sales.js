// What all stores sold: by day, by hour of the day, by store, and what brought in most.
import { html, useState, valueOf } from "../lib/ui.js";
import { day, isoDay, localeTag, number, percent, t } from "../lib/i18n.js";
import { quantity, quantityText } from "../lib/money.js";
import { query } from "../lib/http.js";
import { about, amount } from "../lib/amounts.js";
import { BarChart, Ranking, TableOf } from "../parts/charts.js";
import { openDialog } from "../state/notices.js";
import { BooksDialog } from "../parts/booksdialog.js";
import { Figure } from "../parts/figure.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { Head } from "../parts/shell.js";

const SPANS = [1, 7, 14, 30, 90];
const LABELS = 12;
const BEST = 10;
const TELLING = 5; // a growth beyond fivefold says that there was hardly anything to compare with

/** @param {string} date */
const shortDay = (date) => day(`${date}T12:00:00`).replace(/^\w+,? /, "");

/** @param {number} now @param {number} before */
const trend = (now, before) => {
  if (before <= 0) return null;
  const part = now / before - 1;
  if (part > TELLING) return null;
  return html`<span class=${part < 0 ? "down" : "up"}>${part < 0 ? "−" : "+"}${percent(Math.round(Math.abs(part) * 100) / 100)}</span> `;
};

/** @param {{label: string, value: string, children?: any}} props */
const Kpi = ({ label, value, children }) => html`<section class="card"><small>${label}</small><${Figure} text=${value} /><small>${children}</small></section>`;

/** @param {{data: any}} props */
function Days({ data }) {
  const days = data.days;
  const name = (/** @type {any} */ one) => day(`${one.date}T12:00:00`);
  return html`<section class="card"><h2>${t("sales.bydays")}</h2>
    <${BarChart} label=${t("sales.bydays")} format=${(/** @type {number} */ n) => about(n, data)} every=${Math.ceil(days.length / LABELS)}
      bars=${days.map((/** @type {any} */ one, /** @type {number} */ i) => ({ label: shortDay(one.date), value: one.net_minor, other: data.days_before[i], title: t("sales.bar", { what: name(one), amount: amount(one.net_minor, data), n: one.sales }) }))} />
    <p class="legend"><span><i class="dot now" />${t("sales.now")}</span><span><i class="dot before" />${t("sales.before", { n: days.length })}</span></p>
    <${TableOf} caption=${t("sales.bydays")} head=${[t("sales.day"), t("sales.count"), t("sales.tax"), t("sales.net")]} rows=${days.map((/** @type {any} */ one) => [name(one), number(one.sales), amount(one.tax_minor, data), amount(one.net_minor, data)])} /></section>`;
}

/** @param {{data: any}} props */
function Hours({ data }) {
  const used = data.hours.filter((/** @type {any} */ one) => one.sales || one.net_minor);
  const from = Math.min(8, used[0]?.hour ?? 8);
  const to = Math.max(18, used[used.length - 1]?.hour ?? 18);
  const hours = data.hours.slice(from, to + 1);
  const name = (/** @type {any} */ one) => `${String(one.hour).padStart(2, "0")}:00`;
  return html`<section class="card"><h2>${t("sales.byhours")}</h2>
    <${BarChart} label=${t("sales.byhours")} format=${(/** @type {number} */ n) => about(n, data)} bars=${hours.map((/** @type {any} */ one) => ({ label: name(one).slice(0, 2), value: one.net_minor, title: t("sales.bar", { what: name(one), amount: amount(one.net_minor, data), n: one.sales }) }))} />
    <${TableOf} caption=${t("sales.byhours")} head=${[t("sales.hour"), t("sales.count"), t("sales.net")]} rows=${hours.map((/** @type {any} */ one) => [name(one), number(one.sales), amount(one.net_minor, data)])} /></section>`;
}

/** @param {{data: any}} props */
function Report({ data }) {
  const { total, before } = data;
  if (!total.sales && !total.net_minor) return html`<${Nothing} icon="chart-column" title=${t("sales.none")} hint=${t("sales.none.hint")} />`;
  return html`<div class="kpis">
      <${Kpi} label=${t("sales.net")} value=${amount(total.net_minor, data)}>${trend(total.net_minor, before.net_minor)}${t("sales.was", { amount: amount(before.net_minor, data) })}<//>
      <${Kpi} label=${t("sales.count")} value=${number(total.sales)}>${trend(total.sales, before.sales)}${t("sales.was", { amount: number(before.sales) })}<//>
      <${Kpi} label=${t("sales.average")} value=${amount(total.sales ? Math.round(total.net_minor / total.sales) : 0, data)}>${t("sales.average.note")}<//>
      <${Kpi} label=${t("sales.tax")} value=${amount(total.tax_minor, data)}>${t("sales.tax.note")}<//>
    </div>
    <div class="cols"><div class="stack"><${Days} data=${data} /><${Hours} data=${data} /></div>
      <div class="stack"><section class="card"><h2>${t("sales.bystores")}</h2><${Ranking} rows=${data.stores.map((/** @type {any} */ one) => ({ label: one.name, value: one.net_minor, text: amount(one.net_minor, data), sub: t("sales.some", { n: one.sales }) }))} /></section>
      <section class="card"><h2>${t("sales.products")}</h2><div class="scroll-x"><table><thead><tr><th scope="col">${t("sales.product")}</th><th scope="col" class="r">${t("sales.quantity")}</th><th scope="col" class="r">${t("sales.net")}</th></tr></thead>
        <tbody>${data.products.slice(0, BEST).map((/** @type {any} */ one) => html`<tr key=${one.sku}><td>${one.name}</td><td class="r">${quantity(quantityText(one.quantity_milli))}</td><td class="r"><b>${amount(one.net_minor, data)}</b></td></tr>`)}</tbody></table></div></section></div></div>`;
}

export function SalesPage() {
  const [from, setFrom] = useState(isoDay(-13));
  const [to, setTo] = useState(isoDay());
  const [store, setStore] = useState("");
  const [currency, setCurrency] = useState("");
  const stores = useLoad("/overview");
  const asked = query({ from, to, stores: store, currency });
  const load = useLoad(`/reports/sales${asked}`);
  /** @type {any[]} */
  const all = stores.data?.stores ?? [];
  const days = Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000) + 1;
  return html`<${Head} title=${t("nav.sales")} sub=${load.data ? t("sales.span", { from: day(`${from}T12:00:00`), to: day(`${to}T12:00:00`) }) : ""}>
      <a class="btn" href=${`/api/v1/reports/sales${asked}&format=csv&language=${localeTag()}`} download><${Icon} name="download" />${t("export.csv")}</a>
      ${all.length > 0 && html`<button class="btn" onClick=${() => openDialog(BooksDialog, { stores: all })}><${Icon} name="file-text" />${t("books.open")}</button>`}<//>
    <div class="tools">
      <div class="seg" role="group" aria-label=${t("sales.spans")}>${SPANS.map((n) => html`<button key=${n} aria-pressed=${to === isoDay() && days === n} onClick=${() => { setFrom(isoDay(1 - n)); setTo(isoDay()); }}>${n === 1 ? t("sales.today") : t("sales.last", { n })}</button>`)}</div>
      <label class="field"><span>${t("sales.from")}</span><input class="input" type="date" value=${from} max=${to} onChange=${(/** @type {Event} */ e) => valueOf(e) && setFrom(valueOf(e))} /></label>
      <label class="field"><span>${t("sales.to")}</span><input class="input" type="date" value=${to} min=${from} max=${isoDay(1)} onChange=${(/** @type {Event} */ e) => valueOf(e) && setTo(valueOf(e))} /></label>
      ${all.length > 1 && html`<label class="field"><span>${t("sales.store")}</span><select class="input" value=${store} onChange=${(/** @type {Event} */ e) => { setStore(valueOf(e)); setCurrency(""); }}><option value="">${t("sales.all")}</option>${all.map((one) => html`<option key=${one.store} value=${one.store}>${one.name}</option>`)}</select></label>`}
      ${load.data?.currencies.length > 1 && html`<label class="field"><span>${t("sales.currency")}</span><select class="input" value=${load.data.currency} onChange=${(/** @type {Event} */ e) => setCurrency(valueOf(e))}>${load.data.currencies.map((/** @type {string} */ one) => html`<option key=${one}>${one}</option>`)}</select></label>`}
    </div>
    <${Loading} load=${load} />${load.data && !load.problem && html`<${Report} data=${load.data} />`}`;
}
