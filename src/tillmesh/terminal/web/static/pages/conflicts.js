// Oversold: goods that several tills sold at once, what could be done, and the answer a person gives with one tap.
import { html, useEffect, useState } from "../lib/ui.js";
import { clock, day, dayClock, t, tOr } from "../lib/i18n.js";
import { money, quantity } from "../lib/money.js";
import { asProblem } from "../lib/http.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { call } from "../state/session.js";
import { oversellNews } from "../state/live.js";
import { openDialog, toast, toastProblem } from "../state/notices.js";
import { Confirm } from "../parts/dialog.js";
import { Icon } from "../parts/icon.js";
import { quantityWords } from "../parts/linedialogs.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { Head } from "../parts/top.js";

const ICONS = { adjust: "boxes", back_order: "clock", void: "undo-2" };
const LIKELY = 0.6;
const MAYBE = 0.35;
const REASONS_SHOWN = 3;
/** Ages in the words move on while nobody does anything. */
const AGAIN_MS = 60_000;

/** @typedef {keyof typeof ICONS} Action */

/** @param {number} confidence */
const likelihood = (confidence) => (confidence >= LIKELY ? "likely" : confidence >= MAYBE ? "maybe" : "unlikely");

/** Today only the time counts. @param {string} at */
const when = (at) => (day(at) === day(Date.now()) ? clock(at) : dayClock(at));

/** The tills that sold it, each once, the first one first. @param {any[]} sales */
const tillsOf = (sales) => [...new Set(sales.map((sale) => String(sale.terminal.name)).reverse())];

/** @param {any} reason */
function because({ code, n }) {
  const key = `oversold.why.${code}`;
  return code === "just_sold" && n === 0 ? t("oversold.why.just_now") : tOr(key, "") && t(key, { n });
}

/** @param {{confidence: number}} props */
const Likely = ({ confidence }) => {
  const word = likelihood(confidence);
  return html`<span class=${`likely bar-${word}`}><span class="track" aria-hidden="true"><i style=${{ width: `${Math.round(confidence * 100)}%` }} /></span>${t(`oversold.${word}`)}</span>`;
};

/** @param {{one: any, sales: any[], item: any}} props */
function titleOf({ one, sales, item }) {
  if (one.action !== "void") return t(`oversold.do.${one.action}`, { quantity: quantityWords(item.missing, item.unit) });
  return t("oversold.do.void", { receipt: sales.find((sale) => sale.sale_id === one.sale_id)?.receipt_number ?? "" });
}

/** @param {{one: any, first: boolean, item: any, busy: boolean, choose: (one: any) => void}} props */
const Suggestion = ({ one, first, item, busy, choose }) => {
  const title = titleOf({ one, sales: item.sales, item });
  /** @type {{text: string, speaks: "for" | "against"}[]} */
  const why = one.because.slice(0, REASONS_SHOWN).map((/** @type {any} */ reason) => ({ text: because(reason), speaks: reason.points > 0 ? "for" : "against" }));
  return html`<li class="suggestion">
    <span class="row-icon"><${Icon} name=${ICONS[/** @type {Action} */ (one.action)]} /></span>
    <div class="suggestion-text"><div class="suggestion-head"><b>${title}</b><${Likely} confidence=${one.confidence} /></div>
      <small>${t(`oversold.means.${one.action}`)}</small>
      ${why.length > 0 && html`<ul class="why">${why.filter((reason) => reason.text).map(({ text, speaks }) => html`<li key=${text} class=${speaks}><${Icon} name=${speaks === "for" ? "plus" : "minus"} size="sm" /><span><span class="sr">${t(`oversold.speaks.${speaks}`)} </span>${text}</span></li>`)}</ul>`}</div>
    <button class=${`btn ${first ? "primary" : ""} ${one.action === "void" ? "bad-ink" : ""}`} disabled=${busy} data-first=${first} aria-label=${title} onClick=${() => choose(one)}>${t(`oversold.yes.${one.action}`)}</button>
  </li>`;
};

