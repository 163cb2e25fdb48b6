// Find one product by name or code, in a form.
import { html, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money } from "../lib/money.js";
import { product, search } from "../state/catalogue.js";
import { Icon } from "./icon.js";

const FOUND_MAX = 6;

/** @param {{onPick: (product: import("../state/catalogue.js").Product) => void, auto?: boolean}} props */
export function ProductPicker({ onPick, auto = true }) {
  const [text, setText] = useState("");
  const found = text.trim() ? search(text, FOUND_MAX).slice(0, FOUND_MAX).map(product) : [];
  const pick = (/** @type {import("../state/catalogue.js").Product} */ item) => {
    setText("");
    onPick(item);
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (found[0]) pick(found[0]);
  };
  return html`<div class="picker"><label class="search"><${Icon} name="search" /><span class="sr">${t("sell.search")}</span>
      <input autocomplete="off" data-first=${auto} placeholder=${t("sell.search")} value=${text} onInput=${(/** @type {Event} */ e) => setText(valueOf(e))} onKeyDown=${onKey} /></label>
    ${text.trim() && found.length === 0 && html`<p class="hint">${t("sell.nothing", { text })}</p>`}
    <ul class="rows">${found.map((item) => html`<li key=${item.sku}><button type="button" class="row-main" onClick=${() => pick(item)}><span><b>${item.name}</b><small>${item.department} · ${item.sku}</small></span><span class="spacer" /><b class="num">${money(item.price_minor)}</b></button></li>`)}</ul></div>`;
}
