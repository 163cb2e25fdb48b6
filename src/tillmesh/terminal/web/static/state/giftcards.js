// Selling and topping up gift cards: the dialog comes with the second script, when somebody first asks for it.
import { freshId } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { submit } from "./cart.js";
import { later } from "./later.js";
import { once, toast } from "./notices.js";

export const sellGiftCard = once(async () => {
  try {
    const wanted = await (await later()).openGiftCard();
    if (wanted) submit({ op: "gift_card", line_id: freshId(), ...wanted });
  } catch {
    toast({ tone: "warn", title: t("error.unreachable.title"), detail: t("error.unreachable.hint") });
  }
});
