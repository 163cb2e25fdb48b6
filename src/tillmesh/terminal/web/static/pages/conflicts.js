// Oversold: goods that several tills sold at once, what could be done, and the answer a person gives with one tap.
import { html } from "../lib/ui.js";
import { clock, day, dayClock, t, tOr } from "../lib/i18n.js";
import { money, quantity } from "../lib/money.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { call } from "../state/session.js";
import { oversellNews } from "../state/live.js";
import { openDialog, toastOk, toastProblem } from "../state/notices.js";
import { Confirm } from "../parts/dialog.js";
import { Icon } from "../parts/icon.js";
import { quantityWords } from "../parts/linedialogs.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { ReasonDialog } from "../parts/reasondialog.js";
import { Head } from "../parts/top.js";

const ICONS = { adjust: "boxes", back_order: "clock", void: "undo-2" };
const LIKELY = 0.6;
const MAYBE = 0.35;
const REASONS_SHOWN = 3;

/** @typedef {keyof typeof ICONS} Action */

/** Today only the time counts. @param {string} at */
const when = (at) => (day(at) === day(Date.now()) ? clock(at) : dayClock(at));

/** The tills that sold it, each once, the first one first. @param {any[]} sales */
const tillsOf = (sales) => [...new Set(sales.map((sale) => String(sale.terminal.name)).reverse())];

/** @param {any} reason */
const because = ({ code, n }) => tOr(`oversold.why.${code}`, "") && t(`oversold.why.${code}`, { n });

/** Send an answer; say that it is done, or why it is not. @param {string} path @param {any} body @param {string} done @param {import("../lib/i18n.js").Params} [params] */
async function answer(path, body, done, params) {
  try {
    await call("POST", path, body);
    toastOk(done, params);
  } catch (error) {
    toastProblem(error);
  }
  oversellNews.value += 1;
}

/** @param {{confidence: number}} props */
const Likely = ({ confidence }) => {
  const word = confidence >= LIKELY ? "likely" : confidence >= MAYBE ? "maybe" : "unlikely";
  return html`<span class=${`likely bar-${word}`}><span class="track" aria-hidden="true"><i style=${{ width: `${confidence * 100}%` }} /></span>${t(`oversold.${word}`)}</span>`;
};

/** @param {any} one @param {any} item */
const saleOf = (one, item) => item.sales.find((/** @type {any} */ sale) => sale.sale_id === one.sale_id);

/** @param {any} one @param {any} item */
const titleOf = (one, item) => t(`oversold.do.${one.action}`, { quantity: quantityWords(item.missing, item.unit), receipt: saleOf(one, item)?.receipt_number });

/** @param {{one: any, first: boolean, item: any, choose: (one: any) => void}} props */
const Suggestion = ({ one, first, item, choose }) => {
  const title = titleOf(one, item);
  /** @type {{text: string, speaks: "for" | "against"}[]} */
  const why = one.because.slice(0, REASONS_SHOWN).map((/** @type {any} */ reason) => ({ text: because(reason), speaks: reason.points > 0 ? "for" : "against" }));
  return html`<li class="suggestion">
    <span class="row-icon"><${Icon} name=${ICONS[/** @type {Action} */ (one.action)]} /></span>
    <div class="suggestion-text"><div class="suggestion-head"><b>${title}</b><${Likely} confidence=${one.confidence} /></div>
      <small>${t(`oversold.means.${one.action}`)}</small>
      ${why.length > 0 && html`<ul class="why">${why.filter((reason) => reason.text).map(({ text, speaks }) => html`<li key=${text} class=${speaks}><${Icon} name=${speaks === "for" ? "plus" : "minus"} size="sm" /><span><span class="sr">${t(`oversold.speaks.${speaks}`)} </span>${text}</span></li>`)}</ul>`}</div>
    <button class=${`btn ${first ? "primary" : ""} ${one.action === "void" ? "bad-ink" : ""}`} aria-label=${title} onClick=${() => choose(one)}>${t(`oversold.yes.${one.action}`)}</button>
  </li>`;
};

