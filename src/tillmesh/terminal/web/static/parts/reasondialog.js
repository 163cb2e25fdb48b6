import { html, useState } from "../lib/ui.js";
import { Reasons } from "./reasons.js";
import { FormDialog } from "./formdialog.js";

/** Ask why. @param {{title: string, note?: string, kind: string, label: string, danger?: boolean, close: (reason?: string) => void}} props */
export function ReasonDialog({ title, note, kind, label, danger, close }) {
  const [reason, setReason] = useState("");
  return html`<${FormDialog} title=${title} note=${note} label=${label} danger=${danger} close=${() => close()} ok=${Boolean(reason.trim())} submit=${() => close(reason.trim())}>
    <${Reasons} kind=${kind} value=${reason} onChange=${setReason} />
  <//>`;
}
