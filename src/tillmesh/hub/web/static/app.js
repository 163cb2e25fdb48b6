// The shell of head office's page: who is signed in, which page the hash names, and what lies over it.
import { html, render, signal } from "./lib/ui.js";
import { t } from "./lib/i18n.js";
import { reachable } from "./lib/http.js";
import { route } from "./lib/router.js";
import "./state/look.js";
import { speak, wanted } from "./state/language.js";
import { loadSession, session } from "./state/session.js";
import { startTicking } from "./state/tick.js";
import { Dialogs } from "./parts/dialog.js";
import { Side } from "./parts/shell.js";
import { SignInPage } from "./parts/signin.js";
import { Toasts } from "./parts/toasts.js";
import { AccessPage } from "./pages/access.js";
import { AuditPage } from "./pages/audit.js";
import { GroupsPage } from "./pages/groups.js";
import { ModelPage } from "./pages/model.js";
import { ModelsPage } from "./pages/models.js";
import { OffersPage } from "./pages/offers.js";
import { PeoplePage } from "./pages/people.js";
import { ProductsPage } from "./pages/products.js";
import { SalesPage } from "./pages/sales.js";
import { StorePage } from "./pages/store.js";
import { StoresPage } from "./pages/stores.js";

const RETRY_MS = 1000;

/** @type {Record<string, import("./vendor/preact.js").Component<any>>} */
const PAGES = { stores: StoresPage, store: StorePage, sales: SalesPage, products: ProductsPage, offers: OffersPage, groups: GroupsPage, models: ModelsPage, model: ModelPage, people: PeoplePage, access: AccessPage, audit: AuditPage };

const started = signal(false);

function Page() {
  const { page, arg } = route.value;
  const View = PAGES[page] ?? StoresPage;
  return html`<div class="office"><${Side} /><main class="office-main" id="main"><${View} arg=${arg} key=${`${page}/${arg}`} /></main></div>`;
}

const Starting = () =>
  html`<div class="waiting"><span class="spin" /><span role="status">${reachable.value ? t("loading") : t("pill.silent")}</span></div>`;

const Shell = () => {
  if (!started.value || session.value === undefined) return html`<${Starting} />`;
  if (!session.value) return html`<${SignInPage} /><${Toasts} />`;
  return html`<${Page} /><${Dialogs} /><${Toasts} />`;
};

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

await untilDone(() => speak(wanted()));
render(html`<${Shell} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
await untilDone(loadSession);
// Whoever signs in is spoken to as this person chose here.
session.subscribe((person) => void speak(wanted(person?.user)).catch(() => {}));
started.value = true;
startTicking();
