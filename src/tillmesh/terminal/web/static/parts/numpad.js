import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { decimalSign } from "../lib/money.js";
import { Icon } from "./icon.js";

/** @param {string} key */
const shown = (key) => (key === "." ? decimalSign() : key);

/** Twelve big keys. `third` is the lower left key, e.g. "00" or ".". @param {{onKey: (key: string) => void, third?: string, label?: string, className?: string}} props */
export const NumPad = ({ onKey, third = "", label = t("numpad.label"), className = "" }) =>
  html`<div class=${`pad ${className}`} role="group" aria-label=${label}>
    ${["1", "2", "3", "4", "5", "6", "7", "8", "9", third, "0", "back"].map((key) =>
      key === ""
        ? html`<span key="gap" />`
        : html`<button key=${key} type="button" class="btn" aria-label=${key === "back" ? t("numpad.back") : shown(key)} onClick=${() => onKey(key)}>
            ${key === "back" ? html`<${Icon} name="delete" size="lg" />` : shown(key)}
          </button>`,
    )}
  </div>`;
