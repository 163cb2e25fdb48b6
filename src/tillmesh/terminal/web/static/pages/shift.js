// Shift and cash: open with a counted float, move cash, close by a blind count.
import { html, useState } from "../lib/ui.js";
import { clock, dayClock, t } from "../lib/i18n.js";
import { currencyExponent, money, parseMoney } from "../lib/money.js";
import { asProblem } from "../lib/http.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { call, may, shift } from "../state/session.js";
import { shiftNews } from "../state/live.js";
import { openDialog, toastOk, toastProblem } from "../state/notices.js";
import { Dialog } from "../parts/dialog.js";
import { Refusal } from "../parts/fields.js";
import { Reasons } from "../parts/reasons.js";
import { Icon } from "../parts/icon.js";
import { FormDialog } from "../parts/formdialog.js";
import { NumberField } from "../parts/linedialogs.js";
import { Nothing, Loading, useLoad } from "../parts/load.js";
import { CountFields } from "../parts/count.js";
import { ReasonDialog } from "../parts/reasondialog.js";
import { ReportCard } from "../parts/reportcard.js";
import { Head } from "../parts/top.js";
import { Figure } from "../parts/figure.js";

/** @typedef {import("../lib/http.js").Problem} Problem */

/** @param {{onOpened: () => void}} props */
function OpenShift({ onOpened }) {
  const [float, setFloat] = useState(/** @type {number | null} */ (null));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const open = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (float === null) return;
    try {
      shift.value = await call("POST", "/shifts/open", { float_minor: float });
      toastOk("shift.opened");
      onOpened();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<form class="card form narrow" onSubmit=${open}><h2><${Icon} name="wallet" />${t("shift.open.title")}</h2><p class="hint">${t("shift.open.note")}</p>
    <${Refusal} problem=${problem} /><${CountFields} onChange=${setFloat} label=${t("shift.float")} />
    <button class="btn primary tall" disabled=${float === null}>${t("shift.open")}</button></form>`;
}

/** @param {{out: boolean, close: (done?: boolean) => void}} props */
function CashDialog({ out, close }) {
  const [text, setText] = useState("");
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const amount = parseMoney(text || "-");
  const submit = async () => {
    try {
      await call("POST", "/shifts/cash", { amount_minor: out ? -(amount ?? 0) : amount, reason: reason.trim() });
      close(true);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${t(out ? "cash.out" : "cash.in")} note=${t(out ? "cash.out.note" : "cash.in.note")} close=${() => close()} ok=${amount !== null && amount > 0 && Boolean(reason.trim())} submit=${submit}>
    <${Refusal} problem=${problem} /><${NumberField} label=${t("pay.amount")} value=${text} onChange=${setText} third=${currencyExponent() ? "." : ""} /><${Reasons} kind="cash" value=${reason} onChange=${setReason} />
  <//>`;
}

/** @param {{close: (report?: any) => void}} props */
function CloseDialog({ close }) {
  const [counted, setCounted] = useState(/** @type {number | null} */ (null));
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    try {
      close(await call("POST", "/shifts/close", { counted_minor: counted }));
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return html`<${FormDialog} title=${t("shift.close.title")} note=${t("shift.close.note")} wide=${true} close=${() => close()} ok=${counted !== null && !busy} submit=${submit} label=${counted === null ? t("shift.close") : t("shift.close.with", { amount: money(counted) })}>
    <${Refusal} problem=${problem} /><${CountFields} onChange=${setCounted} label=${t("shift.counted")} />
  <//>`;
}

/** @param {{report: any, close: () => void}} props */
const ZDialog = ({ report, close }) => html`<${Dialog} title=${t("shift.closed", { n: report.z_number })} wide=${true} onClose=${close} foot=${html`<button class="btn primary" data-first onClick=${close}>${t("close")}</button>`}><${ReportCard} report=${report} /><//>`;

export function ShiftPage() {
  const none = !shift.value;
  const load = useLoad(none ? "" : "/shifts/current", shiftNews.value);
  const [x, setX] = useState(/** @type {any} */ (null));
  useKeys({ Escape: () => go("sell") });
  const act = (/** @type {Promise<any>} */ dialog, /** @type {string} */ key) => dialog.then((done) => done && (toastOk(key), load.reload()));
  const closeShift = async () => {
    const report = await openDialog(CloseDialog, {});
    if (!report) return;
    shift.value = null;
    load.reload();
    await openDialog(ZDialog, { report });
  };
  const drawer = async () => {
    const reason = await openDialog(ReasonDialog, { title: t("drawer.title"), kind: "drawer", label: t("drawer.open") });
    if (!reason) return;
    call("POST", "/drawer/open", { reason }).then(() => toastOk("drawer.done"), toastProblem);
  };
  const showX = () => call("GET", "/reports/x").then(setX, toastProblem);
  if (none) return html`<${Head} title=${t("nav.shift")} /><${OpenShift} onOpened=${load.reload} />`;
  const now = load.data;
  if (!now) return html`<${Head} title=${t("nav.shift")} /><${Loading} load=${load} />`;
  return html`<${Head} title=${t("nav.shift")} sub=${t("shift.since", { at: dayClock(now.opened_at), by: now.opened_by?.name ?? "" })} />
    <div class="kpis">
      <div class="card"><small>${t("shift.sales")}</small><${Figure} text=${now.sales} /></div>
      <div class="card"><small>${t("shift.float")}</small><${Figure} text=${money(now.float_minor)} /></div>
      ${now.expected_cash_minor !== undefined && html`<div class="card"><small>${t("shift.expected")}</small><${Figure} text=${money(now.expected_cash_minor)} /></div>`}
      ${now.totals && html`<div class="card"><small>${t("report.net")}</small><${Figure} text=${money(now.totals.net_sales_minor)} /></div>`}
    </div>
    <div class="cols even">
      <section class="card section"><h2>${t("shift.cash")}</h2><div class="big-acts">
          <button class="btn tall" onClick=${() => act(openDialog(CashDialog, { out: false }), "cash.done")}><${Icon} name="plus" />${t("cash.in")}</button>
          <button class="btn tall" onClick=${() => act(openDialog(CashDialog, { out: true }), "cash.done")}><${Icon} name="minus" />${t("cash.out")}</button>
          <button class="btn tall" onClick=${drawer}><${Icon} name="vault" />${t("drawer.open")}</button>
          ${may("supervisor") && html`<button class="btn tall" onClick=${showX}><${Icon} name="file-text" />${t("report.x")}</button>`}
          <button class="btn tall primary" onClick=${closeShift}><${Icon} name="lock" />${t("shift.close")}</button></div></section>
      <section class="card"><h2>${t("cash.moves")}</h2>
        ${now.cash_moves.length === 0 ? html`<${Nothing} icon="hand-coins" title=${t("cash.none")} hint=${t("cash.none.hint")} />` : html`<ul class="timeline">${now.cash_moves.map(
          (/** @type {any} */ one, /** @type {number} */ i) => html`<li key=${i}><span class="row-icon"><${Icon} name=${one.amount_minor < 0 ? "minus" : "plus"} /></span><span><b>${one.reason || t("cash.part")}</b><small>${one.by?.name ?? ""}${one.at ? `, ${clock(one.at)}` : ""}</small></span><b class="num">${money(one.amount_minor)}</b></li>`,
        )}</ul>`}</section>
    </div>
    ${x && html`<section class="card"><h2>${t("report.x")}<span class="spacer" /><button class="btn ghost icon" aria-label=${t("close")} onClick=${() => setX(null)}><${Icon} name="x" /></button></h2><${ReportCard} report=${x} /></section>`}`;
}
