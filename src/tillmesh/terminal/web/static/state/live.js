// News from the till program, as it happens; after a gap everything is asked again.
import { asProblem, reachable, send } from "../lib/http.js";
import { effect, signal } from "../lib/ui.js";
import { hearOfCart, hearOfOffers, hearOfSale, hearOfStock } from "./cart.js";
import { loadCatalogue, takeLevels, takeProducts } from "./catalogue.js";
import { pictureCame } from "../parts/thumb.js";
import { everSignedIn, loadState, oversold, printer, session, sync } from "./session.js";

const PROBE_MS = 1000;
/** How often the page says that it lives: what watches the screen starts the browser anew when it falls silent. */
const HERE_MS = 2000;

/** Grow when sales or shifts changed elsewhere, so that an open page asks again. */
export const salesNews = signal(0);
export const shiftNews = signal(0);
export const oversellNews = signal(0);
export const offersNews = signal(0);

/** @type {EventSource | null} */
let source = null;

/** @type {Record<string, (data: any) => void>} */
const takers = {
  products: (data) => takeProducts(data.products ?? []),
  stock: (data) => {
    takeLevels(data.levels ?? {});
    hearOfStock();
  },
  sale: (data) => {
    salesNews.value += 1;
    hearOfSale(data.cart_id ?? "");
  },
  taken_back: () => void (salesNews.value += 1),
  cart: hearOfCart,
  offers: () => {
    offersNews.value += 1;
    void hearOfOffers();
  },
  shift: () => {
    shiftNews.value += 1;
    void reload(false);
  },
  picture: (data) => pictureCame(data.sha256),
  parked: () => void reload(false),
  oversold: (data) => {
    oversold.value = data.open ?? 0;
    oversellNews.value += 1;
  },
  printer: (data) => void (printer.value = data),
  sync: (data) => void (sync.value = data),
  settings: () => void reload(false),
  training: () => void reload(false),
  resync: () => void reload(true),
};

/** @param {boolean} whole */
async function reload(whole) {
  await loadState().catch(() => {});
  oversellNews.value += 1;
  if (whole) takers.offers({});
  if (whole) await loadCatalogue().catch(() => {});
}

function listen() {
  if (source && source.readyState !== EventSource.CLOSED) return;
  let missed = source !== null; // A new source doesn't know what the old one has heard last.
  source = new EventSource("/api/v1/events");
  for (const [name, take] of Object.entries(takers)) {
    source.addEventListener(name, (event) => {
      try {
        take(JSON.parse(event.data || "{}"));
      } catch {
        // A piece of news we cannot read must not stop the till; a reload shows the truth.
      }
    });
  }
  source.onopen = () => {
    reachable.value = true;
    if (missed) void reload(true);
    missed = false;
  };
}

const sayHere = () => void fetch("/api/v1/screen", { method: "PUT", signal: AbortSignal.timeout(HERE_MS) }).catch(() => {});

/** Listen while somebody is signed in; while nothing answers, keep asking until something does. */
export function startLive() {
  effect(() => {
    if (session.value) listen();
    else if (!everSignedIn.value) source?.close();
  });
  sayHere();
  setInterval(sayHere, HERE_MS);
  setInterval(async () => {
    if (session.peek() && source?.readyState === EventSource.CLOSED) listen();
    if (reachable.peek()) return;
    try {
      await send("GET", "/session", undefined, { timeout: 2000 });
    } catch (error) {
      if (asProblem(error).network) return;
    }
    await reload(false);
  }, PROBE_MS);
}
