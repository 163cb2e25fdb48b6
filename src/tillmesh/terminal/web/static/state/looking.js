// Showing a product to the camera: the dialog comes with the second script, when somebody first asks for it.
import { t } from "../lib/i18n.js";
import { cart, removeLine, selected, setQuantity } from "./cart.js";
import { parseQuantity } from "../lib/money.js";
import { later } from "./later.js";
import { toast } from "./notices.js";

/** @typedef {import("./catalogue.js").Product} Product */

/** How long what was added by itself can be taken back with one tap. */
const UNDO_MS = 9000;
let busy = false;

/**
 * Look, and add what was found. What the model added by itself shows a chip with Undo.
 * @param {(product: Product) => Promise<void>} add
 */
export async function recogniseProduct(add) {
  if (busy) return;
  busy = true;
  try {
    const { judgeLook, openLook } = await later();
    const found = await openLook();
    if (!found) return;
    await add(found.product);
    if (found.sure) offerUndo(found.product, judgeLook);
  } catch {
    toast({ tone: "warn", title: t("look.gone"), detail: t("look.byhand") });
  } finally {
    busy = false;
  }
}

/** @param {Product} product @param {(sku: string, right: boolean) => void} judge */
function offerUndo(product, judge) {
  const line_id = selected.peek();
  const kept = setTimeout(() => judge(product.sku, true), UNDO_MS);
  const undo = () => {
    clearTimeout(kept);
    judge(product.sku, false);
    const line = cart.peek().lines.find((one) => one.line_id === line_id);
    const milli = line ? (parseQuantity(line.quantity) ?? 0) : 0;
    if (milli > 1000) setQuantity(line_id, milli - 1000);
    else removeLine(line_id);
  };
  toast({ tone: "ok", title: t("look.added", { name: product.name }), action: { label: t("look.undo"), run: undo } }, UNDO_MS);
}
