// The second script: every page that no sale needs. It comes when such a page is first opened, or while nobody waits.
import { AuditPage } from "./pages/audit.js";
import { ConflictsPage } from "./pages/conflicts.js";
import { CustomersPage } from "./pages/customers.js";
import { FlagsPage } from "./pages/flags.js";
import { HealthPage } from "./pages/health.js";
import { PeoplePage } from "./pages/people.js";
import { PricesPage } from "./pages/prices.js";
import { ProductsPage } from "./pages/products.js";
import { PromotionsPage } from "./pages/promotions.js";
import { PurchasingPage } from "./pages/purchasing.js";
import { ReportsPage } from "./pages/reports.js";
import { SettingsPage } from "./pages/settings.js";
import { ShiftPage } from "./pages/shift.js";
import { StockPage } from "./pages/stock.js";
import { StorePage } from "./pages/store.js";
import { TransfersPage } from "./pages/transfers.js";
import { WelcomePage } from "./pages/welcome.js";
import { openCard } from "./parts/carddialog.js";
import { openGiftCard } from "./parts/giftdialog.js";
import { openSend } from "./parts/senddialog.js";
import { openSplit } from "./parts/splitdialog.js";
import { openWeigh } from "./parts/weighdialog.js";
import { judgeLook, openLook } from "./parts/lookdialog.js";

/** What the page of the sale opens over itself. */
export const LATER = { judgeLook, openGiftCard, openLook, openSend, openSplit, openWeigh };

/** The card terminal at work. */
export const CARDS = { openCard };

/** What stands in the hash -> the page. @type {Record<string, import("./vendor/preact.js").Component<any>>} */
export const PAGES = {
  audit: AuditPage,
  conflicts: ConflictsPage,
  customers: CustomersPage,
  flags: FlagsPage,
  health: HealthPage,
  people: PeoplePage,
  prices: PricesPage,
  products: ProductsPage,
  promotions: PromotionsPage,
  purchasing: PurchasingPage,
  reports: ReportsPage,
  settings: SettingsPage,
  shift: ShiftPage,
  stock: StockPage,
  store: StorePage,
  transfers: TransfersPage,
  welcome: WelcomePage,
};
