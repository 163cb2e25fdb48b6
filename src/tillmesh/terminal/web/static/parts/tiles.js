// The product grid: departments, search results, thousands of tiles of which only those in sight exist.
import { html, useEffect, useMemo, useRef, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money, quantity } from "../lib/money.js";
import { bursting } from "../lib/wedge.js";
import { count, failed, FAVOURITES, indexed, loadCatalogue, product, quickKeys, ready, rowsOf, search, shelf, shelves, stockOf, stockVersion, version } from "../state/catalogue.js";
import { isWeighed } from "../state/cart.js";
import { styleOf } from "./departments.js";
import { Icon, Key } from "./icon.js";
import { SenseBar } from "./sensebar.js";
import { Thumb } from "./thumb.js";
import { Virtual } from "./virtual.js";

const FOUND_MAX = 400;
const TILE = { width: 164, height: 118, gap: 10 };

/** @typedef {import("../state/catalogue.js").Product} Product */

/** @param {string} unit */
export const perUnit = (unit) => (isWeighed(unit) ? t("unit.per", { unit }) : "");

/** @param {{row: number, onPick: (product: Product) => void, active: boolean, index: number, plain: boolean}} props */
function Tile({ row, onPick, active, index, plain }) {
  const item = product(row);
  const style = styleOf(item.department);
  const key = quickKeys.value.findIndex((one) => one.sku === item.sku);
  const left = stockOf(item.sku);
  const low = left !== undefined && Number(left) <= 3;
  return html`<button class=${`tile ${active ? "active" : ""}`} data-c=${quickKeys.value[key]?.colour || style.colour} data-i=${index} onClick=${() => onPick(item)}>
    <span class=${`th ${item.image ? "pic" : ""}`}><${Thumb} image=${item.image} icon=${style.icon} /></span>
    <b>${item.name}</b>${key >= 0 && html`<kbd class="quick-n"><span class="sr">${t("quick.number")} </span>${key + 1}</kbd>`}
    ${!plain && html`<small>${item.department}</small>`}
    <span class="pr"><span>${money(item.price_minor)}${isWeighed(item.unit) && html`<small class="per">${perUnit(item.unit)}</small>`}</span>
      ${left !== undefined && html`<span class=${`st ${low ? "low" : ""}`}><span class="sr">${t("stock.left")} </span>${quantity(left)}</span>`}</span>
  </button>`;
}

/** @param {{chosen: string, onChoose: (name: string) => void}} props */
const Departments = ({ chosen, onChoose }) =>
  html`<div class="cats" role="group" aria-label=${t("sell.departments")}>
    <button class="btn" aria-pressed=${chosen === ""} onClick=${() => onChoose("")}>${t("sell.all")}</button>
    ${shelves().filter((one) => one.shown).map(
      ({ name }) => html`<button key=${name} class="btn" aria-pressed=${chosen === name} onClick=${() => onChoose(name)}>
        ${name === FAVOURITES ? html`<${Icon} name="crown" />${t("sell.favourites")}` : html`<${Icon} name=${styleOf(name).icon} />${name}`}
      </button>`,
    )}
  </div>`;

/** @param {{text: string}} props */
const NothingFound = ({ text }) =>
  html`<div class="empty"><${Icon} name="search" size="xl" /><b>${t("sell.nothing", { text })}</b><span>${t("sell.nothing.hint")}</span></div>`;

const Loading = () =>
  html`<div class="tiles-wait" role="status" aria-label=${t("sell.loading")}>${Array.from({ length: 24 }, (_, i) => html`<i key=${i} class="tile ghost" />`)}</div>`;

/**
 * @param {{onPick: (product: Product) => void, onLook: () => void, field: {current: HTMLInputElement | null}}} props
 */
