// One promotion: what it takes off, of what, for whom and when; beside it what a sample basket would cost.
import { html, useState, valueOf } from "../lib/ui.js";
import { localeTag, t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { money, moneyField, parseMoney, quantity } from "../lib/money.js";
import { departments, productOf } from "../state/catalogue.js";
import { call } from "../state/session.js";
import { toast, toastOk, toastProblem } from "../state/notices.js";
import { BasketPreview } from "./basketpreview.js";
import { Choice, Field, Refusal, Toggle } from "./fields.js";
import { Icon } from "./icon.js";
import { ProductPicker } from "./picker.js";

/** @typedef {import("../lib/http.js").Problem} Problem */

export const KINDS = ["percent", "amount", "buy_get", "mix", "cart_percent", "cart_amount"];
const WEEKDAYS = ["1", "2", "3", "4", "5", "6", "7"];

/** What a new one begins with. @type {Record<string, any>} */
export const BLANK = {
  name: "", kind: "percent", active: true, percent: "", amount_minor: 0, buy_count: 2, get_count: 1, skus: [], departments: [], codes: [], groups: [], weekdays: [], minimum_minor: 0,
  most_minor: 0, times_max: 0, uses_max: 0, customer_uses_max: 0, code_uses_max: 0, start: "", until: "", from_time: "", until_time: "", exclusive: false, priority: 0,
};
const MONEY = ["amount_minor", "minimum_minor", "most_minor"];
const COUNTS = ["times_max", "uses_max", "customer_uses_max", "code_uses_max", "priority", "buy_count", "get_count"];
const LISTS = ["codes", "groups"];

/** Monday is "1". @param {string} day */
const dayName = (day) => new Date(2024, 0, Number(day)).toLocaleDateString(localeTag(), { weekday: "short" });

/** Fields as they are typed. @param {Record<string, any>} one @returns {Record<string, any>} */
const typedOf = (one) => ({
  ...one,
  percent: one.percent === "0" ? "" : one.percent,
  ...(one.from_time === one.until_time ? { from_time: "", until_time: "" } : {}),
  ...Object.fromEntries(MONEY.map((name) => [name, one[name] ? moneyField(one[name]) : ""])),
  ...Object.fromEntries(COUNTS.map((name) => [name, one[name] ? String(one[name]) : ""])),
  ...Object.fromEntries(LISTS.map((name) => [name, one[name].join(", ")])),
});

/** Which amounts a kind is made of; the others are nothing. @param {Record<string, any>} one */
function usedBy({ kind, percent }) {
  const used = { percent: kind !== "amount" && kind !== "cart_amount", amount_minor: kind === "amount" || kind === "cart_amount" || (kind === "mix" && !percent), buy_count: kind === "buy_get" || kind === "mix", get_count: kind === "buy_get" };
  return /** @type {Record<string, boolean>} */ (used);
}

/** What is sent; null where something typed is no number. @param {Record<string, any>} typed @returns {Record<string, any> | null} */
function bodyOf(typed) {
  const used = usedBy(typed);
  /** @type {Record<string, any>} */
  const body = {};
  for (const name of Object.keys(BLANK)) {
    const text = typed[name];
    if (used[name] === false) body[name] = name === "percent" ? "" : 0;
    else if (MONEY.includes(name)) body[name] = parseMoney(text || "0");
    else if (COUNTS.includes(name)) body[name] = /^-?\d{1,7}$/.test(text || "0") ? Number(text || "0") : null;
    else if (LISTS.includes(name)) body[name] = text.split(/[,;]/).map((/** @type {string} */ one) => one.trim()).filter(Boolean);
    else if (name === "percent") body[name] = text.replace(",", ".");
    else body[name] = text;
  }
  return Object.values(body).includes(null) || !/^\d{0,3}(\.\d{1,4})?$/.test(body.percent) ? null : body;
}

/** @param {Record<string, any>} before @param {Record<string, any>} after */
const changed = (before, after) => Object.fromEntries(Object.entries(after).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])));

