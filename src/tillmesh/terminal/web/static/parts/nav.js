// Ways to the other pages: a side bar in the back office, a drawer from the sale.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { go, route } from "../lib/router.js";
import { look, changeLook } from "../state/look.js";
import { may, oversold, session, signOut, store, terminal } from "../state/session.js";
import { sellGiftCard } from "../state/giftcards.js";
import { openDialog } from "../state/notices.js";
import { Dialog } from "./dialog.js";
import { Icon, Key } from "./icon.js";

/** @typedef {import("../state/session.js").Role} Role */

/** @typedef {{page: string, icon: string, role: Role}} Place */

/** By what they are about; more than fit a screen of 800 pixels are shown group by group. @type {Record<string, Place[]>} */
const GROUPS = {
  sale: [
    { page: "sell", icon: "shopping-cart", role: "cashier" },
    { page: "sales", icon: "receipt-text", role: "cashier" },
    { page: "customers", icon: "users", role: "cashier" },
    { page: "shift", icon: "wallet", role: "cashier" },
  ],
  goods: [
    { page: "products", icon: "package", role: "cashier" },
    { page: "promotions", icon: "badge-percent", role: "manager" },
    { page: "prices", icon: "tags", role: "manager" },
    { page: "stock", icon: "boxes", role: "cashier" },
    { page: "purchasing", icon: "truck", role: "cashier" },
    { page: "transfers", icon: "arrow-left-right", role: "cashier" },
    { page: "conflicts", icon: "package-open", role: "supervisor" },
  ],
  office: [
    { page: "reports", icon: "chart-column", role: "supervisor" },
    { page: "people", icon: "circle-user-round", role: "supervisor" },
    { page: "audit", icon: "shield-check", role: "manager" },
    { page: "flags", icon: "eye", role: "manager" },
  ],
  system: [
    { page: "store", icon: "network", role: "supervisor" },
    { page: "health", icon: "activity", role: "cashier" },
    { page: "settings", icon: "settings", role: "cashier" },
  ],
};
const GROUP_ICONS = { sale: "shopping-cart", goods: "package", office: "chart-column", system: "settings" };
/** As many links stand in the menu without groups. */
const FLAT_MAX = 10;

/** @param {{one: Place, onGo?: () => void}} props */
const Link = ({ one, onGo }) =>
  html`<a class="nav" href=${`#/${one.page}`} aria-current=${route.value.page === one.page ? "page" : undefined} data-first=${route.value.page === one.page} onClick=${onGo}>
    <${Icon} name=${one.icon} />${t(`nav.${one.page}`)}${one.page === "conflicts" && oversold.value > 0 && html`<span class="pill sm warn nav-count">${oversold.value}</span>`}</a>`;

/** @param {{onGo?: () => void}} props */
const Links = ({ onGo }) => {
  const groups = Object.entries(GROUPS).map(([name, all]) => ({ name: /** @type {keyof typeof GROUP_ICONS} */ (name), places: all.filter((one) => may(one.role)) }));
  const links = (/** @type {Place[]} */ places) => places.map((one) => html`<${Link} key=${one.page} one=${one} onGo=${onGo} />`);
  if (groups.reduce((sum, one) => sum + one.places.length, 0) <= FLAT_MAX) return groups.map((one) => links(one.places));
  return groups.map(
    ({ name, places }) => html`<details key=${name} name=${"nav"} class="nav-group" open=${places.some((one) => one.page === route.value.page)}>
      <summary class="nav"><${Icon} name=${GROUP_ICONS[name]} />${t(`nav.group.${name}`)}${name === "goods" && oversold.value > 0 && html`<span class="pill sm warn nav-count">${oversold.value}</span>`}<${Icon} name="chevron-right" size="sm" /></summary>
      ${links(places)}</details>`,
  );
};

/** @param {{onGo?: () => void}} props */
const Me = ({ onGo }) =>
  html`<div class="me">
    <div><b>${session.value?.name}</b><small>${[session.value && t(`role.${session.value.role}`), terminal.value.name].filter(Boolean).join(" · ")}</small></div>
    <button class="btn ghost icon" aria-label=${t("signout")} title=${t("signout")} onClick=${() => { onGo?.(); void signOut(); }}><${Icon} name="log-out" /></button>
  </div>`;

export const Side = () =>
  html`<nav class="side" aria-label=${t("nav.label")}>
    <a class="brand" href="#/sell"><${Icon} name="store" /><span>${store.value.name ?? t("app.name")}</span></a>
    <div class="side-links"><${Links} /></div>
    <${Me} />
  </nav>`;

/** @param {{close: () => void}} props */
const Drawer = ({ close }) => {
  const dark = document.documentElement.dataset.theme === "dark";
  look.value;
  return html`<${Dialog} title=${store.value.name ?? t("app.name")} onClose=${close} className="drawer">
    <nav class="side-links" aria-label=${t("nav.label")}><${Links} onGo=${close} /></nav>
    <div class="drawer-foot">
      ${store.value.pay_methods?.includes("gift_card") && html`<button class="nav" onClick=${() => { close(); go("sell"); void sellGiftCard(); }}><${Icon} name="gift" />${t("gift.title")}<${Key} k=${t("keys.Home.name")} /></button>`}
      <a class="nav" href="/display" target="tillmesh-display" rel="opener" onClick=${close}><${Icon} name="monitor" />${t("display.open")}</a>
      <button class="nav" onClick=${() => { close(); void openDialog(Shortcuts, {}); }}><${Icon} name="keyboard" />${t("keys.title")}<${Key} k="F1" /></button>
      <button class="nav" onClick=${() => changeLook({ theme: dark ? "light" : "dark" })}><${Icon} name=${dark ? "sun" : "moon"} />${t(dark ? "look.to.light" : "look.to.dark")}</button>
      <${Me} onGo=${close} />
    </div>
  <//>`;
};

export const openMenu = () => openDialog(Drawer, {});

const KEYS = ["F2", "F3", "F4", "F6", "F7", "F8", "F9", "F10", "Insert", "Home", "Esc", "0-9 *", "0-9 /", "Up Down", "+ -", "Del", "Enter"];

/** @param {{close: () => void}} props */
const Shortcuts = ({ close }) =>
  html`<${Dialog} title=${t("keys.title")} onClose=${close}>
    <dl class="keys">${KEYS.map((key) => html`<div key=${key}><dt><kbd>${t(`keys.${key}.name`)}</kbd></dt><dd>${t(`keys.${key}`)}</dd></div>`)}</dl>
  <//>`;

export const openShortcuts = () => openDialog(Shortcuts, {});
