// The audit log: who did what, and who approved it. The newest first, older ones on demand.
import { html, useEffect, useRef, useState, valueOf } from "../lib/ui.js";
import { dayClock, number, percent, t, tOr } from "../lib/i18n.js";
import { money, quantity, quantityText } from "../lib/money.js";
import { asProblem, query } from "../lib/http.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { get } from "../state/session.js";
import { Refusal } from "../parts/fields.js";
import { Icon } from "../parts/icon.js";
import { Nothing } from "../parts/load.js";
import { Head } from "../parts/top.js";

const PAGE = 60;
/** @type {[RegExp, string][]} */
const ICONS = [[/oversell/, "package-open"], [/refund|return/, "undo-2"], [/void/, "x"], [/discount|approval/, "percent"], [/price|product/, "tag"], [/cash|drawer/, "wallet"], [/shift/, "clock"], [/stock/, "boxes"], [/people|pin|sign/, "key-round"], [/setting/, "settings"], [/import/, "upload"], [/print/, "printer"]];

/** How a value is written, by the end of its name. @type {[RegExp, (value: any) => string][]} */
const WRITTEN = [
  [/_minor$/, money], [/_milli$/, (milli) => quantity(quantityText(milli))], [/^(quantity|correction)$/, quantity], [/_ppm$/, (ppm) => percent(ppm / 1e6)],
  [/_ms$/, (ms) => (ms ? dayClock(new Date(ms).toISOString()) : "")], [/_minute$/, (of) => `${Math.floor(of / 60)}:${String(of % 60).padStart(2, "0")}`],
  [/^(n|seen)$/, number], [/^(answer|action|verdict)$/, (code) => tOr(`audit.value.${code}`, code)],
  [/^role$/, (code) => tOr(`role.${code}`, code)], [/^unit$/, (code) => tOr(`unit.${code}`, code)],
  [/^printer_kind$/, (code) => tOr(`settings.printer.${code}`, code)],
];

/** @param {string} name @param {any} value @returns {string} */
function written(name, value) {
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (Array.isArray(value)) return value.join(", ");
  if (value === null || value === "") return "–";
  const write = WRITTEN.find(([ends]) => ends.test(name))?.[1];
  return write ? write(value) : String(value);
}

/** Say what happened, from codes and values. @param {any} one */
function sayWord({ word, ...values }) {
  if (word === "field") {
    const label = tOr(`audit.field.${values.name}`, values.name.replace(/_/g, " "));
    return values.value === undefined ? label : `${label}: ${written(values.name, values.value)}`;
  }
  // Points are counted, all other purses hold money.
  const named = word === "purse" && values.purse !== "points" ? { purse: values.purse, amount_minor: values.amount } : values;
  const shown = Object.fromEntries(Object.entries(named).map(([name, value]) => [name.replace("_minor", ""), written(name, value)]));
  if (word === "purse") return t(`audit.purse.${values.purse}`, shown);
  return t(`audit.word.${word}`, { ...shown, ...(typeof values.n === "number" ? { n: values.n } : {}) });
}

/** @param {any} one */
const subjectOf = (one) => (one.action === "settings_changed" && one.subject === "store" ? t("settings.store") : one.subject);

/** @param {any} one @returns {string} */
const storyOf = (one) => [...one.words.map(sayWord), one.detail, one.reason, one.by && one.by !== "system" && t("audit.by", { by: one.by }), one.approved_by && t("audit.approved", { by: one.approved_by })].filter(Boolean).join(" · ");

/** @param {string} action */
const iconOf = (action) => ICONS.find(([words]) => words.test(action))?.[1] ?? "shield-check";

export function AuditPage() {
  const [text, setText] = useState("");
  const [entries, setEntries] = useState(/** @type {any[] | null} */ (null));
  const [before, setBefore] = useState(/** @type {string | null} */ (null));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const turn = useRef(0);
  useKeys({ Escape: () => go("sell") });
  const load = async (/** @type {string | null} */ from) => {
    turn.current += 1;
    const mine = turn.current;
    try {
      const answer = await get(`/audit${query({ q: text.trim(), limit: PAGE, before: from })}`);
      if (mine !== turn.current) return;
      setEntries((now) => (from ? [...(now ?? []), ...answer.entries] : answer.entries));
      setBefore(answer.entries.length ? answer.before : null);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  useEffect(() => {
    const timer = setTimeout(() => void load(null), text ? 150 : 0);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<${Head} title=${t("nav.audit")} sub=${t("audit.sub")} />
    <section class="card"><div class="list-tools bare"><label class="search"><${Icon} name="search" /><span class="sr">${t("audit.search")}</span><input autocomplete="off" placeholder=${t("audit.search")} onInput=${(/** @type {Event} */ e) => setText(valueOf(e))} /></label></div>
      <${Refusal} problem=${problem} />
      ${entries === null && !problem ? html`<div class="waiting"><span class="spin" /></div>` : ""}
      ${entries?.length === 0 && html`<${Nothing} icon="shield-check" title=${t("audit.none")} />`}
      <ul class="timeline">${(entries ?? []).map((one) => html`<li key=${one.id}><span class="row-icon"><${Icon} name=${iconOf(one.action)} /></span>
        <span><b>${tOr(`audit.${one.action}`, one.action.replace(/_/g, " "))} <span class="soft">${subjectOf(one)}</span></b><small>${storyOf(one)}</small></span><small class="num">${dayClock(one.at)}</small></li>`)}</ul>
      ${before && (entries?.length ?? 0) >= PAGE && html`<button class="btn wide" onClick=${() => load(before)}>${t("audit.more")}</button>`}
    </section>`;
}
