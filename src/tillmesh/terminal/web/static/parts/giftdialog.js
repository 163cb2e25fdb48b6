// A gift card that is sold or topped up: its code, the amount, and a PIN for a new one if it shall have one.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { money, moneyField, parseMoney } from "../lib/money.js";
import { call } from "../state/session.js";
import { openDialog } from "../state/notices.js";
import { useScans } from "../state/scan.js";
import { Field, Refusal } from "./fields.js";
import { FormDialog } from "./formdialog.js";
import { mayBeCard } from "./purses.js";

const QUICK = [10, 20, 25, 50];

/** @param {{close: (wanted?: any) => void}} props */
function GiftCardDialog({ close }) {
  const [code, setCode] = useState("");
  const [made, setMade] = useState(false);
  const [card, setCard] = useState(/** @type {any} */ (null));
  const [amount, setAmount] = useState("");
  const [pin, setPin] = useState("");
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const unit = parseMoney("1") ?? 100;
  /** A code that is not known yet is a new card. @param {string} text */
  const look = async (text) => {
    setCode(text);
    setCard(null);
    setMade(false);
    setProblem(null);
    if (!mayBeCard(text)) return;
    try {
      setCard(await call("POST", "/gift-cards/balance", { code: text }));
    } catch (error) {
      if (asProblem(error).status !== 404) setProblem(asProblem(error));
    }
  };
  const make = async () => {
    try {
      await look((await call("POST", "/gift-cards", {})).code);
      setMade(true);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  useScans((text) => void look(text));
  const minor = parseMoney(amount || "-");
  const ok = mayBeCard(code) && minor !== null && minor > 0 && (!pin || /^\d{4,8}$/.test(pin));
  const submit = () => close({ text: code, amount_minor: minor, ...(pin && !card ? { reason: pin } : {}) });
  return html`<${FormDialog} title=${t("gift.title")} note=${t("gift.note")} close=${() => close()} ok=${ok} submit=${submit} label=${t("gift.add")}>
    <${Refusal} problem=${problem} />
    <${Field} label=${t("purse.code")} value=${code} max=${48} auto=${true} onChange=${(/** @type {string} */ text) => void look(text.trim())}
      hint=${card ? t("gift.known", { amount: money(card.balance_minor) }) : made ? t("gift.made") : mayBeCard(code) ? t("gift.new") : t("purse.scan")} />
    <button type="button" class="btn" onClick=${make}>${t("gift.make")}</button>
    <${Field} label=${t("gift.amount")} mode="decimal" value=${amount} onChange=${setAmount} />
    <div class="quick">${QUICK.map((one) => html`<button type="button" key=${one} class="btn num" aria-pressed=${minor === one * unit} onClick=${() => setAmount(moneyField(one * unit))}>${money(one * unit)}</button>`)}</div>
    ${!card && html`<${Field} label=${t("gift.pin")} mode="numeric" max=${8} value=${pin} onChange=${setPin} hint=${t("gift.pin.hint")} />`}
  <//>`;
}

export const openGiftCard = () => openDialog(GiftCardDialog, {});
