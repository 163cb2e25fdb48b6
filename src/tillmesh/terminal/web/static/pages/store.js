// The store as it is: who leads, which tills hear each other, and what waits where.
import { html, useEffect } from "../lib/ui.js";
import { number, t } from "../lib/i18n.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { openDialog, toastProblem } from "../state/notices.js";
import { call, isAlone, may, store, sync } from "../state/session.js";
import { Confirm, Dialog } from "../parts/dialog.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { Mesh } from "../parts/mesh.js";
import { Head } from "../parts/top.js";

const AGAIN_MS = 5000;
const STORE = ["pending", "sent_to_leader", "acked_by_leader"];
const HUB = ["sent_to_hub", "complete"];

/** @typedef {import("../parts/mesh.js").Till} Till */

/** @param {number | null} ms */
function ago(ms) {
  if (ms === null) return t("store.heard.never");
  const seconds = Math.round(ms / 1000);
  if (seconds < 100) return t("store.heard.s", { n: seconds });
  return seconds < 6000 ? t("store.heard.min", { n: Math.round(seconds / 60) }) : t("store.heard.h", { n: Math.round(seconds / 3600) });
}

/** How far behind a till is, in words. @param {Till} till */
const lag = (till) => (till.me ? "" : till.lacks ? t("store.behind", { n: till.lacks }) : t(till.lacks === 0 ? "store.all" : "store.unknown"));

/** @param {{code: string, close: () => void}} props */
const Code = ({ code, close }) => html`<${Dialog} title=${t("store.add")} note=${t("store.code")} onClose=${close}><output class="step-big">${code}</output><//>`;

async function addTill() {
  try {
    await openDialog(Code, await call("POST", "/store/pairing"));
    await call("DELETE", "/store/pairing");
  } catch (error) {
    toastProblem(error);
  }
}

/** @param {Till} till */
async function removeTill({ name, terminal_id }) {
  if (!(await openDialog(Confirm, { title: t("store.remove.title", { name }), text: t("store.remove.text"), yes: t("store.remove"), danger: true }))) return;
  await call("POST", "/store/revoke", { terminal_id }).catch(toastProblem);
}

/** @param {{tone: string, icon: string, title: string, text: string, children?: any}} props */
const Note = ({ tone, icon, title, text, children }) =>
  html`<li><span class=${`row-icon ${tone}`}><${Icon} name=${icon} /></span><span><b>${title}</b><small>${text}</small></span>${children}</li>`;

