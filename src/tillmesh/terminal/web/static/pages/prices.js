// Price lists: who has them, and what the goods cost in them from when on; and dated prices for everybody.
import { html, useState, valueOf } from "../lib/ui.js";
import { dayClock, t } from "../lib/i18n.js";
import { asProblem, query } from "../lib/http.js";
import { money, parseMoney } from "../lib/money.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { offersNews } from "../state/live.js";
import { call, may } from "../state/session.js";
import { openDialog, toast, toastOk, toastProblem } from "../state/notices.js";
import { CustomerDialog } from "../parts/customerdialog.js";
import { Field, Refusal, Toggle } from "../parts/fields.js";
import { FormDialog } from "../parts/formdialog.js";
import { Icon } from "../parts/icon.js";
import { ImportDialog } from "../parts/importdialog.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { ProductPicker } from "../parts/picker.js";
import { Head } from "../parts/top.js";

/** In the address: dated prices that belong to no list. */
const EVERYBODY = "everybody";
const NEW_LIST = { name: "", active: true, everyone: false, groups: [], customers: [], priority: 0 };

/** A moment to the millisecond: it is part of what names a price. @param {number} ms */
const exact = (ms) => (ms ? new Date(ms).toISOString() : "");

/** @param {{list: any, sku?: string, close: (price?: any) => void}} props */
function PriceForm({ list, close }) {
  const [item, setItem] = useState(/** @type {any} */ (null));
  const [text, setText] = useState("");
  const [from, setFrom] = useState("");
  const [until, setUntil] = useState("");
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const minor = parseMoney(text || "-");
  const submit = async () => {
    const price = { sku: item.sku, price_list: list, from, until, price_minor: minor };
    try {
      await call("POST", "/prices", { prices: [price] });
      close(price);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const moment = (/** @type {string} */ label, /** @type {string} */ value, /** @type {(text: string) => void} */ set, /** @type {string} */ hint) =>
    html`<label class="field"><span>${label}</span><input type="datetime-local" value=${value} onInput=${(/** @type {Event} */ e) => set(valueOf(e))} /><small>${hint}</small></label>`;
  return html`<${FormDialog} title=${t("prices.add")} wide=${true} close=${() => close()} ok=${Boolean(item) && minor !== null && minor >= 0 && Boolean(list || from)} submit=${submit} label=${t("save")}>
    <${Refusal} problem=${problem} />
    ${item ? html`<button type="button" class="btn" onClick=${() => setItem(null)}>${item.name} · ${money(item.price_minor)}<${Icon} name="x" /></button>` : html`<${ProductPicker} onPick=${setItem} />`}
    <${Field} label=${t("sale.price")} mode="decimal" max=${12} value=${text} onChange=${setText} />
    <div class="dates">${moment(t("prices.from"), from, setFrom, t(list ? "prices.from.hint" : "prices.from.needed"))}${moment(t("prices.until"), until, setUntil, t("prices.until.hint"))}</div>
  <//>`;
}

/** Say what was done, with the way back. @param {string} said @param {Record<string, any>} back @param {() => void} again */
function sayPrice(said, back, again) {
  const undo = () => void call("POST", "/prices", { prices: [back] }).then(() => (toastOk("undone"), again()), toastProblem);
  toast({ tone: "ok", title: t(said), action: { label: t("undo"), run: undo } });
}

/** @param {{list: string, turn: unknown, again: () => void}} props */
function Prices({ list, turn, again }) {
  const load = useLoad(`/prices${query({ price_list: list || EVERYBODY, limit: 200 })}`, turn);
  const add = async () => {
    const price = await openDialog(PriceForm, { list });
    if (!price) return;
    sayPrice("prices.added", { ...price, price_minor: null }, again);
    again();
  };
  const take = async (/** @type {any} */ one) => {
    const key = { sku: one.sku, price_list: list, from: exact(one.from_ms), until: exact(one.until_ms) };
    try {
      await call("POST", "/prices", { prices: [{ ...key, price_minor: null }] });
      sayPrice("prices.taken", { ...key, price_minor: one.price_minor }, again);
      again();
    } catch (error) {
      toastProblem(error);
    }
  };
  /** @type {any[]} */
  const rows = load.data?.prices ?? [];
  const when = (/** @type {string} */ text) => (text ? dayClock(text) : "");
  return html`<div class="buy-head"><h3>${t("prices.goods")}</h3><span class="spacer" /><button class="btn" onClick=${add}><${Icon} name="plus" />${t("prices.add")}</button></div>
    <${Loading} load=${load} />
    ${load.data && !rows.length && html`<${Nothing} icon="tags" title=${t("prices.none")} hint=${t("prices.none.hint")} />`}
    ${rows.length > 0 && html`<div class="scroll-x"><table><thead><tr><th>${t("sale.product")}</th><th>${t("prices.from")}</th><th>${t("prices.until")}</th><th class="r">${t("prices.own")}</th><th class="r">${t("sale.price")}</th><th /></tr></thead>
      <tbody>${rows.map((one) => html`<tr key=${`${one.sku} ${one.from}`}><td><b>${one.name}</b></td><td>${when(one.from)}</td><td>${when(one.until)}</td><td class="r">${one.own_price_minor === null ? "" : money(one.own_price_minor)}</td><td class="r"><b>${money(one.price_minor)}</b></td>
        <td class="r"><button class="btn ghost icon" aria-label=${t("prices.take", { name: one.name })} onClick=${() => take(one)}><${Icon} name="trash-2" /></button></td></tr>`)}</tbody></table></div>
      ${load.data.count > rows.length && html`<p class="hint">${t("prices.more", { n: load.data.count - rows.length })}</p>`}`}`;
}

/** Customers by name; single ones may have a list of their own. @param {{ids: string[], set: (ids: string[]) => void}} props */
function Customers({ ids, set }) {
  const [names, setNames] = useState(/** @type {Record<string, string>} */ ({}));
  const missing = ids.filter((id) => !(id in names)).slice(0, 20);
  const load = useLoad(missing.length ? `/customers/${encodeURIComponent(missing[0])}` : "", missing[0]);
  if (load.data && !(load.data.customer_id in names)) setNames({ ...names, [load.data.customer_id]: load.data.name });
  const add = async () => {
    const chosen = await openDialog(CustomerDialog, { current: null });
    if (!chosen?.customer_id || ids.includes(chosen.customer_id)) return;
    setNames((now) => ({ ...now, [chosen.customer_id]: chosen.name }));
    set([...ids, chosen.customer_id]);
  };
  return html`<div class="chips" role="group" aria-label=${t("prices.customers")}>${ids.map((id) => html`<button type="button" class="chip" aria-pressed="true" key=${id} aria-label=${t("cart.remove", { name: names[id] ?? id })} onClick=${() => set(ids.filter((one) => one !== id))}>${names[id] ?? id}<${Icon} name="x" size="sm" /></button>`)}
    <button type="button" class="chip add" onClick=${add}><${Icon} name="plus" size="sm" />${t("prices.customer.add")}</button></div>`;
}

/** @param {{start: any, groups: string[], onSaved: (id: string) => void}} props */
function ListForm({ start, groups, onSaved }) {
  const [list, setList] = useState(start);
  const [priority, setPriority] = useState(String(start.priority));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const id = start.price_list ?? "";
  const set = (/** @type {string} */ name) => (/** @type {any} */ value) => setList({ ...list, [name]: value });
  const good = /^-?\d{1,4}$/.test(priority);
  const now = { ...list, priority: Number(priority) };
  const fields = Object.fromEntries(Object.keys(NEW_LIST).filter((name) => !id || JSON.stringify(now[name]) !== JSON.stringify(start[name])).map((name) => [name, now[name]]));
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setProblem(null);
    try {
      const path = `/price-lists/${encodeURIComponent(id)}`;
      const saved = id ? await call("PATCH", path, fields) : await call("POST", "/price-lists", fields);
      const back = id ? Object.fromEntries(Object.keys(fields).map((name) => [name, start[name]])) : { active: false };
      const undo = () => void call("PATCH", `/price-lists/${encodeURIComponent(saved.price_list)}`, back).then(() => onSaved(saved.price_list), toastProblem);
      toast({ tone: "ok", title: t("promo.saved", { name: saved.name }), action: { label: t("undo"), run: undo } });
      onSaved(saved.price_list);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const flip = (/** @type {string} */ group) => set("groups")(list.groups.includes(group) ? list.groups.filter((/** @type {string} */ one) => one !== group) : [...list.groups, group]);
  const known = [...new Set([...groups, ...start.groups])].sort();
  return html`<form class="form" onSubmit=${save}><${Refusal} problem=${problem} />
    <div class="two"><${Field} label=${t("promo.name")} value=${list.name} max=${60} onChange=${set("name")} required=${true} /><${Field} label=${t("promo.priority")} mode="numeric" max=${5} value=${priority} onChange=${setPriority} hint=${t("prices.priority.hint")} /></div>
    <${Toggle} label=${t("prices.active")} value=${list.active} onChange=${set("active")} />
    <${Toggle} label=${t("prices.everyone")} hint=${t("prices.everyone.hint")} value=${list.everyone} onChange=${set("everyone")} />
    ${!list.everyone && html`<div class="field"><span class="label">${t("prices.groups")}</span>${known.length ? html`<div class="chips" role="group" aria-label=${t("prices.groups")}>${known.map((group) => html`<button type="button" class="chip" key=${group} aria-pressed=${list.groups.includes(group)} onClick=${() => flip(group)}>${group}</button>`)}</div>` : html`<small>${t("prices.groups.none")}</small>`}</div>
      <div class="field"><span class="label">${t("prices.customers")}</span><${Customers} ids=${list.customers} set=${set("customers")} /></div>`}
    <div class="promo-acts"><span class="spacer" /><button class="btn primary tall" disabled=${!list.name.trim() || !good || !Object.keys(fields).length}>${t(id ? "save" : "prices.make")}</button></div></form>`;
}

/** @param {{arg: string}} props */
export function PricesPage({ arg }) {
  const [turn, setTurn] = useState(0);
  const news = `${turn} ${offersNews.value}`;
  const load = useLoad("/price-lists", news);
  const again = () => setTurn((now) => now + 1);
  useKeys({ Escape: () => go(arg ? "prices" : "sell") });
  const saved = (/** @type {string} */ id) => {
    again();
    go(`prices/${id}`);
  };
  const importing = async () => {
    await openDialog(ImportDialog, { what: "prices" });
    again();
  };
  /** @type {any[]} */
  const lists = load.data?.price_lists ?? [];
  const one = lists.find((each) => each.price_list === arg);
  const whom = (/** @type {any} */ each) => (each.everyone ? t("prices.everyone") : [...each.groups, ...(each.customers.length ? [t("prices.customers.n", { n: each.customers.length })] : [])].join(", ") || t("prices.nobody"));
  if (!may("manager")) return html`<${Head} title=${t("nav.prices")} /><${Nothing} icon="lock" title=${t("settings.locked")} />`;
  return html`<${Head} title=${t("nav.prices")} sub=${t("prices.sub")}><button class="btn" onClick=${importing}><${Icon} name="upload" />${t("import")}</button><a class="btn" href="/api/v1/prices/export" download><${Icon} name="download" />${t("export")}</a>
      <button class="btn primary" onClick=${() => go("prices/new")}><${Icon} name="plus" />${t("prices.new")}</button><//>
    <div class=${`cols sales promo ${arg ? "open" : ""}`}>
      <section class="list promo-list" aria-label=${t("nav.prices")}><${Loading} load=${load} />
        <ul class="rows"><li><a class="row-main" href=${`#/prices/${EVERYBODY}`} aria-current=${arg === EVERYBODY ? "true" : undefined}><span class="row-icon"><${Icon} name="calendar-clock" /></span><span><b>${t("prices.dated")}</b><small>${t("prices.dated.hint")}</small></span></a></li>
          ${lists.map((each) => html`<li key=${each.price_list}><a class="row-main" href=${`#/prices/${each.price_list}`} aria-current=${each.price_list === arg ? "true" : undefined}><span class="row-icon"><${Icon} name="tags" /></span><span><b>${each.name}</b><small>${whom(each)}</small></span><span class="spacer" />${!each.active && html`<span class="pill sm bad">${t("promo.state.off")}</span>`}</a></li>`)}</ul></section>
      ${arg === EVERYBODY ? html`<section class="card sale-card" aria-label=${t("prices.dated")}><header class="sale-head"><a class="btn ghost icon only-s" href="#/prices" aria-label=${t("back")}><${Icon} name="arrow-left" /></a><h2>${t("prices.dated")}</h2></header><${Prices} list="" turn=${news} again=${again} /></section>`
        : arg === "new" ? html`<section class="card sale-card" aria-label=${t("prices.new")}><header class="sale-head"><a class="btn ghost icon only-s" href="#/prices" aria-label=${t("back")}><${Icon} name="arrow-left" /></a><h2>${t("prices.new")}</h2></header><${ListForm} start=${NEW_LIST} groups=${load.data?.groups ?? []} onSaved=${saved} /></section>`
        : one ? html`<section class="card sale-card" aria-label=${one.name}><header class="sale-head"><a class="btn ghost icon only-s" href="#/prices" aria-label=${t("back")}><${Icon} name="arrow-left" /></a><h2>${one.name}</h2></header>
          <${ListForm} key=${JSON.stringify(one)} start=${one} groups=${load.data?.groups ?? []} onSaved=${saved} /><${Prices} list=${one.price_list} turn=${news} again=${again} /></section>`
        : html`<section class="card hide-s"><${Nothing} icon="tags" title=${t("prices.choose")} /></section>`}
    </div>`;
}
