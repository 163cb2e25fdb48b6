// One model from near by: its versions, how sure it is, which tills run what, and who is to run what next.
import { html } from "../lib/ui.js";
import { dayClock, number, percent, t } from "../lib/i18n.js";
import { currentOf, doesOf, ofAll, nameOf, rateOf, stageOf } from "../lib/models.js";
import { call, may } from "../state/session.js";
import { openDialog, toastOk, toastProblem } from "../state/notices.js";
import { tick } from "../state/tick.js";
import { BarChart, TableOf } from "../parts/charts.js";
import { Confirm } from "../parts/dialog.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { BackForm, WidenForm } from "../parts/modelforms.js";
import { Head } from "../parts/shell.js";

const EVERY = 4;
const [WATCH, DRIFT] = [0.1, 0.25]; // as fleet/drift.py has it

/** @param {{data: any}} props */
const Versions = ({ data }) =>
  html`<div class="scroll-x"><table class="store-tills"><caption class="sr">${t("models.versions")}</caption>
    <thead><tr><th scope="col">${t("models.which")}</th><th scope="col">${t("models.how")}</th><th scope="col" class="r">${t("models.tills")}</th><th scope="col" class="r">${t("models.corrections")}</th><th scope="col" class="r">${t("models.fallbacks")}</th></tr></thead>
    <tbody>${data.versions.map((/** @type {import("../lib/models.js").Version} */ one) => {
      const does = doesOf(one);
      const mark = one.version === data.challenger ? t("models.istried") : one.version === ofAll(data) ? t("models.isall") : "";
      return html`<tr key=${one.version}><th scope="row">${t("models.version", { n: one.version })}${mark && html` <span class="pill sm info">${mark}</span>`}<br /><small>${one.at ? t("models.published", { at: dayClock(one.at), by: one.by ?? "" }) : one.version === data.shipped ? t("models.shipped") : t("models.unknown")}</small></th>
        <td><span class=${`pill sm ${does.tone}`}><${Icon} name=${does.icon} size="sm" />${does.text}</span></td>
        <td class="r"><b>${number(one.tills)}</b></td><td class="r">${rateOf(one.now.corrections)}</td><td class="r">${rateOf(one.now.fallbacks)}</td></tr>`;
    })}</tbody></table></div>`;

/** @param {number[]} counts */
function parts(counts) {
  const all = counts.reduce((sum, one) => sum + one, 0);
  return counts.map((one) => (all ? (100 * one) / all : 0));
}

/** @param {{data: any}} props */
function Confidences({ data }) {
  const version = currentOf(data);
  const found = version && data.confidences[version.version];
  if (!version || !found || !version.now.answers) return html`<${Nothing} icon="chart-column" title=${t("models.noanswers")} hint=${t("models.noanswers.hint")} />`;
  const [now, first] = [parts(found.now), parts(found.first)];
  const label = (/** @type {number} */ i) => percent(i / now.length);
  const share = (/** @type {number} */ n) => percent(Math.round(n) / 100);
  return html`<${BarChart} label=${t("models.confidences")} format=${share} every=${EVERY} bars=${now.map((value, i) => ({ label: label(i), value, other: first[i], title: t("models.bar", { from: label(i), to: label(i + 1), now: share(value), first: share(first[i]) }) }))} />
    <p class="legend"><span><i class="dot now" />${t("models.now", { n: number(version.now.answers) })}</span><span><i class="dot before" />${t("models.first", { n: number(version.first.answers) })}</span></p>
    <p class="hint">${version.psi === null ? t("models.psi.none") : t("models.psi", { n: number(version.psi, 2), look: number(WATCH, 2), other: number(DRIFT, 2) })}</p>
    <${TableOf} caption=${t("models.confidences")} head=${[t("models.confidence"), t("models.col.now"), t("models.col.first")]} rows=${now.map((value, i) => [label(i), share(value), share(first[i])])} />`;
}

/** @param {{data: any}} props */
const Tills = ({ data }) => {
  if (!data.tills.length) return html`<${Nothing} icon="store" title=${t("models.notills")} hint=${t("models.notills.hint")} />`;
  return html`<ul class="rows scroll priced">${data.tills.map((/** @type {import("../lib/models.js").Till} */ one) => html`<li key=${`${one.store} ${one.terminal}`}><span><b>${one.name}</b> <small>${one.terminal}</small></span><span class="spacer" /><small>${dayClock(one.heard)}</small><span class=${`pill sm ${one.version === data.challenger ? "info" : ""}`}>${t("models.version", { n: one.version })}</span></li>`)}</ul>
    ${data.tills_left_out > 0 && html`<p class="hint">${t("models.moretills", { n: data.tills_left_out })}</p>`}`;
};

