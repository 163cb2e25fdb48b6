// Groups of stores: a region, a format, an owner. Prices and promotions go to a group as to one store.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { call, may } from "../state/session.js";
import { openDialog, toastOk, toastProblem } from "../state/notices.js";
import { Confirm } from "../parts/dialog.js";
import { Field, Refusal, Toggle } from "../parts/fields.js";
import { FormDialog } from "../parts/formdialog.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { Head } from "../parts/shell.js";

/** @typedef {{store: string, name: string}} Store */
/** @typedef {{name: string, stores: Store[]}} Group */

/** @param {{start: Group | null, stores: Store[], close: (saved?: any) => void}} props */
function GroupForm({ start, stores, close }) {
  const [name, setName] = useState(start?.name ?? "");
  const [chosen, setChosen] = useState(new Set((start?.stores ?? []).map((one) => one.store)));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const choose = (/** @type {string} */ store) => {
    const next = new Set(chosen);
    if (!next.delete(store)) next.add(store);
    setChosen(next);
  };
  const submit = async () => {
    try {
      close(await call("PUT", `/groups/${encodeURIComponent(name.trim())}`, { stores: [...chosen] }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${start ? start.name : t("groups.new")} note=${t("groups.form.note")} close=${() => close()} ok=${Boolean(name.trim()) && !name.includes("/")} submit=${submit} label=${t("save")}>
    <${Refusal} problem=${problem} />
    ${!start && html`<${Field} label=${t("groups.name")} required=${true} auto=${true} max=${60} value=${name} onChange=${setName} placeholder=${t("groups.name.example")} />`}
    <h3 class="h3">${t("groups.chosen", { n: chosen.size })}</h3>
    <ul class="rows scroll priced">${stores.map((one) => html`<li key=${one.store}><${Toggle} label=${one.name} value=${chosen.has(one.store)} onChange=${() => choose(one.store)} /></li>`)}</ul>
    ${start && html`<button type="button" class="btn bad-ink" onClick=${() => close({ gone: true, name: start.name })}><${Icon} name="trash-2" />${t("groups.remove")}</button>`}
  <//>`;
}

const SHOWN = 6;

/** @param {{one: Group, onOpen: (() => void) | null}} props */
const Card = ({ one, onOpen }) => {
  const body = html`<span class="shop-head"><b class="clip2">${one.name}</b>${onOpen && html`<${Icon} name="pencil" size="sm" />`}</span>
    <small>${t("groups.stores", { n: one.stores.length })}</small>
    <span class="chips">${one.stores.slice(0, SHOWN).map((store) => html`<span class="pill sm" key=${store.store}>${store.name}</span>`)}${one.stores.length > SHOWN && html`<span class="pill sm">${t("groups.more", { n: one.stores.length - SHOWN })}</span>`}</span>`;
  return onOpen ? html`<button class="card group" onClick=${onOpen}>${body}</button>` : html`<section class="card group">${body}</section>`;
};

export function GroupsPage() {
  const load = useLoad("/groups");
  /** @type {Group[]} */
  const groups = load.data?.groups ?? [];
  const remove = async (/** @type {string} */ name) => {
    if (!(await openDialog(Confirm, { title: t("groups.remove.title", { name }), text: t("groups.remove.text"), yes: t("groups.remove"), danger: true }))) return;
    try {
      await call("DELETE", `/groups/${encodeURIComponent(name)}`);
      toastOk("groups.removed", { name });
    } catch (error) {
      toastProblem(error);
    }
    load.reload();
  };
  const edit = async (/** @type {Group | null} */ start) => {
    const saved = await openDialog(GroupForm, { start, stores: load.data?.stores ?? [] });
    if (!saved) return;
    if (saved.gone) return void remove(saved.name);
    const { joined, left } = saved.offers;
    toastOk(joined || left ? "groups.followed" : "groups.saved", { name: saved.name, joined, left });
    load.reload();
  };
  const buyer = may("buyer");
  return html`<${Head} title=${t("nav.groups")} sub=${t("groups.sub")}>${buyer && html`<button class="btn primary" onClick=${() => edit(null)}><${Icon} name="plus" />${t("groups.new")}</button>`}<//>
    <${Loading} load=${load} />${load.data && !groups.length && html`<${Nothing} icon="boxes" title=${t("groups.none")} hint=${t("groups.none.hint")} />`}
    <div class="shops">${groups.map((one) => html`<${Card} key=${one.name} one=${one} onOpen=${buyer ? () => void edit(one) : null} />`)}</div>`;
}
