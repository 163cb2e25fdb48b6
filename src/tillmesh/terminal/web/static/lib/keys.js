// Keyboard shortcuts: function keys work everywhere, letters and digits only outside of fields, none under a dialog.
import { useLayoutEffect, useRef } from "./ui.js";
import { dialogs } from "../state/notices.js";
import { session } from "../state/session.js";

/** @typedef {Record<string, (event: KeyboardEvent) => void | false>} KeyMap key name -> action; `false` lets the browser have the key */

/** @param {EventTarget | null} target */
export function inField(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !/^(checkbox|radio|button|submit|file|range)$/.test(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
}

/** F9 charges and then completes: two presses closer than this, and no other key between, are one of a hand in a hurry. Guess. */
const BOUNCE_MS = 300;
let charged = -BOUNCE_MS;

/** Whether a key comes once more of itself: it must not run through charge, complete and next. @param {KeyboardEvent} event */
function bounces({ key, repeat, timeStamp }) {
  const soon = key === "F9" && timeStamp - charged < BOUNCE_MS;
  charged = key === "F9" ? timeStamp : -BOUNCE_MS;
  return soon || (repeat && /F9|Enter/.test(key));
}

/** Keys of a page while no dialog is open. @param {KeyMap} map */
export function useKeys(map) {
  const now = useRef(map);
  now.current = map;
  // Before the paint: who knows the till types ahead of it.
  useLayoutEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
      if (dialogs.peek().length || !session.peek()) return;
      const action = now.current[event.key] ?? (/^\d$/.test(event.key) ? now.current.digit : undefined);
      if (!action) return;
      const special = /^F\d+$/.test(event.key) || event.key === "Escape";
      if (!special && inField(event.target)) return;
      if (event.key === "Enter" && event.target instanceof HTMLElement && event.target.closest("button, a, summary")) return;
      if (bounces(event) || action(event) !== false) event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

/**
 * A tap on a button leaves the keyboard where it was useful: in the field of a dialog, else on the page.
 * Otherwise Enter would press the tapped key, reason or product once more instead of going on.
 */
export function keepFocusOnTaps() {
  document.addEventListener("mousedown", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("button")) return;
    const focused = document.activeElement;
    if (event.target.closest("dialog")) return void (inField(focused) && event.preventDefault());
    event.preventDefault();
    if (focused instanceof HTMLElement) focused.blur();
  });
}
