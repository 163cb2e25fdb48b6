// The customer's display, in a window of its own: the basket as it grows, what is to pay, the change, and a quiet page.
import { html, render, signal } from "./lib/ui.js";
import { languageOf, lastLanguage, loadLocale, setLocale, t } from "./lib/i18n.js";
import { send } from "./lib/http.js";
import { money, quantity, setCurrency } from "./lib/money.js";
import { look } from "./state/look.js";
import { Icon } from "./parts/icon.js";
import { pictureCame, Thumb } from "./parts/thumb.js";

const RETRY_MS = 2000;
/** How long thanks and change stay once a sale is paid. */
const THANKS_MS = 20_000;
/** More would not be read; the newest count. */
const LINES_MAX = 40;

/** @typedef {{lines: any[], total_minor: number, tax_minor: number, cart_id: string, discount_minor: number, images?: Record<string, string>}} Basket */

const training = signal(false);
const store = signal(/** @type {Record<string, any>} */ ({}));
const basket = signal(/** @type {Basket | null} */ (null));
const paid = signal(/** @type {any} */ (null));
/** @type {ReturnType<typeof setTimeout> | undefined} */
let forget;

/** @param {string} cartId */
async function showCart(cartId) {
  const view = await send("GET", `/carts/${cartId}`).catch(() => null);
  if (view?.lines.length) paid.value = null;
  basket.value = view?.lines.length ? view : null;
}

/** @param {{sale_id: string, cart_id: string}} sale */
async function showSale({ sale_id, cart_id }) {
  if (basket.peek()?.cart_id !== cart_id) return;
  paid.value = await send("GET", `/sales/${sale_id}`).catch(() => null);
  basket.value = null;
  clearTimeout(forget);
  forget = setTimeout(() => void (paid.value = null), THANKS_MS);
}

/** @param {any} shop */
async function takeStore(shop) {
  store.value = shop;
  setLocale(shop.locale ?? "en-GB");
  setCurrency(shop.currency ?? "GBP", shop.currency_exponent ?? 2);
  document.title = shop.name;
  // The customer's language is the store's, whatever the cashier's is.
  await loadLocale(languageOf(String(shop.locale ?? "en")), false);
}

/** Ask for everything, then listen; whoever signs out leaves the quiet page. */
async function begin() {
  try {
    const state = await send("GET", "/state");
    await takeStore(state.store);
    training.value = Boolean(state.training);
    if (!state.session) throw new Error("nobody is signed in");
    if (state.cart_id) await showCart(state.cart_id);
  } catch {
    basket.value = null;
    return void setTimeout(begin, RETRY_MS);
  }
  const source = new EventSource("/api/v1/events");
  const on = (/** @type {string} */ name, /** @type {(data: any) => void} */ take) =>
    source.addEventListener(name, (event) => take(JSON.parse(event.data || "{}")));
  on("cart", (news) => void showCart(news.cart_id));
  on("sale", (news) => void showSale(news));
  on("picture", (news) => pictureCame(news.sha256));
  on("training", () => location.reload());
  on("offers", () => void (basket.value && showCart(basket.value.cart_id)));
  on("parked", () => void (basket.value && showCart(basket.value.cart_id)));
  on("settings", () => void send("GET", "/state").then((state) => takeStore(state.store)));
  source.onerror = () => {
    source.close();
    setTimeout(begin, RETRY_MS);
  };
}

/** @param {{amount: number}} props */
const Large = ({ amount }) => html`<output class="num" style=${`--n:${money(amount).length}`}>${money(amount)}</output>`;

/** @param {any} line */
const howMuch = (line) => (line.unit === "piece" ? `${quantity(line.quantity)} ×` : `${quantity(line.quantity)} ${line.unit}`);

/** `image` is undefined while nothing in the basket has a picture. @param {{line: any, fresh: boolean, image?: string}} props */
const Line = ({ line, fresh, image }) => {
  const off = line.discount_minor + (line.cart_discount_minor ?? 0);
  const why = (line.promotions ?? []).map((/** @type {any} */ one) => one.name).join(", ");
  return html`<li class=${`${fresh ? "new" : ""} ${image === undefined ? "" : "pic"}`}>${image !== undefined && html`<span class="th pic" data-c="slate"><${Thumb} image=${image} icon="package" /></span>`}<span class="num">${howMuch(line)}</span><b>${line.name}${off > 0 && html`<small>${why && `${why} `}${t("cart.off.amount", { amount: money(off) })}</small>`}</b><span class="num">${money(line.total_minor)}</span></li>`;
};

/** @param {{now: Basket}} props */
const Buying = ({ now }) => {
  const images = Object.keys(now.images ?? {}).length ? now.images : undefined;
  return html`<div class="customer">
  <main><div class="brand"><${Icon} name="store" />${store.value.name}</div><h1>${t("display.basket")}</h1>
    <ol>${now.lines.slice(-LINES_MAX).map((line, at, all) => html`<${Line} key=${line.line_id} line=${line} image=${images && (images[line.sku] ?? "")} fresh=${at === all.length - 1} />`)}</ol></main>
  <aside aria-live="polite"><small>${t("display.due")}</small><${Large} amount=${now.total_minor} />
    <small>${t(store.value.prices_include_tax === false ? "cart.tax" : "cart.tax.included")} ${money(now.tax_minor)}</small></aside></div>`;
};

/** @param {{sale: any}} props */
const Thanks = ({ sale }) => html`<div class="customer">
  <main><div class="brand"><${Icon} name="store" />${store.value.name}</div><h1>${t("display.thanks")}</h1>
    <ol>${sale.payments.map((/** @type {any} */ one, /** @type {number} */ at) => html`<li key=${at}><${Icon} name="check" /><b>${t(`method.${one.method}`)}</b><span class="num">${money(one.amount_minor)}</span></li>`)}</ol></main>
  <aside role="status"><small>${t(sale.change_minor > 0 ? "paid.change" : "paid.exact")}</small><${Large} amount=${sale.change_minor > 0 ? sale.change_minor : sale.total_minor} />
    ${sale.change_minor > 0 && html`<small class="change">${t("paid.total", { total: money(sale.total_minor) })}</small>`}</aside></div>`;

const Quiet = () => html`<div class="customer idle"><main><${Icon} name="store" /><h1>${store.value.name ?? ""}</h1><p>${t("display.welcome")}</p></main></div>`;

function Display() {
  document.documentElement.toggleAttribute("data-training", training.value);
  return html`${training.value && html`<div class="strip" role="status"><b>${t("training.on")}</b></div>`}<${Shown} />`;
}

function Shown() {
  look.value;
  if (paid.value) return html`<${Thanks} sale=${paid.value} />`;
  return basket.value ? html`<${Buying} now=${basket.value} />` : html`<${Quiet} />`;
}

await loadLocale(lastLanguage(), false).catch(() => {});
render(html`<${Display} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
void begin();
