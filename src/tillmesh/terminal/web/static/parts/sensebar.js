// The buttons beside the search: read a code with the camera, and hold to talk.
import { html, useEffect } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { endTalk, heardMs, hearing, scanWithCamera, talk } from "../state/senses.js";
import { Icon, Key } from "./icon.js";

/** @param {KeyboardEvent} event */
const isHold = (event) => event.key === " " || event.key === "Enter";

export function SenseBar() {
  useEffect(() => {
    const let_go = (/** @type {KeyboardEvent} */ event) => void (event.key === "F3" && endTalk());
    const away = () => void endTalk();
    document.addEventListener("keyup", let_go);
    window.addEventListener("blur", away);
    return () => {
      document.removeEventListener("keyup", let_go);
      window.removeEventListener("blur", away);
    };
  }, []);
  const state = hearing.value;
  const down = (/** @type {PointerEvent} */ event) => {
    /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
    void talk();
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (!isHold(event)) return;
    event.preventDefault();
    if (!event.repeat) void talk();
  };
  return html`<button class="btn sense" onClick=${() => void scanWithCamera()} aria-label=${t("camera.open")} title=${t("camera.open")}><${Icon} name="scan-barcode" /></button>
    <button class=${`btn sense talk ${state}`} aria-pressed=${state === "listening"} title=${t("voice.talk")} aria-keyshortcuts="F3" data-heard=${Math.round(heardMs.value)}
      onPointerDown=${down} onPointerUp=${() => void endTalk()} onPointerCancel=${() => void endTalk()} onKeyDown=${key} onKeyUp=${(/** @type {KeyboardEvent} */ event) => void (isHold(event) && endTalk())} onContextMenu=${(/** @type {Event} */ event) => event.preventDefault()}><${Icon} name="mic" /><span class="sr">${t("voice.talk")}</span>
      ${state === "idle" ? html`<${Key} k="F3" />` : html`<span role="status">${t(`voice.${state}`)}</span>`}</button>`;
}
