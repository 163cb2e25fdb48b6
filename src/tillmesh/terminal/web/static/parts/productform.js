// One product: everything a shelf label and a till need to know.
import { html, useState } from "../lib/ui.js";
import { percent, t } from "../lib/i18n.js";
import { moneyField, parseMoney, parseQuantity, quantityText } from "../lib/money.js";
import { asProblem } from "../lib/http.js";
import { isGtin } from "../lib/gtin.js";
import { departments, takeProducts } from "../state/catalogue.js";
import { call, may, store } from "../state/session.js";
import { toastOk } from "../state/notices.js";
import { useScans } from "../state/scan.js";
import { styleOf } from "./departments.js";
import { Choice, Field, Refusal, Toggle } from "./fields.js";
import { FormDialog } from "./formdialog.js";
import { PictureField } from "./picturefield.js";

export const UNITS = ["piece", "kg", "g", "l", "ml", "m", "hour"];

/** @typedef {{name: string, sku: string, barcodes: string, price: string, cost: string, unit: string, tax_code: string, department: string, favourite: boolean, track_stock: boolean, low_stock: string, active: boolean, min_age: string, hard_limited: boolean}} Form */

/** @param {Record<string, any>} from @returns {Form} */
const formOf = (from) => ({
  name: from.name ?? "", sku: from.sku ?? "", barcodes: (from.barcodes ?? []).join(" "), price: from.price_minor === undefined ? "" : moneyField(from.price_minor),
  cost: from.cost_minor ? moneyField(from.cost_minor) : "", unit: from.unit ?? "piece", tax_code: from.tax_code ?? Object.keys(store.value.tax_rates ?? {})[0] ?? "", department: from.department ?? "",
  favourite: Boolean(from.favourite), track_stock: from.track_stock !== false, low_stock: from.low_stock && from.low_stock !== "0" ? from.low_stock : "", active: from.active !== false, min_age: from.min_age ? String(from.min_age) : "", hard_limited: Boolean(from.hard_limited),
});

/** @param {Form} form */
const bodyOf = (form) => ({
  name: form.name.trim(), barcodes: form.barcodes.split(/[\s,;]+/).filter(Boolean), price_minor: parseMoney(form.price), cost_minor: parseMoney(form.cost || "0"), unit: form.unit, tax_code: form.tax_code,
  department: form.department.trim(), favourite: form.favourite, track_stock: form.track_stock, low_stock: quantityText(parseQuantity(form.low_stock || "0") ?? 0), active: form.active, min_age: Number(form.min_age) || 0, hard_limited: form.hard_limited,
});

