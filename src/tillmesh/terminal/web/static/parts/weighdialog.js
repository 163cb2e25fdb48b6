// Weighing at the till: what lies on the scale as it settles, what it will cost, and a weight typed where the scale is off.
import { html, useEffect, useLayoutEffect, useRef, useState, valueOf } from "../lib/ui.js";
import { localeTag, t } from "../lib/i18n.js";
import { send } from "../lib/http.js";
import { lineTotal, money, parseQuantity } from "../lib/money.js";
import { openDialog } from "../state/notices.js";
import { Dialog } from "./dialog.js";
import { Icon, Key } from "./icon.js";
import { NumPad } from "./numpad.js";

/** The till answers within a second, with something new or without. */
const TIMEOUT_MS = 5000;
const AGAIN_MS = 700;

/** @typedef {{state: string, grams?: number | null, number?: number, least_g?: number, tares_g?: number[], auto?: boolean, fresh?: boolean}} Shown */
/** @typedef {{milli: number, reading?: number, tare_g?: number}} Weighed */

/** Ask the till what lies on its scale, again and again while the dialog is open. @param {number} price for one unit @param {string} unit @returns {Shown} */
function useScale(price, unit) {
  const [shown, setShown] = useState(/** @type {Shown} */ ({ state: "wait" }));
  useEffect(() => {
    const leaving = new AbortController();
    const ask = async () => {
      for (let seen = 0; !leaving.signal.aborted; ) {
        let pause = false;
        try {
          const now = await send("GET", `/scale?seen=${seen}&price=${unit === "kg" ? price : price * 1000}`, undefined, { timeout: TIMEOUT_MS, abort: leaving.signal });
          if (leaving.signal.aborted) return;
          pause = now.state === "off" || now.number === seen;
          seen = now.number;
          setShown(now);
        } catch {
          if (leaving.signal.aborted) return;
          pause = true;
          setShown({ state: "silent" });
        }
        if (pause) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    };
    void ask();
    return () => leaving.abort();
  }, []);
  return shown;
}

/** Write a weight as scales do, always with all its decimals. @param {number} milli @param {string} unit */
const weightText = (milli, unit) => {
  const digits = unit === "kg" ? 3 : 0;
  return new Intl.NumberFormat(localeTag(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(milli / 1000);
};

/** What the scale's state means for whoever stands at it. @param {Shown} shown @param {number} tare */
function stateOf(shown, tare) {
  const grams = shown.grams ?? 0;
  if (shown.state !== "stable") return shown.state;
  if (grams === 0) return "empty";
  if (grams <= tare) return "tare";
  return grams < (shown.least_g ?? 1) ? "light" : "stable";
}

/** Where nothing can be expected of the scale until somebody has done something about it. */
const HELPLESS = new Set(["silent", "off", "pounds", "refused"]);

/** @param {{name: string, unit: string, price: number, close: (found?: Weighed) => void}} props */
function WeighDialog({ name, unit, price, close }) {
  const shown = useScale(price, unit);
  const [tare, setTare] = useState(0);
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  const [armed, setArmed] = useState(false);
  const tares = shown.tares_g ?? [];
  const state = stateOf(shown, tare);
  const milli = Math.max(0, (shown.grams ?? 0) - tare) * (unit === "kg" ? 1 : 1000);
  const ready = state === "stable" && typed === null;
  const take = () => close({ milli, reading: shown.number, tare_g: tare });
  useEffect(() => {
    if (ready && (armed || (shown.auto && shown.fresh))) take();
  }, [ready, armed, shown]);
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (typed !== null || event.ctrlKey || event.altKey || event.metaKey) return;
    const onButton = event.target instanceof HTMLElement && event.target.closest("button");
    if (event.key === "Enter" && !onButton && !event.repeat && !HELPLESS.has(state)) setArmed(true);
    else if (/^[0-9]$/.test(event.key)) setTyped(event.key);
    else if (event.key.toLowerCase() === "t" && tares.length) setTare([0, ...tares][([0, ...tares].indexOf(tare) + 1) % (tares.length + 1)]);
    else return;
    event.preventDefault();
  };
  if (typed !== null) return html`<${Typed} name=${name} unit=${unit} price=${price} start=${typed} close=${close} back=${() => setTyped(null)} />`;
  const first = html`<button type="button" class="btn" onClick=${() => close()}>${t("cancel")} <${Key} k="Esc" /></button>`;
  return html`<${Dialog} title=${name} note=${t("weight.note", { price: money(price), unit })} onClose=${() => close()} className="weigh"
      foot=${html`${first}<button type="button" class=${`btn ${HELPLESS.has(state) ? "primary" : ""}`} onClick=${() => setTyped("")}>${t("weigh.type")} <${Key} k="0-9" /></button>
        ${!HELPLESS.has(state) && html`<button type="button" class="btn primary" disabled=${armed} onClick=${() => setArmed(true)}>${t(ready ? "weigh.take" : armed ? "weigh.waits" : "weigh.when")} <${Key} k="Enter" /></button>`}`}>
    <div class="weigh-box" data-state=${state} tabindex="-1" data-first onKeyDown=${onKey} role="group" aria-label=${t("weigh.scale")}>
      <p class="weigh-now"><${Icon} name="scale" size="xl" /><output class="num">${shown.grams == null ? "–" : weightText(milli, unit)}</output><small>${unit}</small></p>
      <p class="weigh-state" role="status">${t(`weigh.state.${state}`, { least: shown.least_g ?? 0 })}</p>
      ${tares.length > 0 && !HELPLESS.has(state) && html`<div class="weigh-tares" role="group" aria-label=${t("weigh.tare")}><span>${t("weigh.tare")} <${Key} k="T" /></span>
        ${[0, ...tares].map((grams) => html`<button key=${grams} type="button" class="btn num" aria-pressed=${tare === grams} onClick=${() => setTare(grams)}>${grams ? `${grams} g` : t("weigh.tare.none")}</button>`)}</div>`}
      <p class="weigh-price"><span>${t("weigh.price")}</span><output class="num">${shown.grams == null ? "–" : money(lineTotal(price, milli))}</output></p>
    </div>
  <//>`;
}

/** A weight that somebody types: it is marked on the receipt. @param {{name: string, unit: string, price: number, start: string, close: (found?: Weighed) => void, back: () => void}} props */
function Typed({ name, unit, price, start, close, back }) {
  const [text, setText] = useState(start);
  const field = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLInputElement | null>} */ (useRef(null));
  useLayoutEffect(() => field.current?.focus(), []);
  const milli = parseQuantity(text || "0");
  const ok = milli !== null && milli > 0 && milli <= 9_999_999 && (unit !== "g" || milli % 1000 === 0);
  const press = (/** @type {string} */ key) => setText(key === "back" ? text.slice(0, -1) : key === "." && text.includes(".") ? text : text + key);
  return html`<${Dialog} title=${name} note=${t("weight.note", { price: money(price), unit })} onClose=${() => close()}>
    <form class="form" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); if (ok) close({ milli: milli ?? 0 }); }}>
      <label class="numfield"><span>${t("weigh.typed")}</span><span class="numfield-box"><input class="num" ref=${field} inputmode="decimal" autofocus value=${text}
        onInput=${(/** @type {Event} */ event) => setText(valueOf(event).replace(",", "."))} /><small>${unit}</small></span></label>
      <${NumPad} onKey=${press} third=${unit === "kg" ? "." : ""} className="small" />
      <p class="preview num">${ok ? money(lineTotal(price, milli ?? 0)) : " "}</p>
      <div class="dlg-foot"><button type="button" class="btn" onClick=${back}><${Icon} name="scale" />${t("weigh.back")}</button>
        <button class="btn primary" disabled=${!ok}>${t("weight.add")} <${Key} k="Enter" /></button></div>
    </form>
  <//>`;
}

/** Weigh something; nothing when it was given up. @param {{name: string, unit: string, price: number}} what @returns {Promise<Weighed | undefined>} */
export const openWeigh = (what) => openDialog(WeighDialog, what);
