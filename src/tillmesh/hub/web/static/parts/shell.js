// What is around every page: the side bar, the drawer of small screens, the heading.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { reachable } from "../lib/http.js";
import { route } from "../lib/router.js";
import { changeLook, look } from "../state/look.js";
import { openDialog } from "../state/notices.js";
import { may, session, signOut } from "../state/session.js";
import { Dialog } from "./dialog.js";
import { Icon } from "./icon.js";
import { Language } from "./language.js";

/** @typedef {import("../state/session.js").Role} Role */

/** @type {{page: string, icon: string, role: Role}[]} */
const PAGES = [
  { page: "stores", icon: "store", role: "viewer" },
  { page: "sales", icon: "chart-column", role: "viewer" },
  { page: "products", icon: "tag", role: "viewer" },
  { page: "offers", icon: "percent", role: "viewer" },
  { page: "groups", icon: "boxes", role: "viewer" },
  { page: "models", icon: "activity", role: "viewer" },
  { page: "people", icon: "circle-user-round", role: "admin" },
  { page: "access", icon: "key-round", role: "admin" },
  { page: "audit", icon: "shield-check", role: "admin" },
];

/** @param {{onGo?: () => void}} props */
const Links = ({ onGo }) =>
  PAGES.filter((one) => may(one.role)).map(
    (one) => html`<a key=${one.page} class="nav" href=${`#/${one.page}`} aria-current=${route.value.page === one.page || `${route.value.page}s` === one.page ? "page" : undefined} data-first=${route.value.page === one.page} onClick=${onGo}>
      <${Icon} name=${one.icon} />${t(`nav.${one.page}`)}</a>`,
  );

/** @param {{onGo?: () => void}} props */
const Me = ({ onGo }) =>
  html`<div class="me"><div><b>${session.value?.user}</b><small>${session.value ? t(`role.${session.value.role}`) : ""}</small></div>
    <button class="btn ghost icon" aria-label=${t("signout")} title=${t("signout")} onClick=${() => { onGo?.(); void signOut(); }}><${Icon} name="log-out" /></button></div>`;

const NEXT = { auto: "light", light: "dark", dark: "contrast", contrast: "auto" };
const LOOKS = { auto: "monitor", light: "sun", dark: "moon", contrast: "contrast" };

const Look = () => {
  const now = look.value.theme;
  return html`<button class="nav" onClick=${() => changeLook({ theme: /** @type {any} */ (NEXT[now]) })}><${Icon} name=${LOOKS[now]} />${t(`look.${now}`)}</button>`;
};

export const Side = () =>
  html`<nav class="side" aria-label=${t("nav.label")}>
    <a class="brand" href="#/stores"><${Icon} name="network" /><span>${t("app.name")}</span></a>
    <div class="side-links"><${Links} /></div>
    <${Look} /><${Language} /><${Me} />
  </nav>`;

/** @param {{close: () => void}} props */
const Drawer = ({ close }) =>
  html`<${Dialog} title=${t("app.name")} onClose=${close} className="drawer">
    <nav class="side-links" aria-label=${t("nav.label")}><${Links} onGo=${close} /></nav>
    <div class="drawer-foot"><${Look} /><${Language} /><${Me} onGo=${close} /></div>
  <//>`;

/** The heading of a page. @param {{title: string, sub?: string, children?: any, back?: string}} props */
export const Head = ({ title, sub, children, back }) =>
  html`<header class="hd">
    <button class="btn ghost icon only-s" onClick=${() => openDialog(Drawer, {})} aria-label=${t("nav.open")}><${Icon} name="menu" /></button>
    ${back && html`<a class="btn ghost icon" href=${back} aria-label=${t("back")}><${Icon} name="arrow-left" /></a>`}
    <div class="hd-text"><h1>${title}</h1>${sub && html`<small>${sub}</small>`}</div>
    <span class="spacer" />
    <span role="status">${!reachable.value && html`<span class="pill warn"><${Icon} name="wifi-off" />${t("pill.silent")}</span>`}</span>
    ${children}
  </header>`;
