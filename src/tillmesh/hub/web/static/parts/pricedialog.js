// A new price: for all stores, a group of them, or some; and its way to the tills.
import { html, useEffect, useRef, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { amount, amountField, parseAmount } from "../lib/amounts.js";
import { call, may } from "../state/session.js";
import { tick } from "../state/tick.js";
import { Dialog } from "./dialog.js";
import { Field, Refusal, Toggle } from "./fields.js";
import { Icon } from "./icon.js";
import { Loading, useLoad } from "./load.js";

/** @typedef {{store: string, name: string, price_minor: number, active: boolean, currency: string, exponent: number, unsent: number | null, tills_with: number | null, till_count: number | null}} Charged */

/** Where the last change stands. @param {Charged} one */
function way(one) {
  if (one.till_count === null || one.tills_with === null) return { tone: "", icon: "clock", text: t("way.unknown") };
  if (one.tills_with === one.till_count) return { tone: "ok", icon: "circle-check", text: t("way.all", { n: one.tills_with, all: one.till_count }) };
  return { tone: "warn", icon: "clock", text: t(one.unsent ? "way.waiting" : "way.some", { n: one.tills_with, all: one.till_count }) };
}

/** @param {{stores: Charged[], old: boolean, chosen: Set<string>, onChoose: ((store: string) => void) | null}} props */
const Stores = ({ stores, old, chosen, onChoose }) =>
  html`<ul class="rows scroll priced">${stores.map((one) => {
    const now = old && chosen.has(one.store) ? { tone: "warn", icon: "clock", text: t("way.leaves") } : way(one);
    return html`<li key=${one.store}>${onChoose ? html`<${Toggle} label=${one.name} value=${chosen.has(one.store)} onChange=${() => onChoose(one.store)} />` : html`<b>${one.name}</b>`}
      <span class="spacer" /><span class=${`pill sm ${now.tone}`}><${Icon} name=${now.icon} size="sm" />${now.text}</span><b class="num r">${amount(one.price_minor, one)}</b></li>`;
  })}</ul>`;

/** @param {{sku: string, close: () => void}} props */
export function PriceDialog({ sku, close }) {
  const load = useLoad(`/products/${encodeURIComponent(sku)}`, tick.value);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(/** @type {Set<string> | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [sent, setSent] = useState(/** @type {{price: string, before: any} | null} */ (null));
  const newest = useRef(load.data);
  newest.current = load.data;
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  /** @type {Charged[]} */
  const stores = load.data?.stores ?? [];
  const places = useLoad(stores.length > 1 ? "/groups" : "");
  /** @type {{name: string, stores: {store: string}[]}[]} */
  const groups = places.data?.groups ?? [];
  const picked = chosen ?? new Set(stores.map((one) => one.store));
  const coin = stores.find((one) => picked.has(one.store)) ?? stores[0];
  const mixed = stores.some((one) => picked.has(one.store) && one.currency !== coin?.currency);
  useEffect(() => {
    if (coin && !text) setText(amountField(coin.price_minor, coin));
  }, [Boolean(coin)]);
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current || !text) return;
    begun.current = true;
    // The first key replaces the old price.
    const field = /** @type {HTMLInputElement | null} */ (document.querySelector("dialog[open] input[data-first]"));
    field?.focus();
    field?.select();
  });
  // While it travels, look more often than the calm beat of the page.
  const old = sent !== null && load.data === sent.before; // what is shown was asked for before the change
  const travels = sent !== null && (old || stores.some((one) => one.tills_with !== one.till_count));
  useEffect(() => {
    if (!travels) return undefined;
    const timer = setInterval(load.reload, 1000);
    return () => clearInterval(timer);
  }, [travels]);
  const price = coin ? parseAmount(text, coin) : null;
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (price === null || busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await call("PATCH", `/catalogue/${encodeURIComponent(sku)}`, { price_minor: price, stores: [...picked] });
      setSent({ price: amount(price, coin), before: newest.current });
      load.reload();
    } catch (error) {
      setProblem(asProblem(error));
    }
    setBusy(false);
  };
  const choose = (/** @type {string} */ store) => {
    const next = new Set(picked);
    if (!next.delete(store)) next.add(store);
    setChosen(next);
  };
  const buyer = may("buyer");
  return html`<${Dialog} title=${load.data?.name ?? sku} note=${[sku, load.data?.department].filter(Boolean).join(" · ")} onClose=${close} wide=${true}>
    ${!load.data ? html`<${Loading} load=${load} />` : html`<form class="form" onSubmit=${submit}>
      <${Refusal} problem=${problem} />
      <div role="status">${sent && html`<p class="refusal fine"><b>${t("price.sent", { price: sent.price })}</b><span>${travels ? t("price.travels") : t("price.there")}</span></p>`}</div>
      ${buyer && html`<${Field} label=${t("price.new")} value=${text} mode="decimal" auto=${true} required=${true} unit=${coin?.currency} onChange=${setText} error=${text && price === null ? t("price.wrong") : mixed ? t("price.mixed") : ""} hint=${t("price.hint")} />`}
      <h3 class="h3">${t(stores.length > 1 && buyer ? "price.where" : "price.stores")}</h3>
      ${buyer && groups.length > 0 && html`<div class="chips" role="group" aria-label=${t("where.groups")}>${groups.map((one) => html`<button type="button" class="btn" key=${one.name} onClick=${() => setChosen(new Set(one.stores.map((each) => each.store).filter((each) => stores.some((held) => held.store === each))))}><${Icon} name="boxes" />${one.name}</button>`)}</div>`}
      <${Stores} stores=${stores} old=${old} chosen=${picked} onChoose=${buyer && stores.length > 1 ? choose : null} />
      <div class="dlg-foot"><button type="button" class="btn" onClick=${close}>${t("close")}</button>
        ${buyer && html`<button type="submit" class="btn primary" disabled=${busy || price === null || !picked.size || mixed}>${busy && html`<span class="spin" />`}${t("price.change", { n: picked.size })}</button>`}</div>
    </form>`}
  <//>`;
}
