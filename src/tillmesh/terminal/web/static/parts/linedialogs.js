// Small questions about a line: how many, how heavy, what price, which note, how much off.
import { html, useLayoutEffect, useRef, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { currencyExponent, decimalSign, lineTotal, money, moneyField, parseMoney, parseQuantity, quantity, quantityText } from "../lib/money.js";
import { isWeighed } from "../state/cart.js";
import { NumPad } from "./numpad.js";
import { FormDialog } from "./formdialog.js";
import { Reasons } from "./reasons.js";

/**
 * A number field with big keys; the first key replaces what stood there.
 * @param {{value: string, onChange: (value: string) => void, label: string, unit?: string, third?: string}} props
 */
export function NumberField({ value, onChange, label, unit, third = "." }) {
  const [fresh, setFresh] = useState(true);
  const field = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLInputElement | null>} */ (useRef(null));
  useLayoutEffect(() => field.current?.focus(), []);
  const sign = decimalSign();
  const press = (/** @type {string} */ key) => {
    const now = fresh && key !== "back" ? "" : value;
    setFresh(false);
    onChange(key === "back" ? (fresh ? "" : now.slice(0, -1)) : key !== "." ? now + key : /[.,]/.test(now) ? now : now + sign);
  };
  return html`<label class="numfield"><span>${label}</span><span class="numfield-box">
      <input class="num" ref=${field} inputmode="decimal" autofocus value=${value} onFocus=${() => fresh && field.current?.select()}
        onInput=${(/** @type {Event} */ e) => { setFresh(false); onChange(valueOf(e).replace(/[.,]/, sign)); }} />${unit && html`<small>${unit}</small>`}</span></label>
    <${NumPad} onKey=${press} third=${third} className="small" />`;
}

/** @param {{name: string, unit: string, price: number, quantity?: string, close: (milli?: number) => void}} props */
export function QuantityDialog({ name, unit, price, quantity: start = "", close }) {
  const [text, setText] = useState(start.replace(".", decimalSign()));
  const weighed = isWeighed(unit);
  const milli = parseQuantity(text || "0");
  const ok = milli !== null && milli > 0 && milli <= 9_999_999 && (weighed || milli % 1000 === 0);
  return html`<${FormDialog} title=${name} note=${weighed ? t("weight.note", { price: money(price), unit }) : t("quantity.note", { price: money(price) })}
      close=${() => close()} ok=${ok} submit=${() => close(milli ?? 0)} label=${start ? t("ok") : t("weight.add")}>
    <${NumberField} label=${t(weighed ? "weight.label" : "quantity.label")} value=${text} unit=${weighed ? unit : ""} third=${weighed ? "." : ""} onChange=${setText} />
    <p class="preview num">${ok ? money(lineTotal(price, milli ?? 0)) : " "}</p>
  <//>`;
}

/** @param {{line: import("../state/paint.js").Line, close: (op?: object) => void}} props */
export function PriceDialog({ line, close }) {
  const [text, setText] = useState(moneyField(line.unit_price_minor));
  const [reason, setReason] = useState("");
  const price = parseMoney(text);
  return html`<${FormDialog} title=${t("price.title")} note=${t("price.note", { name: line.name, price: money(line.list_price_minor) })} close=${() => close()}
      ok=${price !== null && price >= 0 && Boolean(reason)} submit=${() => close({ unit_price_minor: price, reason })}>
    <${NumberField} label=${t("price.label")} value=${text} onChange=${setText} third=${currencyExponent() ? "." : ""} />
    <${Reasons} kind="price" value=${reason} onChange=${setReason} />
  <//>`;
}

/** @param {{title: string, text: string, label?: string, max?: number, close: (text?: string) => void}} props */
export function NoteDialog({ title, text: start, label, max = 200, close }) {
  const [text, setText] = useState(start);
  return html`<${FormDialog} title=${title} close=${() => close()} ok=${true} submit=${() => close(text.trim())}>
    <label class="field"><span>${label ?? t("note.label")}</span><input autofocus maxlength=${max} value=${text} onInput=${(/** @type {Event} */ e) => setText(valueOf(e))} /></label>
  <//>`;
}

const QUICK = ["5", "10", "15", "20", "25", "50"];

/** @param {{line: import("../state/paint.js").Line | null, close: (op?: object) => void}} props */
export function DiscountDialog({ line, close }) {
  const [whole, setWhole] = useState(!line);
  const [percent, setPercent] = useState(true);
  const [text, setText] = useState("");
  const [reason, setReason] = useState("");
  const [coupon, setCoupon] = useState("");
  const parsed = percent ? parseQuantity(text || "-") : parseMoney(text || "-");
  const ok = Boolean(coupon.trim()) || (parsed !== null && parsed >= 0 && (!percent || parsed <= 100_000) && (Boolean(reason) || parsed === 0));
  const submit = () =>
    close(coupon.trim() ? { op: "coupon", text: coupon } : {
      ...(whole || !line ? { op: "discount_cart" } : { op: "discount_line", line_id: line.line_id }),
      ...(percent ? { percent: quantityText(parsed ?? 0) } : { amount_minor: parsed }),
      reason: reason || t("discount.removed"),
    });
  return html`<${FormDialog} title=${t("discount.title")} close=${() => close()} ok=${ok} submit=${submit} wide=${true}>
    <div class="two"><div>
      <div class="seg" role="group" aria-label=${t("discount.scope")}>
        <button type="button" aria-pressed=${!whole} disabled=${!line} onClick=${() => setWhole(false)}>${line ? line.name : t("discount.line")}</button>
        <button type="button" aria-pressed=${whole} onClick=${() => setWhole(true)}>${t("discount.sale")}</button></div>
      <div class="seg" role="group" aria-label=${t("discount.kind")}>
        <button type="button" aria-pressed=${percent} onClick=${() => setPercent(true)}>${t("discount.percent")}</button>
        <button type="button" aria-pressed=${!percent} onClick=${() => setPercent(false)}>${t("discount.amount")}</button></div>
      ${percent && html`<div class="quick six">${QUICK.map((one) => html`<button type="button" key=${one} class="btn num" aria-pressed=${text === one} onClick=${() => setText(one)}>${one} %</button>`)}</div>`}
      <${Reasons} kind="discount" value=${reason} onChange=${setReason} />
      <p class="hint">${t("discount.hint")}</p>
      <label class="field"><span>${t("coupon.label")}</span><input class="coupon" autocomplete="off" maxlength="32" value=${coupon} onInput=${(/** @type {Event} */ e) => setCoupon(valueOf(e))} /></label>
    </div><div><${NumberField} label=${t(percent ? "discount.percent.label" : "discount.amount.label")} value=${text} unit=${percent ? "%" : ""} onChange=${setText} /></div></div>
  <//>`;
}

/** Shown where a quantity is only read. @param {string} text @param {string} unit */
export const quantityWords = (text, unit) => (isWeighed(unit) ? `${quantity(text)} ${unit}` : quantity(text));
