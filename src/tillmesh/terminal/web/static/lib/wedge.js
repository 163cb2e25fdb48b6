// The scanner types like a very fast keyboard. We listen at document level, before any field, and judge at Enter.
//
// A burst is never cut by a pause alone: under load the browser may sit between two keys for longer than any limit.
// So all keys since the last Enter are kept with their times, and the code is looked for in the end of that text.
import { bareCode, isGtin } from "./gtin.js";

const KEYS_MAX = 96;
/** A pause as long as this ends a burst unless the rest proves to be one code: people and scanners differ. Guess. */
const PAUSE_MS = 60;
/** Mean gap of a scanner's keys; the fastest typists stay above 60 ms. */
const SCANNER_GAP_MS = 30;
const FORGET_MS = 4000;
/** Lengths of GTINs, the usual ones first: a digit typed by hand before an EAN-13 must not make it a GTIN-14. */
const LENGTHS = [13, 12, 14, 8];

/** @typedef {{key: string, at: number, field: HTMLInputElement | HTMLTextAreaElement | null, value: string, start: number | null}} Key */

/**
 * @typedef {object} WedgeOptions
 * @property {(code: string, field: HTMLElement | null) => void} onScan
 * @property {(code: string) => boolean} isKnown whether the catalogue holds the code
 * @property {() => string} prefix what the scanner sends first, if it is set up so
 */

/** @type {Key[]} */
let keys = [];

/** True while digits arrive at scanner speed: expensive work on each should wait for the end. A word is never kept waiting. */
export function bursting() {
  const [third, , last] = keys.slice(-3);
  return /^\d{3}$/.test(textOf(keys.slice(-3))) && last.at - third.at < 2 * SCANNER_GAP_MS && performance.now() - last.at < PAUSE_MS;
}

/** @param {Key[]} typed */
const textOf = (typed) => typed.map((key) => key.key).join("");

/** @param {WedgeOptions} options @returns {() => void} stop listening */
export function listenToScanner(options) {
  const onKey = (/** @type {KeyboardEvent} */ event) => take(event, options);
  const forget = () => void (keys = []);
  document.addEventListener("keydown", onKey, { capture: true });
  document.addEventListener("pointerdown", forget, { capture: true });
  return () => {
    document.removeEventListener("keydown", onKey, { capture: true });
    document.removeEventListener("pointerdown", forget, { capture: true });
  };
}

/** @param {KeyboardEvent} event @param {WedgeOptions} options */
function take(event, options) {
  if (event.ctrlKey || event.altKey || event.metaKey) return void (keys = []);
  if (event.key === "Enter" || (event.key === "Tab" && keys.length >= 8)) return ends(event, options);
  if (event.key.length !== 1) {
    if (event.key !== "Shift" && event.key !== "CapsLock") keys = [];
    return;
  }
  if (keys.length && event.timeStamp - keys[keys.length - 1].at > FORGET_MS) keys = [];
  const field = focusedField();
  keys.push({ key: event.key, at: event.timeStamp, field, value: field?.value ?? "", start: caret(field) });
  if (keys.length > KEYS_MAX) keys.shift();
}

/** @param {KeyboardEvent} event @param {WedgeOptions} options */
function ends(event, options) {
  const typed = keys;
  keys = [];
  const found = findCode(typed, options, event.timeStamp);
  if (!found) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const first = typed[found.from];
  restore(first);
  options.onScan(found.code, first.field);
}

/**
 * Find the code in the end of what was typed. A known product wins, then a right check digit, then speed.
 * @param {Key[]} typed
 * @param {Pick<WedgeOptions, "isKnown" | "prefix">} options
 * @param {number} at when Enter came
 * @returns {{code: string, from: number} | null}
 */
export function findCode(typed, options, at) {
  const text = textOf(typed);
  const prefix = options.prefix();
  if (prefix && text.includes(prefix)) {
    const from = text.lastIndexOf(prefix);
    const code = bareCode(text.slice(from + prefix.length));
    if (code) return { code, from };
  }
  const starts = burstStarts(typed);
  // The longest known one: under load a pause may fall into a code, and the rest of it may be a code too.
  for (const from of starts) {
    const code = bareCode(text.slice(from));
    if (code.length >= 4 && options.isKnown(code) && (isGtin(code) || isFast(typed, from))) return { code, from };
  }
  const ends = starts.map((from) => ({ code: bareCode(text.slice(from)), from })).filter((one) => isGtin(one.code));
  for (const length of LENGTHS) {
    const found = ends.find((one) => one.code.length === length);
    if (found) return found;
  }
  for (const length of LENGTHS) {
    const from = text.length - length;
    if (from >= 0 && isGtin(text.slice(from)) && isFast(typed, from)) return { code: text.slice(from), from };
  }
  const from = starts[starts.length - 1] ?? 0;
  // By speed alone only what looks like a code: somebody who types a word fast means the word.
  const code = bareCode(text.slice(from));
  const prompt = typed.length > 0 && at - typed[typed.length - 1].at < 2 * PAUSE_MS;
  return code.length >= 8 && /\d/.test(code) && prompt && isFast(typed, from) ? { code, from } : null;
}

/**
 * Where a burst may have begun: at the very start, and after each pause.
 * @param {Key[]} typed
 */
function burstStarts(typed) {
  const starts = typed.length ? [0] : [];
  for (let i = 1; i < typed.length; i += 1) if (typed[i].at - typed[i - 1].at > PAUSE_MS) starts.push(i);
  return starts;
}

/** @param {Key[]} typed @param {number} from */
function isFast(typed, from) {
  const count = typed.length - 1 - from;
  return count > 0 && (typed[typed.length - 1].at - typed[from].at) / count < SCANNER_GAP_MS;
}

function focusedField() {
  const element = document.activeElement;
  if (element instanceof HTMLTextAreaElement) return element;
  if (element instanceof HTMLInputElement && !/^(checkbox|radio|button|range)$/.test(element.type)) return element;
  return null;
}

/** @param {HTMLInputElement | HTMLTextAreaElement | null} field */
function caret(field) {
  try {
    return field ? field.selectionStart : null;
  } catch {
    return null;
  }
}

/** Put the field back as it was before the scanner typed into it. @param {Key} key */
function restore({ field, value, start }) {
  if (!field?.isConnected || field.value === value) return;
  field.value = value;
  if (start !== null) field.setSelectionRange(start, start);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
