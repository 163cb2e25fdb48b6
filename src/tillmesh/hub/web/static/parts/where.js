// Where something goes: all stores, groups of them, or single ones.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { Segments, Toggle } from "./fields.js";

/** @typedef {{all: "all" | "groups" | "stores", groups: Set<string>, stores: Set<string>}} Where */

/** Everywhere, to begin with. @returns {Where} */
export const everywhere = () => ({ all: "all", groups: new Set(), stores: new Set() });

/** What the program is asked for. @param {Where} where */
export const asked = (where) => ({
  stores: where.all === "stores" ? [...where.stores] : [],
  groups: where.all === "groups" ? [...where.groups] : [],
});

/** @param {Where} where */
export const isChosen = (where) => where.all === "all" || (where.all === "groups" ? where.groups.size > 0 : where.stores.size > 0);

/** @param {Set<string>} set @param {string} one */
function toggled(set, one) {
  const next = new Set(set);
  if (!next.delete(one)) next.add(one);
  return next;
}

/** @param {{where: Where, onChange: (where: Where) => void, groups: {name: string, stores: any[]}[], stores: {store: string, name: string}[]}} props */
export function WhereChoice({ where, onChange, groups, stores }) {
  /** @type {[string, string][]} */
  const options = [["all", t("where.all")], ["groups", t("where.groups")], ["stores", t("where.stores")]];
  return html`<${Segments} label=${t("where.label")} value=${where.all} onChange=${(/** @type {any} */ all) => onChange({ ...where, all })} options=${options} />
    ${where.all === "groups" && (groups.length ? html`<ul class="rows scroll priced">${groups.map((one) => html`<li key=${one.name}><${Toggle} label=${one.name} hint=${t("groups.stores", { n: one.stores.length })} value=${where.groups.has(one.name)} onChange=${() => onChange({ ...where, groups: toggled(where.groups, one.name) })} /></li>`)}</ul>` : html`<p class="hint">${t("where.nogroups")}</p>`)}
    ${where.all === "stores" && html`<ul class="rows scroll priced">${stores.map((one) => html`<li key=${one.store}><${Toggle} label=${one.name} value=${where.stores.has(one.store)} onChange=${() => onChange({ ...where, stores: toggled(where.stores, one.store) })} /></li>`)}</ul>`}`;
}
