// A manager corrects what a customer has or owes: a courtesy, a debt that is written off. With a reason, in the audit log.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { parseMoney } from "../lib/money.js";
import { call } from "../state/session.js";
import { Field, Refusal, Segments } from "./fields.js";
import { FormDialog } from "./formdialog.js";

/** @param {{customer: any, purses: string[], close: (done?: any) => void}} props */
export function CorrectDialog({ customer, purses, close }) {
  const [purse, setPurse] = useState(purses[0]);
  const [text, setText] = useState("");
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const amount = purse === "account" ? parseMoney(text || "-") : /^-?\d{1,9}$/.test(text) ? Number(text) : null;
  const submit = async () => {
    try {
      close(await call("POST", "/purses/adjust", { purse, account: customer.customer_id, amount, reason: reason.trim() }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${t("correct.title", { name: customer.name })} note=${t("correct.note")} close=${() => close()} ok=${Boolean(amount) && Boolean(reason.trim())} submit=${submit} label=${t("correct")}>
    <${Refusal} problem=${problem} />
    ${purses.length > 1 && html`<${Segments} label=${t("statement.of")} value=${purse} onChange=${setPurse} options=${purses.map((one) => [one, t(`method.${one}`)])} />`}
    <${Field} label=${t(`correct.by.${purse}`)} mode="text" max=${12} auto=${true} value=${text} onChange=${setText} hint=${t(`correct.hint.${purse}`)} />
    <${Field} label=${t("correct.reason")} value=${reason} onChange=${setReason} required=${true} />
  <//>`;
}
