// Departments and favourites as the page of the sale shows them: which, and in which order; for this till or the store.
import { checkedOf, html, useLayoutEffect, useRef, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { FAVOURITES, shelves } from "../state/catalogue.js";
import { call, loadState } from "../state/session.js";
import { openDialog } from "../state/notices.js";
import { styleOf } from "./departments.js";
import { Refusal, Segments } from "./fields.js";
import { FormDialog } from "./formdialog.js";
import { Icon } from "./icon.js";

/** What a setting holds: `shop/setting_fields.py` says it. */
const ARRANGED_MAX = 100;

/** @typedef {{name: string, shown: boolean}} Place */

/** @param {string} name */
const titleOf = (name) => (name === FAVOURITES ? t("sell.favourites") : name);

/** @param {{place: Place, first: boolean, last: boolean, onShow: (shown: boolean) => void, onMove: (by: number) => void}} props */
function Row({ place, first, last, onShow, onMove }) {
  const name = titleOf(place.name);
  const style = place.name === FAVOURITES ? { icon: "crown", colour: "amber" } : styleOf(place.name);
  return html`<li data-c=${style.colour}><span class="th"><${Icon} name=${style.icon} /></span>
    <label class="toggle"><input type="checkbox" role="switch" checked=${place.shown} onChange=${(/** @type {Event} */ e) => onShow(checkedOf(e))} /><i aria-hidden="true" /><span><b>${name}</b></span></label>
    <button type="button" class="btn icon" data-move="-1" disabled=${first} aria-label=${t("shelf.up", { name })} onClick=${() => onMove(-1)}><${Icon} name="chevron-left" size="turned" /></button>
    <button type="button" class="btn icon" data-move="1" disabled=${last} aria-label=${t("shelf.down", { name })} onClick=${() => onMove(1)}><${Icon} name="chevron-right" size="turned" /></button></li>`;
}

/** A list whose rows move; the focus goes along, so that the same key moves a row on. @param {{places: Place[], onChange: (places: Place[]) => void}} props */
function Rows({ places, onChange }) {
  const list = /** @type {{current: HTMLElement | null}} */ (useRef(null));
  const moved = useRef({ at: -1, by: 0 });
  useLayoutEffect(() => {
    const { at, by } = moved.current;
    moved.current = { at: -1, by: 0 };
    const row = list.current?.children[at];
    const button = row?.querySelector(`[data-move="${by}"]:enabled`) ?? row?.querySelector("[data-move]:enabled");
    /** @type {HTMLElement | null | undefined} */ (button)?.focus();
  });
  const move = (/** @type {number} */ from, /** @type {number} */ by) => {
    const next = [...places];
    next.splice(from + by, 0, ...next.splice(from, 1));
    moved.current = { at: from + by, by };
    onChange(next);
  };
  const show = (/** @type {Place} */ place, /** @type {boolean} */ shown) => onChange(places.map((one) => (one === place ? { ...one, shown } : one)));
  return html`<ol class="rows quick-keys shelves" ref=${list}>${places.map(
    (place, at) => html`<${Row} key=${place.name} place=${place} first=${at === 0} last=${at === places.length - 1} onShow=${(/** @type {boolean} */ shown) => show(place, shown)} onMove=${(/** @type {number} */ by) => move(at, by)} />`,
  )}</ol>`;
}

/** @param {{close: (saved?: boolean) => void}} props */
function ShelfDialog({ close }) {
  const [places, setPlaces] = useState(shelves);
  const [scope, setScope] = useState("terminal");
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const save = async (/** @type {Place[]} */ shelf) => {
    try {
      await call("PATCH", "/settings", { [scope]: { shelf } });
      await loadState();
      close(true);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${t("shelf.title")} note=${t("shelf.hint")} close=${() => close()} ok=${true} submit=${() => save(places.slice(0, ARRANGED_MAX))} label=${t("save")} wide=${true}>
    <${Refusal} problem=${problem} />
    <${Segments} label=${t("quick.scope")} value=${scope} onChange=${setScope} options=${["terminal", "store"].map((key) => [key, t(`quick.scope.${key}`)])} />
    <${Rows} places=${places} onChange=${setPlaces} />
    <div><button type="button" class="btn ghost" onClick=${() => save([])}><${Icon} name="undo-2" />${t("shelf.reset")}</button></div>
  <//>`;
}

export const openShelf = () => openDialog(ShelfDialog, {});