/** What a shop owner wants to know first. @param {{data: any, away: Till[]}} props */
const Notes = ({ data, away }) =>
  html`<div role="status"><ul class="timeline">
    ${!data.has_quorum && html`<${Note} tone="bad" icon="lock" title=${t("store.minority.title")} text=${t("store.minority")} />`}
    ${away.map((till) => html`<${Note} key=${till.terminal_id} tone="warn" icon="wifi-off" title=${t("store.away.title", { name: till.name })} text=${`${t("store.away")} ${ago(till.silent_ms)}`}>${may("manager") && html`<button class="btn" onClick=${() => removeTill(till)}>${t("store.remove")}</button>`}<//>`)}
    ${data.sync.unreplicated > 0 && html`<${Note} tone="warn" icon="cloud-off" title=${t("store.waiting.title", { n: data.sync.unreplicated })} text=${t("store.waiting")} />`}
    ${data.has_quorum && !away.length && html`<${Note} tone="ok" icon="circle-check" title=${t("store.fine.title")} text=${t("store.fine")} />`}
  </ul></div>`;

/** @param {{tills: Till[]}} props */
const Table = ({ tills }) =>
  html`<table class="store-tills"><caption class="sr">${t("store.tills")}</caption>
    <thead><tr><th scope="col">${t("store.till")}</th><th scope="col">${t("store.role")}</th><th scope="col" class="hide-s">${t("store.lag")}</th><th scope="col" class="r">${t("store.queue.own")}</th><th scope="col" class="r hide-s">${t("store.heard")}</th></tr></thead>
    <tbody>${tills.map((till) => html`<tr key=${till.terminal_id}><th scope="row">${till.name} <small>${till.me ? t("store.me") : html`<span class=${`only-s ${till.lacks ? "late" : ""}`}>${till.lacks ? lag(till) : ""}</span>`}</small></th>
      <td><span class=${`pill sm ${till.reachable ? (till.leads ? "ok" : "") : "warn"}`}>${till.leads && till.reachable && html`<${Icon} name="crown" size="sm" />`}${t(till.reachable ? `store.state.${till.terminal_state ?? "linked"}` : "store.state.away")}</span></td>
      <td class=${`hide-s ${till.lacks ? "late" : ""}`}>${lag(till)}</td><td class="r">${till.waiting === null || !till.reachable ? "–" : number(till.waiting)}</td><td class="r hide-s">${till.me ? "" : ago(till.reachable ? Math.min(till.silent_ms ?? 0, AGAIN_MS) : till.silent_ms)}</td></tr>`)}</tbody></table>`;

/** Where this till's events are on their way. @param {{now: any}} props */
const Queue = ({ now }) => {
  const states = now.hub_reachable || now.last_hub_sync ? [...STORE, ...HUB] : STORE;
  const all = states.reduce((sum, state) => sum + (now[state] ?? 0), 0);
  return html`<div class="qbar" aria-hidden="true">${states.map((state) => now[state] > 0 && html`<i key=${state} class=${`q-${state}`} style=${{ flexGrow: Math.max(now[state], all / 50) }} />`)}</div>
    <dl class="kvs">${states.map((state) => html`<div key=${state}><dt><i class=${`dot q-${state}`} />${t(`store.queue.${state}`)}</dt><dd>${number(now[state] ?? 0)}</dd></div>`)}</dl>`;
};

export function StorePage() {
  const load = useLoad("/store", sync.value);
  useKeys({ Escape: () => go("sell") });
  useEffect(() => {
    const timer = setInterval(load.reload, AGAIN_MS);
    addEventListener("resize", load.reload);
    return () => {
      clearInterval(timer);
      removeEventListener("resize", load.reload);
    };
  }, []);
  const data = load.data;
  const alone = isAlone(sync.value);
  /** @type {Till[]} */
  const tills = data?.tills ?? [];
  const away = tills.filter((till) => !till.reachable);
  const leader = tills.find((till) => till.leads);
  return html`<${Head} title=${t("nav.store")} sub=${store.value.name ?? ""}>${may("manager") && html`<button class="btn primary" onClick=${addTill}><${Icon} name="plus" />${t("store.add")}</button>`}<//>
    ${!data ? html`<${Loading} load=${load} />` : alone ? html`<${Nothing} icon="monitor" title=${t("pill.alone")} hint=${t("store.alone")} />` : html`
    <div class="store-top"><span class=${`pill ${leader && data.has_quorum ? "ok" : "warn"}`}><${Icon} name="crown" />${leader && data.has_quorum ? t("store.leads", { name: leader.name, term: data.term }) : t("store.nobody")}</span>
      <span class=${`pill ${away.length ? "warn" : "ok"}`}><${Icon} name="users" />${t(data.has_quorum ? "store.agree" : "store.reach", { n: tills.length - away.length, all: tills.length })}</span></div>
    <div class="cols store-cols">
      <section class="card"><h2>${t("store.tills")}</h2>${may("supervisor") && html`<${Mesh} tills=${tills} links=${data.links} />`}<${Table} tills=${tills} /></section>
      <div class="stack"><section class="card"><h2>${t("store.now")}</h2><${Notes} data=${data} away=${away} /></section>
      ${may("supervisor") && html`<section class="card"><h2>${t("store.queue")}</h2><p class="hint">${t("store.queue.note")}</p><${Queue} now=${data.sync} /></section>`}</div>
    </div>`}`;
}
