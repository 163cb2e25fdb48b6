// Amounts of many stores, each in its own currency; whole minor units all the way.
import { localeTag } from "./i18n.js";

/** @typedef {{currency: string, exponent: number}} Coin */

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** @param {number} minor @param {number} exponent */
function decimals(minor, exponent) {
  const digits = String(Math.abs(minor)).padStart(exponent + 1, "0");
  const text = exponent ? `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}` : digits;
  return minor < 0 ? `-${text}` : text;
}

/** @param {Coin} coin @param {number} digits */
function formatOf({ currency }, digits) {
  const key = `${localeTag()} ${currency} ${digits}`;
  let format = formats.get(key);
  if (!format) {
    const shown = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    try {
      format = new Intl.NumberFormat(localeTag(), { style: "currency", currency, ...shown });
    } catch {
      // A store may name a currency that does not exist.
      format = new Intl.NumberFormat(localeTag(), shown);
    }
    formats.set(key, format);
  }
  return format;
}

/** Write an amount of a store. @param {number} minor @param {Coin} coin */
export const amount = (minor, coin) => formatOf(coin, coin.exponent).format(/** @type {any} */ (decimals(minor, coin.exponent)));

/** Write an amount for an axis: whole units. @param {number} minor @param {Coin} coin */
export const about = (minor, coin) => formatOf(coin, 0).format(Math.round(minor / 10 ** coin.exponent));

/** Write an amount for a field. @param {number} minor @param {Coin} coin */
export const amountField = (minor, coin) => decimals(minor, coin.exponent);

/** Read an amount as typed; null if it is none. @param {string} text @param {Coin} coin */
export function parseAmount(text, { exponent }) {
  const match = /^(\d{1,10})(?:[.,](\d*))?$/.exec(text.replace(/[\s£$€]/g, ""));
  if (!match || (match[2] ?? "").length > exponent) return null;
  return Number(match[1] + (match[2] ?? "").padEnd(exponent, "0"));
}