/** Say in one line what a promotion takes off. @param {Record<string, any>} one */
export function inWords(one) {
  const percent = Number(one.percent) > 0;
  const off = percent ? `${quantity(one.percent)} %` : money(one.amount_minor);
  if (one.kind === "buy_get") return t(one.percent === "100" ? "promo.words.buy_get.free" : "promo.words.buy_get", { buy: one.buy_count, get: one.get_count, off });
  return t(one.kind === "mix" && percent ? "promo.words.mix.percent" : `promo.words.${one.kind}`, { n: one.buy_count, off });
}

/** @param {{typed: any, set: (name: string) => (value: any) => void}} props */
function Amounts({ typed, set }) {
  const used = usedBy({ ...typed, percent: "" });
  const numbers = /** @type {const} */ (["buy_count", "get_count"]);
  return html`<div class="two">${numbers.map((name) => used[name] && html`<${Field} key=${name} label=${t(`promo.${name}`)} mode="numeric" max=${3} value=${typed[name]} onChange=${set(name)} />`)}
    ${used.percent && html`<${Field} label=${t(typed.kind === "buy_get" ? "promo.percent.get" : "promo.percent")} mode="decimal" unit="%" max=${8} value=${typed.percent} onChange=${set("percent")} hint=${typed.kind === "mix" ? t("promo.mix.or") : typed.kind === "buy_get" ? t("promo.percent.free") : ""} />`}
    ${used.amount_minor && html`<${Field} label=${t(typed.kind === "mix" ? "promo.amount.set" : "promo.amount")} mode="decimal" max=${12} value=${typed.amount_minor} onChange=${set("amount_minor")} />`}</div>`;
}

/** @param {{typed: any, set: (name: string) => (value: any) => void}} props */
function Goods({ typed, set }) {
  /** @param {string} name @param {string} value */
  const flip = (name, value) => set(name)(typed[name].includes(value) ? typed[name].filter((/** @type {string} */ one) => one !== value) : [...typed[name], value]);
  const all = !typed.skus.length && !typed.departments.length;
  return html`<fieldset class="plain"><legend>${t("promo.goods")}</legend>
    <p class="hint">${t(all ? "promo.goods.all" : "promo.goods.some")}</p>
    <div class="chips" role="group" aria-label=${t("promo.departments")}>${departments.value.map((one) => html`<button type="button" class="chip" key=${one.name} aria-pressed=${typed.departments.includes(one.name)} onClick=${() => flip("departments", one.name)}>${one.name}</button>`)}</div>
    <${ProductPicker} auto=${false} onPick=${(/** @type {{sku: string}} */ item) => typed.skus.includes(item.sku) || flip("skus", item.sku)} />
    ${typed.skus.length > 0 && html`<div class="chips">${typed.skus.map((/** @type {string} */ sku) => html`<button type="button" class="chip" aria-pressed="true" key=${sku} aria-label=${t("cart.remove", { name: productOf(sku)?.name ?? sku })} onClick=${() => flip("skus", sku)}>${productOf(sku)?.name ?? sku}<${Icon} name="x" size="sm" /></button>`)}</div>`}</fieldset>`;
}

/** @param {{typed: any, set: (name: string) => (value: any) => void}} props */
function When({ typed, set }) {
  const moment = (/** @type {string} */ name, /** @type {string} */ type) =>
    html`<label class="field"><span>${t(`promo.${name}`)}</span><input type=${type} value=${typed[name]} onInput=${(/** @type {Event} */ e) => set(name)(valueOf(e))} /></label>`;
  const flip = (/** @type {string} */ day) => set("weekdays")(typed.weekdays.includes(day) ? typed.weekdays.filter((/** @type {string} */ one) => one !== day) : [...typed.weekdays, day].sort());
  return html`<fieldset class="plain"><legend>${t("promo.when")}</legend><div class="two">${moment("start", "datetime-local")}${moment("until", "datetime-local")}</div>
    <p class="hint">${t("promo.happy")}</p>
    <div class="chips" role="group" aria-label=${t("promo.weekdays")}>${WEEKDAYS.map((day) => html`<button type="button" class="chip" key=${day} aria-pressed=${typed.weekdays.includes(day)} onClick=${() => flip(day)}>${dayName(day)}</button>`)}</div>
    <div class="two">${moment("from_time", "time")}${moment("until_time", "time")}</div></fieldset>`;
}

