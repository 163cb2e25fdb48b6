// A manager blocks a gift card that was lost or stolen, or frees it again: found by its code, with a reason.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { money } from "../lib/money.js";
import { call } from "../state/session.js";
import { openDialog, toastOk } from "../state/notices.js";
import { useScans } from "../state/scan.js";
import { Field, Refusal } from "./fields.js";
import { FormDialog } from "./formdialog.js";
import { mayBeCard } from "./purses.js";
import { Reasons } from "./reasons.js";

/** What a card's state is called. @param {any} card */
export const blockedWords = (card) => (card.blocked_reason ? t("block.blocked", { reason: card.blocked_reason }) : t("block.blocked.bare"));

/** @param {{card: any, close: (done?: any) => void}} props */
function BlockDialog({ card: known, close }) {
  const [code, setCode] = useState("");
  const [card, setCard] = useState(known);
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const look = async (/** @type {string} */ text) => {
    setCode(text);
    setCard(null);
    setProblem(null);
    if (!mayBeCard(text)) return;
    try {
      setCard(await call("POST", "/gift-cards/balance", { code: text }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  useScans((text) => void (known || look(text)));
  const active = card?.active !== false;
  const submit = async () => {
    try {
      close(await call("POST", "/gift-cards/block", { account: card.account, active: !active, reason: active ? reason.trim() : "" }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${t(active ? "block.title" : "block.free.title")} note=${t("block.note")} close=${() => close()} ok=${Boolean(card) && (!active || Boolean(reason.trim()))} submit=${submit} label=${t(active ? "block.yes" : "block.free")} danger=${active}>
    <${Refusal} problem=${problem} />
    ${!known && html`<${Field} label=${t("purse.code")} value=${code} max=${48} auto=${true} onChange=${(/** @type {string} */ text) => void look(text.trim())} hint=${card ? "" : t("purse.scan")} />`}
    ${card && html`<p class="held" role="status"><b>${t("purse.gift_card.held", { amount: money(card.balance_minor) })}</b>${!active && html`<small>${blockedWords(card)}</small>`}</p>`}
    ${card && active && html`<${Reasons} kind="card" value=${reason} onChange=${setReason} />`}
  <//>`;
}

/** Block or free a card, a known one or one that is scanned. @param {any} card @param {() => void} after */
export async function blockCard(card, after) {
  const done = await openDialog(BlockDialog, { card });
  if (!done) return;
  toastOk(done.active ? "block.freed" : "block.done");
  after();
}
