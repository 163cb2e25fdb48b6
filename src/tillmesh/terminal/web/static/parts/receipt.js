// The receipt on the screen, as the till lays it out for paper, and printing it again. The server has escaped every name.
import { html, useEffect, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { call, get } from "../state/session.js";
import { later } from "../state/later.js";
import { toastOk } from "../state/notices.js";
import { Dialog } from "./dialog.js";
import { Refusal } from "./fields.js";
import { Icon } from "./icon.js";

/** @param {{path: string, receipt: string, close: () => void}} props `path` e.g. "/sales/ID" or "/refunds/ID" */
export function ReceiptDialog({ path, receipt, close }) {
  const [paper, setPaper] = useState("");
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    get(`${path}/receipt?format=html`, { as: "text" }).then(setPaper, (error) => setProblem(asProblem(error)));
  }, [path]);
  const print = async () => {
    setBusy(true);
    try {
      await call("POST", `${path}/print`, { copy: true });
      toastOk("receipt.printing");
      close();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  const send = async () => {
    try {
      await (await later()).openSend({ path, receipt });
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${Dialog} title=${t("receipt.title", { receipt })} onClose=${close} className="receipt-dlg"
      foot=${html`<button class="btn" onClick=${close}>${t("close")}</button><button class="btn" onClick=${() => void send()}><${Icon} name="upload" />${t("send.open")}</button><button class="btn primary" data-first disabled=${busy} onClick=${print}><${Icon} name="printer" />${t("receipt.print")}</button>`}>
    <${Refusal} problem=${problem} />
    ${paper ? html`<div tabindex="0" dangerouslySetInnerHTML=${{ __html: paper }} />` : !problem && html`<div class="waiting small"><span class="spin" /></div>`}
  <//>`;
}
