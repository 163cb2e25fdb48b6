// Find a customer or make one, without leaving the sale.
import { html, useEffect, useRef, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem, query } from "../lib/http.js";
import { call, get, may } from "../state/session.js";
import { moneyField, parseMoney } from "../lib/money.js";
import { Dialog } from "./dialog.js";
import { Field, Refusal } from "./fields.js";
import { Icon } from "./icon.js";
import { FormDialog } from "./formdialog.js";
import { openDialog } from "../state/notices.js";

/** @typedef {{customer_id: string, name: string, email?: string, phone?: string, note?: string, address?: string, group?: string, credit_limit_minor?: number}} Customer */

/** Find customers as the text changes; the newest answer wins. @param {string} text @param {number} turn */
export function useCustomers(text, turn) {
  const [list, setList] = useState(/** @type {Customer[] | null} */ (null));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const latest = useRef(0);
  useEffect(() => {
    latest.current += 1;
    const mine = latest.current;
    const timer = setTimeout(async () => {
      try {
        const answer = await get(`/customers${query({ q: text.trim(), limit: 100 })}`);
        if (mine === latest.current) setList(answer.customers);
        setProblem(null);
      } catch (error) {
        setProblem(asProblem(error));
      }
    }, text ? 120 : 0);
    return () => clearTimeout(timer);
  }, [text, turn]);
  return { list, problem };
}

/** @param {{start?: Partial<Customer>, close: (customer?: Customer) => void}} props */
export function CustomerForm({ start = {}, close }) {
  const [value, setValue] = useState({ name: "", email: "", phone: "", address: "", note: "", group: "", ...start });
  const [limit, setLimit] = useState(moneyField(start.credit_limit_minor ?? 0));
  const manager = may("manager");
  const credit = parseMoney(limit || "0");
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const set = (/** @type {string} */ name) => (/** @type {string} */ text) => setValue({ ...value, [name]: text });
  const save = async () => {
    const { name, email, phone, address, note, group } = value;
    /** @type {Record<string, any>} */
    const body = { name: name.trim(), email: email.trim(), phone: phone.trim(), address: address.trim(), note: note.trim() };
    if (manager) Object.assign(body, { group: group.trim(), credit_limit_minor: credit });
    try {
      close(start.customer_id ? await call("PATCH", `/customers/${start.customer_id}`, body) : await call("POST", "/customers", body));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${t(start.customer_id ? "customer.edit" : "customer.new")} close=${() => close()} ok=${Boolean(value.name.trim()) && credit !== null && credit >= 0} submit=${save} label=${t("save")}>
    <${Refusal} problem=${problem} />
    <${Field} label=${t("customer.name")} value=${value.name} onChange=${set("name")} required=${true} auto=${true} />
    <div class="two"><${Field} label=${t("customer.phone")} value=${value.phone ?? ""} type="tel" onChange=${set("phone")} /><${Field} label=${t("customer.email")} type="email" value=${value.email ?? ""} onChange=${set("email")} /></div>
    <${Field} label=${t("customer.address")} value=${value.address ?? ""} onChange=${set("address")} />
    <${Field} label=${t("customer.note")} value=${value.note ?? ""} onChange=${set("note")} />
    ${manager && html`<div class="two"><${Field} label=${t("customer.group")} value=${value.group ?? ""} onChange=${set("group")} hint=${t("customer.group.hint")} /><${Field} label=${t("customer.credit")} mode="decimal" value=${limit} onChange=${setLimit} hint=${t("customer.credit.hint")} /></div>`}
  <//>`;
}

/** @param {{current: {customer_id: string, name: string} | null | undefined, close: (chosen?: {customer_id: string, name: string}) => void}} props */
export function CustomerDialog({ current, close }) {
  const [text, setText] = useState("");
  const { list, problem } = useCustomers(text, 0);
  const make = async () => {
    const made = await openDialog(CustomerForm, { start: /^[\d +()-]+$/.test(text.trim()) ? { phone: text.trim() } : { name: text.trim() } });
    if (made) close(made);
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && list?.length) close(list[0]);
  };
  return html`<${Dialog} title=${t("customer.title")} onClose=${() => close()}
      foot=${html`${current && html`<button class="btn" onClick=${() => close({ customer_id: "", name: "" })}><${Icon} name="x" />${t("customer.remove")}</button>`}
        <span class="spacer" /><button class="btn primary" onClick=${make}><${Icon} name="user-plus" />${t("customer.new")}</button>`}>
    <label class="search"><${Icon} name="search" /><span class="sr">${t("customer.search")}</span><input autofocus placeholder=${t("customer.search")} value=${text} onInput=${(/** @type {Event} */ e) => setText(valueOf(e))} onKeyDown=${onKey} /></label>
    <${Refusal} problem=${problem} />
    ${list?.length === 0 && html`<div class="empty"><${Icon} name="users" size="xl" /><b>${t(text ? "customer.nothing" : "customer.none")}</b><span>${t("customer.none.hint")}</span></div>`}
    <ul class="rows scroll">${(list ?? []).map(
      (one) => html`<li key=${one.customer_id}><button class="row-main" aria-pressed=${current?.customer_id === one.customer_id} onClick=${() => close(one)}>
        <span class="row-icon"><${Icon} name="user" /></span><span><b>${one.name}</b><small>${[one.phone, one.email].filter(Boolean).join(" · ") || t("customer.bare")}</small></span></button></li>`,
    )}</ul>
  <//>`;
}
