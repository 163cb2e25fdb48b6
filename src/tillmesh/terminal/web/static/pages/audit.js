// The audit log: who did what, and who approved it. The newest first, older ones on demand.
import { html, useEffect, useRef, useState, valueOf } from "../lib/ui.js";
import { dayClock, t, tOr } from "../lib/i18n.js";
import { money } from "../lib/money.js";
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

/** Amounts of cash come as minor units. @param {any} one */
function inMoney(one) {
  const words = (/** @type {string} */ text) => text.replace(/[+-]?\d+$/, (minor) => money(Number(minor)));
  if (one.action === "cash_in" || one.action === "cash_out") return { ...one, subject: words(one.subject) };
  return /^shift_/.test(one.action) ? { ...one, subject: one.action === "shift_opened" ? "" : one.subject, detail: words(one.detail) } : one;
}

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
      <ul class="timeline">${(entries ?? []).map(inMoney).map((one) => html`<li key=${one.id}><span class="row-icon"><${Icon} name=${iconOf(one.action)} /></span>
        <span><b>${tOr(`audit.${one.action}`, one.action.replace(/_/g, " "))} <span class="soft">${one.subject}</span></b><small>${[one.detail, one.by && t("audit.by", { by: one.by }), one.approved_by && t("audit.approved", { by: one.approved_by })].filter(Boolean).join(" · ")}</small></span><small class="num">${dayClock(one.at)}</small></li>`)}</ul>
      ${before && (entries?.length ?? 0) >= PAGE && html`<button class="btn wide" onClick=${() => load(before)}>${t("audit.more")}</button>`}
    </section>`;
}
