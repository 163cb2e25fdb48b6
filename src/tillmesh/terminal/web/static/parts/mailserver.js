// The mail server that receipts are sent through, for a manager to name.
import { html, useEffect, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { call, get } from "../state/session.js";
import { openDialog, toastOk } from "../state/notices.js";
import { Choice, Field, Refusal } from "./fields.js";
import { FormDialog } from "./formdialog.js";
import { Icon } from "./icon.js";

/** @type {Record<string, number>} */
const PORTS = { none: 25, starttls: 587, tls: 465 };

/** @typedef {{host: string, port: number, security: string, user: string, sender: string, has_password: boolean, waiting: number, error: string}} Server */

/** @param {{server: Server, close: (saved?: boolean) => void}} props */
function ServerDialog({ server, close }) {
  const [value, setValue] = useState({ ...server, password: "" });
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const set = (/** @type {string} */ name) => (/** @type {string} */ text) => setValue({ ...value, [name]: text });
  const submit = async () => {
    const { host, security, user, password, sender } = value;
    try {
      await call("PUT", "/mail", { host: host.trim(), port: Number(value.port), security, user: user.trim(), password, sender: sender.trim() });
      close(true);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${t("mail.title")} note=${t("mail.hint")} close=${() => close()} ok=${true} submit=${submit} label=${t("save")}>
    <${Refusal} problem=${problem} />
    <${Field} label=${t("mail.host")} value=${value.host} onChange=${set("host")} auto=${true} hint=${t("mail.host.hint")} />
    <div class="two"><${Choice} label=${t("mail.security")} value=${value.security} onChange=${(/** @type {string} */ security) => setValue({ ...value, security, port: PORTS[security] })} options=${["starttls", "tls", "none"].map((key) => [key, t(`mail.security.${key}`)])} />
      <${Field} label=${t("mail.port")} mode="numeric" max=${5} value=${String(value.port)} onChange=${set("port")} /></div>
    <${Field} label=${t("mail.sender")} type="email" value=${value.sender} onChange=${set("sender")} />
    <div class="two"><${Field} label=${t("mail.user")} value=${value.user} onChange=${set("user")} /><${Field} label=${t("mail.password")} type="password" value=${value.password} onChange=${set("password")} hint=${server.has_password ? t("mail.password.kept") : ""} /></div>
  <//>`;
}

/** The card of the settings page. */
export function MailServer() {
  const [server, setServer] = useState(/** @type {Server | null} */ (null));
  const load = () => get("/mail").then(setServer, () => {});
  useEffect(() => void load(), []);
  const edit = async () => {
    if (!server || !(await openDialog(ServerDialog, { server }))) return;
    toastOk("saved");
    void load();
  };
  return html`<section class="card section"><h2><${Icon} name="receipt-text" />${t("mail.title")}</h2>
    <p class="hint">${server?.host ? t("mail.on", { host: server.host, n: server.waiting }) : t("mail.off")}${server?.error ? html`<br />${t("mail.error", { error: server.error })}` : ""}</p>
    <div><button class="btn" disabled=${!server} onClick=${edit}><${Icon} name="pencil" />${t("mail.open")}</button></div></section>`;
}
