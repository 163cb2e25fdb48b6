// The books for an accountant: what days come to on each account, which numbers accounts have, the files.
import { html, useState, valueOf } from "../lib/ui.js";
import { isoDay, t } from "../lib/i18n.js";
import { money } from "../lib/money.js";
import { call } from "../state/session.js";
import { toastOk, toastProblem } from "../state/notices.js";
import { Field, Segments } from "./fields.js";
import { Icon } from "./icon.js";
import { Loading, Nothing, useLoad } from "./load.js";

const OF_CODES = ["revenue", "tax", "key"];
const OF_DATEV = ["consultant", "client", "year_start"];

/** @param {string} role */
function nameOf(role) {
  const [start, ...code] = role.split(".");
  return OF_CODES.includes(start) ? t(`books.role.${start}`, { code: code.join(".") }) : t(`books.role.${role}`);
}

/** The month before the one of today. @returns {[string, string]} */
function lastMonth() {
  const end = isoDay(-Number(isoDay().slice(8)));
  return [`${end.slice(0, 8)}01`, end];
}

/** What the days come to on each account. @param {{books: any}} props */
const Balances = ({ books }) =>
  html`<div class="scroll-x"><table><thead><tr><th>${t("books.account")}</th><th>${t("books.number")}</th><th class="r">${t("books.debit")}</th><th class="r">${t("books.credit")}</th></tr></thead>
    <tbody>${books.balances.map((/** @type {any} */ one) => html`<tr key=${one.role}><td>${nameOf(one.role)}</td><td>${one.account || html`<span class="down">${t("books.none")}</span>`}</td><td class="r">${one.amount_minor > 0 ? money(one.amount_minor) : ""}</td><td class="r">${one.amount_minor < 0 ? money(-one.amount_minor) : ""}</td></tr>`)}</tbody></table></div>`;

/** @param {{books: any, saved: () => void}} props */
function Numbers({ books, saved }) {
  const [typed, setTyped] = useState(/** @type {Record<string, string>} */ ({}));
  const value = (/** @type {string} */ role) => typed[role] ?? books.accounts[role] ?? "";
  const field = (/** @type {string} */ role) =>
    html`<${Field} key=${role} label=${nameOf(role)} value=${value(role)} max=${12} hint=${role === "clearing" || role === "transit" || role === "year_start" ? t(`books.role.${role}.hint`) : undefined} onChange=${(/** @type {string} */ text) => setTyped({ ...typed, [role]: text.trim() })} />`;
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    return call("PATCH", "/settings", { store: { accounts: { ...books.accounts, ...typed } } }).then(() => {
      toastOk("saved");
      setTyped({});
      saved();
    }, toastProblem);
  };
  const plain = books.roles.filter((/** @type {string} */ role) => !OF_DATEV.includes(role) && !role.startsWith("key."));
  const datev = books.roles.filter((/** @type {string} */ role) => OF_DATEV.includes(role) || role.startsWith("key."));
  return html`<form class="card section" onSubmit=${save}><h2>${t("books.accounts")}</h2><p class="hint">${t("books.accounts.hint")}</p>
    <div class="two">${plain.map(field)}</div><h2 class="h2">${t("books.datev")}</h2><p class="hint">${t("books.datev.hint")}</p><div class="two">${datev.map(field)}</div>
    <button class="btn primary" disabled=${!Object.keys(typed).length}>${t("save")}</button></form>`;
}

export function Books() {
  const [[from, to], setDays] = useState(lastMonth);
  const [form, setForm] = useState("plain");
  const [turn, setTurn] = useState(0);
  const load = useLoad(`/accounting?from=${from}&to=${to}`, turn);
  const books = load.data;
  const day = (/** @type {string} */ label, /** @type {string} */ value, /** @type {(day: string) => void} */ set) =>
    html`<label class="field"><span>${t(label)}</span><input class="input" type="date" value=${value} max=${isoDay(-1)} onChange=${(/** @type {Event} */ e) => valueOf(e) && set(valueOf(e))} /></label>`;
  const lacking = books?.missing[form] ?? [];
  return html`<div class="cols"><div class="stack"><section class="card section"><h2>${t("books.title")}</h2><p class="hint">${t("books.hint")}</p>
      <div class="two">${day("report.from", from, (one) => setDays([one, one > to ? one : to]))}${day("report.to", to, (one) => setDays([from < one ? from : one, one]))}</div>
      <${Segments} label=${t("books.form")} value=${form} options=${["plain", "datev"].map((one) => [one, t(`books.form.${one}`)])} onChange=${setForm} />
      <${Loading} load=${load} />
      ${books && !load.problem && (books.bookings ? html`<p class="hint">${t("books.count", { documents: books.documents, bookings: books.bookings })}</p><${Balances} books=${books} />` : html`<${Nothing} icon="file-text" title=${t("books.nothing")} hint=${t("books.nothing.hint")} />`)}
      ${books?.unheard.length > 0 && html`<p class="refusal warn" role="status">${t("books.unheard", { tills: books.unheard.map((/** @type {any} */ one) => one.name).join(", ") })}</p>`}
      ${lacking.length > 0 && html`<p class="refusal warn" role="status">${t("books.missing", { roles: lacking.map(nameOf).join(", ") })}</p>`}
      ${books?.bookings > 0 && !lacking.length && !load.problem && html`<a class="btn primary" href=${`/api/v1/accounting/file?from=${from}&to=${to}&format=${form}`} download><${Icon} name="download" />${t("books.get")}</a>`}</section></div>
    <div class="stack">${books && html`<${Numbers} books=${books} saved=${() => setTurn(turn + 1)} />`}</div></div>`;
}
