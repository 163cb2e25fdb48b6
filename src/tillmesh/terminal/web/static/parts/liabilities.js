// What the shop owes on cards and in points, what customers owe it, and what tills apart took below zero.
import { html } from "../lib/ui.js";
import { dayClock, number, t } from "../lib/i18n.js";
import { money } from "../lib/money.js";
import { salesNews } from "../state/live.js";
import { deskOfCard } from "./giftcarddesk.js";
import { Icon } from "./icon.js";
import { Loading, useLoad } from "./load.js";
import { Figure } from "./figure.js";

/** @param {{open: boolean}} props whether it stands in the place of the list where there is no room for both */
export function Liabilities({ open }) {
  const load = useLoad("/purses", salesNews.value);
  const owed = load.data;
  const place = open ? "" : "hide-s";
  if (!owed) return html`<section class=${`card ${place}`}><${Loading} load=${load} /></section>`;
  const amount = (/** @type {any} */ one) => (one.purse === "points" ? number(one.balance) : money(one.balance));
  return html`<section class=${`card sale-card ${place}`} aria-label=${t("owed.title")}><header class="sale-head">${open && html`<a class="btn ghost icon only-s" href="#/customers" aria-label=${t("back")}><${Icon} name="arrow-left" /></a>`}<h2>${t("owed.title")}</h2><span class="spacer" /><button class="btn" onClick=${() => void deskOfCard(null, load.reload)}><${Icon} name="gift" />${t("block.find")}</button></header>
    <div class="purses"><div class="card"><small>${t("owed.cards")}</small><${Figure} text=${money(owed.gift_cards.held)} /><small>${t("owed.count", { n: owed.gift_cards.count })}</small></div>
      <div class="card"><small>${t("method.points")}</small><${Figure} text=${money(owed.points.worth_minor)} /><small>${t("owed.points", { n: owed.points.held })}</small></div>
      <div class="card"><small>${t("owed.accounts")}</small><${Figure} text=${money(owed.accounts.held)} /><small>${t("owed.count", { n: owed.accounts.count })}</small></div></div>
    ${owed.below_zero.length > 0 && html`<div class="refusal warn" role="note"><b>${t("owed.below")}</b>${owed.below_zero.map((/** @type {any} */ one) => html`<span key=${one.purse + one.account} class="num">${t(`method.${one.purse}`)} ${one.name}: ${amount(one)} ${one.purse === "gift_card" && html`<button class="btn ghost" onClick=${() => void deskOfCard({ account: one.account, balance_minor: one.balance }, load.reload, "correct")}>${t("correct")}</button>`}</span>`)}<small>${t("owed.below.hint")}</small></div>`}
    ${owed.sold_twice.map((/** @type {any} */ card) => html`<div class="refusal warn" role="note" key=${card.account}><b>${t("owed.twice", { last: card.last_four })}</b>${card.sales.map((/** @type {any} */ one) => html`<a key=${one.sale_id} class="num" href=${`#/sales/${one.sale_id}`}>${one.receipt_number} · ${one.terminal.name} · ${dayClock(one.at)} · ${money(one.amount_minor)}</a>`)}<small>${t("owed.twice.hint")}</small></div>`)}
    ${owed.owing.length > 0 && html`<h3>${t("owed.owing")}</h3><ul class="rows">${owed.owing.map((/** @type {any} */ one) => html`<li key=${one.customer.customer_id}><a class="row-main" href=${`#/customers/${one.customer.customer_id}`}><span class="row-icon"><${Icon} name="user" /></span><b>${one.customer.name}</b><span class="spacer" /><b class="num">${money(one.owes_minor)}</b></a></li>`)}</ul>`}
  </section>`;
}
