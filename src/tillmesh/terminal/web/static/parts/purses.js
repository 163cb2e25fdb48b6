// Paying with what a customer has here: a gift card, points, an account. Python says how much this till may take of it.
import { html, useEffect, useLayoutEffect, useRef, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { money } from "../lib/money.js";
import { call, get, store } from "../state/session.js";
import { Refusal } from "./fields.js";

/** Of the answer about a purse: how much can be taken out of it at this till now. @type {Record<string, string>} */
const FREE = { gift_card: "available_minor", points: "points_available_minor", account: "account_available_minor" };

/** @param {string} method */
export const isPurse = (method) => method in FREE;

/** A code that only a gift card can have: a letter in it, and long enough. @param {string} code */
export const mayBeCard = (code) => /^[A-Z0-9-]{8,40}$/i.test(code) && /[A-Z]/i.test(code);

/**
 * Ask what the chosen purse holds.
 * @param {string} method @param {string} code of a gift card @param {string} customer
 * @returns {{held: any, problem: import("../lib/http.js").Problem | null, free: number, step: number}}
 */
export function usePurse(method, code, customer) {
  const [answer, setAnswer] = useState(/** @type {{of: string, held: any, problem: any}} */ ({ of: "", held: null, problem: null }));
  const of = isPurse(method) ? `${method} ${method === "gift_card" ? code : customer}` : "";
  useEffect(() => {
    let over = false;
    const take = (/** @type {any} */ held, /** @type {any} */ problem) => void (over || setAnswer({ of, held, problem }));
    if (of.endsWith(" ") || !of) return;
    (method === "gift_card" ? call("POST", "/gift-cards/balance", { code }) : get(`/customers/${encodeURIComponent(customer)}/purses`)).then(
      (held) => take(held, null),
      (error) => take(null, asProblem(error)),
    );
    return () => void (over = true);
  }, [of]);
  const now = answer.of === of ? answer : { held: null, problem: null };
  return { held: now.held, problem: now.problem, free: now.held?.[FREE[method]] ?? 0, step: method === "points" ? Math.max(1, store.value.loyalty_point_minor) : 1 };
}

/** @param {{method: string, held: any}} props */
const Held = ({ method, held }) => {
  const words = {
    gift_card: () => t("purse.gift_card.held", { amount: money(held.balance_minor) }),
    points: () => t("purse.points.held", { n: held.points, amount: money(held.points_minor) }),
    account: () => t("purse.account.held", { owes: money(held.owes_minor), limit: money(held.credit_limit_minor) }),
  };
  return html`<p class="held" role="status"><b>${words[/** @type {keyof typeof words} */ (method)]()}</b>
    ${held.active === false && html`<small class="down">${t("purse.blocked", { reason: held.blocked_reason })}</small>`}${!held.all_heard && html`<small>${t("purse.apart", { amount: money(held[FREE[method]]) })}</small>`}</p>`;
};

/**
 * @param {{method: string, purse: ReturnType<typeof usePurse>, code: string, pin: string, onCode: (code: string) => void, onPin: (pin: string) => void, onEnter: () => void}} props
 */
export function PurseFields({ method, purse, code, pin, onCode, onPin, onEnter }) {
  const [typed, setTyped] = useState(code);
  const form = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLFormElement | null>} */ (useRef(null));
  const { held, problem } = purse;
  useLayoutEffect(() => setTyped(code), [code]); // at once: a moment later somebody may have begun to type
  useLayoutEffect(() => {
    // Where the cashier types next: the code, then the PIN; with neither missing the digits are the amount.
    const [first, second] = form.current?.querySelectorAll("input") ?? [];
    if (!held) first?.focus();
    else if (second) second.focus();
    else first?.blur();
  }, [method, held]);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (typed.trim() && (typed.trim() !== code || problem)) onCode(typed.trim());
    else if (held) onEnter();
  };
  return html`${method === "gift_card" && html`<form ref=${form} class="cardfields" onSubmit=${submit}>
      <label class="field"><span>${t("purse.code")}</span><input class="coupon" maxlength="48" autocomplete="off" value=${typed} onInput=${(/** @type {Event} */ e) => setTyped(valueOf(e))} /></label>
      ${held?.has_pin && html`<label class="field"><span>${t("purse.pin")}</span><input type="password" maxlength="8" inputmode="numeric" autocomplete="off" value=${pin} onInput=${(/** @type {Event} */ e) => onPin(valueOf(e))} /></label>`}
      <button class="sr" tabindex="-1" aria-hidden="true" />${!held && html`<p class="hint">${t("purse.scan")}</p>`}</form>`}
    <${Refusal} problem=${problem} />${held && html`<${Held} method=${method} held=${held} />`}`;
}
