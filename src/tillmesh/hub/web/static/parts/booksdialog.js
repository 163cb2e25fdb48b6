// Books of the stores for whoever keeps the accounts: which days, which stores, which form of file.
import { html, useState, valueOf } from "../lib/ui.js";
import { isoDay, t } from "../lib/i18n.js";
import { asProblem, query, toProblem } from "../lib/http.js";
import { Dialog } from "./dialog.js";
import { Refusal, Segments, Toggle } from "./fields.js";
import { Icon } from "./icon.js";

const KEPT_MS = 60_000; // until a browser has surely begun to write the file

/** The month before the one of today. @returns {[string, string]} */
function lastMonth() {
  const end = isoDay(-Number(isoDay().slice(8)));
  return [`${end.slice(0, 8)}01`, end];
}

/** Fetch a file and let the browser keep it; what is refused comes as a problem. @param {string} path @param {string} name */
async function download(path, name) {
  const answer = await fetch(`/api/v1${path}`, { credentials: "same-origin", headers: { "Tillmesh-Language": document.documentElement.lang } });
  if (!answer.ok) throw toProblem(await answer.json(), answer.status);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}

/** @param {{stores: {store: string, name: string}[], close: () => void}} props */
export function BooksDialog({ stores, close }) {
  const [[from, to], setDays] = useState(lastMonth);
  const [form, setForm] = useState("plain");
  const [chosen, setChosen] = useState(new Set(stores.map((one) => one.store)));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const choose = (/** @type {string} */ store) => {
    const next = new Set(chosen);
    if (!next.delete(store)) next.add(store);
    setChosen(next);
  };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await download(`/books${query({ from, to, format: form, stores: [...chosen].join(",") })}`, `books-${from}-${to}.zip`);
    } catch (error) {
      setProblem(asProblem(error));
    }
    setBusy(false);
  };
  const day = (/** @type {string} */ label, /** @type {string} */ value, /** @type {(day: string) => void} */ set) =>
    html`<label class="field"><span>${t(label)}</span><input class="input" type="date" value=${value} max=${isoDay(-1)} onChange=${(/** @type {Event} */ e) => valueOf(e) && set(valueOf(e))} /></label>`;
  return html`<${Dialog} title=${t("books.title")} note=${t("books.hint")} onClose=${close} wide=${true}>
    <form class="form" onSubmit=${submit}>
      <${Refusal} problem=${problem} />
      <div class="two">${day("sales.from", from, (one) => setDays([one, one > to ? one : to]))}${day("sales.to", to, (one) => setDays([from < one ? from : one, one]))}</div>
      <${Segments} label=${t("books.form")} value=${form} options=${["plain", "datev"].map((one) => [one, t(`books.form.${one}`)])} onChange=${setForm} />
      ${stores.length > 1 && html`<h3 class="h3">${t("nav.stores")}</h3><ul class="rows scroll priced">${stores.map((one) => html`<li key=${one.store}><${Toggle} label=${one.name} value=${chosen.has(one.store)} onChange=${() => choose(one.store)} /></li>`)}</ul>`}
      <p class="hint">${t("books.unheard")}</p>
      <div class="dlg-foot"><button type="button" class="btn" onClick=${close}>${t("close")}</button>
        <button type="submit" class="btn primary" disabled=${busy || !chosen.size}>${busy ? html`<span class="spin" />` : html`<${Icon} name="download" />`}${t("books.get")}</button></div>
    </form><//>`;
}
