import { html, useEffect, useRef } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { dismiss, dialogs, toasts } from "../state/notices.js";
import { Icon } from "./icon.js";

const ICONS = { ok: "circle-check", info: "info", warn: "triangle-alert", bad: "circle-alert" };

/** Short notices in the top layer, read out politely; they never take the focus. */
export function Toasts() {
  const ref = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLDivElement | null>} */ (useRef(null));
  const list = toasts.value;
  const layer = dialogs.value.length;
  useEffect(() => {
    // Shown anew, the popover lies above a dialog opened since.
    const element = ref.current;
    if (!element?.showPopover) return;
    if (element.matches(":popover-open")) element.hidePopover();
    if (list.length) element.showPopover();
  }, [list, layer]);
  return html`<div class="toasts" ref=${ref} popover="manual" role="status" aria-live="polite" aria-relevant="additions">
    ${list.map(
      (one) => html`<div key=${one.id} class=${`toast ${one.tone}`}>
        <${Icon} name=${ICONS[one.tone]} />
        <div class="toast-text"><b>${one.title}</b>${one.detail && html`<span>${one.detail}</span>`}${one.hint && html`<small>${one.hint}</small>`}</div>
        ${one.action && html`<button class="btn small" onClick=${() => { one.action?.run(); dismiss(one.id); }}>${one.action.label}</button>`}
        <button class="btn ghost icon" aria-label=${t("close")} onClick=${() => dismiss(one.id)}><${Icon} name="x" /></button>
      </div>`,
    )}
  </div>`;
}
