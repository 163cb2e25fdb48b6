// Who may sell how many of a hard-limited product: what nobody holds is given out, what a lost till held is taken over.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { call, may } from "../state/session.js";
import { openDialog } from "../state/notices.js";
import { Refusal } from "./fields.js";
import { quantityWords } from "./linedialogs.js";
import { ReasonDialog } from "./reasondialog.js";

/** @param {{sku: string, unit: string, rights: any, onChange: () => void}} props */
export function RightsCard({ sku, unit, rights, onChange }) {
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const tell = async (/** @type {string} */ path, /** @type {any} */ body) => {
    setProblem(null);
    try {
      await call("POST", path, body);
      onChange();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const takeOver = async (/** @type {any} */ one) => {
    const reason = await openDialog(ReasonDialog, { title: t("rights.release.title", { till: one.name }), note: t("rights.release.note"), kind: "rights", label: t("rights.release"), danger: true });
    if (reason) await tell("/rights/release", { sku, holder: one.holder, reason, accept_risk: true });
  };
  const left = Number(rights.unheld);
  return html`<section class="rights" aria-label=${t("rights.title")}><h3>${t("rights.title")}</h3><${Refusal} problem=${problem} />
    <ul class="rows">${rights.holders.map((/** @type {any} */ one) => html`<li key=${one.holder}><div class="row-main"><span><b>${one.name}</b><small>${t(one.here ? "rights.here" : one.gone ? "rights.gone" : one.heard ? "rights.near" : "rights.away")}</small></span><span class="spacer" />
      <b class=${`num ${Number(one.quantity) < 0 ? "down" : ""}`}>${quantityWords(one.quantity, unit)}</b>${one.gone && Number(one.quantity) > 0 && may("manager") && html`<button type="button" class="btn" onClick=${() => void takeOver(one)}>${t("rights.release")}</button>`}</div></li>`)}</ul>
    ${left > 0 && html`<p class="hint">${t("rights.unheld", { quantity: quantityWords(rights.unheld, unit) })}</p>${may("manager") && html`<button type="button" class="btn" onClick=${() => void tell("/rights/issue", { sku })}>${t("rights.issue")}</button>`}`}
  </section>`;
}
