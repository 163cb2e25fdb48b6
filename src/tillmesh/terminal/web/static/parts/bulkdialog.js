// Many products at once: what is filled in is changed, the rest stays.
import { html, useState } from "../lib/ui.js";
import { percent, t } from "../lib/i18n.js";
import { departments, productOf } from "../state/catalogue.js";
import { store } from "../state/session.js";
import { Choice, Field } from "./fields.js";
import { FormDialog } from "./formdialog.js";

/** Half up, in whole minor units. @param {number} minor @param {number} hundredths of a percent */
const changed = (minor, hundredths) => Math.max(0, Math.floor((2 * minor * (10_000 + hundredths) + 10_000) / 20_000));

/** @param {{skus: string[], close: (wanted?: any) => void}} props */
export function BulkDialog({ skus, close }) {
  const [department, setDepartment] = useState("");
  const [tax, setTax] = useState("");
  const [favourite, setFavourite] = useState("");
  const [active, setActive] = useState("");
  const [rise, setRise] = useState("");
  const match = /^([+-]?)(\d{1,3})(?:[.,](\d{1,2}))?$/.exec(rise.trim());
  const hundredths = match ? (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 100 + Number((match[3] ?? "").padEnd(2, "0"))) : 0;
  /** @type {Record<string, any>} */
  const fields = { ...(department.trim() ? { department: department.trim() } : {}), ...(tax ? { tax_code: tax } : {}), ...(favourite ? { favourite: favourite === "yes" } : {}), ...(active ? { active: active === "yes" } : {}) };
  const ok = (!rise || Boolean(match)) && (Object.keys(fields).length > 0 || hundredths !== 0);
  const submit = () => {
    if (!hundredths) return close({ skus, fields });
    const one = (/** @type {string} */ sku) => [sku, { ...fields, price_minor: changed(productOf(sku)?.price_minor ?? 0, hundredths) }];
    close({ changes: Object.fromEntries(skus.map(one)) });
  };
  const yes = /** @type {[string, string][]} */ ([["", t("bulk.keep")], ["yes", t("yes")], ["no", t("no")]]);
  const rates = Object.entries(/** @type {Record<string, number>} */ (store.value.tax_rates ?? {}));
  return html`<${FormDialog} title=${t("bulk.title", { n: skus.length })} note=${t("bulk.note")} wide=${true} close=${() => close()} ok=${ok} submit=${submit} label=${t("bulk.change")}>
    <div class="two"><div class="field"><label for="bulk-department">${t("product.department")}</label><input id="bulk-department" list="bulk-departments" value=${department} placeholder=${t("bulk.keep")} onInput=${(/** @type {Event} */ e) => setDepartment(/** @type {HTMLInputElement} */ (e.currentTarget).value)} />
        <datalist id="bulk-departments">${departments.value.map((one) => html`<option key=${one.name} value=${one.name} />`)}</datalist></div>
      <${Choice} label=${t("product.tax")} value=${tax} onChange=${setTax} options=${[["", t("bulk.keep")], ...rates.map(([code, rate]) => [code, `${code} · ${percent(rate / 1e6)}`])]} />
      <${Choice} label=${t("product.favourite")} value=${favourite} onChange=${setFavourite} options=${yes} />
      <${Choice} label=${t("product.active")} value=${active} onChange=${setActive} options=${yes} />
      <${Field} label=${t("bulk.price")} mode="decimal" max=${7} unit="%" value=${rise} onChange=${setRise} hint=${t("bulk.price.hint")} error=${!rise || match ? "" : t("bulk.price.wrong")} /></div>
  <//>`;
}
