// One store from near by: its tills, and what they sold last.
import { html } from "../lib/ui.js";
import { dayClock, number, t } from "../lib/i18n.js";
import { amount } from "../lib/amounts.js";
import { span } from "../lib/words.js";
import { call, may } from "../state/session.js";
import { openDialog, toastOk, toastProblem } from "../state/notices.js";
import { tick } from "../state/tick.js";
import { Confirm } from "../parts/dialog.js";
import { Figure } from "../parts/figure.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { Head } from "../parts/shell.js";
import { Change, stateOf } from "./stores.js";

const KINDS = { sale: "receipt-text", refund: "undo-2", void: "x" };

/** @param {{data: any}} props */
const Tills = ({ data }) =>
  html`<div class="scroll-x"><table class="store-tills"><caption class="sr">${t("store.thetills")}</caption>
    <thead><tr><th scope="col">${t("store.till")}</th><th scope="col">${t("store.does")}</th><th scope="col" class="r">${t("store.today")}</th><th scope="col" class="r hide-s">${t("store.lastwrote")}</th></tr></thead>
    <tbody>${data.tills.map((/** @type {any} */ till) => html`<tr key=${till.terminal}><th scope="row">${till.name}</th>
      <td>${till.fenced ? html`<span class="pill sm bad"><${Icon} name="circle-alert" size="sm" />${t("store.isfenced")}</span>` : till.uploads ? html`<span class="pill sm ok"><${Icon} name="crown" size="sm" />${t("store.uploads")}</span>` : html`<span class="pill sm">${t("store.sells")}</span>`}</td>
      <td class="r"><b>${amount(till.today.net_minor, data)}</b><br /><small>${t("sales.some", { n: till.today.sales })}</small></td><td class="r hide-s">${dayClock(till.last_event)}</td></tr>`)}</tbody></table></div>`;

/** @param {{data: any, load: any}} props */
const Latest = ({ data, load }) => {
  if (!load.data) return html`<${Loading} load=${load} />`;
  if (!load.data.sales.length) return html`<${Nothing} icon="receipt-text" title=${t("store.nosales")} hint=${t("store.nosales.hint")} />`;
  return html`<ul class="timeline">${load.data.sales.map((/** @type {any} */ one) => html`<li key=${one.sale_id}><span class=${`row-icon ${one.kind === "sale" ? "" : "warn"}`}><${Icon} name=${KINDS[/** @type {"sale"} */ (one.kind)]} /></span>
    <span><b>${one.receipt_number}</b><small>${[t(`kind.${one.kind}`), one.terminal_name].join(" · ")}</small></span><span class="r"><b class="num">${one.kind === "sale" ? "" : "−"}${amount(one.total_minor, data)}</b><small class="num">${dayClock(one.at)}</small></span></li>`)}</ul>`;
};

/** A false term keeps the store's leader out: let its next one be the first. @param {{data: any, load: any}} props */
const ForgetTerm = ({ data, load }) => {
  const forget = async () => {
    if (!(await openDialog(Confirm, { title: t("store.forget.title"), text: t("store.forget.text", { name: data.name }), yes: t("store.forget"), danger: true }))) return;
    try {
      await call("DELETE", `/stores/${encodeURIComponent(data.store)}/term`);
      toastOk("store.forget.done");
    } catch (error) {
      toastProblem(error);
    }
    load.reload();
  };
  return html`<button class="btn" onClick=${() => void forget()}>${t("store.forget")}</button>`;
};

/** @param {{arg: string}} props */
export function StorePage({ arg }) {
  const load = useLoad(`/stores/${encodeURIComponent(arg)}`, tick.value);
  const latest = useLoad(`/stores/${encodeURIComponent(arg)}/latest?limit=25`, tick.value);
  const data = load.data;
  const state = data && stateOf({ ...data, till_count: data.tills.length });
  return html`<${Head} title=${data?.name ?? t("nav.stores")} sub=${data ? t("store.id", { id: data.store, zone: data.time_zone }) : ""} back="#/stores">${data && may("admin") && html`<${ForgetTerm} data=${data} load=${load} />`}<//>
    ${!data ? html`<${Loading} load=${load} />` : html`
    <div class="kpis">
      <section class="card"><small>${t("stores.today")}</small><${Figure} text=${amount(data.today.net_minor, data)} /><${Change} one=${data} /></section>
      <section class="card"><small>${t("store.state")}</small><b class="kv words">${data.online ? t("store.online") : t("store.offline")}</b><small>${data.silent_ms === null ? t("store.never") : data.online ? t("store.heardnow") : t("store.heard", { ago: span(data.silent_ms) })}</small></section>
      <section class="card"><small>${t("store.leader")}</small><b class="kv words">${data.leader || "–"}</b><small>${t("store.term", { n: data.term })}</small></section>
      <section class="card"><small>${t("stores.waiting")}</small><${Figure} text=${number(data.behind)} /><small>${data.unsent ? t("store.unsent", { n: data.unsent }) : t("store.allsent")}</small></section>
    </div>
    ${data.fenced.length > 0 && html`<div class="refusal" role="alert"><b>${state.text}</b><span>${t("store.fenced.hint")}</span></div>`}
    ${data.uncounted > 0 && html`<div class="refusal" role="alert"><b>${t("store.uncounted", { n: data.uncounted })}</b><span>${t("store.uncounted.hint", { tills: data.tills.filter((/** @type {any} */ till) => till.uncounted).map((/** @type {any} */ till) => till.name).join(", ") })}</span></div>`}
    <div class="cols"><section class="card"><h2>${t("store.thetills")}</h2><${Tills} data=${data} /></section>
      <section class="card"><h2>${t("store.latest")}</h2><${Latest} data=${data} load=${latest} /></section></div>`}`;
}
