// Closes of days, months and years of this till, the signature device, and the journal for an auditor.
import { html, useState, valueOf } from "../lib/ui.js";
import { dayClock, isoDay, t } from "../lib/i18n.js";
import { money } from "../lib/money.js";
import { call, may } from "../state/session.js";
import { toastOk, toastProblem } from "../state/notices.js";
import { Choice, Segments, Toggle } from "./fields.js";
import { Icon } from "./icon.js";
import { Loading, Nothing, useLoad } from "./load.js";

const KINDS = ["day", "month", "year"];

/** @param {{kind: string}} props */
function Periods({ kind }) {
  const load = useLoad(`/fiscal/periods?kind=${kind}`);
  /** @type {any[]} */
  const rows = load.data?.periods ?? [];
  return html`<${Loading} load=${load} />${load.data && !rows.length && html`<${Nothing} icon="file-text" title=${t("fiscal.none")} hint=${t("fiscal.none.hint")} />`}
    ${rows.length > 0 && html`<div class="scroll-x"><table><thead><tr><th>${t("fiscal.number")}</th><th>${t("fiscal.period")}</th><th class="r">${t("report.sales")}</th><th class="r">${t("report.net")}</th><th class="r hide-s">${t("report.tax")}</th><th class="r">${t("fiscal.perpetual")}</th><th class="hide-s">${t("fiscal.closed")}</th></tr></thead>
      <tbody>${rows.map((one) => html`<tr key=${one.number}><td>${one.number}</td><td>${one.period}</td><td class="r">${one.totals.sales}</td><td class="r"><b>${money(one.totals.sales_minor - one.totals.voids_minor - one.totals.refunds_minor)}</b></td><td class="r hide-s">${money(one.totals.tax_minor)}</td><td class="r">${money(one.perpetual_minor)}</td><td class="hide-s">${dayClock(one.closed_at)}</td></tr>`)}</tbody></table></div>`}`;
}

function Journal() {
  const [from, setFrom] = useState(isoDay(-30));
  const [to, setTo] = useState(isoDay());
  return html`<section class="card section"><h2>${t("fiscal.journal")}</h2><p class="hint">${t("fiscal.journal.hint")}</p>
    <div class="two"><label class="field"><span>${t("report.from")}</span><input class="input" type="date" value=${from} max=${to} onChange=${(/** @type {Event} */ e) => valueOf(e) && setFrom(valueOf(e))} /></label>
      <label class="field"><span>${t("report.to")}</span><input class="input" type="date" value=${to} min=${from} max=${isoDay()} onChange=${(/** @type {Event} */ e) => valueOf(e) && setTo(valueOf(e))} /></label></div>
    <a class="btn primary" href=${`/api/v1/fiscal/journal?from=${from}&to=${to}`} download><${Icon} name="download" />${t("fiscal.journal.get")}</a></section>`;
}

/** How this store and till keep their books; managers change it. */
function Rules() {
  const [turn, setTurn] = useState(0);
  const load = useLoad("/settings", turn);
  const device = useLoad("/fiscal/device", turn);
  const save = (/** @type {any} */ body) => call("PATCH", "/settings", body).then(() => {
    toastOk("saved");
    setTurn(turn + 1);
  }, toastProblem);
  const act = (/** @type {boolean} */ out_of_order) => call("POST", "/fiscal/device", { out_of_order }).then(() => setTurn(turn + 1), toastProblem);
  if (!load.data || !device.data) return html`<${Loading} load=${load} />`;
  const { store, terminal } = load.data;
  const out = device.data.out_of_order_since;
  return html`<section class="card section"><h2>${t("fiscal.rules")}</h2><p class="hint">${t("fiscal.uncertified")}</p>
    <${Toggle} label=${t("fiscal.on")} hint=${t("fiscal.on.hint")} value=${store.fiscal_closes} onChange=${(/** @type {boolean} */ fiscal_closes) => save({ store: { fiscal_closes } })} />
    <${Choice} label=${t("fiscal.device")} value=${terminal.signature_device} options=${["none", "simulated"].map((one) => [one, t(`fiscal.device.${one}`)])} onChange=${(/** @type {string} */ signature_device) => save({ terminal: { signature_device } })} />
    ${terminal.signature_device !== "none" && html`<${Toggle} label=${t("fiscal.late")} hint=${t("fiscal.late.hint")} value=${terminal.signature_late} onChange=${(/** @type {boolean} */ signature_late) => save({ terminal: { signature_late } })} />
      <p class=${out ? "refusal warn" : "hint"} role="status">${out ? t("fiscal.out", { since: dayClock(out), n: device.data.unsigned }) : t("fiscal.device.works", { serial: device.data.serial })}</p>
      <button class="btn" onClick=${() => act(!out)}>${t(out ? "fiscal.device.mend" : "fiscal.device.break")}</button>`}</section>`;
}

export function Closes() {
  const [kind, setKind] = useState("day");
  return html`<div class="cols"><div class="stack"><section class="card section"><${Segments} label=${t("fiscal.closes")} value=${kind} options=${KINDS.map((one) => [one, t(`fiscal.${one}`)])} onChange=${setKind} /><${Periods} kind=${kind} key=${kind} /></section></div>
    ${may("manager") && html`<div class="stack"><${Rules} /><${Journal} /></div>`}</div>`;
}
