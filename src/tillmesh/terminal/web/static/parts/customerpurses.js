// What a customer has here: points, account, gift cards, prices of their own; every move, and the statement on paper.
import { html, useState, valueOf } from "../lib/ui.js";
import { dayClock, isoDay, localeTag, number, t } from "../lib/i18n.js";
import { query } from "../lib/http.js";
import { money } from "../lib/money.js";
import { salesNews } from "../state/live.js";
import { may, store } from "../state/session.js";
import { openDialog, toastOk } from "../state/notices.js";
import { blockedWords, deskOfCard } from "./giftcarddesk.js";
import { CorrectDialog } from "./correctdialog.js";
import { Dialog } from "./dialog.js";
import { Segments } from "./fields.js";
import { Figure } from "./figure.js";
import { Icon } from "./icon.js";
import { Loading, useLoad } from "./load.js";
import { payOff } from "./payoffdialog.js";

/** @param {{rows: any[], purse: string}} props */
const Moves = ({ rows, purse }) => {
  const words = (/** @type {number} */ value) => (purse === "account" ? money(value) : number(value));
  return html`<div class="scroll-x"><table><caption class="sr">${t("statement.moves")}</caption><thead><tr><th>${t("statement.when")}</th><th>${t("statement.what")}</th><th class="r">${t("pay.amount")}</th><th class="r">${t("statement.balance")}</th></tr></thead>
    <tbody>${rows.map((one) => html`<tr key=${one.event_id}><td>${dayClock(one.at)}</td><td>${t(`statement.kind.${one.kind}`)} <span class="num">${one.receipt_number}</span></td><td class="r">${words(one.amount)}</td><td class="r"><b>${words(one.balance)}</b></td></tr>`)}</tbody></table></div>`;
};

/** @param {{customer: any, start: string, close: () => void}} props */
function StatementDialog({ customer, start, close }) {
  const [purse, setPurse] = useState(start);
  const [from, setFrom] = useState(`${isoDay().slice(0, 8)}01`);
  const [to, setTo] = useState(isoDay());
  const good = Boolean(from && to && from <= to);
  const path = `/customers/${encodeURIComponent(customer.customer_id)}/statement`;
  const load = useLoad(good ? `${path}${query({ purse, from, to })}` : "");
  const file = (/** @type {string} */ format) => `/api/v1${path}${query({ purse, from, to, format, language: localeTag() })}`;
  const found = load.data;
  const words = (/** @type {number} */ value) => (purse === "account" ? money(value) : number(value));
  return html`<${Dialog} title=${t("statement.title", { name: customer.name })} wide=${true} onClose=${close}
      foot=${html`<a class="btn" href=${file("csv")} download><${Icon} name="download" />${t("export.csv")}</a><a class="btn primary" href=${file("pdf")} target="_blank" rel="noopener"><${Icon} name="file-text" />${t("statement.pdf")}</a>`}>
    <${Segments} label=${t("statement.of")} value=${purse} onChange=${setPurse} options=${[["account", t("method.account")], ["points", t("method.points")]]} />
    <div class="two"><label class="field"><span>${t("statement.from")}</span><input type="date" value=${from} max=${to} onInput=${(/** @type {Event} */ e) => setFrom(valueOf(e))} /></label>
      <label class="field"><span>${t("statement.to")}</span><input type="date" value=${to} min=${from} onInput=${(/** @type {Event} */ e) => setTo(valueOf(e))} /></label></div>
    <${Loading} load=${load} />
    ${found && html`<dl class="kvs"><div><dt>${t("statement.before")}</dt><dd>${words(found.before)}</dd></div><div class="sum"><dt>${t("statement.after")}</dt><dd>${words(found.balance)}</dd></div></dl>
      ${found.entries.length ? html`<${Moves} rows=${found.entries} purse=${purse} />` : html`<p class="hint">${t("statement.none")}</p>`}`}
  <//>`;
}

/** @param {{customer: any}} props */
export function CustomerPurses({ customer }) {
  const load = useLoad(`/customers/${encodeURIComponent(customer.customer_id)}/purses`, salesNews.value);
  const held = load.data;
  if (!held) return html`<${Loading} load=${load} />`;
  const ways = store.value.pay_methods ?? [];
  const points = ways.includes("points") || held.points !== 0;
  const account = ways.includes("account") || held.owes_minor !== 0;
  const statement = (/** @type {string} */ start) => () => void openDialog(StatementDialog, { customer, start });
  const purses = [...(points ? ["points"] : []), ...(account ? ["account"] : [])];
  const correct = async () => {
    if (!(await openDialog(CorrectDialog, { customer, purses }))) return;
    toastOk("saved");
    load.reload();
  };
  if (!points && !account && !held.gift_cards.length && !held.price_lists.length) return null;
  return html`<div class="purses">
    ${points && html`<div class="card"><small>${t("method.points")}</small><${Figure} text=${number(held.points)} /><small>${t("customer.points.worth", { amount: money(held.points_minor) })}</small></div>`}
    ${account && html`<div class="card"><small>${t("method.account")}</small><${Figure} tone=${held.owes_minor > 0 ? "down" : ""} text=${money(held.owes_minor)} /><small>${held.credit_limit_minor ? t("customer.owes.of", { limit: money(held.credit_limit_minor) }) : t("customer.credit.none")}</small></div>`}
    ${held.gift_cards.map((/** @type {any} */ card) => html`<div class="card" key=${card.account}><small>${t("method.gift_card")} ${card.last_four}</small><${Figure} text=${money(card.balance_minor)} /><small>${card.active ? "" : blockedWords(card)}</small>${may("manager") && html`<button class="btn ghost" onClick=${() => void deskOfCard(card, load.reload)}>${t(card.active ? "block.yes" : "block.free")}</button><button class="btn ghost" onClick=${() => void deskOfCard(card, load.reload, "correct")}>${t("correct")}</button>`}</div>`)}
  </div>
  <div class="buy-acts">${may("manager") && purses.length > 0 && html`<button class="btn" onClick=${correct}>${t("correct")}</button>`}${(points || account) && html`<button class="btn" onClick=${statement(account ? "account" : "points")}><${Icon} name="file-text" />${t("statement")}</button>`}
    ${held.owes_minor > 0 && html`<button class="btn primary" onClick=${() => void payOff(customer, held.owes_minor)}><${Icon} name="hand-coins" />${t("payoff")}</button>`}</div>
  ${held.price_lists.length > 0 && html`<p class="hint">${t("customer.lists")}: ${held.price_lists.map((/** @type {any} */ one) => one.name).join(", ")}</p>`}`;
}
