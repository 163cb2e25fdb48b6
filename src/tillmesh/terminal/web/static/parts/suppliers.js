// Suppliers: who delivers, how soon, and what they call our goods.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { call, may } from "../state/session.js";
import { openDialog, toastOk } from "../state/notices.js";
import { Field, Refusal, Toggle } from "./fields.js";
import { FormDialog } from "./formdialog.js";
import { Icon } from "./icon.js";
import { Loading, useLoad } from "./load.js";

const FIELDS = ["name", "contact", "email", "phone"];

/** @param {string} text @returns {Record<string, string>} */
const articlesOf = (text) => Object.fromEntries(text.split("\n").map((line) => line.split("=").map((part) => part.trim())).filter(([sku, number]) => sku && number));

/** @param {{one: any, close: (done?: any) => void}} props */
function SupplierForm({ one, close }) {
  const [held, setHeld] = useState(/** @type {Record<string, string>} */ (Object.fromEntries(FIELDS.map((name) => [name, one?.[name] ?? ""]))));
  const [days, setDays] = useState(one?.lead_days ? String(one.lead_days) : "");
  const [articles, setArticles] = useState(Object.entries(one?.articles ?? {}).map(([sku, number]) => `${sku} = ${number}`).join("\n"));
  const [active, setActive] = useState(one?.active ?? true);
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const submit = async () => {
    const body = { ...held, lead_days: Number(days) || 0, articles: articlesOf(articles), active };
    try {
      close(await call(one ? "PATCH" : "POST", one ? `/suppliers/${encodeURIComponent(one.supplier_id)}` : "/suppliers", body));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${one?.name ?? t("supplier.new")} wide=${true} close=${() => close()} ok=${Boolean(held.name.trim()) && /^\d{0,3}$/.test(days)} submit=${submit} label=${t("save")}>
    <${Refusal} problem=${problem} />
    <div class="two">${FIELDS.map((name, at) => html`<${Field} key=${name} label=${t(`supplier.${name}`)} auto=${at === 0} value=${held[name]} onChange=${(/** @type {string} */ v) => setHeld({ ...held, [name]: v })} />`)}
      <${Field} label=${t("supplier.lead")} mode="numeric" max=${3} value=${days} onChange=${setDays} /></div>
    <div class="field"><label for="their-numbers">${t("supplier.articles")}</label><textarea id="their-numbers" rows="5" value=${articles} onInput=${(/** @type {Event} */ e) => setArticles(/** @type {HTMLTextAreaElement} */ (e.currentTarget).value)} /><small>${t("supplier.articles.hint")}</small></div>
    ${one && html`<${Toggle} label=${t("supplier.active")} value=${active} onChange=${setActive} />`}
  <//>`;
}

export function Suppliers() {
  const [turn, setTurn] = useState(0);
  const load = useLoad("/suppliers", turn);
  const edit = async (/** @type {any} */ one) => {
    if (!may("manager") || !(await openDialog(SupplierForm, { one }))) return;
    toastOk("saved");
    setTurn((now) => now + 1);
  };
  const found = load.data?.suppliers ?? [];
  return html`<section class="card section"><h2>${t("supplier.title")}</h2><${Loading} load=${load} />${load.data && !found.length && html`<p class="hint">${t("supplier.none")}</p>`}
    <ul class="rows">${found.map((/** @type {any} */ one) => html`<li key=${one.supplier_id}><button class="row-main" onClick=${() => edit(one)}><span><b>${one.name}</b><small>${[one.contact, one.phone, one.lead_days ? t("supplier.days", { n: one.lead_days }) : ""].filter(Boolean).join(" · ")}</small></span></button></li>`)}</ul>
    ${may("manager") && html`<button class="btn" onClick=${() => edit(null)}><${Icon} name="plus" />${t("supplier.new")}</button>`}</section>`;
}
