// The shell: boots, listens to the scanner, shows the page of the hash, and what lies over it.
import { html, render, signal, useEffect } from "./lib/ui.js";
import { loadLocale, t } from "./lib/i18n.js";
import { reachable } from "./lib/http.js";
import { go, route } from "./lib/router.js";
import { listenToScanner } from "./lib/wedge.js";
import "./state/look.js";
import { loadCatalogue, rowOfCode } from "./state/catalogue.js";
import { restoreCart } from "./state/cart.js";
import { startLive } from "./state/live.js";
import { dialogs, toast } from "./state/notices.js";
import { booted, everSignedIn, loadState, openCartId, session, setApprovalView, store } from "./state/session.js";
import { deliver } from "./state/scan.js";
import { keepFocusOnTaps, useKeys } from "./lib/keys.js";
import { Dialogs } from "./parts/dialog.js";
import { openMenu, openShortcuts, Side } from "./parts/nav.js";
import { ApprovalDialog, pinScans, SignInOver, SignInPage } from "./parts/pin.js";
import { Toasts } from "./parts/toasts.js";
import { SellPage } from "./pages/sell.js";

const RETRY_MS = 1000;

/** @typedef {import("./vendor/preact.js").Component<any>} View */

/** The sale is in the first load; the others come when first opened. @type {Record<string, () => Promise<View>>} */
const PAGES = {
  pay: async () => (await import("./pages/pay.js")).PayPage,
  sales: async () => (await import("./pages/sales.js")).SalesPage,
  customers: async () => (await import("./pages/customers.js")).CustomersPage,
  shift: async () => (await import("./pages/shift.js")).ShiftPage,
  reports: async () => (await import("./pages/reports.js")).ReportsPage,
  products: async () => (await import("./pages/products.js")).ProductsPage,
  stock: async () => (await import("./pages/stock.js")).StockPage,
  conflicts: async () => (await import("./pages/conflicts.js")).ConflictsPage,
  people: async () => (await import("./pages/people.js")).PeoplePage,
  store: async () => (await import("./pages/store.js")).StorePage,
  audit: async () => (await import("./pages/audit.js")).AuditPage,
  health: async () => (await import("./pages/health.js")).HealthPage,
  settings: async () => (await import("./pages/settings.js")).SettingsPage,
};

/** @type {Map<string, import("./vendor/signals.js").Signal<View | null>>} */
const loaded = new Map();

/** @param {string} page */
function viewOf(page) {
  let view = loaded.get(page);
  if (!view) {
    loaded.set(page, (view = signal(/** @type {View | null} */ (null))));
    fetchView(page, view);
  }
  return view.value;
}

/** @param {string} page @param {import("./vendor/signals.js").Signal<View | null>} view */
async function fetchView(page, view) {
  try {
    view.value = await PAGES[page]();
  } catch {
    // The till program is silent: try again, the page paints as soon as it can.
    setTimeout(() => fetchView(page, view), RETRY_MS);
  }
}

function Page() {
  const { page } = route.value;
  if (page === "sell" || !PAGES[page]) return html`<${SellPage} />`;
  const View = viewOf(page);
  if (page === "pay") return View ? html`<${View} />` : html`<${Waiting} />`;
  return html`<div class="office"><${Side} /><main class="office-main" id="main">${View ? html`<${View} arg=${route.value.arg} key=${page} />` : html`<${Waiting} />`}</main></div>`;
}

const Waiting = () => html`<div class="waiting" role="status"><span class="spin" /><span>${t("loading")}</span></div>`;

const Shell = () => {
  useKeys({ F1: () => void openShortcuts(), F10: () => void openMenu() });
  useEffect(() => document.getElementById("boot")?.remove(), []);
  if (!everSignedIn.value) return html`${booted.value ? html`<${SignInPage} />` : html`<${Starting} />`}<${Toasts} />`;
  return html`<${Page} />${!session.value && html`<${SignInOver} />`}<${Dialogs} /><${Toasts} />`;
};

const Starting = () =>
  html`<div class="waiting"><span class="spin" /><span role="status">${reachable.value ? t("loading") : t("pill.silent")}</span></div>`;

/** @param {() => Promise<any>} task */
async function untilDone(task) {
  for (;;) {
    try {
      return await task();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

listenToScanner({
  onScan: (code) => {
    // Whoever signs in does not want the scanner's digits in the PIN.
    if (!session.peek()) return void pinScans.dispatchEvent(new Event("scan"));
    if (deliver(code)) return;
    if (dialogs.peek().length || route.peek().page === "pay") return toast({ tone: "info", title: t("scan.later"), detail: code });
    go("sell");
    requestAnimationFrame(() => deliver(code));
  },
  isKnown: (code) => rowOfCode(code) >= 0,
  prefix: () => String(store.peek().scanner_prefix ?? ""),
});

keepFocusOnTaps();
setApprovalView(ApprovalDialog);
const state = untilDone(loadState);
await untilDone(() => loadLocale("en"));
render(html`<${Shell} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
await state;
const stop = session.subscribe((person) => {
  if (!person) return;
  queueMicrotask(() => stop());
  void restoreCart(openCartId.peek());
  void untilDone(loadCatalogue);
});
startLive();
// Pages that must open at once are fetched while nobody waits.
setTimeout(() => Object.keys(PAGES).forEach(viewOf), 1500);
