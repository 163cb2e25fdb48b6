// The card terminal at work: the amount, what it waits for, and what became of it. Nothing is ever charged twice.
import { freshId, html, useEffect, useRef, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money } from "../lib/money.js";
import { asProblem } from "../lib/http.js";
import { call, get, terminal } from "../state/session.js";
import { openDialog, toastProblem } from "../state/notices.js";
import { Confirm, Dialog } from "./dialog.js";
import { Icon } from "./icon.js";

const LOOK_MS = 600;

/** @typedef {{payment_id: string, cart_id: string, amount_minor: number, state: string, open: boolean, free: boolean, approval_code: string, last_four: string, reason: string}} CardPayment */

/** What a payment pays. @param {CardPayment} one */
export const tenderOf = (one) => ({ method: "card", amount_minor: one.amount_minor, card_payment: one.payment_id, reference: one.approval_code, last_four: one.last_four });

const REASONS = ["refused", "cancelled", "busy", "wrong_pin", "invalid_card", "not_received", "unreachable", "not_sent", "settled"];
/** @param {string} reason */
const why = (reason) => t(`card.reason.${REASONS.find((one) => reason.startsWith(one)) ?? "refused"}`);

/** @param {{cart_id: string, amount_minor: number, payment_id?: string, close: (tender?: any) => void}} props */
function CardDialog({ cart_id, amount_minor, payment_id, close }) {
  const id = useRef(payment_id ?? freshId()).current;
  const [payment, setPayment] = useState(/** @type {CardPayment | null} */ (null));
  const over = useRef(false);
  const path = `/card-payments/${encodeURIComponent(id)}`;
  const take = (/** @type {CardPayment} */ now) => {
    if (over.current) return;
    setPayment(now);
    if (!now.free) return;
    over.current = true;
    close(tenderOf(now));
  };
  useEffect(() => {
    let asked = Boolean(payment_id);
    const look = async () => {
      while (!over.current) {
        try {
          const now = asked ? await get(path) : await call("POST", "/card-payments", { payment_id: id, cart_id, amount_minor });
          asked = true;
          take(now);
          if (!now.open) return;
        } catch (error) {
          // The same id again is the same payment, so a lost answer is simply asked for again.
          if (!asProblem(error).network) {
            over.current = true;
            toastProblem(error);
            return close();
          }
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    };
    void look();
    return () => void (over.current = true);
  }, []);
  const act = (/** @type {string} */ what, /** @type {any} */ body = {}) => async () => {
    try {
      take(await call("POST", `${path}/${what}`, body));
    } catch (error) {
      if (asProblem(error).kind !== "cancelled") toastProblem(error);
    }
  };
  const state = payment?.state ?? "created";
  if (payment && !payment.open) return html`<${Dialog} title=${t("card.title")} onClose=${() => close()} foot=${html`<button class="btn primary tall" autofocus onClick=${() => close()}>${t("card.back")}</button>`}>
    <div class="card-wait" role="alert"><${Icon} name="x" size="xl" /><b>${t("card.declined")}</b><p class="lead">${why(payment.reason)}</p></div><//>`;
  if (state === "unknown") return html`<${Dialog} title=${t("card.title")} onClose=${() => close()}
    foot=${html`<button class="btn" onClick=${act("settle", { paid: false })}>${t("card.notpaid")}</button><button class="btn" onClick=${act("settle", { paid: true })}>${t("card.paid")}</button>
      <button class="btn primary" autofocus onClick=${act("ask")}>${t("card.ask")}</button>`}>
    <div class="card-wait" role="alert"><span class="num huge-s">${money(amount_minor)}</span><b>${t("card.unknown")}</b><p class="lead">${t("card.unknown.detail")}</p></div><//>`;
  const training = terminal.value.card_terminal === "simulated";
  const press = (/** @type {string} */ outcome) => act("press", { outcome });
  return html`<${Dialog} title=${t("card.title")} onClose=${act("cancel")} foot=${html`<button class="btn tall" onClick=${act("cancel")}>${t("card.cancel")}</button>`}>
    <div class="card-wait" role="status"><span class="num huge-s">${money(amount_minor)}</span><span class="spin" /><b>${t("card.hold")}</b>
      ${training && html`<p class="hint">${t("card.training")}</p><div class="chips"><button class="btn primary" data-first onClick=${press("accept")}>${t("card.press.accept")}</button>
        <button class="btn" onClick=${press("decline")}>${t("card.press.decline")}</button><button class="btn" onClick=${press("lost")}>${t("card.press.lost")}</button></div>`}</div><//>`;
}

/** @param {{cart_id: string, amount_minor: number, payment_id?: string, back?: boolean}} wanted */
export async function openCard(wanted) {
  if (!wanted.back) return (await openDialog(CardDialog, wanted)) ?? null;
  const amount = money(wanted.amount_minor);
  if (!(await openDialog(Confirm, { title: t("card.giveback"), text: t("card.giveback.text", { amount }), yes: t("card.giveback") }))) return null;
  try {
    await call("POST", `/card-payments/${encodeURIComponent(wanted.payment_id ?? "")}/reverse`, {});
    return true;
  } catch (error) {
    toastProblem(error);
    return null;
  }
}
