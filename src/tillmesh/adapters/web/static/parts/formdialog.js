// A dialog that asks: fields, and below them the way back and the way on.
import { html, useLayoutEffect, useRef, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { Dialog } from "./dialog.js";
import { Key } from "./icon.js";

/** @param {{close: () => void, ok: boolean, label?: string, danger?: boolean}} props */
export const Foot = ({ close, ok, label = t("ok"), danger }) =>
  html`<button type="button" class="btn" onClick=${close}>${t("cancel")} <${Key} k="Esc" /></button>
    <button type="submit" class=${`btn ${danger ? "danger" : "primary"}`} disabled=${!ok}>${label} <${Key} k="Enter" /></button>`;

/** @param {{title: string, note?: string, close: () => void, ok: boolean, submit: () => unknown, children?: any, label?: string, wide?: boolean, danger?: boolean}} props */
export function FormDialog({ title, note, close, ok, submit, children, label, wide, danger }) {
  // Hands in a hurry press Enter twice: the second counts only once the page shows what came of the first.
  const busy = useRef(false);
  const [turn, setTurn] = useState(0);
  useLayoutEffect(() => void (busy.current = false), [turn]);
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!ok || busy.current) return;
    busy.current = true;
    try {
      await submit();
    } finally {
      setTurn((now) => now + 1);
    }
  };
  return html`<${Dialog} title=${title} note=${note} onClose=${close} wide=${wide}>
    <form class="form" onSubmit=${send}>
      ${children}<div class="dlg-foot"><${Foot} close=${close} ok=${ok} label=${label} danger=${danger} /></div>
    </form>
  <//>`;
}