/** @param {{sale: any, unit: string}} props */
const Sale = ({ sale, unit }) =>
  html`<li><a class="row-main" href=${`#/sales/${sale.sale_id}`}><span class=${`row-icon ${sale.over ? "bad" : "ok"}`}><${Icon} name="receipt-text" /></span>
    <span><b>${sale.terminal.name} <span class="soft num">${when(sale.at)}</span></b><small>${[sale.receipt_number, sale.customer?.name, `${quantityWords(sale.quantity, unit)} ×`].filter(Boolean).join(" · ")}</small></span>
    <span class="spacer" /><span class=${`pill sm ${sale.over ? "warn" : ""}`}>${t(sale.over ? "oversold.sale.over" : "oversold.sale.before")}</span></a></li>`;

/** @param {{icon: string, title: string, note: string, number: string, label: string}} props */
const CardHead = ({ icon, title, note, number, label }) =>
  html`<header class="oversell-head"><span class="row-icon warn"><${Icon} name=${icon} /></span><div><h2>${title}</h2><small>${note}</small></div><span class="spacer" />
    <div class="oversell-stock"><b class="num">${number}</b><small>${label}</small></div></header>`;

/** @param {{item: any}} props */
function Oversell({ item }) {
  const tills = tillsOf(item.sales);
  const choose = async (/** @type {any} */ one) => {
    const sale = saleOf(one, item);
    if (sale && !(await openDialog(Confirm, { title: titleOf(one, item), text: t("oversold.void.text", { total: money(sale.total_minor) }), yes: t("oversold.yes.void"), danger: true }))) return;
    await answer(`/conflicts/${item.id}/resolve`, { action: one.action, sale_id: one.sale_id }, `oversold.done.${one.action}`, { name: item.name, quantity: quantityWords(item.missing, item.unit) });
  };
  return html`<article class="card oversell" aria-label=${item.name}>
    <${CardHead} icon="package-open" title=${item.name} note=${tills.length ? t(tills.length > 1 ? "oversold.tills" : "oversold.till", { tills: tills.slice(0, -1).join(", "), last: tills.at(-1), at: when(item.since) }) : t("oversold.sales.none")} number=${quantity(item.stock)} label=${t("stock.left")} />
    <div class="oversell-body"><ol class="suggestions">
        ${item.suggestions.map((/** @type {any} */ one, /** @type {number} */ i) => html`<${Suggestion} key=${one.action + (one.sale_id ?? "")} one=${one} first=${i === 0} item=${item} choose=${choose} />`)}</ol>
      <section><h3>${t("oversold.sales")}</h3>
        ${item.sales.length ? html`<ul class="rows">${item.sales.map((/** @type {any} */ sale) => html`<${Sale} key=${sale.sale_id} sale=${sale} unit=${item.unit} />`)}</ul>` : html`<p class="hint">${t("oversold.sales.none")}</p>`}</section></div>
  </article>`;
}

/** One line of what happened. @param {{icon: string, tone?: string, name: string, soft: string, small: any[], bad?: string, side: any}} props */
const Entry = ({ icon, tone = "", name, soft, small, bad, side }) =>
  html`<li><span class=${`row-icon ${tone}`}><${Icon} name=${icon} /></span>
    <span><b>${name} <span class="soft">${soft}</span></b><small>${small.filter(Boolean).join(" · ")}</small>${bad && html`<small class="down">${bad}</small>`}</span><b class="num">${side}</b></li>`;

/** @param {{one: any}} props */
const Answered = ({ one }) => {
  const status = one.status !== "done" && t(`oversold.status.${one.status}`);
  return html`<${Entry} icon=${ICONS[/** @type {Action} */ (one.action)]} tone=${one.overtaken_by ? "bad" : "ok"} name=${one.name}
    soft=${t(`oversold.was.${one.action}`, { quantity: quantityWords(one.quantity, one.unit), receipt: one.sale?.receipt_number ?? "" })}
    small=${[t(one.by.policy ? "oversold.by.policy" : "audit.by", { by: one.by.name }), one.approved_by && t("audit.approved", { by: one.approved_by.name }), one.terminal.name, one.reason, !one.overtaken_by && status]}
    bad=${one.overtaken_by && status} side=${when(one.at)} />`;
};

/** @param {{one: any}} props */
const Waiting = ({ one }) =>
  html`<${Entry} icon="clock" name=${one.name} soft=${t("oversold.owed", { quantity: quantityWords(one.owed, one.unit) })} small=${one.sales.map((/** @type {any} */ sale) => sale && (sale.customer?.name ?? sale.receipt_number))} side=${when(one.at)} />`;

/** Money that two tills took or gave back while apart: both stand, a person says how it ended. @param {{one: any}} props */
function MoneyTwice({ one }) {
  const receipt = (one.sale ?? one.events[0]).receipt_number;
  const title = t(`money.${one.kind}`, { receipt });
  const settle = async () => {
    const reason = await openDialog(ReasonDialog, { title: t("money.settle"), note: title, kind: "money", label: t("money.settle.yes") });
    if (reason) await answer(`/conflicts/money/${encodeURIComponent(one.id)}/settle`, { reason }, "money.settled");
  };
  return html`<article class="card oversell" aria-label=${title}>
    <${CardHead} icon="hand-coins" title=${title} note=${t(`money.${one.kind}.means`)} number=${money(one.too_much_minor)} label=${t("money.toomuch")} />
    <ul class="timeline">${one.events.map((/** @type {any} */ row) => html`<${Entry} key=${row.event_id} icon=${row.kind === "sale" ? "receipt-text" : "undo-2"} name=${t(`money.${row.kind}`)} soft=${row.receipt_number} small=${[row.terminal.name, when(row.at), row.by?.name]} side=${money(row.total_minor)} />`)}</ul>
    <div><button class="btn primary" onClick=${settle}>${t("money.settle")}</button></div>
  </article>`;
}

export function ConflictsPage() {
  const load = useLoad("/conflicts", oversellNews.value);
  useKeys({ Escape: () => go("sell") });
  /** @type {any[]} */
  const all = load.data?.conflicts ?? [];
  const open = all.filter((one) => !one.never_booked);
  const rest = all.filter((one) => one.never_booked);
  /** @type {any[]} */
  const twice = load.data?.money ?? [];
  /** @type {any[]} */
  const waiting = load.data?.back_orders ?? [];
  /** @type {any[]} */
  const answered = load.data?.resolved ?? [];
  const list = (/** @type {any[]} */ items) => items.map((item) => html`<${Oversell} key=${item.id} item=${item} />`);
  return html`<${Head} title=${t("nav.conflicts")} sub=${t("oversold.sub")} /><${Loading} load=${load} />
    ${twice.map((one) => html`<${MoneyTwice} key=${one.id} one=${one} />`)}
    ${load.data && open.length === 0 && html`<section class="card"><${Nothing} icon="circle-check" title=${t("oversold.none")} hint=${t("oversold.none.hint")} /></section>`}
    ${list(open)}
    ${rest.length > 0 && html`<details class="card alt"><summary>${t("oversold.never", { n: load.data.never_booked })}</summary><p class="hint">${t("oversold.never.hint")}</p><div class="stack">${list(rest)}</div></details>`}
    ${waiting.length > 0 && html`<section class="card"><h2>${t("oversold.waiting")}<span class="pill sm">${waiting.length}</span></h2><ul class="timeline">${waiting.map((one) => html`<${Waiting} key=${one.event_id} one=${one} />`)}</ul></section>`}
    ${answered.length > 0 && html`<section class="card"><h2>${t("oversold.answered")}</h2><ul class="timeline">${answered.map((one) => html`<${Answered} key=${one.event_id} one=${one} />`)}</ul></section>`}`;
}
