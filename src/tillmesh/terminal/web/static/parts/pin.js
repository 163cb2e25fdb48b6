// The PIN pad: sign in at the start, over a page when the sign-in has ended, and approvals in place.
import { html, useLayoutEffect, useRef, useState } from "../lib/ui.js";
import { t, tOr } from "../lib/i18n.js";
import { asProblem, reachable, send } from "../lib/http.js";
import { signIn, store, terminal } from "../state/session.js";
import { Dialog } from "./dialog.js";
import { Icon, Key } from "./icon.js";
import { NumPad } from "./numpad.js";

/** Says that what looked like digits of a PIN came from the scanner. */
export const pinScans = new EventTarget();

const PIN_MIN = 4;
const PIN_MAX = 12;

/**
 * @param {{submit: (pin: string) => Promise<void>, button: string}} props
 */
function PinPad({ submit, button }) {
  const [pin, setPin] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const go = async () => {
    if (busy || pin.length < PIN_MIN) return;
    setBusy(true);
    try {
      await submit(pin);
    } catch (error) {
      setProblem(asProblem(error));
      setPin("");
    }
    setBusy(false);
  };
  const press = (/** @type {string} */ key) => {
    setProblem(null);
    setPin((now) => (key === "back" ? now.slice(0, -1) : (now + key).slice(0, PIN_MAX)));
  };
  // The listener stays; what it calls is renewed with each render, as keys may come faster than effects run.
  const latest = useRef({ press, go });
  latest.current = { press, go };
  useLayoutEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (/^\d$/.test(event.key)) latest.current.press(event.key);
      else if (event.key === "Backspace") latest.current.press("back");
      else if (event.key === "Enter") void latest.current.go();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    const onScan = () => setPin("");
    document.addEventListener("keydown", onKey, { capture: true });
    pinScans.addEventListener("scan", onScan);
    return () => {
      document.removeEventListener("keydown", onKey, { capture: true });
      pinScans.removeEventListener("scan", onScan);
    };
  }, []);
  const wait = problem?.body?.retry_after_ms;
  return html`<div class="pin">
    <div class=${`pin-dots ${problem ? "bad" : ""}`} role="img" aria-label=${t("pin.typed", { n: pin.length })}>
      ${Array.from({ length: Math.max(PIN_MIN, pin.length) }, (_, i) => html`<i key=${i} class=${i < pin.length ? "on" : ""} />`)}
    </div>
    <p class="pin-say" role="alert">
      ${problem && html`<b>${problem.title}</b> · ${wait ? t("pin.wait", { n: Math.ceil(wait / 1000) }) : problem.detail}`}
    </p>
    <${NumPad} onKey=${press} />
    <button class="btn primary tall wide" data-first disabled=${busy || pin.length < PIN_MIN} onClick=${go}>
      ${busy ? html`<span class="spin" />` : null}${button} <${Key} k="Enter" />
    </button>
  </div>`;
}

/** The first page of the day. */
export const SignInPage = () =>
  html`<main class="signin">
    <section class="signin-brand">
      <div class="signin-logo"><${Icon} name="store" /></div>
      <h1>${store.value.name ?? t("app.name")}</h1>
      <p>${(store.value.address ?? []).join(", ")}</p>
      <p><span class="pill">${terminal.value.name ?? ""}</span></p>
      <small class="signin-made">${t("app.made", { version: terminal.value.version ?? "" })}</small>
    </section>
    <section class="signin-pad">
      <h2>${t("signin.title")}</h2>
      ${!reachable.value && html`<p class="pill warn"><${Icon} name="wifi-off" />${t("pill.silent")}</p>`}
      <${PinPad} submit=${signIn} button=${t("signin.go")} />
    </section>
  </main>`;

/** Over the page: it stays as it is. */
export const SignInOver = () =>
  html`<${Dialog} title=${t("signin.again")} note=${t("signin.again.note")} className="pin-dlg">
    <${PinPad} submit=${signIn} button=${t("signin.go")} />
  <//>`;

/** @param {{needs: string, action: string, detail: string, close: (approval?: string) => void}} props */
export const ApprovalDialog = ({ needs, action, detail, close }) =>
  html`<${Dialog} title=${t("approval.title", { role: t(`role.${needs}`) })} note=${tOr(`approval.action.${action}`, detail || t("approval.note"))} onClose=${() => close()} className="pin-dlg">
    <${PinPad} button=${t("approval.go")} submit=${async (/** @type {string} */ pin) => close((await send("POST", "/approvals", { pin, action })).approval)} />
  <//>`;
