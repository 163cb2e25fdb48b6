// Customers: find, add, change, and what they bought last.
import { html, useLayoutEffect, useRef, useState, valueOf } from "../lib/ui.js";
import { dayClock, t } from "../lib/i18n.js";
import { money } from "../lib/money.js";
import { useKeys } from "../lib/keys.js";
import { go, route } from "../lib/router.js";
import { call, may } from "../state/session.js";
import { openDialog, toast, toastOk, toastProblem } from "../state/notices.js";
import { Confirm } from "../parts/dialog.js";
import { CustomerForm, useCustomers } from "../parts/customerdialog.js";
import { CustomerPurses } from "../parts/customerpurses.js";
import { Liabilities } from "../parts/liabilities.js";
import { Refusal } from "../parts/fields.js";
import { Icon, Key } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { Head } from "../parts/top.js";
import { Virtual } from "../parts/virtual.js";

/** Erase a customer, after a clear warning; a manager only. @param {any} one @returns {Promise<boolean>} */
async function erase(one) {
  const yes = await openDialog(Confirm, { title: t("customer.erase.title", { name: one.name || one.customer_id }), text: t("customer.erase.text"), yes: t("customer.erase.yes"), danger: true });
  if (!yes) return false;
  try {
    const answer = await call("POST", `/customers/${encodeURIComponent(one.customer_id)}/erase`, {});
    if (answer.in_clear) toast({ tone: "warn", title: t("customer.erase.done"), detail: t("customer.erase.clear", { n: answer.in_clear }) });
    else toastOk("customer.erase.done");
    return true;
  } catch (error) {
    toastProblem(error);
    return false;
  }
}

/** @param {{id: string, onEdit: (customer: any) => void, onErased: () => void, turn: number}} props */
function Detail({ id, onEdit, onErased, turn }) {
  const load = useLoad(`/customers/${encodeURIComponent(id)}`, turn);
  const one = load.data;
  if (!one) return html`<section class="card"><${Loading} load=${load} /></section>`;
  /** @type {[string, string][]} */
  const facts = [["phone", one.phone], ["email", one.email], ["address", one.address], ["note", one.note], ["group", one.group]];
  return html`<section class="card sale-card" aria-label=${one.name || t("customer.erased")}>
    <header class="sale-head"><a class="btn ghost icon only-s" href="#/customers" aria-label=${t("back")}><${Icon} name="arrow-left" /></a><h2>${one.name || t(one.erased ? "customer.erased" : "customer.sealed")}</h2><span class="spacer" />
      ${!one.erased && may("manager") && html`<button class="btn ghost" onClick=${async () => (await erase(one)) && onErased()}><${Icon} name="trash-2" />${t("customer.erase")}</button>`}
      ${!one.erased && html`<button class="btn" onClick=${() => onEdit(one)}><${Icon} name="pencil" />${t("edit")}</button>`}</header>
    <dl class="kvs">${facts.filter(([, value]) => value).map(([key, value]) => html`<div key=${key}><dt>${t(`customer.${key}`)}</dt><dd>${value}</dd></div>`)}</dl>
    <${CustomerPurses} customer=${one} />
    <h3>${t("customer.sales")}</h3>
    ${(one.sales ?? []).length === 0 ? html`<p class="hint">${t("customer.sales.none")}</p>` : html`<ul class="rows">${one.sales.map(
      (/** @type {any} */ sale) => html`<li key=${sale.sale_id}><a class="row-main" href=${`#/sales/${sale.sale_id}`}><span class="row-icon"><${Icon} name="receipt-text" /></span><span><b class="num">${sale.receipt_number}</b><small>${dayClock(sale.at)}</small></span><span class="spacer" /><b class="num">${money(sale.total_minor)}</b></a></li>`,
    )}</ul>`}
  </section>`;
}

/** @param {{arg: string}} props */
export function CustomersPage({ arg }) {
  const [text, setText] = useState("");
  const [turn, setTurn] = useState(0);
  const { list, problem } = useCustomers(text, turn);
  const field = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLInputElement | null>} */ (useRef(null));
  useLayoutEffect(() => field.current?.focus(), []);
  const edit = async (/** @type {any} */ start) => {
    const saved = await openDialog(CustomerForm, { start });
    if (!saved) return;
    toastOk("saved");
    setTurn(turn + 1);
    go(`customers/${saved.customer_id}`);
  };
  const owed = !arg && route.value.query.has("owed"); // beside the list where there is room, else in its place
  useKeys({ F2: () => field.current?.focus(), Escape: () => go(arg || owed ? "customers" : "sell") });
  const rows = list ?? [];
  return html`<${Head} title=${t("nav.customers")}><button class="btn primary" onClick=${() => edit({ name: text.trim() })}><${Icon} name="user-plus" />${t("customer.new")}</button><//>
    <div class=${`cols sales ${arg || owed ? "open" : ""}`}>
      <section class="list deep" aria-label=${t("nav.customers")}>
        <div class="list-tools"><label class="search"><${Icon} name="search" /><span class="sr">${t("customer.search")}</span><input ref=${field} autocomplete="off" placeholder=${t("customer.search")} onInput=${(/** @type {Event} */ e) => setText(valueOf(e))} /><${Key} k="F2" /></label>${may("manager") && html`<a class="btn only-s" href="#/customers?owed"><${Icon} name="wallet" />${t("owed.title")}</a>`}</div>
        <${Refusal} problem=${problem} />
        ${list === null && !problem ? html`<div class="waiting"><span class="spin" /></div>` : ""}
        ${list?.length === 0 && html`<${Nothing} icon="users" title=${t(text ? "customer.nothing" : "customer.none")} hint=${t("customer.none.page")} />`}
        ${rows.length > 0 && html`<${Virtual} count=${rows.length} height=${64} role="group" label=${t("nav.customers")} item=${(/** @type {number} */ i) =>
          html`<a key=${rows[i].customer_id} class="list-row one" href=${`#/customers/${rows[i].customer_id}`} aria-current=${rows[i].customer_id === arg ? "true" : undefined}><span><b>${rows[i].name || t("customer.sealed")}</b><small>${[rows[i].phone, rows[i].email].filter(Boolean).join(" · ") || t("customer.bare")}</small></span></a>`} />`}
      </section>
      ${arg ? html`<${Detail} id=${arg} key=${arg} turn=${turn} onEdit=${edit} onErased=${() => setTurn(turn + 1)} />` : may("manager") ? html`<${Liabilities} open=${owed} />` : html`<section class="card hide-s"><${Nothing} icon="users" title=${t("customer.choose")} /></section>`}
    </div>`;
}
