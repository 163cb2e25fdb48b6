// Words. Every string on the screen is looked up here; the catalogues are flat JSON in locales/.

import { signal } from "./ui.js";

/** @typedef {string | Record<string, string>} Message */
/** @typedef {Record<string, string | number | null | undefined>} Params */

/** The language that every language falls back to, word by word. */
const BASE = "en";
const KEEP = "tillmesh.language";
const KEEP_S = 31_536_000;

/** @type {Record<string, Record<string, Message>>} */
const catalogues = {};
/** @type {Record<string, Message>} */
let messages = {};
let locale = BASE;
let plurals = new Intl.PluralRules(BASE);
let numbers = new Intl.NumberFormat(BASE);
let wanted = BASE;

/** Whatever shows words reads this, so that it is painted anew in another language. */
const spoken = signal("");

/** @param {string} tag BCP 47, e.g. "de-AT" */
export const languageOf = (tag) => tag.replace("_", "-").split("-")[0].toLowerCase();

/** How a language calls itself. @param {string} tag */
export function nameOfLanguage(tag) {
  const name = new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
  return name.slice(0, 1).toLocaleUpperCase(tag) + name.slice(1);
}

/** What this screen spoke last: it begins with that before it knows the store. */
export const lastLanguage = () => localStorage.getItem(KEEP) ?? languageOf(navigator.language);

/** @param {string} language */
async function fetchLocale(language) {
  if (catalogues[language]) return;
  const response = await fetch(`/static/locales/${language}.json`);
  if (response.ok) catalogues[language] = await response.json();
}

/**
 * Speak a language, once its words are there; one that has none is English.
 * @param {string} language
 * @param {boolean} [keep] whether this screen begins with it the next time
 */
export async function loadLocale(language, keep = true) {
  wanted = language;
  await Promise.all([fetchLocale(BASE), fetchLocale(language)]);
  if (wanted !== language || spoken.peek() === language) return;
  const own = catalogues[language] ? language : BASE;
  messages = { ...catalogues[BASE], ...catalogues[own] };
  plurals = new Intl.PluralRules(own);
  document.documentElement.lang = own;
  if (keep) {
    localStorage.setItem(KEEP, own);
    // For a program that can't open its data, and so doesn't know what its store speaks.
    document.cookie = `${KEEP}${location.port}=${own};path=/;max-age=${KEEP_S};samesite=strict`;
  }
  spoken.value = language;
}

/**
 * Take the locale for numbers and dates.
 * @param {string} tag BCP 47, e.g. "en-GB"
 */
export function setLocale(tag) {
  try {
    numbers = new Intl.NumberFormat(tag.replace("_", "-"));
    locale = tag.replace("_", "-");
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
  spoken.value;
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
export const tOr = (key, otherwise) => (key in messages ? t(key) : (spoken.value, otherwise));

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
export const shortDay = (at) => dateFormat("short", { day: "numeric", month: "short" }).format(new Date(at));

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
