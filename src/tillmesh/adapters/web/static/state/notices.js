// Toasts and dialogs: what the shell paints above any page.
import { signal } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";

/** @typedef {{id: number, tone: "ok" | "info" | "warn" | "bad", title: string, detail?: string, hint?: string, action?: {label: string, run: () => void}}} Toast */
/** @typedef {{id: number, view: import("../vendor/preact.js").Component<any>, props: object, done: (value: any) => void}} OpenDialog */

const TOASTS_MAX = 4;
let last = 0;

/** @type {import("../vendor/signals.js").Signal<Toast[]>} */
export const toasts = signal(/** @type {Toast[]} */ ([]));
/** @type {import("../vendor/signals.js").Signal<OpenDialog[]>} */
export const dialogs = signal(/** @type {OpenDialog[]} */ ([]));

/** @param {Omit<Toast, "id">} what @param {number} [ms] how long it stays; errors stay longer */
export function toast(what, ms = what.tone === "bad" || what.action ? 9000 : 4000) {
  last += 1;
  const id = last;
  const same = (/** @type {Toast} */ other) => other.title === what.title && other.detail === what.detail;
  toasts.value = [...toasts.value.filter((other) => !same(other)).slice(1 - TOASTS_MAX), { id, ...what }];
  setTimeout(() => dismiss(id), ms);
}

/** @param {number} id */
export function dismiss(id) {
  if (toasts.value.some((one) => one.id === id)) toasts.value = toasts.value.filter((one) => one.id !== id);
}

/** Show what went wrong, in the server's words. @param {unknown} error */
export function toastProblem(error) {
  const problem = asProblem(error);
  if (problem.kind === "cancelled") return;
  toast({ tone: "bad", title: problem.title, detail: problem.detail, hint: problem.hint });
}

/** @param {string} key @param {import("../lib/i18n.js").Params} [params] */
export const toastOk = (key, params) => toast({ tone: "ok", title: t(key, params) });

/**
 * Open a dialog and wait for its answer; undefined when it was dismissed.
 * The component gets `close(value)` beside its props.
 * @template {object} P
 * @param {import("../vendor/preact.js").Component<P & {close: (value?: any) => void}>} view
 * @param {P} props
 * @returns {Promise<any>}
 */
export function openDialog(view, props) {
  return new Promise((resolve) => {
    last += 1;
    const id = last;
    const done = (/** @type {unknown} */ value) => {
      dialogs.value = dialogs.value.filter((one) => one.id !== id);
      resolve(value);
    };
    dialogs.value = [...dialogs.value, { id, view, props, done }];
  });
}

/**
 * Make something that hands in a hurry begin once: asked again before it is over, it does nothing.
 * @template {any[]} A
 * @param {(...given: A) => Promise<any>} work
 */
export function once(work) {
  let busy = false;
  return async (/** @type {A} */ ...given) => {
    if (busy) return;
    busy = true;
    try {
      return await work(...given);
    } finally {
      busy = false;
    }
  };
}
