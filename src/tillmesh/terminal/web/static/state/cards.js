// Charging by the card terminal: its dialog comes with the second script.
import { t } from "../lib/i18n.js";
import { terminal } from "./session.js";
import { toast } from "./notices.js";

let turn = 0;

/** Is a card terminal set up at this till? */
export const hasCardTerminal = () => (terminal.value.card_terminal ?? "none") !== "none";

/**
 * Ask the customer for a card, or go on with a payment that waits; gives the tender, or null.
 * With ``back``, give this tender's money back instead; gives true once the terminal was told to.
 * @param {{cart_id: string, amount_minor: number, payment_id?: string, back?: boolean}} wanted
 */
export async function chargeCard(wanted) {
  try {
    turn += 1;
    return await (await import(`../backoffice.js?turn=${turn}`)).CARDS.openCard(wanted);
  } catch {
    toast({ tone: "warn", title: t("card.gone"), detail: t("card.gone.detail") });
    return null;
  }
}
