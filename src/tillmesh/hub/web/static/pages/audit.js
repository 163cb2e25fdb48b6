// The audit log of head office: who did what, the newest first, older entries on demand.
import { html, useEffect, useRef, useState, valueOf } from "../lib/ui.js";
import { dayClock, t, tOr } from "../lib/i18n.js";
import { asProblem, asking, query } from "../lib/http.js";
import { Refusal } from "../parts/fields.js";
import { Icon } from "../parts/icon.js";
import { Nothing } from "../parts/load.js";
import { Head } from "../parts/shell.js";

const PAGE = 60;
const TYPING_MS = 150;
/** @type {[RegExp, string][]} */
const ICONS = [[/product|price/, "tag"], [/promotion/, "percent"], [/group/, "boxes"], [/person/, "circle-user-round"], [/key|enrolled/, "key-round"]];

/** @param {string} action */
const iconOf = (action) => ICONS.find(([words]) => words.test(action))?.[1] ?? "shield-check";

/** Name stores beside their numbers. @param {string} text @param {any} one an entry @param {Record<string, string>} stores */
const named = (text, one, stores) =>
  one.action.startsWith("person_") ? text : text.replace(/[\w-]+/g, (word) => (Object.hasOwn(stores, word) && stores[word] !== word ? `${stores[word]} (${word})` : word));

export function AuditPage() {
  const [text, setText] = useState("");
  const [entries, setEntries] = useState(/** @type {any[] | null} */ (null));
  const [stores, setStores] = useState(/** @type {Record<string, string>} */ ({}));
  const [before, setBefore] = useState(/** @type {number | null} */ (null));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const turn = useRef(0);
  const load = async (/** @type {number | null} */ from) => {
    turn.current += 1;
    const mine = turn.current;
    try {
      const answer = await asking.get(`/audit${query({ q: text.trim(), limit: PAGE, before: from })}`);
      if (mine !== turn.current) return;
      setEntries((now) => (from ? [...(now ?? []), ...answer.audit] : answer.audit));
      setStores((now) => ({ ...now, ...answer.stores }));
      setBefore(answer.before);
      setProblem(null);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  useEffect(() => {
    const timer = setTimeout(() => void load(null), text ? TYPING_MS : 0);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<${Head} title=${t("nav.audit")} sub=${t("audit.sub")} />
    <section class="card"><div class="list-tools bare"><label class="search"><${Icon} name="search" /><span class="sr">${t("audit.search")}</span><input autocomplete="off" placeholder=${t("audit.search")} onInput=${(/** @type {Event} */ e) => setText(valueOf(e))} /></label></div>
      <${Refusal} problem=${problem} />${problem && html`<button class="btn" onClick=${() => void load(null)}><${Icon} name="refresh-cw" />${t("again")}</button>`}
      ${entries === null && !problem ? html`<div class="waiting" role="status"><span class="spin" /><span>${t("loading")}</span></div>` : ""}
      ${entries?.length === 0 && html`<${Nothing} icon="shield-check" title=${t("audit.none")} />`}
      <ul class="timeline">${(entries ?? []).map((one) => html`<li key=${one.id}><span class="row-icon"><${Icon} name=${iconOf(one.action)} /></span>
        <span><b>${tOr(`audit.${one.action}`, one.action.replace(/_/g, " "))} <span class="soft">${named(one.subject, one, stores)}</span></b><small>${[named(one.detail, one, stores), t("audit.by", { by: one.by })].filter(Boolean).join(" · ")}</small></span><small class="num">${dayClock(one.at)}</small></li>`)}</ul>
      ${before !== null && html`<button class="btn wide" onClick=${() => void load(before)}>${t("audit.more")}</button>`}
    </section>`;
}
