// Quick keys: which products come first on the page of the sale, in which order and colour; for this till or the store.
import { html, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { productOf, quickKeys } from "../state/catalogue.js";
import { call, loadState } from "../state/session.js";
import { openDialog } from "../state/notices.js";
import { Refusal, Segments } from "./fields.js";
import { FormDialog } from "./formdialog.js";
import { Icon } from "./icon.js";
import { ProductPicker } from "./picker.js";

const COLOURS = ["", "green", "amber", "sky", "red", "cyan", "brown", "orange", "indigo", "pink", "violet", "teal", "slate"];
const KEYS_MAX = 99;

/** @typedef {{sku: string, colour: string}} QuickKey */

/** @param {QuickKey[]} keys @param {number} from @param {number} to */
function moved(keys, from, to) {
  const next = [...keys];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

/** @param {{keys: QuickKey[], onChange: (keys: QuickKey[]) => void}} props */
const Keys = ({ keys, onChange }) =>
  html`<ol class="rows quick-keys">${keys.map(
    (key, i) => html`<li key=${key.sku} data-c=${key.colour || "slate"}><kbd>${i + 1}</kbd><b class="clip">${productOf(key.sku)?.name ?? key.sku}</b><span class="spacer" />
      <select aria-label=${t("quick.colour")} value=${key.colour} onChange=${(/** @type {Event} */ e) => onChange(keys.map((one) => (one === key ? { ...one, colour: valueOf(e) } : one)))}>${COLOURS.map((one) => html`<option key=${one} value=${one} selected=${one === key.colour}>${t(`quick.colour.${one || "own"}`)}</option>`)}</select>
      <button type="button" class="btn icon" disabled=${i === 0} aria-label=${t("quick.up")} onClick=${() => onChange(moved(keys, i, i - 1))}><${Icon} name="chevron-left" size="turned" /></button>
      <button type="button" class="btn ghost icon" aria-label=${t("quick.drop")} onClick=${() => onChange(keys.filter((one) => one !== key))}><${Icon} name="x" /></button></li>`,
  )}</ol>`;

/** @param {{close: (saved?: boolean) => void}} props */
function QuickDialog({ close }) {
  const [keys, setKeys] = useState(quickKeys.peek());
  const [scope, setScope] = useState("terminal");
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const submit = async () => {
    try {
      await call("PATCH", "/settings", { [scope]: { quick_keys: keys } });
      await loadState();
      close(true);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const pick = (/** @type {{sku: string}} */ item) => keys.length < KEYS_MAX && !keys.some((one) => one.sku === item.sku) && setKeys([...keys, { sku: item.sku, colour: "" }]);
  return html`<${FormDialog} title=${t("quick.title")} note=${t("quick.hint")} close=${() => close()} ok=${true} submit=${submit} label=${t("save")} wide=${true}>
    <${Refusal} problem=${problem} />
    <${Segments} label=${t("quick.scope")} value=${scope} onChange=${setScope} options=${["terminal", "store"].map((key) => [key, t(`quick.scope.${key}`)])} />
    <${Keys} keys=${keys} onChange=${setKeys} />
    <${ProductPicker} onPick=${pick} />
  <//>`;
}

export const openQuickKeys = () => openDialog(QuickDialog, {});
