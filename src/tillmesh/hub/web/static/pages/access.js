// Keys and certificates of stores: issued as a file, renewed by issuing another one, revoked one by one.
import { html, useRef, useState } from "../lib/ui.js";
import { day, isoDay, t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { call } from "../state/session.js";
import { openDialog, toastOk, toastProblem } from "../state/notices.js";
import { Confirm } from "../parts/dialog.js";
import { Field, Refusal } from "../parts/fields.js";
import { FormDialog } from "../parts/formdialog.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { Head } from "../parts/shell.js";

const SOON_DAYS = 30;

/** Bytes that came as base64, as a file in the downloads. @param {string} text */
function save(text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]));
  link.download = "hub.bundle";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @param {Blob | undefined} file */
const base64Of = async (file) => (file ? btoa(String.fromCharCode(...new Uint8Array(await file.arrayBuffer()))) : "");

/** @param {{store: string, close: (done?: boolean) => void}} props */
function IssueForm({ store: start, close }) {
  const [store, setStore] = useState(start);
  const chooser = /** @type {{current: HTMLInputElement | null}} */ (useRef(null)); // its own words would be the browser's
  const [file, setFile] = useState(/** @type {File | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const ok = /^[0-9a-z]{1,64}$/.test(store);
  const submit = async () => {
    try {
      save((await call("POST", `/stores/${store}/credentials`, { authority: await base64Of(file) })).bundle);
      close(true);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${t("access.issue.title")} note=${t("access.issue.note")} close=${() => close()} ok=${ok} submit=${submit} label=${t("access.issue.go")}>
    <${Refusal} problem=${problem} />
    <${Field} label=${t("access.store")} required=${true} auto=${!start} disabled=${Boolean(start)} max=${64} value=${store} onChange=${setStore} hint=${t("access.store.hint")} error=${store && !ok ? t("access.store.wrong") : ""} />
    ${!start && html`<div class="field" role="group" aria-label=${t("access.authority")}><span class="label">${t("access.authority")}</span>
      <input ref=${chooser} hidden type="file" accept=".der" onChange=${(/** @type {Event} */ e) => setFile(/** @type {HTMLInputElement} */ (e.currentTarget).files?.[0])} />
      <span class="field-box"><button type="button" class="btn" onClick=${() => chooser.current?.click()}>${t("access.authority.choose")}</button><small class="named">${file?.name ?? t("access.authority.none")}</small></span>
      <small>${t("access.authority.hint")}</small></div>`}
  <//>`;
}

/** @param {{one: any, onRevoke: () => void, onIssue: () => void}} props */
const Row = ({ one, onRevoke, onIssue }) => {
  const soon = !one.revoked && one.expires.slice(0, 10) <= isoDay(SOON_DAYS);
  return html`<section class=${`card access ${one.revoked ? "off" : ""}`}><span class=${`row-icon ${one.revoked ? "" : soon ? "warn" : "ok"}`}><${Icon} name="key-round" /></span>
    <div><b>${one.name}</b><small>${t("access.serial", { serial: one.serial.slice(-12) })} · ${t("access.issued", { at: day(one.issued) })}</small></div>
    <span class=${`pill sm ${one.revoked ? "" : soon ? "warn" : "ok"}`}>${one.revoked ? t("access.revoked", { at: day(one.revoked) }) : soon ? t("access.soon", { at: day(one.expires) }) : t("access.live")}</span>
    ${!one.revoked && html`<button class="btn" onClick=${onIssue}><${Icon} name="refresh-cw" />${t("access.renew")}</button><button class="btn bad-ink" onClick=${onRevoke}>${t("access.revoke")}</button>`}</section>`;
};

export function AccessPage() {
  const load = useLoad("/credentials");
  /** @type {any[]} */
  const all = load.data?.credentials ?? [];
  const issue = async (/** @type {string} */ store) => {
    if (!(await openDialog(IssueForm, { store }))) return;
    toastOk("access.done");
    load.reload();
  };
  const revoke = async (/** @type {any} */ one) => {
    if (!(await openDialog(Confirm, { title: t("access.revoke.title"), text: t("access.revoke.text", { name: one.name }), yes: t("access.revoke"), danger: true }))) return;
    try {
      await call("DELETE", `/stores/${one.store}/credentials/${one.serial}`);
      toastOk("access.revoke.done");
    } catch (error) {
      toastProblem(error);
    }
    load.reload();
  };
  const sorted = [...all].sort((a, b) => Number(Boolean(a.revoked)) - Number(Boolean(b.revoked)));
  return html`<${Head} title=${t("nav.access")} sub=${t("access.sub")}><button class="btn primary" onClick=${() => issue("")}><${Icon} name="plus" />${t("access.issue")}</button><//>
    <${Loading} load=${load} />${load.data && !all.length && html`<${Nothing} icon="key-round" title=${t("access.none")} hint=${t("access.none.hint")} />`}
    <div class="accesses">${sorted.map((one) => html`<${Row} key=${one.serial} one=${one} onRevoke=${() => void revoke(one)} onIssue=${() => void issue(one.store)} />`)}</div>`;
}
