// Limited goods of which this till may not sell as many as lie in the cart: who has some, and a button that asks.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { quantity } from "../lib/money.js";
import { cart, reloadCart } from "../state/cart.js";
import { call } from "../state/session.js";
import { toastProblem } from "../state/notices.js";

/** @param {{sku: string, missing: string}} one */
const ask = (one) => call("POST", "/rights/ask", { sku: one.sku, quantity: one.missing }).catch(toastProblem).then(reloadCart);

export const Lacking = () =>
  cart.value.lacking?.map((one) => {
    const near = one.elsewhere.find((till) => till.heard);
    return html`<div key=${one.sku} class="refusal warn repriced" role="alert"><b>${t(one.here !== "0" ? "rights.few" : one.elsewhere.length ? "rights.none" : "rights.out", { name: one.name, quantity: quantity(one.here) })}</b>
      ${one.elsewhere.map((till) => html`<small key=${till.terminal_id}>${t(till.heard ? "rights.holds" : "rights.far", { till: till.name, quantity: quantity(till.quantity) })}</small>`)}
      ${near && html`<button class="btn" onClick=${() => void ask(one)}>${t("rights.ask", { till: near.name })}</button>`}</div>`;
  });
