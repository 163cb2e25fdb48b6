// Which scale this till has, and how it weighs.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { Choice, Field, Toggle } from "./fields.js";
import { Icon } from "./icon.js";

const KINDS = ["none", "mettler8217", "lines"];

/** @param {{till: any, set: (name: string) => (value: any) => void, off: boolean}} props */
export const ScaleSettings = ({ till, set, off }) =>
  html`<section class="card section"><h2><${Icon} name="scale" />${t("settings.scale")}</h2>
    <${Choice} label=${t("settings.scale.kind")} value=${till.scale_kind} onChange=${set("scale_kind")} disabled=${off} options=${KINDS.map((kind) => [kind, t(`settings.scale.${kind}`)])} />
    ${till.scale_kind !== "none" && html`<${Field} label=${t("settings.scale.target")} value=${till.scale_target} onChange=${set("scale_target")} disabled=${off} hint=${t("settings.scale.target.hint")} />
      <div class="two"><${Field} label=${t("settings.scale.least")} mode="numeric" unit="g" value=${String(till.scale_least_g)} onChange=${(/** @type {string} */ text) => /^[1-9]\d{0,3}$/.test(text) && set("scale_least_g")(Number(text))} disabled=${off} hint=${t("settings.scale.least.hint")} />
        <${Field} label=${t("settings.scale.tares")} value=${till.scale_tares} onChange=${set("scale_tares")} disabled=${off} hint=${t("settings.scale.tares.hint")} /></div>
      <${Toggle} label=${t("settings.scale.auto")} hint=${t("settings.scale.auto.hint")} value=${till.scale_auto} onChange=${set("scale_auto")} disabled=${off} />`}</section>`;
