// Words. Every string on the screen is looked up here; the catalogues are flat JSON in locales/.

/** @typedef {string | Record<string, string>} Message */
/** @typedef {Record<string, string | number | null | undefined>} Params */

/** @type {Record<string, Message>} */
let messages = {};
let locale = "en";
let plurals = new Intl.PluralRules("en");
let numbers = new Intl.NumberFormat("en");

/**
 * Load a catalogue; later languages fall back to English word by word.
 * @param {string} language
 */
export async function loadLocale(language) {
  const response = await fetch(`/static/locales/${language}.json`);
  if (!response.ok) return;
  Object.assign(messages, await response.json());
  document.documentElement.lang = language;
}

/**
 * Take the store's locale for numbers and dates.
 * @param {string} tag BCP 47, e.g. "en-GB"
 */
export function setLocale(tag) {
  try {
    plurals = new Intl.PluralRules(tag);
    numbers = new Intl.NumberFormat(tag);
    locale = tag;
    formats.clear();
  } catch {
    // An unknown tag keeps the last good one; the settings page names the field.
  }
}

export const localeTag = () => locale;

/**
 * Translate a key. A message with plural forms picks one by the parameter `n`.
 * @param {string} key
 * @param {Params} [params]
 * @returns {string}
 */
export function t(key, params) {
  const message = messages[key];
  if (message === undefined) return key;
  const text = typeof message === "string" ? message : (message[plurals.select(Number(params?.n ?? 0))] ?? message.other);
  if (!params) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = params[name];
    if (value === undefined || value === null) return whole;
    return typeof value === "number" ? numbers.format(value) : value;
  });
}

/**
 * Translate a key that may be missing, e.g. one made from a server's code.
 * @param {string} key
 * @param {string} otherwise
 */
export const tOr = (key, otherwise) => (key in messages ? t(key) : otherwise);

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {string} name
 * @param {Intl.DateTimeFormatOptions} options
 */
function dateFormat(name, options) {
  let format = formats.get(name);
  if (!format) formats.set(name, (format = new Intl.DateTimeFormat(locale, options)));
  return format;
}

/** @typedef {string | number | Date} Moment */

/** @param {Moment} at */
export const clock = (at) => dateFormat("clock", { hour: "2-digit", minute: "2-digit" }).format(new Date(at));

/** @param {Moment} at */
export const day = (at) => dateFormat("day", { weekday: "short", day: "numeric", month: "short" }).format(new Date(at));

/** @param {Moment} at */
export const fullDay = (at) =>
  dateFormat("full", { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(new Date(at));

/** @param {Moment} at */
export const dayClock = (at) =>
  dateFormat("both", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(new Date(at));

/**
 * Today (or `days` from today) as the till's calendar has it.
 * @param {number} [days]
 * @param {string} [from] YYYY-MM-DD
 */
export function isoDay(days = 0, from) {
  const date = from ? new Date(`${from}T12:00:00`) : new Date();
  date.setDate(date.getDate() + days);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** @param {number} value @param {number} [digits] */
export const number = (value, digits = 0) =>
  value.toLocaleString(locale, { maximumFractionDigits: digits });

/** @param {number} part 0..1 */
export const percent = (part) => part.toLocaleString(locale, { style: "percent", maximumFractionDigits: 2 });
