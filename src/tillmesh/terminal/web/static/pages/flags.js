// Unusual: what the till's score found, why, and what a manager says about it. Nobody is accused, nothing is undone.
import { html } from "../lib/ui.js";
import { dayClock, t, tOr } from "../lib/i18n.js";
import { money } from "../lib/money.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { call } from "../state/session.js";
import { openDialog, toastOk, toastProblem } from "../state/notices.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { ReasonDialog } from "../parts/reasondialog.js";
import { Head } from "../parts/top.js";

/** @type {Record<string, string>} */
const ICONS = { sale: "receipt-text", refund: "undo-2", void: "x", drawer: "wallet" };

/** Shares are said in per cent, times and counts as they are. @param {any} reason */
function because({ code, value }) {
  const percent = `${Math.round(value * 100)} %`;
  const minutes = Math.max(1, Math.round(Math.exp(value) - 1));
  return tOr(`flag.why.${code}`, "") && t(`flag.why.${code}`, { percent, n: minutes, x: Math.max(1, Math.round(Math.exp(Math.abs(value)))) });
}

/** @param {any} one */
const titleOf = (one) => t(`flag.kind.${one.kind}`, { total: money(one.total_minor), receipt: one.receipt_number });

/** @param {{one: any}} props */
const Why = ({ one }) =>
  html`<ul class="why">${one.reasons.map(because).filter(Boolean).map((/** @type {string} */ text) => html`<li key=${text} class="against"><${Icon} name="plus" size="sm" /><span>${text}</span></li>`)}</ul>`;

/** @param {{one: any, after: () => void}} props */
function Flag({ one, after }) {
  const say = async (/** @type {string} */ verdict, reason = "") => {
    try {
      await call("POST", `/ai/fraud/flags/${encodeURIComponent(one.flag_id)}/review`, { verdict, reason });
      toastOk(`flag.done.${verdict}`);
    } catch (error) {
      toastProblem(error);
    }
    after();
  };
  const followUp = async () => {
    const reason = await openDialog(ReasonDialog, { title: t("flag.follow_up"), note: titleOf(one), kind: "flag", label: t("flag.follow_up") });
    if (reason) await say("follow_up", reason);
  };
  return html`<article class="card oversell" aria-label=${titleOf(one)}>
    <header class="oversell-head"><span class=${`row-icon ${one.level === "high" ? "bad" : "warn"}`}><${Icon} name=${ICONS[one.kind] ?? "info"} /></span>
      <div><h2>${titleOf(one)}</h2><small>${[one.person.name, one.terminal.name, dayClock(one.at), one.detail].filter(Boolean).join(" · ")}</small></div><span class="spacer" />
      <span class=${`pill ${one.level === "high" ? "bad" : "warn"}`}>${t(`flag.level.${one.level}`)}</span></header>
    <${Why} one=${one} />
    <footer class="oversell-head">${one.sale_id && html`<a class="btn" href=${`#/sales/${one.sale_id}`}><${Icon} name="receipt-text" />${t("flag.open")}</a>`}
      <span class="spacer" /><button class="btn" onClick=${followUp}>${t("flag.follow_up")}</button><button class="btn primary" onClick=${() => void say("fine")}>${t("flag.fine")}</button></footer>
  </article>`;
}

/** @param {{one: any}} props */
const Reviewed = ({ one }) =>
  html`<li><span class=${`row-icon ${one.review.verdict === "fine" ? "ok" : "warn"}`}><${Icon} name=${one.review.verdict === "fine" ? "check" : "circle-alert"} /></span>
    <span><b>${titleOf(one)} <span class="soft">${one.person.name}</span></b><small>${[t(`flag.was.${one.review.verdict}`), t("audit.by", { by: one.review.by.name }), one.review.reason].filter(Boolean).join(" · ")}</small></span><small class="num">${dayClock(one.at)}</small></li>`;

export function FlagsPage() {
  const load = useLoad("/ai/fraud/flags");
  useKeys({ Escape: () => go("sell") });
  /** @type {any[]} */
  const all = load.data?.flags ?? [];
  const open = all.filter((one) => !one.review);
  const done = all.filter((one) => one.review);
  return html`<${Head} title=${t("nav.flags")} sub=${t("flag.sub")} /><${Loading} load=${load} />
    ${load.data && open.length === 0 && html`<section class="card"><${Nothing} icon="circle-check" title=${t("flag.none")} hint=${t("flag.none.hint")} /></section>`}
    ${open.map((one) => html`<${Flag} key=${one.flag_id} one=${one} after=${load.reload} />`)}
    ${done.length > 0 && html`<section class="card"><h2>${t("flag.reviewed")}</h2><ul class="timeline">${done.map((one) => html`<${Reviewed} key=${one.flag_id} one=${one} />`)}</ul></section>`}`;
}
