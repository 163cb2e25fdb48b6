// A dialog that asks: fields, and below them the way back and the way on.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { Dialog } from "./dialog.js";
import { Key } from "./icon.js";

/** @param {{close: () => void, ok: boolean, label?: string, danger?: boolean}} props */
export const Foot = ({ close, ok, label = t("ok"), danger }) =>
  html`<button type="button" class="btn" onClick=${close}>${t("cancel")} <${Key} k="Esc" /></button>
    <button type="submit" class=${`btn ${danger ? "danger" : "primary"}`} disabled=${!ok}>${label} <${Key} k="Enter" /></button>`;

/** @param {{title: string, note?: string, close: () => void, ok: boolean, submit: () => void, children?: any, label?: string, wide?: boolean, danger?: boolean}} props */
export const FormDialog = ({ title, note, close, ok, submit, children, label, wide, danger }) =>
  html`<${Dialog} title=${title} note=${note} onClose=${close} wide=${wide}>
    <form class="form" onSubmit=${(/** @type {Event} */ e) => { e.preventDefault(); if (ok) submit(); }}>
      ${children}<div class="dlg-foot"><${Foot} close=${close} ok=${ok} label=${label} danger=${danger} /></div>
    </form>
  <//>`;