export function Tiles({ onPick, onLook, field }) {
  const [wanted, setDepartment] = useState("");
  const department = shelf.value.some((one) => one.name === wanted && !one.shown) ? "" : wanted;
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const timer = useRef(/** @type {any} */ (0));
  const columns = useRef(1);
  version.value;
  stockVersion.value;
  const rows = useMemo(() => (text && indexed.value ? search(text, FOUND_MAX) : text ? [] : rowsOf(department, true)), [text, department, version.value]);
  const typed = () => {
    clearTimeout(timer.current);
    const take = () => {
      setText(field.current?.value.trim() ?? "");
      setActive(0);
    };
    // A scanner types into the field too: its digits are not worth a search each.
    if (bursting()) timer.current = setTimeout(take, 60);
    else take();
  };
  const clear = () => {
    if (field.current) field.current.value = "";
    setText("");
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  const pick = (/** @type {Product} */ item) => {
    onPick(item);
    clearTimeout(timer.current);
    if (field.current?.value && document.activeElement === field.current) clear();
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: columns.current, ArrowUp: -columns.current, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    // Whoever types fast presses Enter before the search was painted.
    const asked = field.current?.value.trim() ?? "";
    const chosen = () => (asked === text ? rows[active] : search(asked, 1)[0]);
    const row = event.key === "Enter" && asked ? chosen() : undefined;
    if (row !== undefined) pick(product(row));
    else if (event.key === "Escape") {
      if (field.current?.value) clear();
      else field.current?.blur();
    } else if (step && text && (event.key === "ArrowDown" || event.key === "ArrowUp")) setActive((now) => Math.max(0, Math.min(rows.length - 1, now + step)));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onGridKey = (/** @type {KeyboardEvent} */ event, /** @type {number} */ across) => {
    const step = { ArrowDown: across, ArrowUp: -across, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const here = /** @type {HTMLElement | null} */ (event.target)?.closest("[data-i]");
    if (!step || !here) return;
    event.preventDefault();
    event.stopPropagation();
    const next = here.parentElement?.querySelector(`[data-i="${Number(here.getAttribute("data-i")) + step}"]`);
    /** @type {HTMLElement | null} */ (next)?.focus();
  };
  return html`<section class="main" aria-label=${t("sell.products")}>
    <div class="bar">
      <label class="search"><${Icon} name="search" /><span class="sr">${t("sell.search")}</span>
        <input ref=${field} type="text" inputmode="search" autocomplete="off" autocorrect="off" spellcheck="false" enterkeyhint="done"
          placeholder=${t("sell.search")} onInput=${typed} onKeyDown=${onKey} aria-keyshortcuts="F2" role="searchbox" />
        ${text ? html`<button class="btn ghost icon" aria-label=${t("sell.search.clear")} onClick=${() => { clear(); field.current?.focus(); }}><${Icon} name="x" /></button>` : html`<${Key} k="F2" />`}
      </label>
      <button class="btn" onClick=${onLook} aria-label=${t("look.open")} title=${t("look.open")} aria-keyshortcuts="Insert"><${Icon} name="camera" /></button>
      <${SenseBar} />
    </div>
    ${text
      ? html`<p class="found" role="status">${rows.length >= FOUND_MAX ? t("sell.found.many", { n: FOUND_MAX }) : t("sell.found", { n: rows.length })}${rows.length > 0 ? html` <span class="hide-s">${t("sell.found.hint")}</span>` : ""}</p>`
      : html`<${Departments} chosen=${department} onChoose=${setDepartment} />`}
    ${!ready.value || (text && !indexed.value)
      ? failed.value
        ? html`<div class="empty"><${Icon} name="wifi-off" size="xl" /><b>${t("sell.failed")}</b><span>${t("sell.failed.hint")}</span>
            <button class="btn" onClick=${() => void loadCatalogue().catch(() => {})}><${Icon} name="refresh-cw" />${t("again")}</button></div>`
        : html`<${Loading} />`
      : rows.length === 0
        ? text ? html`<${NothingFound} text=${text} />` : html`<div class="empty"><${Icon} name="package-open" size="xl" /><b>${t(count() ? "sell.empty.department" : "sell.empty")}</b>${!count() && html`<a class="btn" href="#/products">${t("nav.products")}</a>`}</div>`
        : html`<${Virtual} className="grid" label=${t("sell.products")} role="group" count=${rows.length} width=${TILE.width} height=${TILE.height} gap=${TILE.gap}
            top=${`${text}|${department}`} show=${text ? active : -1} onKeyDown=${onGridKey}
            item=${(/** @type {number} */ index, /** @type {number} */ across) => {
              columns.current = across;
              return html`<${Tile} key=${index} index=${index} row=${rows[index]} onPick=${pick} active=${Boolean(text) && index === active} plain=${Boolean(department) && department !== FAVOURITES} />`;
            }} />`}
  </section>`;
}
