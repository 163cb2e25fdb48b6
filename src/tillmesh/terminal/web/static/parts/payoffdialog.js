// A customer pays off what is owed: the amount becomes a line of a sale, paid like any other.
import { freshId, html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money, moneyField, parseMoney } from "../lib/money.js";
import { go } from "../lib/router.js";
import { cart, newCart, submit } from "../state/cart.js";
import { openDialog, toast } from "../state/notices.js";
import { Field } from "./fields.js";
import { FormDialog } from "./formdialog.js";

/** @param {{customer: any, owes: number, close: (minor?: number) => void}} props */
function PayOffDialog({ customer, owes, close }) {
  const [text, setText] = useState(moneyField(owes));
  const minor = parseMoney(text || "-");
  const ok = minor !== null && minor > 0 && minor <= owes;
  return html`<${FormDialog} title=${t("payoff.title", { name: customer.name })} note=${t("payoff.note", { amount: money(owes) })} close=${() => close()} ok=${ok} submit=${() => close(minor ?? 0)} label=${t("payoff.add")}>
    <${Field} label=${t("pay.amount")} mode="decimal" auto=${true} value=${text} onChange=${setText} error=${ok || !text ? "" : t("settings.amount.wrong")} />
  <//>`;
}

/** @param {any} customer @param {number} owes */
export async function payOff(customer, owes) {
  const now = cart.peek();
  if (now.lines.length && now.customer?.customer_id !== customer.customer_id) return toast({ tone: "warn", title: t("payoff.other"), detail: t("payoff.other.detail") });
  const minor = await openDialog(PayOffDialog, { customer, owes });
  if (!minor) return;
  if (!now.lines.length) newCart();
  submit({ op: "customer", customer_id: customer.customer_id, _name: customer.name });
  submit({ op: "pay_off", line_id: freshId(), amount_minor: minor });
  go("sell");
}
