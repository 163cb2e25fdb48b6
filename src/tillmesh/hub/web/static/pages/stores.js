// All stores at a glance: those that need somebody come first.
import { html, useState, valueOf } from "../lib/ui.js";
import { number, percent, t, tOr } from "../lib/i18n.js";
import { amount } from "../lib/amounts.js";
import { span } from "../lib/words.js";
import { tick } from "../state/tick.js";
import { Figure } from "../parts/figure.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { Head } from "../parts/shell.js";

/** @typedef {{sales: number, net_minor: number, tax_minor: number}} Sums */
/** @typedef {{store: string, name: string, currency: string, exponent: number, online: boolean, silent_ms: number | null, term: number, leader: string, till_count: number, events: number, behind: number, unsent: number | null, fenced: string[], uncounted: number, today: Sums, week_before: Sums}} Standing */

const QUIET_MS = 3_600_000; // an hour without a word is more than a router that starts anew

/** How bad it is: 2 wants a person, 1 is worth a look, 0 is well. @param {Standing} one */
export const trouble = (one) => (one.fenced.length || (!one.online && (one.silent_ms ?? Infinity) > QUIET_MS) ? 2 : !one.online || one.behind || one.uncounted ? 1 : 0);

/** @param {Standing} one */
export function stateOf(one) {
  if (one.fenced.length) return { tone: "bad", icon: "circle-alert", text: t("store.fenced", { name: one.fenced.join(", ") }) };
  if (one.uncounted) return { tone: "warn", icon: "circle-alert", text: t("store.uncounted", { n: one.uncounted }) };
  if (one.online) return one.behind ? { tone: "warn", icon: "cloud-off", text: t("store.behind", { n: one.behind }) } : { tone: "ok", icon: "circle-check", text: t("store.online") };
  if (one.silent_ms === null) return { tone: "warn", icon: "wifi-off", text: t("store.never") };
  return { tone: trouble(one) === 2 ? "bad" : "warn", icon: "wifi-off", text: t("store.silent", { ago: span(one.silent_ms) }) };
}

/** Today against the same hours a week ago. @param {{one: Standing}} props */
export function Change({ one }) {
  const before = one.week_before.net_minor;
  if (before <= 0) return html`<small>${t("store.noweek")}</small>`;
  const part = one.today.net_minor / before - 1;
  if (Math.round(part * 100) === 0) return html`<small>${t("store.same")}</small>`;
  return html`<small><span class=${part < 0 ? "down" : "up"}>${part < 0 ? "−" : "+"}${percent(Math.round(Math.abs(part) * 100) / 100)}</span> ${t("store.week")}</small>`;
}

/** @param {{one: Standing}} props */
const Tile = ({ one }) => {
  const state = stateOf(one);
  return html`<a class=${`card shop ${state.tone}`} href=${`#/store/${one.store}`}>
    <span class="shop-head"><b class="clip2">${one.name}</b><${Icon} name="chevron-right" /></span>
    <span class=${`pill sm ${state.tone}`}><${Icon} name=${state.icon} size="sm" />${state.text}</span>
    <span class="shop-sum"><span class="kv">${amount(one.today.net_minor, one)}</span><${Change} one=${one} /></span>
    <span class="shop-foot"><small>${t("store.sales", { n: one.today.sales })}</small><small>${t("store.tills", { n: one.till_count })}</small><small>${one.leader && t("store.leads", { name: one.leader, term: one.term })}</small></span>
  </a>`;
};

/** Sums of stores with one currency. @param {Standing[]} stores */
function totals(stores) {
  /** @type {Map<string, {currency: string, exponent: number, net: number, before: number, sales: number}>} */
  const found = new Map();
  for (const one of stores) {
    const sum = found.get(one.currency) ?? { currency: one.currency, exponent: one.exponent, net: 0, before: 0, sales: 0 };
    found.set(one.currency, { ...sum, net: sum.net + one.today.net_minor, before: sum.before + one.week_before.net_minor, sales: sum.sales + one.today.sales });
  }
  return [...found.values()].sort((a, b) => b.net - a.net);
}

/** @param {{stores: Standing[]}} props */
const Kpis = ({ stores }) => {
  const away = stores.filter((one) => !one.online);
  const sums = totals(stores);
  return html`<div class="kpis">
    ${sums.map((sum) => html`<section class="card" key=${sum.currency}><small>${t("stores.today")}</small><${Figure} text=${amount(sum.net, sum)} /><small>${t("stores.week", { amount: amount(sum.before, sum) })}</small></section>`)}
    <section class="card"><small>${t("stores.sales")}</small><${Figure} text=${number(sums.reduce((n, sum) => n + sum.sales, 0))} /><small>${t("stores.sales.note")}</small></section>
    <section class="card"><small>${t("stores.reach")}</small><${Figure} text=${t("stores.of", { n: stores.length - away.length, all: stores.length })} /><small>${away.length ? t("stores.away") : t("stores.allthere")}</small></section>
    <section class="card"><small>${t("stores.waiting")}</small><${Figure} text=${number(stores.reduce((n, one) => n + one.behind, 0))} /><small>${t("stores.waiting.note")}</small></section>
  </div>`;
};

const SEARCH_FROM = 9;

export function StoresPage() {
  const load = useLoad("/overview", tick.value);
  const [text, setText] = useState("");
  /** @type {Standing[]} */
  const stores = load.data?.stores ?? [];
  const wanted = text.trim().toLowerCase();
  const shown = stores.filter((one) => !wanted || one.name.toLowerCase().includes(wanted) || one.store.includes(wanted));
  shown.sort((a, b) => trouble(b) - trouble(a) || b.today.net_minor - a.today.net_minor || a.name.localeCompare(b.name));
  const troubled = stores.filter((one) => trouble(one)).length;
  const fine = stores.length > 0 && !load.data.trouble && !load.data.concerns?.length;
  return html`<${Head} title=${t("nav.stores")} sub=${troubled ? t("stores.troubled", { n: troubled }) : fine ? t("stores.fine") : ""} />
    <div role="alert" class="stack">${load.data?.trouble && html`<div class="refusal"><b>${t("stores.trouble")}</b><span>${load.data.trouble.detail}. ${t("stores.trouble.hint")}</span></div>`}
      ${(load.data?.concerns ?? []).map((/** @type {{check: string, text: string}} */ one) => html`<div class="refusal warn" key=${one.text}><b>${tOr(`health.check.${one.check}`, one.check)}</b><span>${one.text}</span></div>`)}</div>
    ${!load.data ? html`<${Loading} load=${load} />` : stores.length === 0 ? html`<${Nothing} icon="store" title=${t("stores.none")} hint=${t("stores.none.hint")} />` : html`
      <${Kpis} stores=${stores} />
      ${stores.length >= SEARCH_FROM && html`<label class="search"><${Icon} name="search" /><span class="sr">${t("stores.search")}</span><input autocomplete="off" placeholder=${t("stores.search")} onInput=${(/** @type {Event} */ e) => setText(valueOf(e))} /></label>`}
      ${shown.length ? html`<div class="shops">${shown.map((one) => html`<${Tile} key=${one.store} one=${one} />`)}</div>` : html`<${Nothing} icon="search" title=${t("stores.nomatch", { text })} />`}`}`;
}
