// What would this basket cost? The till program works a sample basket out, with a promotion that is not saved yet.
import { html, signal, useEffect, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { money, parseQuantity, quantity, quantityText } from "../lib/money.js";
import { product, productOf, rowsOf } from "../state/catalogue.js";
import { call } from "../state/session.js";
import { Refusal } from "./fields.js";
import { Icon } from "./icon.js";
import { ProductPicker } from "./picker.js";

const WAIT_MS = 200;
const SAMPLE_MAX = 3;

/** The sample basket stays while one goes from promotion to promotion. */
const basket = signal(/** @type {{sku: string, quantity: string}[]} */ ([]));

/** @param {string} sku @param {number} milli */
function put(sku, milli) {
  const others = basket.peek().filter((one) => one.sku !== sku);
  const at = basket.peek().findIndex((one) => one.sku === sku);
  const all = [...others];
  if (milli > 0) all.splice(at < 0 ? all.length : at, 0, { sku, quantity: quantityText(milli) });
  basket.value = all;
}

/** Goods of the promotion, as many as it asks for. @param {any} draft */
function fill(draft) {
  const pieces = Math.max(1, (draft?.buy_count || 0) + (draft?.kind === "buy_get" ? draft.get_count || 0 : 0));
  const skus = draft?.skus?.length ? draft.skus : rowsOf(draft?.departments?.[0] ?? "").slice(0, SAMPLE_MAX).map((/** @type {number} */ row) => product(row).sku);
  for (const sku of skus.slice(0, SAMPLE_MAX)) put(sku, pieces * 1000);
}

/** The next moment at which a promotion holds, as the clock on the wall; "" is now. @param {any} draft */
function momentOf(draft) {
  const hours = draft && draft.from_time !== draft.until_time;
  const begins = draft?.start ? new Date(draft.start) : new Date(0);
  const now = new Date();
  if (!draft || (!hours && !draft.weekdays.length && begins <= now)) return "";
  const at = begins > now ? begins : now;
  if (hours) at.setHours(Number(draft.from_time.slice(0, 2)), Number(draft.from_time.slice(3, 5)), 0, 0);
  while ((at < begins || (draft.weekdays.length && !draft.weekdays.includes(String(at.getDay() || 7)))) && at.getTime() - now.getTime() < 4e10) at.setDate(at.getDate() + 1);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** @param {{cart: any}} props */
const Costs = ({ cart }) =>
  html`<table><caption class="sr">${t("preview.title")}</caption><thead><tr><th>${t("sale.product")}</th><th class="r">${t("preview.before")}</th><th class="r">${t("preview.after")}</th></tr></thead>
    <tbody>${cart.lines.map((/** @type {any} */ line) => html`<tr key=${line.sku}><td><b>${quantity(line.quantity)} × ${line.name}</b>${line.promotions.map((/** @type {any} */ one) => html`<br /><small>${one.name} −${money(one.amount_minor)}</small>`)}</td>
      <td class="r">${money(line.gross_minor)}</td><td class="r"><b>${money(line.total_minor)}</b></td></tr>`)}</tbody>
    <tfoot><tr><td>${t("cart.total")}</td><td class="r">${money(cart.gross_minor)}</td><td class="r" id="preview-total">${money(cart.total_minor)}</td></tr></tfoot></table>
  ${cart.promotions.length ? html`<ol class="steps">${cart.promotions.map((/** @type {any} */ one) => html`<li key=${one.promotion_id}>${one.name} <b class="num">−${money(one.amount_minor)}</b></li>`)}</ol>` : html`<p class="hint">${t("preview.nothing")}</p>`}`;

/** @param {{draft: any, id: string}} props `draft` null: only what is saved */
export function BasketPreview({ draft, id }) {
  const [cart, setCart] = useState(/** @type {any} */ (null));
  const [at, setAt] = useState("");
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const lines = basket.value;
  const when = at || momentOf(draft);
  const body = { lines, at: when, coupons: draft?.codes?.slice(0, 1) ?? [], ...(draft ? { promotion: { ...draft, name: draft.name || t("promo.new") }, promotion_id: id } : {}) };
  const key = JSON.stringify(body);
  useEffect(() => {
    let over = false;
    if (!lines.length) return setCart(null);
    const timer = setTimeout(
      () =>
        call("POST", "/promotions/preview", body).then(
          (answer) => over || (setCart(answer), setProblem(null)),
          (error) => over || setProblem(asProblem(error)),
        ),
      WAIT_MS,
    );
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [key]);
  return html`<section class="preview-box" aria-label=${t("preview.title")}><h3>${t("preview.title")}</h3>
    <${ProductPicker} auto=${false} onPick=${(/** @type {{sku: string}} */ item) => put(item.sku, (parseQuantity(basket.peek().find((one) => one.sku === item.sku)?.quantity ?? "0") ?? 0) + 1000)} />
    <div class="chips">${draft && html`<button type="button" class="chip" onClick=${() => fill(draft)}>${t("preview.fill")}</button>`}
      ${lines.map((one) => html`<button type="button" class="chip" key=${one.sku} aria-label=${t("preview.less", { name: productOf(one.sku)?.name ?? one.sku })} onClick=${() => put(one.sku, (parseQuantity(one.quantity) ?? 0) - 1000)}>${quantity(one.quantity)} × ${productOf(one.sku)?.name ?? one.sku}<${Icon} name="minus" size="sm" /></button>`)}</div>
    ${lines.length > 0 && html`<label class="field"><span>${t("preview.at")}</span><input type="datetime-local" value=${when} onInput=${(/** @type {Event} */ e) => setAt(valueOf(e))} /></label>`}
    ${problem?.status === 422 ? html`<p class="hint">${problem.hint}</p>` : html`<${Refusal} problem=${problem} />`}${cart && !problem && lines.length > 0 && html`<${Costs} cart=${cart} />`}</section>`;
}
