// The shell: boots, listens to the scanner, shows the page of the hash, and what lies over it.
import { html, render, signal, useEffect } from "./lib/ui.js";
import { clock, lastLanguage, loadLocale, t } from "./lib/i18n.js";
import { asProblem, reachable } from "./lib/http.js";
import { go, route } from "./lib/router.js";
import { listenToScanner } from "./lib/wedge.js";
import "./state/look.js";
import { loadCatalogue, rowOfCode } from "./state/catalogue.js";
import { restoreCart, setAgeView } from "./state/cart.js";
import { startLive } from "./state/live.js";
import { dialogs, toast, toastProblem } from "./state/notices.js";
import { booted, call, everSignedIn, isNew, loadState, openCartId, session, setApprovalView, store, training } from "./state/session.js";
import { deliver } from "./state/scan.js";
import { keepFocusOnTaps, useKeys } from "./lib/keys.js";
import { AgeDialog } from "./parts/agedialog.js";
import { Dialogs } from "./parts/dialog.js";
import { openMenu, openShortcuts, Side } from "./parts/nav.js";
import { ApprovalDialog, pinScans, SignInOver, SignInPage } from "./parts/pin.js";
import { Toasts } from "./parts/toasts.js";
import { PayPage } from "./pages/pay.js";
import { SalesPage } from "./pages/sales.js";
import { SellPage } from "./pages/sell.js";

const RETRY_MS = 1000;
/** What comes before is worth more than pages nobody has asked for. */
const IDLE_MS = 1500;

/** @typedef {import("./vendor/preact.js").Component<any>} View */

/** Pages of a sale: they are in the first script. @type {Record<string, View>} */
const SALE_PAGES = { sell: SellPage, pay: PayPage, sales: SalesPage };

/** All other pages: name -> view, once their script has come. */
const others = signal(/** @type {Record<string, View> | null} */ (null));
let coming = false;

/** Load the second script; while the till program is silent, try again: the page paints as soon as it can. */
async function loadOthers() {
  if (coming || others.peek()) return;
  coming = true;
  for (let turn = 0; coming; turn += 1) {
    try {
      others.value = (await import(`./backoffice.js?turn=${turn}`)).PAGES;
      coming = false;
    } catch (problem) {
      // The program was upgraded since this page began: its scripts don't fit ours. A sale is never interrupted for it.
      const upgraded = asProblem(problem).detail === "upgraded";
      if (upgraded && !SALE_PAGES[route.peek().page]) return location.reload();
      if (upgraded) coming = false;
      else await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function Page() {
  const { page, arg } = route.value;
  const own = SALE_PAGES[page];
  const missing = !own && !others.value;
  useEffect(() => void (missing && loadOthers()), [missing, page]);
  const View = own ?? (missing ? Waiting : (others.value?.[page] ?? SellPage));
  if (View === SellPage || View === PayPage) return html`<${View} />`;
  return html`<div class="office"><${Side} /><main class="office-main" id="main"><${View} arg=${arg} key=${page} /></main></div>`;
}

/** The first page of a till's life. */
function First() {
  useEffect(() => void loadOthers(), []);
  return others.value ? html`<${others.value.welcome} />` : html`<${Waiting} />`;
}

const Waiting = () => html`<div class="waiting" role="status"><span class="spin" /><span>${t("loading")}</span></div>`;

/** Over every page while people practise: nobody may take it for a sale. */
const Strip = () =>
  html`<div class="strip" role="status"><b>${t("training.on")}</b><span>${t("training.text", { at: clock(String(training.value?.ends_at)) })}</span>
    ${session.value && html`<button class="btn" onClick=${() => call("DELETE", "/training").catch(toastProblem)}>${t("training.end")}</button>`}</div>`;

const Shell = () => {
  document.documentElement.toggleAttribute("data-training", Boolean(training.value));
  return html`${training.value && html`<${Strip} />`}<${Inside} />`;
};

const Inside = () => {
  useKeys({ F1: () => void openShortcuts(), F10: () => void openMenu() });
  useEffect(() => document.getElementById("boot")?.remove(), []);
  if (!everSignedIn.value) return html`${!booted.value ? html`<${Starting} />` : isNew.value ? html`<${First} />` : html`<${SignInPage} />`}<${Toasts} />`;
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
setAgeView(AgeDialog);
const state = untilDone(loadState);
await untilDone(() => loadLocale(lastLanguage()));
render(html`<${Shell} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
await state;
const stop = session.subscribe((person) => {
  if (!person) return;
  queueMicrotask(() => stop());
  void restoreCart(openCartId.peek());
  void untilDone(loadCatalogue);
});
startLive();
// The other pages are fetched while nobody waits, so that they are there when the till program is not.
setTimeout(() => (window.requestIdleCallback ?? setTimeout)(() => void loadOthers()), IDLE_MS);
