// Goods on their way between stores: sent from here, coming here, what came and what never did.
import { freshId, html, useState } from "../lib/ui.js";
import { dayClock, t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { quantity } from "../lib/money.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { call, may } from "../state/session.js";
import { openDialog, toastOk, toastProblem } from "../state/notices.js";
import { ArrivalForm } from "../parts/arrivalform.js";
import { Field, Refusal } from "../parts/fields.js";
import { FormDialog } from "../parts/formdialog.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { ReasonDialog } from "../parts/reasondialog.js";
import { Head } from "../parts/top.js";
import { areGood, quantityOf, WantedGoods } from "../parts/wantedgoods.js";

const TONES = { transit: "", partly: "warn", received: "ok", closed: "warn", undeliverable: "bad", back: "" };

/** @param {{stores: {store: string, name: string}[], close: (done?: any) => void}} props */
function SendForm({ stores, close }) {
  const [key] = useState(freshId);
  const [store, setStore] = useState("");
  const [note, setNote] = useState("");
  const [lines, setLines] = useState(/** @type {import("../parts/wantedgoods.js").Wanted[]} */ ([]));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const submit = async () => {
    try {
      close(await call("POST", "/transfers", { key, to_store: store, note, lines: lines.map((line) => ({ sku: line.sku, quantity: quantityOf(line) })) }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${t("transfer.new")} wide=${true} close=${() => close()} ok=${Boolean(store.trim()) && areGood(lines)} submit=${submit} label=${t("transfer.send")}>
    <${Refusal} problem=${problem} />
    <div class="field"><label for="to-store">${t("transfer.to")}</label><input id="to-store" list="known-stores" maxlength="64" autocomplete="off" data-first value=${store} onInput=${(/** @type {Event} */ e) => setStore(/** @type {HTMLInputElement} */ (e.currentTarget).value)} /><small>${t("transfer.to.hint")}</small>
      <datalist id="known-stores">${stores.map((one) => html`<option key=${one.store} value=${one.store}>${one.name}</option>`)}</datalist></div>
    <${WantedGoods} lines=${lines} setLines=${setLines} />
    <${Field} label=${t("transfer.note")} value=${note} onChange=${setNote} />
  <//>`;
}

/** @param {{one: any, again: () => void}} props */
function Transfer({ one, again }) {
  const path = `/transfers/${encodeURIComponent(one.transfer_id)}`;
  const waits = one.state === "transit" || one.state === "partly";
  const ask = (/** @type {string} */ what, /** @type {any} */ body = {}) => call("POST", `${path}/${what}`, body).then(again, toastProblem);
  const lost = async () => {
    const reason = await openDialog(ReasonDialog, { title: t("transfer.lost"), note: t("transfer.lost.note"), kind: "stock", label: t("transfer.lost"), danger: true });
    if (reason) await ask("close", { reason });
  };
  const arrived = async () => {
    if (await openDialog(ArrivalForm, { title: t("transfer.arrived", { store: one.store_name }), path, expected: one.lines })) again();
  };
  return html`<section class="card section"><header class="buy-head"><div><h2>${t(`transfer.${one.direction}`, { store: one.store_name })}</h2><small>${dayClock(one.sent_at)}${one.by ? ` · ${one.by.name}` : ""}${one.note ? ` · ${one.note}` : ""}</small></div><span class=${`pill sm ${TONES[/** @type {keyof typeof TONES} */ (one.state)] ?? ""}`}>${t(`transfer.state.${one.state}`)}</span></header>
    ${one.reason && one.state === "closed" && html`<p class="hint">${one.reason}</p>`}
    <div class="scroll-x"><table><thead><tr><th>${t("sale.product")}</th><th class="r">${t("transfer.sent")}</th><th class="r">${t("buy.came")}</th><th class="r">${t(one.state === "closed" ? "transfer.lost.n" : "transfer.missing")}</th></tr></thead>
      <tbody>${one.lines.map((/** @type {any} */ line) => html`<tr key=${line.sku}><td>${line.name}</td><td class="r">${quantity(line.quantity)}</td><td class="r">${quantity(line.received)}</td><td class="r">${quantity(line.missing)}</td></tr>`)}</tbody></table></div>
    ${one.direction === "in" && waits && html`<div class="buy-acts">${may("supervisor") && html`<button class="btn" onClick=${lost}>${t("transfer.lost")}</button>`}<button class="btn primary" onClick=${arrived}><${Icon} name="package" />${t("stock.receive")}</button></div>`}
    ${one.state === "undeliverable" && may("supervisor") && html`<div class="buy-acts"><button class="btn primary" onClick=${() => ask("back")}>${t("transfer.back")}</button></div>`}</section>`;
}

export function TransfersPage() {
  const [turn, setTurn] = useState(0);
  const load = useLoad("/transfers", turn);
  const again = () => setTurn((now) => now + 1);
  useKeys({ Escape: () => go("sell") });
  const make = async () => {
    if (!(await openDialog(SendForm, { stores: load.data?.stores ?? [] }))) return;
    toastOk("transfer.gone");
    again();
  };
  const found = load.data?.transfers ?? [];
  return html`<${Head} title=${t("nav.transfers")} sub=${load.data ? t("transfer.sub", { store: load.data.store }) : ""}>${may("supervisor") && html`<button class="btn primary" onClick=${make}><${Icon} name="plus" />${t("transfer.new")}</button>`}<//>
    <${Loading} load=${load} />
    <div class="stack">${load.data && !found.length && html`<${Nothing} icon="package-open" title=${t("transfer.none")} hint=${t("transfer.none.hint")} />`}
      ${found.map((/** @type {any} */ one) => html`<${Transfer} key=${one.transfer_id} one=${one} again=${again} />`)}</div>`;
}
