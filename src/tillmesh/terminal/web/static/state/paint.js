// What the cart will look like once Python has heard of the waiting changes: painted first, replaced by its answer.
import { lineTotal, parseQuantity, quantityText } from "../lib/money.js";

/** @typedef {{promotion_id: string, name: string, amount_minor: number, on_cart: boolean}} Promo what a promotion takes off */

/**
 * @typedef {object} Line
 * @property {string} line_id
 * @property {string} sku
 * @property {string} name
 * @property {string} unit
 * @property {string} quantity
 * @property {number} list_price_minor
 * @property {number} unit_price_minor
 * @property {number} discount_minor
 * @property {number} [cart_discount_minor]
 * @property {number} total_minor
 * @property {{percent?: string, amount_minor?: number, reason?: string} | null} [discount]
 * @property {string} [note]
 * @property {Promo[]} [promotions]
 * @property {string} [price_list]
 * @property {string} [weighed] "scale", "hand" where somebody typed it beside a scale, "part" of what the scale weighed
 * @property {boolean} [fixed_price] the total was read from an in-store barcode
 * @property {boolean} [unsaved]
 */

/**
 * @typedef {object} Cart
 * @property {string} cart_id
 * @property {number} revision
 * @property {Line[]} lines
 * @property {any} [discount]
 * @property {Promo[]} [promotions]
 * @property {{code: string, used: boolean}[]} [coupons]
 * @property {{customer_id: string, name: string} | null} [customer]
 * @property {number} discount_minor
 * @property {number} tax_minor
 * @property {number} total_minor
 * @property {{code: string, rate_ppm: number, net_minor: number, tax_minor: number}[]} [taxes]
 * @property {string} [note]
 * @property {{part_id: string, payment: any, terminal_id?: string}[]} [parts] what was paid before the rest
 * @property {{sku: string, name: string, here: string, missing: string, elsewhere: {terminal_id: string, name: string, quantity: string, heard: boolean}[]}[]} [lacking]
 */

/**
 * @typedef {{op_id: string, op: string, line_id?: string, quantity?: string, sku?: string, barcode?: string, line_total_minor?: number,
 *   text?: string, customer_id?: string, approval?: string, [key: string]: any}} Op
 */

/** @typedef {{name: string, unit: string, price_minor: number, sku: string}} Hint what the catalogue knows about an added product */

/** @param {string} cartId @returns {Cart} */
export const emptyCart = (cartId) => ({
  cart_id: cartId, revision: 0, lines: [], customer: null, discount: null, discount_minor: 0, tax_minor: 0, total_minor: 0, taxes: [],
});

/** @param {Line} line @param {string} quantity @returns {Line} */
function withQuantity(line, quantity) {
  const milli = parseQuantity(quantity) ?? 1000;
  const was = parseQuantity(line.quantity) || 1000;
  const discount = line.discount?.amount_minor ? line.discount_minor : Math.round((line.discount_minor * milli) / was);
  return { ...line, quantity, discount_minor: discount, total_minor: lineTotal(line.unit_price_minor, milli) - discount, unsaved: true };
}

/** @param {Op} op @param {Hint | null} hint @returns {Line} */
function added(op, hint) {
  const milli = parseQuantity(op.quantity ?? "1") ?? 1000;
  const price = hint?.price_minor ?? 0;
  return {
    line_id: op.line_id ?? "", sku: hint?.sku ?? op.sku ?? "", name: hint?.name ?? op.barcode ?? op.sku ?? "", unit: hint?.unit ?? "piece",
    quantity: quantityText(milli), list_price_minor: price, unit_price_minor: price, discount_minor: 0, discount: null, note: "",
    total_minor: op.line_total_minor ?? lineTotal(price, milli), fixed_price: op.line_total_minor !== undefined, unsaved: true,
  };
}

/**
 * Apply one waiting change. Discounts and prices wait for Python, as they may need an approval.
 * @param {Cart} cart
 * @param {Op} op
 * @param {Hint | null} hint
 * @returns {Cart}
 */
export function paintOp(cart, op, hint) {
  switch (op.op) {
    case "add":
      return cart.lines.some((line) => line.line_id === op.line_id) ? cart : totalled(cart, [...cart.lines, added(op, hint)]);
    case "set_quantity":
      return totalled(cart, cart.lines.map((line) => (line.line_id === op.line_id ? withQuantity(line, op.quantity ?? "1") : line)));
    case "remove":
      return totalled(cart, cart.lines.filter((line) => line.line_id !== op.line_id));
    case "clear":
      return { ...emptyCart(cart.cart_id), revision: cart.revision };
    case "note":
      return op.line_id
        ? { ...cart, lines: cart.lines.map((line) => (line.line_id === op.line_id ? { ...line, note: op.text ?? "" } : line)) }
        : { ...cart, note: op.text ?? "" };
    case "customer":
      return { ...cart, customer: op.customer_id ? { customer_id: op.customer_id, name: op._name ?? "" } : null };
    case "take_part":
      return { ...cart, parts: [...(cart.parts ?? []), { part_id: op.line_id ?? "", payment: op.payment }] };
    case "give_part_back":
      return { ...cart, parts: cart.parts?.filter((one) => one.part_id !== op.line_id) };
    default:
      return cart;
  }
}

/** What is paid of a cart before the rest. @param {Cart} cart */
export const paidOf = (cart) => (cart.parts ?? []).reduce((sum, one) => sum + one.payment.amount_minor, 0);

/** @param {Cart} cart @param {Line[]} lines @returns {Cart} */
function totalled(cart, lines) {
  const sum = (/** @type {Line[]} */ all) => all.reduce((total, line) => total + line.total_minor, 0);
  return { ...cart, lines, total_minor: cart.total_minor + sum(lines) - sum(cart.lines) };
}
