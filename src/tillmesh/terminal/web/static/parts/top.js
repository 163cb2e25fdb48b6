import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { session, store, terminal } from "../state/session.js";
import { openMenu } from "./nav.js";
import { Icon } from "./icon.js";
import { Pills } from "./pills.js";

/** The bar over the sale. */
export const Top = () =>
  html`<header class="top">
    <button class="btn ghost menu" onClick=${openMenu} aria-label=${t("nav.open")} aria-keyshortcuts="F10"><${Icon} name="menu" /></button>
    <h1 class="brand"><${Icon} name="store" /><span>${store.value.name ?? t("app.name")}</span></h1>
    <span class="pill hide-s">${[terminal.value.name, session.value?.name].filter(Boolean).join(" · ")}</span>
    <span class="spacer" />
    <${Pills} />
  </header>`;

/** The heading of a back-office page. @param {{title: string, sub?: string, children?: any, back?: string}} props */
export const Head = ({ title, sub, children, back }) =>
  html`<header class="hd">
    <button class="btn ghost icon only-s" onClick=${openMenu} aria-label=${t("nav.open")}><${Icon} name="menu" /></button>
    ${back && html`<a class="btn ghost icon" href=${back} aria-label=${t("back")}><${Icon} name="arrow-left" /></a>`}
    <div class="hd-text"><h1>${title}</h1>${sub && html`<small>${sub}</small>`}</div>
    <span class="spacer" />
    <${Pills} />
    ${children}
  </header>`;
