// Native <dialog>: the browser traps the focus, dims the page and hands the focus back.
import { html, useId, useLayoutEffect, useRef } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { Icon } from "./icon.js";
import { dialogs } from "../state/notices.js";

/**
 * @param {{title: string, children?: any, onClose?: () => void, wide?: boolean, sheet?: boolean, foot?: any, note?: string, className?: string}} props
 */
export function Dialog({ title, children, onClose, wide, sheet, foot, note, className = "" }) {
  const ref = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLDialogElement | null>} */ (useRef(null));
  const id = useId();
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    element.showModal();
    const first = /** @type {HTMLElement | null} */ (element.querySelector("[autofocus], [data-first]"));
    first?.focus();
    return () => element.close();
  }, []);
  const cancel = (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose?.();
  };
  return html`<dialog ref=${ref} class=${`dlg ${wide ? "wide" : ""} ${sheet ? "sheet" : ""} ${className}`} aria-labelledby=${id} onCancel=${cancel}>
    <header class="dlg-head">
      <h2 id=${id}>${title}</h2>
      ${onClose && html`<button class="btn ghost icon" onClick=${onClose} aria-label=${t("close")}><${Icon} name="x" /></button>`}
    </header>
    ${note && html`<p class="dlg-note">${note}</p>`}
    <div class="dlg-body">${children}</div>
    ${foot && html`<footer class="dlg-foot">${foot}</footer>`}
  </dialog>`;
}

/** All open dialogs, the newest on top. */
export const Dialogs = () =>
  dialogs.value.map((one) => html`<${one.view} key=${one.id} ...${one.props} close=${one.done} />`);

/** Asks before something is done; what can't be undone is not done by the second of two quick Enters. @param {{title: string, text: string, yes: string, danger?: boolean, close: (value?: boolean) => void}} props */
export const Confirm = ({ title, text, yes, danger, close }) =>
  html`<${Dialog} title=${title} onClose=${() => close()}
    foot=${html`<button class="btn" autofocus=${danger} onClick=${() => close()}>${t("cancel")}</button>
      <button class=${`btn ${danger ? "danger" : "primary"}`} autofocus=${!danger} onClick=${() => close(true)}>${yes}</button>`}>
    <p class="lead">${text}</p>
  <//>`;
