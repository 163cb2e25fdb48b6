// Which scale and which pole display this till has.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { Choice, Field, Toggle } from "./fields.js";
import { Icon } from "./icon.js";

const KINDS = ["none", "mettler8217", "dialog06", "lines"];

/** @param {{till: any, set: (name: string) => (value: any) => void, off: boolean}} props */
export const ScaleSettings = ({ till, set, off }) =>
  html`<section class="card section"><h2><${Icon} name="scale" />${t("settings.scale")}</h2>
    <${Choice} label=${t("settings.scale.kind")} value=${till.scale_kind} onChange=${set("scale_kind")} disabled=${off} options=${KINDS.map((kind) => [kind, t(`settings.scale.${kind}`)])} />
    ${till.scale_kind !== "none" && html`<${Field} label=${t("settings.scale.target")} value=${till.scale_target} onChange=${set("scale_target")} disabled=${off} hint=${t("settings.scale.target.hint")} />
      <div class="two"><${Field} label=${t("settings.scale.least")} mode="numeric" unit="g" value=${String(till.scale_least_g)} onChange=${(/** @type {string} */ text) => /^[1-9]\d{0,3}$/.test(text) && set("scale_least_g")(Number(text))} disabled=${off} hint=${t("settings.scale.least.hint")} />
        <${Field} label=${t("settings.scale.tares")} value=${till.scale_tares} onChange=${set("scale_tares")} disabled=${off} hint=${t("settings.scale.tares.hint")} /></div>
      <${Toggle} label=${t("settings.scale.auto")} hint=${t("settings.scale.auto.hint")} value=${till.scale_auto} onChange=${set("scale_auto")} disabled=${off} />`}</section>`;

const POLES = ["none", "epson", "cd5220"];
const PAGES = ["pc437", "pc850", "pc858", "pc852", "pc866", "wpc1252"];

/** @param {{till: any, set: (name: string) => (value: any) => void, off: boolean}} props */
export const PoleSettings = ({ till, set, off }) =>
  html`<section class="card section"><h2><${Icon} name="monitor" />${t("settings.pole")}</h2>
    <${Choice} label=${t("settings.pole.kind")} value=${till.pole_kind} onChange=${set("pole_kind")} disabled=${off} options=${POLES.map((kind) => [kind, t(`settings.pole.${kind}`)])} />
    ${till.pole_kind !== "none" && html`<${Field} label=${t("settings.scale.target")} value=${till.pole_target} onChange=${set("pole_target")} disabled=${off} hint=${t("settings.pole.target.hint")} />
      <div class="two"><${Choice} label=${t("settings.pole.page")} value=${till.pole_page} onChange=${set("pole_page")} disabled=${off} options=${PAGES.map((page) => [page, t(`settings.pole.${page}`)])} />
        <${Field} label=${t("settings.pole.greeting")} max=${40} value=${till.pole_greeting} onChange=${set("pole_greeting")} disabled=${off} hint=${t("settings.pole.greeting.hint")} /></div>`}</section>`;