/** @param {{sale: any, unit: string}} props */
const Sale = ({ sale, unit }) =>
  html`<li><a class="row-main" href=${`#/sales/${sale.sale_id}`}><span class=${`row-icon ${sale.over ? "bad" : "ok"}`}><${Icon} name="receipt-text" /></span>
    <span><b>${sale.terminal.name} <span class="soft num">${when(sale.at)}</span></b><small>${[sale.receipt_number, sale.customer?.name, sale.quantity === "1" ? "" : `${quantityWords(sale.quantity, unit)} ×`].filter(Boolean).join(" · ")}</small></span>
    <span class="spacer" /><span class=${`pill sm ${sale.over ? "warn" : ""}`}>${t(sale.over ? "oversold.sale.over" : "oversold.sale.before")}</span></a></li>`;

/** @param {{item: any, onDone: () => void}} props */
function Oversell({ item, onDone }) {
  const [busy, setBusy] = useState(false);
  const tills = tillsOf(item.sales);
  const choose = async (/** @type {any} */ one) => {
    const sale = item.sales.find((/** @type {any} */ other) => other.sale_id === one.sale_id);
    if (sale && !(await openDialog(Confirm, { title: titleOf({ one, sales: item.sales, item }), text: t("oversold.void.text", { total: money(sale.total_minor) }), yes: t("oversold.yes.void"), danger: true }))) return;
    setBusy(true);
    try {
      const done = await call("POST", `/conflicts/${item.id}/resolve`, { action: one.action, ...(one.sale_id ? { sale_id: one.sale_id } : {}) });
      toast({ tone: "ok", title: t(`oversold.done.${done.action}`, { name: item.name, quantity: quantityWords(done.quantity, item.unit) }) });
    } catch (error) {
      if (asProblem(error).kind !== "cancelled") toastProblem(error);
    }
    setBusy(false);
    onDone();
  };
  return html`<article class="card oversell" aria-label=${item.name}>
    <header class="oversell-head"><span class="row-icon warn"><${Icon} name="package-open" /></span>
      <div><h2>${item.name}</h2><small>${tills.length ? t(tills.length > 1 ? "oversold.tills" : "oversold.till", { tills: tills.slice(0, -1).join(", "), last: tills.at(-1), at: when(item.since) }) : t("oversold.sales.none")}</small></div><span class="spacer" />
      <div class="oversell-stock"><b class="num">${quantity(item.stock)}</b><small>${t("stock.left")}</small></div></header>
    <div class="oversell-body"><ol class="suggestions" aria-label=${t("oversold.suggestions")}>
        ${item.suggestions.map((/** @type {any} */ one, /** @type {number} */ i) => html`<${Suggestion} key=${one.action + (one.sale_id ?? "")} one=${one} first=${i === 0} item=${item} busy=${busy} choose=${choose} />`)}</ol>
      <section aria-label=${t("oversold.sales")}><h3>${t("oversold.sales")}</h3>
        ${item.sales.length ? html`<ul class="rows">${item.sales.map((/** @type {any} */ sale) => html`<${Sale} key=${sale.sale_id} sale=${sale} unit=${item.unit} />`)}</ul>` : html`<p class="hint">${t("oversold.sales.none")}</p>`}</section></div>
  </article>`;
}

/** @param {{one: any}} props */
const Answered = ({ one }) => {
  const who = t(one.by.policy ? "oversold.by.policy" : "audit.by", { by: one.by.name });
  const said = one.reason && !/^oversold by |^by the store's policy/.test(one.reason) ? one.reason : "";
  const second = one.overtaken_by;
  return html`<li><span class=${`row-icon ${second ? "bad" : "ok"}`}><${Icon} name=${second ? "triangle-alert" : ICONS[/** @type {Action} */ (one.action)]} /></span>
    <span><b>${one.name} <span class="soft">${t(`oversold.was.${one.action}`, { quantity: quantityWords(one.quantity, one.unit), receipt: one.sale?.receipt_number ?? "" })}</span></b>
      <small>${[who, one.approved_by && t("audit.approved", { by: one.approved_by.name }), one.terminal.name, said].filter(Boolean).join(" · ")}</small>
      ${one.status !== "done" && html`<small class=${second ? "down" : ""}>${t(`oversold.status.${one.status}`)}</small>`}</span>
    <small class="num">${when(one.at)}</small></li>`;
};

/** @param {{one: any}} props */
const Waiting = ({ one }) => {
  const names = one.sales.filter(Boolean).map((/** @type {any} */ sale) => sale.customer?.name ?? sale.receipt_number);
  return html`<li><span class="row-icon"><${Icon} name="clock" /></span>
    <span><b>${one.name} <span class="soft">${t("oversold.owed", { quantity: quantityWords(one.owed, one.unit) })}</span></b><small>${names.length ? t("oversold.for", { names: names.join(", ") }) : ""}</small></span><small class="num">${when(one.at)}</small></li>`;
};

export function ConflictsPage() {
  const load = useLoad("/conflicts", oversellNews.value);
  useKeys({ Escape: () => go("sell") });
  useEffect(() => {
    const timer = setInterval(load.reload, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  /** @type {any[]} */
  const all = load.data?.conflicts ?? [];
  const open = all.filter((one) => !one.never_booked);
  const rest = all.filter((one) => one.never_booked);
  /** @type {any[]} */
  const waiting = load.data?.back_orders ?? [];
  /** @type {any[]} */
  const answered = load.data?.resolved ?? [];
  const list = (/** @type {any[]} */ items) => items.map((item) => html`<${Oversell} key=${item.id} item=${item} onDone=${load.reload} />`);
  return html`<${Head} title=${t("nav.conflicts")} sub=${t("oversold.sub")} /><${Loading} load=${load} />
    ${load.data && open.length === 0 && html`<section class="card"><${Nothing} icon="circle-check" title=${t("oversold.none")} hint=${t("oversold.none.hint")} /></section>`}
    ${list(open)}
    ${rest.length > 0 && html`<details class="card alt"><summary>${t("oversold.never", { n: load.data.never_booked })}</summary><p class="hint">${t("oversold.never.hint")}</p><div class="stack">${list(rest)}</div></details>`}
    ${waiting.length > 0 && html`<section class="card"><h2>${t("oversold.waiting")}<span class="pill sm">${waiting.length}</span></h2><ul class="timeline">${waiting.map((one) => html`<${Waiting} key=${one.event_id} one=${one} />`)}</ul></section>`}
    ${answered.length > 0 && html`<section class="card"><h2>${t("oversold.answered")}</h2><ul class="timeline">${answered.map((one) => html`<${Answered} key=${one.event_id} one=${one} />`)}</ul></section>`}`;
}
