// Old enough? The latest birthday that is, large; both answers are noted by the till. Enter alone sells nothing.
import { html } from "../lib/ui.js";
import { fullDay, t } from "../lib/i18n.js";
import { Dialog } from "./dialog.js";
import { Icon } from "./icon.js";

/** @param {{name: string, age: number, bornBy: string, close: (answer?: boolean) => void}} props */
export const AgeDialog = ({ name, age, bornBy, close }) =>
  html`<${Dialog} title=${t("age.title", { n: age })} note=${name} onClose=${() => close()}
    foot=${html`<button class="btn tall bad-ink" autofocus onClick=${() => close(false)}>${t("age.no")}</button>
      <button class="btn tall primary" onClick=${() => close(true)}>${t("age.yes")}</button>`}>
    <p class="age-ask"><${Icon} name="circle-user-round" size="xl" /><span>${t("age.born")}<b>${fullDay(`${bornBy}T12:00:00`)}</b></span></p>
  <//>`;
