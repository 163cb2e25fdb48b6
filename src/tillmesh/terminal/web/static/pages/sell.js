// The sale: products on the one side, the cart on the other, and every key a cashier needs.
import { html, useEffect, useRef, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money, parseQuantity } from "../lib/money.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { isInStore } from "../lib/gtin.js";
import { comesInVariants, product, productOf, quickKeys, rowOfCode } from "../state/catalogue.js";
import { addBarcode, addProduct, cart, isWeighed, moveSelection, pending, removeLine, selected, selectedLine, setQuantity, settled, submit } from "../state/cart.js";
import { later } from "../state/later.js";
import { once, openDialog, toast } from "../state/notices.js";
import { paidOf } from "../state/paint.js";
import { terminal } from "../state/session.js";
import { sellGiftCard } from "../state/giftcards.js";
import { recogniseProduct } from "../state/looking.js";
import { useScans } from "../state/scan.js";
import { talk } from "../state/senses.js";
import { CartPane, step } from "../parts/cartpane.js";
import { DiscountDialog, QuantityDialog } from "../parts/linedialogs.js";
import { VariantDialog } from "../parts/variantdialog.js";
import { Tiles } from "../parts/tiles.js";
import { Top } from "../parts/top.js";
import { Confirm } from "../parts/dialog.js";

/** How long Charge waits for the last changes before it says that they are not saved. */
const CHARGE_WAIT_MS = 1500;
/** Digits are shown only after a pause: a scanner's would flicker. */
const SHOW_MS = 90;

/** @typedef {import("../state/catalogue.js").Product} Product */

/** Digits typed outside a field, and the quantity they became. */
function useMultiplier() {
  const typed = useRef("");
  const timer = useRef(/** @type {any} */ (0));
  const [shown, setShown] = useState("");
  const times = useRef(0);
  const show = (/** @type {string} */ text) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setShown(text), SHOW_MS);
  };
  const reset = () => {
    clearTimeout(timer.current);
    typed.current = "";
    times.current = 0;
    setShown("");
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    shown,
    reset,
    press: (/** @type {string} */ key) => {
      typed.current = (typed.current + key).slice(-20);
      if (typed.current.length <= 8) show(typed.current);
    },
    star: () => {
      const milli = parseQuantity(typed.current);
      typed.current = "";
      if (!milli || milli <= 0) return reset();
      times.current = milli;
      clearTimeout(timer.current);
      setShown(`${milli / 1000} ×`);
    },
    /** The number that was typed, e.g. of a quick key. */
    number: () => {
      const number = Number(typed.current);
      typed.current = "";
      show(times.current ? `${times.current / 1000} ×` : "");
      return number;
    },
    /** The quantity to use now, once. */
    take: () => {
      const milli = times.current;
      reset();
      return milli;
    },
    pending: () => times.current,
  };
}

/** @param {Product} item @param {number} milli 0 when none was typed @returns {Promise<void>} */
async function add(item, milli) {
  if (comesInVariants(item)) {
    const chosen = await openDialog(VariantDialog, { item });
    if (chosen) await add(chosen, milli);
    return;
  }
  if (!isWeighed(item.unit)) return addProduct(item, milli || 1000);
  const { milli: weight, ...more } = milli ? { milli } : await weigh({ name: item.name, unit: item.unit, price: item.price_minor });
  if (weight) addProduct(item, weight, more);
}

/** Ask how heavy it is: the scale, if this till has one. @param {{name: string, unit: string, price: number}} what @returns {Promise<{milli?: number, reading?: number, tare_g?: number}>} */
async function weigh(what) {
  const scales = /^k?g$/.test(what.unit) && terminal.peek().scale_kind !== "none" && (await later().catch(() => null));
  return scales ? ((await scales.openWeigh(what)) ?? {}) : { milli: await openDialog(QuantityDialog, what) };
}

export const chooseCustomer = once(async () => {
  const view = (await import("../parts/customerdialog.js")).CustomerDialog;
  const chosen = await openDialog(view, { current: cart.peek().customer });
  if (chosen) submit({ op: "customer", customer_id: chosen.customer_id, _name: chosen.name });
});

const discount = once(async () => {
  if (!cart.peek().lines.length) return;
  const op = await openDialog(DiscountDialog, { line: selectedLine.peek() });
  if (op) submit(op);
});

const park = once(async () => {
  if (cart.peek().lines.length) await (await import("../parts/parkdialog.js")).parkCart();
  else await openDialog((await import("../parts/parkdialog.js")).ParkedDialog, {});
});

const clear = once(async () => {
  const { lines, parts } = cart.peek();
  const paid = paidOf(cart.peek());
  if (!lines.length && !paid) return;
  const text = t("clear.text", { n: lines.length }) + (paid ? ` ${t("clear.paid", { amount: money(paid) })}` : "");
  const yes = await openDialog(Confirm, { title: t("clear.title"), text, yes: t("clear.yes"), danger: true });
  if (!yes) return;
  for (const one of parts ?? []) submit({ op: "give_part_back", line_id: one.part_id });
  submit({ op: "clear" });
});

const charge = once(async () => {
  if (!cart.peek().lines.length) return;
  if (!(await settled(CHARGE_WAIT_MS))) return toast({ tone: "warn", title: t("sell.unsaved", { n: pending.peek() }), detail: t("sell.unsaved.detail") });
  go("pay");
});

export function SellPage() {
  const field = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLInputElement | null>} */ (useRef(null));
  const times = useMultiplier();
  useScans((code) => {
    const milli = times.take();
    const row = rowOfCode(code);
    if (row >= 0) return void add(product(row), milli);
    if (isInStore(code) || /^[\w.-]{4,48}$/.test(code)) addBarcode(code, milli);
  });
  const remove = () => void (selected.peek() && removeLine(selected.peek()));
  const quick = () => {
    const item = productOf(quickKeys.peek()[times.number() - 1]?.sku ?? "");
    if (item?.active) void add(item, times.take());
  };
  const enter = () => {
    const milli = times.take();
    if (milli && selectedLine.peek()) setQuantity(selected.peek(), milli);
  };
  const escape = () => {
    times.reset();
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  };
  const actions = { customer: () => void chooseCustomer(), discount: () => void discount(), park: () => void park(), refund: () => go("sales"), clear: () => void clear(), charge: () => void charge(), look: () => void recogniseProduct((item) => add(item, times.take())) };
  useKeys({
    F2: () => field.current?.focus(), F3: (event) => void (event.repeat || talk()), F4: actions.customer, F6: actions.park, F7: actions.discount, F8: actions.refund, F9: actions.charge, Insert: actions.look,
    Escape: escape, ArrowUp: () => moveSelection(-1), ArrowDown: () => moveSelection(1), Delete: remove, "+": () => step(1), "-": () => step(-1),
    "*": times.star, "/": quick, Enter: enter, digit: (event) => times.press(event.key), ".": () => times.press("."), ",": () => times.press("."),
    Backspace: times.reset, Home: () => void sellGiftCard(),
  });
  return html`<div class="app">
    <${Top} />
    <main class="app-main"><${Tiles} field=${field} onLook=${actions.look} onPick=${(/** @type {Product} */ item) => void add(productOf(item.sku) ?? item, times.take())} /></main>
    <${CartPane} actions=${actions} multiplier=${times.shown} />
  </div>`;
}
