// A CSV file is tried first: what would change and which lines are wrong, by number. Only then it is taken.
import { html, useState } from "../lib/ui.js";
import { number, t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { call } from "../state/session.js";
import { loadCatalogue } from "../state/catalogue.js";
import { toastOk } from "../state/notices.js";
import { Dialog } from "./dialog.js";
import { Refusal } from "./fields.js";
import { Icon } from "./icon.js";

const SHOWN_MAX = 100;
const IMPORT_MS = 300_000;

/** @param {{report: any}} props */
const Report = ({ report }) =>
  html`<div class="kpis four">${["rows", ...("changed" in report ? ["changed"] : ["created", "updated"]), "unchanged"].map((key) => html`<div key=${key}><small>${t(`import.${key}`)}</small><b class="kv">${number(report[key] ?? 0)}</b></div>`)}</div>
    ${report.errors?.length > 0 && html`<div class="refusal"><b>${t("import.errors", { n: report.error_count ?? report.errors.length })}</b></div>
      <div class="scroll-x scroll-y"><table><thead><tr><th>${t("import.line")}</th><th>${t("import.column")}</th><th>${t("import.value")}</th><th>${t("import.message")}</th></tr></thead>
        <tbody>${report.errors.slice(0, SHOWN_MAX).map((/** @type {any} */ one, /** @type {number} */ i) => html`<tr key=${i}><td class="num">${one.line}</td><td>${one.column}</td><td class="clip">${one.value}</td><td>${one.message}</td></tr>`)}</tbody></table></div>`}`;

/** What changes in a trial's answer. @param {any} report */
const changesOf = (report) => report?.changed ?? (report?.created ?? 0) + (report?.updated ?? 0);

/** @param {{what?: string, close: () => void}} props */
export function ImportDialog({ what = "products", close }) {
  const goods = what === "products";
  const [text, setText] = useState("");
  const [name, setName] = useState("");
  const [report, setReport] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const run = async (/** @type {string} */ csv, /** @type {boolean} */ dry) => {
    setBusy(true);
    setProblem(null);
    try {
      const answer = await call("POST", `/${what}/import${dry ? "?dry_run=1" : ""}`, csv, { type: "text/csv", timeout: IMPORT_MS });
      setReport(answer);
      if (!dry) {
        toastOk(goods ? "import.done" : "import.done.offers", { n: changesOf(answer) });
        if (goods) void loadCatalogue().catch(() => {});
        close();
      }
    } catch (error) {
      setProblem(asProblem(error));
    }
    setBusy(false);
  };
  const take = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    const csv = await file.text();
    setName(file.name);
    setText(csv);
    await run(csv, true);
  };
  const changes = changesOf(report);
  const wrong = report?.errors?.length > 0;
  return html`<${Dialog} title=${t(goods ? "import.title" : `import.title.${what}`)} note=${t("import.note")} wide=${true} onClose=${close}
      foot=${html`<button class="btn" onClick=${close}>${t("cancel")}</button><button class="btn primary" disabled=${busy || !report || wrong || changes === 0} onClick=${() => run(text, false)}>${busy && html`<span class="spin" />`}${report && !wrong ? t("import.take", { n: changes }) : t("import")}</button>`}>
    <label class="drop" onDragOver=${(/** @type {DragEvent} */ e) => e.preventDefault()} onDrop=${(/** @type {DragEvent} */ e) => { e.preventDefault(); void take(e.dataTransfer?.files[0]); }}>
      <${Icon} name="upload" size="xl" /><b>${name || t("import.choose")}</b><span class="hint">${t(goods ? "import.columns" : `import.columns.${what}`)}</span>
      <input class="sr" type="file" accept=".csv,text/csv" data-first onChange=${(/** @type {Event} */ e) => void take(/** @type {HTMLInputElement} */ (e.currentTarget).files?.[0])} /></label>
    <${Refusal} problem=${problem} />${busy && html`<div class="waiting small"><span class="spin" />${t("import.reading")}</div>`}${report && !busy && html`<${Report} report=${report} />`}
  <//>`;
}
