// Money is whole minor units and quantities are whole thousandths, as in the till program: no floats reach an amount.
import { localeTag } from "./i18n.js";

let currency = "GBP";
let exponent = 2;
let tag = "en";
/** @type {Intl.NumberFormat | null} */
let format = null;
/** @type {Intl.NumberFormat | null} */
let plain = null;

/**
 * Take the store's currency.
 * @param {string} code ISO 4217
 * @param {number} digits decimals of the minor unit
 */
export function setCurrency(code, digits) {
  currency = code;
  exponent = digits;
  format = plain = null;
}

export const currencyExponent = () => exponent;

/** @param {boolean} symbol */
function formatter(symbol) {
  if (tag !== localeTag()) {
    tag = localeTag();
    format = plain = null;
  }
  const digits = { minimumFractionDigits: exponent, maximumFractionDigits: exponent };
  if (symbol) return (format ??= new Intl.NumberFormat(tag, { style: "currency", currency, ...digits }));
  return (plain ??= new Intl.NumberFormat(tag, { ...digits, useGrouping: false }));
}

/** @param {number} minor */
function decimalText(minor) {
  if (exponent === 0) return String(minor);
  const digits = String(Math.abs(minor)).padStart(exponent + 1, "0");
  return `${minor < 0 ? "-" : ""}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

/**
 * Write an amount as the store does, e.g. 4103 -> "£41.03".
 * @param {number} minor
 */
export const money = (minor) => formatter(true).format(/** @type {any} */ (decimalText(minor)));

/**
 * Write an amount for a field: no symbol, no grouping.
 * @param {number} minor
 */
export const moneyField = (minor) => formatter(false).format(/** @type {any} */ (decimalText(minor)));

/** What stands between whole units and parts of them, here. */
export const decimalSign = () => new Intl.NumberFormat(localeTag()).format(1.5).slice(1, 2);

/**
 * Read an amount as typed, with the locale's or a plain decimal sign; null if it is none.
 * @param {string} text
 * @returns {number | null} minor units
 */
export function parseMoney(text) {
  const match = /^(-?)(\d{1,12})(?:[.,](\d*))?$/.exec(text.replace(/[\s'’\p{Sc}]/gu, ""));
  if (!match || (match[3] ?? "").length > exponent) return null;
  const minor = Number(match[2] + (match[3] ?? "").padEnd(exponent, "0"));
  return match[1] ? -minor : minor;
}

/**
 * Read a quantity into thousandths; null if it is none.
 * @param {string} text
 * @returns {number | null}
 */
export function parseQuantity(text) {
  const match = /^(-?)(\d{1,7})(?:[.,](\d{0,3}))?$/.exec(text.trim());
  if (!match) return null;
  const milli = Number(match[2]) * 1000 + Number((match[3] ?? "").padEnd(3, "0"));
  return match[1] ? -milli : milli;
}

/**
 * Write thousandths as the API's decimal text, e.g. 1500 -> "1.5".
 * @param {number} milli
 */
export function quantityText(milli) {
  const sign = milli < 0 ? "-" : "";
  const all = String(Math.abs(milli)).padStart(4, "0");
  const rest = all.slice(-3).replace(/0+$/, "");
  return sign + all.slice(0, -3) + (rest ? `.${rest}` : "");
}

/** @type {Map<string, Intl.NumberFormat>} */
const quantities = new Map();

/**
 * Write a quantity (API text) for people.
 * @param {string} text
 */
export function quantity(text) {
  let quantityFormat = quantities.get(localeTag());
  if (!quantityFormat) {
    quantityFormat = new Intl.NumberFormat(localeTag(), { maximumFractionDigits: 3 });
    quantities.set(localeTag(), quantityFormat);
  }
  return quantityFormat.format(/** @type {any} */ (text));
}

/**
 * Guess a line's total for the first paint, half away from zero; Python's number replaces it.
 * @param {number} unitMinor
 * @param {number} milli
 */
export function lineTotal(unitMinor, milli) {
  const product = unitMinor * milli;
  const whole = Math.floor((Math.abs(product) + 500) / 1000);
  return product < 0 ? -whole : whole;
}
