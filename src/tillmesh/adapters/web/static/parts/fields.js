// Form fields of the back office and the dialogs: a label, a field, what is wrong with it.
import { html, useId, valueOf, checkedOf } from "../lib/ui.js";

/**
 * @param {{label: string, value: string, onChange: (value: string) => void, hint?: string, error?: string, type?: string, mode?: string, required?: boolean,
 *   auto?: boolean, max?: number, disabled?: boolean, className?: string, unit?: string, placeholder?: string}} props
 */
export function Field({ label, value, onChange, hint, error, type = "text", mode, required, auto, max = 200, disabled, className = "", unit, placeholder }) {
  const id = useId();
  return html`<div class=${`field ${error ? "wrong" : ""} ${className}`}><label for=${id}>${label}${required ? html`<i aria-hidden="true"> *</i>` : ""}</label>
    <span class="field-box"><input id=${id} type=${type} inputmode=${mode} value=${value} required=${required} maxlength=${max} disabled=${disabled} data-first=${auto} autocomplete="off" placeholder=${placeholder}
      aria-invalid=${error ? "true" : undefined} aria-describedby=${hint || error ? `${id}-h` : undefined} onInput=${(/** @type {Event} */ e) => onChange(valueOf(e))} />${unit && html`<small>${unit}</small>`}</span>
    ${(error || hint) && html`<small id=${`${id}-h`}>${error || hint}</small>`}</div>`;
}

/**
 * @param {{label: string, value: string, onChange: (value: string) => void, options: [string, string][], hint?: string, disabled?: boolean}} props
 */
export function Choice({ label, value, onChange, options, hint, disabled }) {
  const id = useId();
  return html`<div class="field"><label for=${id}>${label}</label>
    <select id=${id} value=${value} disabled=${disabled} onChange=${(/** @type {Event} */ e) => onChange(valueOf(e))}>
      ${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}</select>
    ${hint && html`<small>${hint}</small>`}</div>`;
}

/** @param {{label: string, value: boolean, onChange: (value: boolean) => void, hint?: string, disabled?: boolean}} props */
export const Toggle = ({ label, value, onChange, hint, disabled }) =>
  html`<label class="toggle"><input type="checkbox" role="switch" checked=${value} disabled=${disabled} onChange=${(/** @type {Event} */ e) => onChange(checkedOf(e))} /><i aria-hidden="true" />
    <span><b>${label}</b>${hint && html`<small>${hint}</small>`}</span></label>`;

/** One of a few, as buttons. @param {{label: string, value: string, onChange: (value: string) => void, options: [string, string][], disabled?: boolean}} props */
export const Segments = ({ label, value, onChange, options, disabled }) =>
  html`<div class="field"><span class="label">${label}</span><div class="seg" role="group" aria-label=${label}>
    ${options.map(([key, text]) => html`<button type="button" key=${key} disabled=${disabled} aria-pressed=${key === value} onClick=${() => onChange(key)}>${text}</button>`)}</div></div>`;

/** What the server refused, inside a dialog. @param {{problem: import("../lib/http.js").Problem | null}} props */
export const Refusal = ({ problem }) =>
  problem && problem.kind !== "cancelled"
    ? html`<div class="refusal" role="alert"><b>${problem.title}</b>${problem.detail && html`<span>${problem.detail}</span>`}${problem.hint && html`<small>${problem.hint}</small>`}</div>`
    : null;
