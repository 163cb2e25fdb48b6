// Form fields of the back office and the dialogs: a label, a field, what is wrong with it.
import { html, useId, valueOf, checkedOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";

/** @type {Record<string, string[]>} */
const REASONS = {
  discount: ["damaged", "short_date", "loyal", "staff", "complaint"],
  price: ["wrong_label", "damaged", "price_match", "manager"],
  refund: ["faulty", "changed_mind", "wrong_item", "overcharged"],
  void: ["mistake", "customer_left", "wrong_tender"],
  cash: ["bank", "change", "supplier", "petty"],
  drawer: ["change", "check", "float"],
  stock: ["breakage", "expired", "theft", "found", "own_use"],
  count: ["stocktake", "spot_check"],
  money: ["paid_back", "told_customer", "written_off"],
};

/** Tap a usual reason or write one. @param {{kind: string, value: string, onChange: (value: string) => void}} props */
export function Reasons({ kind, value, onChange }) {
  const id = useId();
  const usual = REASONS[kind].map((key) => t(`reason.${key}`));
  return html`<div class="field"><label for=${id}>${t("reason.label")}</label>
    <div class="chips">${usual.map((text) => html`<button key=${text} type="button" class="chip" aria-pressed=${value === text} onClick=${() => onChange(value === text ? "" : text)}>${text}</button>`)}</div>
    <input id=${id} maxlength="120" placeholder=${t("reason.other")} value=${value} onInput=${(/** @type {Event} */ e) => onChange(valueOf(e))} /></div>`;
}

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