/** A product in sizes or colours: one line for each option. @param {{start: Record<string, any>, onMade: () => void}} props */
function Variants({ start, onMade }) {
  const [text, setText] = useState((start.options ?? []).map((/** @type {string} */ one) => one.replace("=", " = ").replaceAll(",", ", ")).join("\n"));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const lines = text.split("\n").filter((/** @type {string} */ line) => line.trim());
  const make = async () => {
    try {
      const { made } = await call("POST", `/products/${encodeURIComponent(start.sku)}/variants`, { options: lines });
      takeProducts(made);
      toastOk("variant.made", { n: made.length });
      onMade();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<details class="more" open=${lines.length > 0}><summary>${t("variant.title")}</summary><${Refusal} problem=${problem} />
    <div class="field"><label for="product-variants">${t("variant.options")}</label><textarea id="product-variants" rows="2" value=${text} placeholder=${t("variant.example")} onInput=${(/** @type {Event} */ e) => setText(/** @type {HTMLTextAreaElement} */ (e.currentTarget).value)} /><small>${t("variant.hint")}</small></div>
    <button type="button" class="btn" disabled=${!lines.length} onClick=${make}>${t("variant.make")}</button></details>`;
}

/** @param {{start: Record<string, any>, close: (saved?: any) => void}} props */
export function ProductForm({ start, close }) {
  const old = Boolean(start.sku);
  const locked = !may("manager");
  const [form, setForm] = useState(formOf(start));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [image, setImage] = useState(start.image ?? "");
  const [chosen, setChosen] = useState(/** @type {Blob | null} */ (null));
  const set = (/** @type {keyof Form} */ name) => (/** @type {any} */ value) => setForm({ ...form, [name]: value });
  useScans((code) => setForm((now) => (now.barcodes.split(" ").includes(code) ? now : { ...now, barcodes: `${now.barcodes} ${code}`.trim() })));
  const price = parseMoney(form.price || "-");
  const odd = form.barcodes.split(/[\s,;]+/).filter((code) => /^\d{8,14}$/.test(code) && !isGtin(code));
  const ok = !locked && !busy && Boolean(form.name.trim()) && price !== null && price >= 0 && (old || Boolean(form.sku.trim() || form.barcodes.trim())) && (!form.cost || parseMoney(form.cost) !== null) && (!form.low_stock || parseQuantity(form.low_stock) !== null);
  const submit = async () => {
    setBusy(true);
    try {
      const body = { ...bodyOf(form), ...(old && image !== (start.image ?? "") ? { image } : {}) };
      const made = old ? await call("PATCH", `/products/${encodeURIComponent(start.sku)}`, body) : await call("POST", "/products", { ...body, ...(form.sku.trim() ? { sku: form.sku.trim() } : {}) });
      const saved = chosen ? await call("PUT", `/products/${encodeURIComponent(made.sku)}/image`, chosen, { type: chosen.type }) : made;
      takeProducts([saved]);
      close(saved);
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  const style = styleOf(form.department);
  const rates = Object.entries(/** @type {Record<string, number>} */ (store.value.tax_rates ?? {}));
  return html`<${FormDialog} title=${old ? form.name || start.name : t("product.new")} note=${old ? start.sku : ""} wide=${true} close=${() => close()} ok=${ok} submit=${submit} label=${t("save")}>
    <${Refusal} problem=${problem} />${locked && html`<p class="hint">${t("product.locked")}</p>`}
    <${Field} label=${t("customer.name")} required=${true} auto=${!old} value=${form.name} onChange=${set("name")} disabled=${locked} />
    <div class="grid3">
      <${Field} label=${t(form.unit === "piece" ? "sale.price" : "product.priceper", { unit: form.unit })} required=${true} mode="decimal" value=${form.price} onChange=${set("price")} disabled=${locked} unit=${store.value.currency} />
      <${Choice} label=${t("product.unit")} value=${form.unit} onChange=${set("unit")} disabled=${locked} options=${UNITS.map((unit) => /** @type {[string, string]} */ ([unit, t(`unit.${unit}`)]))} />
      <${Choice} label=${t("product.tax")} value=${form.tax_code} onChange=${set("tax_code")} disabled=${locked} options=${rates.map(([code, rate]) => /** @type {[string, string]} */ ([code, `${code} · ${percent(rate / 1e6)}`]))} />
    </div>
    <div class="two">
      <${Field} label=${t("product.barcodes")} value=${form.barcodes} onChange=${set("barcodes")} disabled=${locked} hint=${odd.length ? t("product.barcodes.odd", { code: odd[0] }) : t("product.barcodes.hint")} />
      <div class="field"><label for="product-department">${t("product.department")}</label><input id="product-department" list="departments" value=${form.department} disabled=${locked} onInput=${(/** @type {Event} */ e) => set("department")(/** @type {HTMLInputElement} */ (e.currentTarget).value)} />
        <datalist id="departments">${departments.value.map((one) => html`<option key=${one.name} value=${one.name} />`)}</datalist></div>
      ${!old && html`<${Field} label=${t("product.sku")} value=${form.sku} onChange=${set("sku")} hint=${t("product.sku.hint")} />`}
      <${Field} label=${t("product.cost")} mode="decimal" value=${form.cost} onChange=${set("cost")} disabled=${locked} unit=${store.value.currency} />
      <${Field} label=${t("product.age")} mode="numeric" max=${2} value=${form.min_age} onChange=${set("min_age")} disabled=${locked} hint=${t("product.age.hint")} error=${/^\d{0,2}$/.test(form.min_age) ? "" : t("product.age.wrong")} />
      <${Field} label=${t("product.low")} mode="decimal" value=${form.low_stock} onChange=${set("low_stock")} disabled=${locked || !form.track_stock} hint=${t("product.low.hint")} />
    </div>
    ${!locked && html`<${PictureField} name=${form.name} icon=${style.icon} colour=${style.colour} image=${image} chosen=${chosen} onChange=${(/** @type {string} */ named, /** @type {Blob | null} */ picked) => { setImage(named); setChosen(picked); }} />`}
    <div class="grid3"><${Toggle} label=${t("product.favourite")} hint=${t("product.favourite.hint")} value=${form.favourite} onChange=${set("favourite")} disabled=${locked} />
      <${Toggle} label=${t("product.track")} value=${form.track_stock} onChange=${set("track_stock")} disabled=${locked} />
      <${Toggle} label=${t("product.limited")} hint=${t("product.limited.hint")} value=${form.hard_limited} onChange=${set("hard_limited")} disabled=${locked || !form.track_stock} />
      ${old && html`<${Toggle} label=${t("product.active")} hint=${t("product.active.hint")} value=${form.active} onChange=${set("active")} disabled=${locked} />`}</div>
    ${old && !start.parent && !locked && html`<${Variants} start=${start} onMade=${() => close(start)} />`}
  <//>`;
}
