// Forms of head office's offers: a price from a time on, and a promotion.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { amountField, parseAmount } from "../lib/amounts.js";
import { call } from "../state/session.js";
import { Choice, Field, Refusal } from "./fields.js";
import { FormDialog } from "./formdialog.js";
import { asked, everywhere, isChosen, WhereChoice } from "./where.js";

/** @typedef {import("../lib/amounts.js").Coin} Coin */
/** @typedef {{name: string, stores: any[]}[]} Groups */
/** @typedef {{store: string, name: string}[]} Stores */

const KINDS = ["percent", "amount", "buy_get", "mix", "cart_percent", "cart_amount"];
const OF_PERCENT = new Set(["percent", "cart_percent", "buy_get"]);
const OF_PIECES = new Set(["buy_get", "mix"]);

/** A list as typed, one thing after the other. @param {string} text */
const list = (text) => text.split(/[\n,;]+/).map((one) => one.trim()).filter(Boolean);

/** An id from a name. @param {string} name */
const idOf = (name) => name.toLowerCase().normalize("NFD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 32);

/** @param {{coin: Coin, groups: Groups, stores: Stores, sku?: string, close: (saved?: any) => void}} props */
export function PriceForm({ coin, groups, stores, sku: given = "", close }) {
  const [sku, setSku] = useState(given);
  const [text, setText] = useState("");
  const [from, setFrom] = useState("");
  const [until, setUntil] = useState("");
  const [where, setWhere] = useState(everywhere());
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const price = parseAmount(text, coin);
  const submit = async () => {
    try {
      close(await call("POST", "/prices", { sku: sku.trim(), price_minor: price, from, until, ...asked(where) }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${t("plan.new")} note=${t("plan.note")} close=${() => close()} ok=${Boolean(sku.trim()) && price !== null && Boolean(from) && isChosen(where)} submit=${submit} label=${t("plan.go")} wide=${true}>
    <${Refusal} problem=${problem} />
    <div class="pair"><${Field} label=${t("plan.sku")} required=${true} auto=${!given} disabled=${Boolean(given)} value=${sku} onChange=${setSku} hint=${t("plan.sku.hint")} />
      <${Field} label=${t("price.new")} required=${true} auto=${Boolean(given)} mode="decimal" unit=${coin.currency} value=${text} onChange=${setText} error=${text && price === null ? t("price.wrong") : ""} /></div>
    <div class="pair"><${Field} label=${t("plan.from")} required=${true} type="datetime-local" value=${from} onChange=${setFrom} hint=${t("plan.clock")} />
      <${Field} label=${t("plan.until")} type="datetime-local" value=${until} onChange=${setUntil} hint=${t("plan.until.hint")} /></div>
    <${WhereChoice} where=${where} onChange=${setWhere} groups=${groups} stores=${stores} />
  <//>`;
}

/** @param {{coin: Coin, groups: Groups, stores: Stores, start?: any, close: (saved?: any) => void}} props */
export function PromotionForm({ coin, groups, stores, start, close }) {
  const [name, setName] = useState(start?.name ?? "");
  const [kind, setKind] = useState(start?.kind ?? "percent");
  const [percent, setPercent] = useState(String(start?.percent ?? ""));
  const [off, setOff] = useState(start?.amount_minor ? amountField(start.amount_minor, coin) : "");
  const [buy, setBuy] = useState(String(start?.buy_count ?? ""));
  const [get, setGet] = useState(String(start?.get_count ?? ""));
  const [skus, setSkus] = useState((start?.skus ?? []).join(", "));
  const [departments, setDepartments] = useState((start?.departments ?? []).join(", "));
  const [codes, setCodes] = useState((start?.codes ?? []).join(", "));
  const [from, setFrom] = useState(start?.start ?? "");
  const [until, setUntil] = useState(start?.until ?? "");
  const [where, setWhere] = useState(everywhere());
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const money = kind === "amount" || kind === "cart_amount" || kind === "mix";
  const pieces = OF_PIECES.has(kind);
  const amount = parseAmount(off, coin);
  const id = start?.promotion_id ?? idOf(name);
  const value = OF_PERCENT.has(kind) ? Boolean(percent.trim()) : amount !== null && amount > 0;
  const ok = Boolean(id) && value && (!pieces || Number(buy) > 0) && (kind !== "buy_get" || Number(get) > 0) && isChosen(where);
  const submit = async () => {
    const what = {
      promotion_id: id, name: name.trim(), kind, start: from, until, skus: list(skus), departments: list(departments), codes: list(codes),
      percent: OF_PERCENT.has(kind) ? percent.trim().replace(",", ".") : "0", amount_minor: money ? amount : 0,
      buy_count: pieces ? Number(buy) : 0, get_count: kind === "buy_get" ? Number(get) : 0,
    };
    const { groups: chosen, stores: single } = asked(where);
    try {
      close(await call("POST", "/promotions", { ...what, stores: single, groups_of_stores: chosen }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  /** @type {[string, string][]} */
  const kinds = KINDS.map((one) => [one, t(`promo.kind.${one}`)]);
  return html`<${FormDialog} title=${start ? start.name : t("promo.new")} note=${t("promo.note")} close=${() => close()} ok=${ok} submit=${submit} label=${t("promo.go")} wide=${true}>
    <${Refusal} problem=${problem} />
    <div class="pair"><${Field} label=${t("promo.name")} required=${true} auto=${true} max=${80} value=${name} onChange=${setName} hint=${t("promo.name.hint")} />
      <${Choice} label=${t("promo.kind")} value=${kind} onChange=${setKind} options=${kinds} hint=${t(`promo.kind.${kind}.hint`)} /></div>
    <div class="pair">
      ${pieces && html`<${Field} label=${t(kind === "mix" ? "promo.pieces" : "promo.buy")} mode="numeric" required=${true} value=${buy} onChange=${setBuy} />`}
      ${kind === "buy_get" && html`<${Field} label=${t("promo.get")} mode="numeric" required=${true} value=${get} onChange=${setGet} />`}
      ${OF_PERCENT.has(kind) && html`<${Field} label=${t("promo.percent")} mode="decimal" unit="%" required=${true} value=${percent} onChange=${setPercent} />`}
      ${money && html`<${Field} label=${t(kind === "mix" ? "promo.setprice" : "promo.amount")} mode="decimal" unit=${coin.currency} required=${true} value=${off} onChange=${setOff} error=${off && amount === null ? t("price.wrong") : ""} />`}
    </div>
    <div class="pair"><${Field} label=${t("promo.skus")} max=${5000} value=${skus} onChange=${setSkus} hint=${t("promo.skus.hint")} />
      <${Field} label=${t("promo.departments")} max=${2000} value=${departments} onChange=${setDepartments} hint=${t("promo.departments.hint")} /></div>
    <${Field} label=${t("promo.codes")} max=${2000} value=${codes} onChange=${setCodes} hint=${t("promo.codes.hint")} />
    <div class="pair"><${Field} label=${t("promo.from")} type="datetime-local" value=${from} onChange=${setFrom} hint=${t("plan.clock")} />
      <${Field} label=${t("promo.until")} type="datetime-local" value=${until} onChange=${setUntil} hint=${t("promo.until.hint")} /></div>
    <${WhereChoice} where=${where} onChange=${setWhere} groups=${groups} stores=${stores} />
    ${start && html`<p class="hint">${t("promo.also", { n: start.stores })}</p>`}
  <//>`;
}
