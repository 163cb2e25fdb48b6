// Splitting a bill.
import { t } from "../lib/i18n.js";
import { takeBill } from "./cart.js";
import { later } from "./later.js";
import { once, toast } from "./notices.js";

/** Ask how, and take up the bill that is paid now. @returns {Promise<number>} in how many equal shares it is paid */
export const splitBill = once(async () => {
  try {
    const how = await (await later()).openSplit();
    if (how?.bill) takeBill(how.bill);
    return how?.shares ?? 1;
  } catch {
    toast({ tone: "warn", title: t("split.gone") });
    return 1;
  }
});