/** @param {{data: any, load: any}} props */
function Actions({ data, load }) {
  const places = useLoad("/groups");
  const kept = data.versions.filter((/** @type {any} */ one) => one.registered).map((/** @type {any} */ one) => one.version);
  const next = kept.filter((/** @type {number} */ n) => n > data.champion || (n === data.champion && data.stage === "rollback"));
  const back = kept.filter((/** @type {number} */ n) => n < (data.challenger || data.champion));
  const ask = async (/** @type {any} */ form, /** @type {any} */ more, /** @type {string} */ said) => {
    if (!(await openDialog(form, { one: data, ...more }))) return;
    toastOk(said);
    load.reload();
  };
  const halt = async () => {
    if (!(await openDialog(Confirm, { title: t("models.halt.title"), text: t("models.halt.text"), yes: t("models.halt"), danger: true }))) return;
    try {
      await call("POST", `/models/${encodeURIComponent(data.name)}/halt`, {});
      toastOk("models.halted");
    } catch (error) {
      toastProblem(error);
    }
    load.reload();
  };
  return html`${back.length > 0 && html`<button class="btn bad-ink" onClick=${() => void ask(BackForm, { versions: back }, "models.wentback")}><${Icon} name="undo-2" />${t("models.back")}</button>`}
    ${data.challenger > 0 && !data.halted && html`<button class="btn" onClick=${halt}><${Icon} name="pause" />${t("models.halt")}</button>`}
    ${next.length > 0 && html`<button class="btn primary" disabled=${!places.data} onClick=${() => void ask(WidenForm, { versions: next, groups: places.data.groups, stores: places.data.stores }, "models.widened")}><${Icon} name="play" />${data.challenger ? t("models.widen") : t("models.try")}</button>`}`;
}

/** @param {{arg: string}} props */
export function ModelPage({ arg }) {
  const load = useLoad(`/models/${encodeURIComponent(arg)}`, tick.value);
  const data = load.data;
  if (!data) return html`<${Head} title=${nameOf(arg)} back="#/models" /><${Loading} load=${load} />`;
  const stage = stageOf(data);
  const now = currentOf(data);
  const does = doesOf(now);
  return html`<${Head} title=${nameOf(data.name)} sub=${t("models.id", { id: data.name })} back="#/models">${may("admin") && html`<${Actions} data=${data} load=${load} />`}<//>
    ${data.halted && html`<div class="refusal" role="alert"><b>${stage.text}</b><span>${t("models.halted.hint")}</span></div>`}
    ${data.retrain_wanted && html`<div class="refusal" role="alert"><b>${does.text}</b><span>${t("models.retrain", { name: data.name })}</span></div>`}
    <div class="kpis">
      <section class="card"><small>${t("models.isall")}</small><b class="kv">${t("models.version", { n: ofAll(data) })}</b><small>${stage.text}</small></section>
      <section class="card"><small>${t("models.istried")}</small><b class="kv">${data.challenger ? t("models.version", { n: data.challenger }) : "–"}</b><small>${data.challenger && data.began ? t("models.since", { at: dayClock(data.began) }) : t("models.nottried")}</small></section>
      <section class="card"><small>${t("models.corrections.of", { n: now?.version ?? 0 })}</small><b class="kv">${rateOf(now?.now.corrections ?? null)}</b><small>${t("models.was", { rate: rateOf(now?.first.corrections ?? null), n: number(now?.now.verdicts ?? 0) })}</small></section>
      <section class="card"><small>${t("models.fallbacks.of", { n: now?.version ?? 0 })}</small><b class="kv">${rateOf(now?.now.fallbacks ?? null)}</b><small>${t("models.of", { rate: rateOf(now?.first.fallbacks ?? null), n: number(now?.now.asked ?? 0) })}</small></section>
    </div>
    <div class="cols"><div class="stack"><section class="card"><h2>${t("models.versions")}</h2><${Versions} data=${data} /></section>
      <section class="card"><h2>${t("models.confidences.of", { n: now?.version ?? 0 })}</h2><${Confidences} data=${data} /></section></div>
      <section class="card"><h2>${t("models.whoruns")}</h2><${Tills} data=${data} /></section></div>`;
}