/** @param {{typed: any, set: (name: string) => (value: any) => void}} props */
const Limits = ({ typed, set }) =>
  html`<details class="more" open=${Boolean(typed.codes || typed.groups)}><summary>${t("promo.limits")}</summary><div class="form">
    <div class="two"><${Field} label=${t("promo.codes")} max=${2000} value=${typed.codes} onChange=${set("codes")} hint=${t("promo.codes.hint")} /><${Field} label=${t("promo.groups")} max=${500} value=${typed.groups} onChange=${set("groups")} hint=${t("promo.groups.hint")} />
      ${["minimum_minor", "most_minor"].map((name) => html`<${Field} key=${name} label=${t(`promo.${name}`)} mode="decimal" max=${12} value=${typed[name]} onChange=${set(name)} />`)}
      ${["times_max", "uses_max", "customer_uses_max", "code_uses_max"].map((name) => html`<${Field} key=${name} label=${t(`promo.${name}`)} mode="numeric" max=${7} value=${typed[name]} onChange=${set(name)} />`)}
      <${Field} label=${t("promo.priority")} mode="numeric" max=${5} value=${typed.priority} onChange=${set("priority")} hint=${t("promo.priority.hint")} /></div>
    <${Toggle} label=${t("promo.exclusive")} hint=${t("promo.exclusive.hint")} value=${typed.exclusive} onChange=${set("exclusive")} /></div></details>`;

/** Write fields of a promotion; the toast takes it back. @param {string} id @param {any} before @param {Record<string, any>} fields @param {string} said @param {() => void} again */
export async function writePromotion(id, before, fields, said, again) {
  const path = `/promotions/${encodeURIComponent(id)}`;
  const back = Object.fromEntries(Object.keys(fields).map((name) => [name, before[name]]));
  const undo = () => void call("PATCH", path, back).then(() => (toastOk("undone"), again()), toastProblem);
  const saved = await call("PATCH", path, fields);
  toast({ tone: "ok", title: t(said, { name: saved.name }), action: { label: t("undo"), run: undo } });
  again();
}

/** @param {{start: any, onSaved: (id: string) => void, children?: any}} props `start` without an id is a new one */
export function PromotionForm({ start, onSaved, children }) {
  const [typed, setTyped] = useState(() => typedOf(start));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const set = (/** @type {string} */ name) => (/** @type {any} */ value) => setTyped((now) => ({ ...now, [name]: value }));
  const id = start.promotion_id ?? "";
  const body = bodyOf(typed);
  const fields = body && changed(id ? bodyOf(typedOf(start)) ?? {} : {}, body);
  const dirty = !id || !fields || Object.keys(fields).length > 0;
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!body || !fields || !typed.name.trim()) return;
    setProblem(null);
    try {
      if (id) return await writePromotion(id, start, fields, "promo.saved", () => onSaved(id));
      const made = await call("POST", "/promotions", body);
      toast({ tone: "ok", title: t("promo.made", { name: made.name }), action: { label: t("undo"), run: () => void call("PATCH", `/promotions/${made.promotion_id}`, { active: false }).then(() => onSaved(made.promotion_id), toastProblem) } });
      onSaved(made.promotion_id);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<form class="form" onSubmit=${save}><${Refusal} problem=${problem} />
    <${Field} label=${t("promo.name")} value=${typed.name} max=${60} required=${true} onChange=${set("name")} hint=${t("promo.name.hint")} />
    <${Choice} label=${t("promo.kind")} value=${typed.kind} onChange=${set("kind")} options=${KINDS.map((one) => [one, t(`promo.kind.${one}`)])} hint=${t(`promo.kind.${typed.kind}.hint`)} />
    <${Amounts} typed=${typed} set=${set} /><${Goods} typed=${typed} set=${set} /><${When} typed=${typed} set=${set} /><${Limits} typed=${typed} set=${set} />
    ${!body && html`<p class="refusal" role="alert">${t("promo.wrong")}</p>`}
    <div class="promo-acts">${children}<span class="spacer" /><button class="btn primary tall" disabled=${!dirty || !body || !typed.name.trim()}>${t(id ? "save" : "promo.make")}</button></div>
    <${BasketPreview} draft=${body} id=${id} /></form>`;
}
