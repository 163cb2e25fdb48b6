// What offers that came in meanwhile did to an open cart: it stays until somebody has seen it.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money } from "../lib/money.js";
import { repriced } from "../state/cart.js";

export const Repriced = () => {
  const news = repriced.value;
  if (!news) return null;
  return html`<div class="refusal warn repriced" role="alert"><b>${t("offers.changed")}</b>
    <span class="num">${t("offers.changed.total", { was: money(news.was), now: money(news.now) })}</span>
    ${news.parts.map((one) => html`<small key=${one.name} class="num">${one.now ? t("offers.now", { name: one.name, amount: money(one.now) }) : t("offers.gone", { name: one.name, amount: money(one.was) })}</small>`)}
    <button class="btn" onClick=${() => void (repriced.value = null)}>${t("offers.seen")}</button></div>`;
};
