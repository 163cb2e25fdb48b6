// A receipt without paper: by mail, as a code for the customer's telephone, or as a file.
import { freshId, html, useEffect, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { call, get } from "../state/session.js";
import { openDialog, toastOk } from "../state/notices.js";
import { Dialog } from "./dialog.js";
import { Field, Refusal } from "./fields.js";
import { Icon } from "./icon.js";

/** @type {[string, string, string][]} format, its icon, its name */
const FILES = [["pdf", "file-text", "send.pdf"], ["page", "download", "send.page"], ["eml", "download", "send.eml"]];

/** @param {{path: string, to: string, close: (sent?: boolean) => void}} props */
function ByMail({ path, to, close }) {
  const [address, setAddress] = useState(to);
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const [mail_id] = useState(freshId);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      await call("POST", `${path}/mail`, { mail_id, to: address.trim() });
      toastOk("send.queued");
      close(true);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<form class="form" onSubmit=${submit}><${Refusal} problem=${problem} />
    <${Field} label=${t("send.to")} type="email" value=${address} onChange=${setAddress} auto=${true} hint=${t("send.to.hint")} />
    <div><button class="btn primary" disabled=${!/.@./.test(address)}><${Icon} name="upload" />${t("send.mail")}</button></div></form>`;
}

/** The address that is known of a sale's customer, or nothing. @param {string} path */
async function addressOf(path) {
  const id = path.startsWith("/sales") ? (await get(path)).customer?.customer_id : "";
  return id ? ((await get(`/customers/${encodeURIComponent(id)}`)).email ?? "") : "";
}

/** @param {{path: string, receipt: string, close: (sent?: boolean) => void}} props */
function SendDialog({ path, receipt, close }) {
  const [mail, setMail] = useState(/** @type {{host: string, to: string} | null} */ (null));
  const [code, setCode] = useState("");
  useEffect(() => {
    const server = get("/mail").then((now) => now.host, () => "");
    void Promise.all([server, addressOf(path).catch(() => "")]).then(([host, to]) => setMail({ host, to }));
    get(`${path}/receipt?format=qr`, { as: "text" }).then(setCode, () => {});
  }, []);
  return html`<${Dialog} title=${t("send.title", { receipt })} onClose=${() => close()} wide=${true} foot=${html`<button class="btn" onClick=${() => close()}>${t("close")}</button>`}>
    <div class="send"><section><h3>${t("send.mail")}</h3>
      ${mail === null ? html`<span class="spin" />` : mail.host && path.startsWith("/sales") ? html`<${ByMail} path=${path} to=${mail.to} close=${close} />` : html`<p class="hint">${t("send.off")}</p>`}
      <h3>${t("send.file")}</h3><div class="send-files">${FILES.map(([kind, icon, name]) => html`<a key=${kind} class="btn" href=${`/api/v1${path}/receipt?format=${kind}`} download><${Icon} name=${icon} />${t(name)}</a>`)}</div></section>
    <section class="send-code"><h3>${t("send.code")}</h3>${code ? html`<div dangerouslySetInnerHTML=${{ __html: code }} />` : html`<span class="spin" />`}<p class="hint">${t("send.code.hint")}</p></section></div>
  <//>`;
}

/** @param {{path: string, receipt: string}} what */
export const openSend = (what) => openDialog(SendDialog, what);
