// Other devices that may use this till's pages: pair one with a code, let one go.
import { html, useState } from "../lib/ui.js";
import { dayClock, t } from "../lib/i18n.js";
import { call } from "../state/session.js";
import { openDialog, toastProblem } from "../state/notices.js";
import { Confirm, Dialog } from "./dialog.js";
import { Icon } from "./icon.js";
import { Loading, useLoad } from "./load.js";

/** @param {{made: any, close: () => void}} props */
const CodeDialog = ({ made, close }) =>
  html`<${Dialog} title=${t("office.pair.new")} onClose=${close} foot=${html`<button class="btn primary" autofocus onClick=${close}>${t("close")}</button>`}>
    <div class="card-wait"><p class="lead">${t("office.open", { url: made.url })}</p><img src=${made.qr} alt=${made.url} width="180" height="180" /><b class="pair-code">${made.code.slice(0, 4)} ${made.code.slice(4)}</b>
      <p class="hint">${t("office.fingerprint")}<br /><span class="num">${made.fingerprint}</span></p></div><//>`;

export function OfficeDevices() {
  const [turn, setTurn] = useState(0);
  const load = useLoad("/office", turn);
  const again = () => setTurn((now) => now + 1);
  const pair = async () => {
    try {
      await openDialog(CodeDialog, { made: await call("POST", "/office/codes", {}) });
    } catch (error) {
      toastProblem(error);
    }
    again();
  };
  const remove = async (/** @type {any} */ one) => {
    const yes = await openDialog(Confirm, { title: t("office.remove"), text: t("office.remove.text", { name: one.name }), yes: t("office.remove"), danger: true });
    if (yes) await call("DELETE", `/office/devices/${one.device_id}`).then(again, toastProblem);
  };
  const door = load.data;
  return html`<section class="card section"><h2><${Icon} name="monitor" />${t("office.title")}</h2><${Loading} load=${load} />
    ${door && !door.open && html`<p class="hint">${t("office.shut")}</p>`}
    ${door?.open && html`<p class="hint">${t("office.open", { url: door.urls.join(", ") })}</p>
      <ul class="rows">${door.devices.map((/** @type {any} */ one) => html`<li key=${one.device_id} class="buy-line"><b>${one.name}</b><small>${dayClock(one.paired_at)} · ${one.paired_by}</small><button class="btn" onClick=${() => remove(one)}>${t("office.remove")}</button></li>`)}</ul>
      <button class="btn primary" onClick=${pair}><${Icon} name="plus" />${t("office.pair.new")}</button>`}</section>`;
}
