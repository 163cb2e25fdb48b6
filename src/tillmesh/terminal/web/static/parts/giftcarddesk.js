// What a manager does to a gift card, found by its code and with a reason: blocks it, frees it again, corrects what is on it.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { money, parseMoney } from "../lib/money.js";
import { call } from "../state/session.js";
import { openDialog, toastOk } from "../state/notices.js";
import { useScans } from "../state/scan.js";
import { Field, Refusal, Segments } from "./fields.js";
import { FormDialog } from "./formdialog.js";
import { mayBeCard } from "./purses.js";
import { Reasons } from "./reasons.js";

/** What a card's state is called. @param {any} card */
export const blockedWords = (card) => (card.blocked_reason ? t("block.blocked", { reason: card.blocked_reason }) : t("block.blocked.bare"));

/** @param {{card: any, task: string, close: (done?: string) => void}} props */
function GiftCardDesk({ card: known, task: first, close }) {
  const [task, setTask] = useState(first);
  const [text, setText] = useState("");
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
  const correct = task === "correct";
  const by = parseMoney(text || "-");
  const then = card && by ? card.balance_minor + by : null;
  const tooMuch = then !== null && then < 0 && Number(by) < 0;
  const ok = Boolean(card) && (correct ? then !== null && !tooMuch && Boolean(reason.trim()) : !active || Boolean(reason.trim()));
  const submit = async () => {
    try {
      if (correct) await call("POST", "/purses/adjust", { purse: "gift_card", account: card.account, amount: by, reason: reason.trim() });
      else await call("POST", "/gift-cards/block", { account: card.account, active: !active, reason: active ? reason.trim() : "" });
      close(correct ? "correct.done" : active ? "block.done" : "block.freed");
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const title = t(correct ? "correct.card" : active ? "block.title" : "block.free.title");
  const verb = t(active ? "block.yes" : "block.free");
  return html`<${FormDialog} title=${title} note=${t(correct ? "correct.note" : "block.note")} close=${() => close()} ok=${ok} submit=${submit} label=${correct ? t("correct") : verb} danger=${!correct && active}>
    <${Refusal} problem=${problem} />
    ${!known && html`<${Field} label=${t("purse.code")} value=${code} max=${48} auto=${true} onChange=${(/** @type {string} */ text) => void look(text.trim())} hint=${card ? "" : t("purse.scan")} />`}
    ${card && html`<p class="held" role="status"><b>${t("purse.gift_card.held", { amount: money(card.balance_minor) })}</b>${!active && html`<small>${blockedWords(card)}</small>`}</p>`}
    ${card && html`<${Segments} label=${t("block.find")} value=${task} onChange=${setTask} options=${[["block", verb], ["correct", t("correct")]]} />`}
    ${card && correct && html`<${Field} label=${t("correct.by.account")} mode="text" max=${12} auto=${Boolean(known)} value=${text} onChange=${setText} hint=${then === null ? t("correct.hint.gift_card") : t(tooMuch ? "correct.most" : "correct.then", { amount: money(tooMuch ? card.balance_minor : then) })} />
      <${Field} label=${t("correct.reason")} value=${reason} onChange=${setReason} required=${true} />`}
    ${card && active && !correct && html`<${Reasons} kind="card" value=${reason} onChange=${setReason} />`}
  <//>`;
}

/** Block, free or correct a card, a known one or one that is scanned. @param {any} card @param {() => void} after @param {"block" | "correct"} [task] */
export async function deskOfCard(card, after, task = "block") {
  const done = await openDialog(GiftCardDesk, { card, task });
  if (!done) return;
  toastOk(done);
  after();
}
