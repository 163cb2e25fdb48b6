// The working cart: changes are painted at once, queued with ids, sent one batch at a time, and resent until answered.
import { batch, computed, freshId, signal } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem, send, toProblem } from "../lib/http.js";
import { parseQuantity, quantityText } from "../lib/money.js";
import { askApproval, needSignIn } from "./session.js";
import { openDialog, toast, toastProblem } from "./notices.js";
import { productOf } from "./catalogue.js";
import { emptyCart, paintOp } from "./paint.js";

/** @typedef {import("./paint.js").Cart} Cart */
/** @typedef {import("./paint.js").Line} Line */
/** @typedef {import("./paint.js").Op} Op */

/** The server takes at most 200 changes a call; half of that keeps a call short. */
const BATCH_MAX = 100;
/** Longer than any healthy commit; shorter would resend into a busy program. */
const OPS_TIMEOUT_MS = 5000;
const RETRY_MS = [200, 500, 1000, 2000];
/** A change that waits longer than this is worth telling the cashier. */
const STALL_MS = 1500;
const KEEP = "tillmesh.cart";

/** @type {Cart} */
let base = emptyCart(freshId());
/** @type {Op[]} */
let queue = [];
let flushing = false;

/** Carts of which a part is paid first, the newest last: they come back once that is done. @type {string[]} */
const rest = [];

/** What is painted. */
export const cart = signal(base);
/** What offers that came in did to the open cart, until somebody has seen it. @type {import("../vendor/signals.js").Signal<{was: number, now: number, parts: {name: string, was: number, now: number}[]} | null>} */
export const repriced = signal(/** @type {any} */ (null));
/** How many changes Python has not confirmed. */
export const pending = signal(0);
export const stalled = signal(false);
export const selected = signal("");
export const lineCount = computed(() => cart.value.lines.length);
export const selectedLine = computed(() => cart.value.lines.find((line) => line.line_id === selected.value) ?? null);

/** How many pieces are in the cart: a weighed line counts as one. */
export const itemCount = computed(() =>
  cart.value.lines.reduce((sum, line) => sum + (isWeighed(line.unit) ? 1 : Math.round((parseQuantity(line.quantity) ?? 0) / 1000)), 0),
);

/** @param {string} unit */
export const isWeighed = (unit) => unit !== "piece" && unit !== "";

/** @param {Op} op */
const hintOf = (op) => (op.sku ? productOf(op.sku) : null);

function keep() {
  localStorage.setItem(KEEP, JSON.stringify({ cart_id: base.cart_id, queue, rest }));
}

/** Queue one change: paint, remember, send. @param {Omit<Op, "op_id">} what */
export function submit(what) {
  const op = /** @type {Op} */ ({ op_id: freshId(), ...what });
  queue.push(op);
  batch(() => {
    cart.value = paintOp(cart.peek(), op, hintOf(op));
    pending.value = queue.length;
  });
  keep();
  watchStall();
  flush();
}

function repaint() {
  batch(() => {
    cart.value = queue.reduce((view, op) => paintOp(view, op, hintOf(op)), base);
    pending.value = queue.length;
    if (!queue.length) stalled.value = false;
    const { lines } = cart.value;
    if (selected.peek() && !lines.some((line) => line.line_id === selected.peek())) selected.value = lines[lines.length - 1]?.line_id ?? "";
  });
  keep();
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let stallTimer;
function watchStall() {
  if (stallTimer) return;
  const first = queue[0]?.op_id;
  stallTimer = setTimeout(() => {
    stallTimer = undefined;
    stalled.value = queue.length > 0 && queue[0].op_id === first;
    if (queue.length) watchStall();
  }, STALL_MS);
}

/** Send what waits, until nothing does. One call at a time keeps the order. */
async function flush() {
  if (flushing) return;
  flushing = true;
  let tries = 0;
  // Yield once, so that a burst of scans shares a call and the paint comes first.
  await new Promise((resolve) => setTimeout(resolve));
  while (queue.length) {
    const ops = queue.slice(0, BATCH_MAX);
    const wire = ops.map((op) => Object.fromEntries(Object.entries(op).filter(([name]) => name[0] !== "_")));
    try {
      settle(ops, await send("POST", `/carts/${base.cart_id}/ops`, { ops: wire }, { timeout: OPS_TIMEOUT_MS }));
      tries = 0;
    } catch (error) {
      if (!(await survives(error, ops))) continue;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]));
      tries += 1;
    }
  }
  flushing = false;
  void catchUp();
  if (offersWait) void hearOfOffers();
}

/** What the live news said last about a cart of this till: another window may have changed ours. */
let heard = { cart_id: "", revision: 0 };

/** @param {{cart_id: string, revision: number}} news */
export function hearOfCart(news) {
  heard = news;
  void catchUp();
}

/** Another window, or this one, has sold a cart. @param {string} cartId */
export function hearOfSale(cartId) {
  if (cartId && cartId === base.cart_id && !queue.length) newCart();
}

/** Ask for our cart when it is newer than what we know; our own changes answer for themselves. */
async function catchUp() {
  const asked = base.cart_id;
  if (flushing || heard.cart_id !== asked || heard.revision <= base.revision) return;
  const view = await send("GET", `/carts/${asked}`).catch(() => null);
  if (!view || base.cart_id !== asked || view.revision <= base.revision) return;
  base = { ...view, lines: view.lines ?? [] };
  repaint();
}

/** Offers came in while changes were on their way: what the cart was before. @type {Cart | null} */
let offersWait = null;

/** What each promotion takes off. @param {Cart} view @returns {Map<string, {name: string, amount_minor: number}>} */
const takenOff = (view) => new Map((view.promotions ?? []).map((one) => [one.promotion_id, one]));

/** Offers came in: what they do to the open cart is shown, never only charged. */
export async function hearOfOffers() {
  const asked = base.cart_id;
  const before = offersWait ?? base;
  offersWait = flushing ? before : null;
  if (flushing || !base.lines.length) return;
  const view = await send("GET", `/carts/${asked}`).catch(() => null);
  if (!view || base.cart_id !== asked || view.revision < base.revision) return;
  if (!flushing) base = { ...view, lines: view.lines ?? [] };
  if (view.total_minor === before.total_minor) return repaint();
  const [was, now] = [takenOff(before), takenOff(view)];
  const parts = [...new Map([...was, ...now])].map(([id, one]) => ({ name: one.name, was: was.get(id)?.amount_minor ?? 0, now: now.get(id)?.amount_minor ?? 0 }));
  repriced.value = { was: before.total_minor, now: view.total_minor, parts: parts.filter((one) => one.was !== one.now) };
  repaint();
}

/** @param {Op[]} ops @param {any} view */
function settle(ops, view) {
  const done = new Set(ops.map((op) => op.op_id));
  queue = queue.filter((op) => !done.has(op.op_id));
  const { rejected = [], ...saved } = view;
  base = { ...saved, lines: saved.lines ?? [] };
  repaint();
  void takeRest();
  for (const refusal of rejected) refused(ops.find((op) => op.op_id === refusal.op_id), refusal.problem ?? {});
}

/** Tell whether to try the same changes again; otherwise they are dropped and said so. @param {unknown} error @param {Op[]} ops */
async function survives(error, ops) {
  const problem = asProblem(error);
  if (problem.status === 401) {
    await needSignIn();
    return false;
  }
  if (problem.network || problem.status >= 500 || problem.status === 429) return true;
  const done = new Set(ops.map((op) => op.op_id));
  queue = queue.filter((op) => !done.has(op.op_id));
  toastProblem(problem);
  await openCart(base.cart_id, queue);
  return false;
}

/** @param {Op | undefined} op @param {any} problem */
async function refused(op, problem) {
  if (!op) return;
  if (problem.kind === "age-check" && ageView) return askAge(op, problem);
  if (problem.needs && !op.approval) {
    const approval = await askApproval(problem);
    const { op_id: _old, ...same } = op;
    if (approval) submit({ ...same, approval });
    return;
  }
  const known = op.barcode ? { title: t("scan.unknown.title"), hint: t("scan.unknown.hint"), detail: op.barcode } : {};
  toastProblem(toProblem({ ...problem, ...known }, problem.status ?? 422));
}

/** @type {import("../vendor/preact.js").Component<any> | null} */
let ageView = null;

/** The shell hands in the dialog, so that state does not import parts. @param {import("../vendor/preact.js").Component<any>} view */
export const setAgeView = (view) => void (ageView = view);

/** The question that is open: the next bottle waits for its answer. @type {Promise<unknown> | null} */
let asking = null;

/** @param {Op} op @param {any} problem */
async function askAge(op, problem) {
  const { op_id: _asked, ...same } = op;
  if (asking) {
    await asking;
    return submit(same);
  }
  asking = openDialog(/** @type {any} */ (ageView), { name: problem.name, age: problem.min_age, bornBy: problem.born_by });
  const old = await asking;
  asking = null;
  if (old) submit({ ...same, age_checked: problem.min_age });
  else submit({ op: "age_refused", sku: op.sku, barcode: op.barcode });
}

/** Show another cart, such as a bill that was split off; what is in this one comes back after it. @param {Cart} bill */
export function takeBill(bill) {
  if (base.lines.length) rest.push(base.cart_id);
  takeCart(bill);
}

/** Take up what was interrupted, unless something was begun meanwhile: then after that. */
async function takeRest() {
  const id = rest.at(-1);
  if (!id || queue.length || base.lines.length) return;
  rest.pop();
  await openCart(id, []);
  if (!base.lines.length) void takeRest(); // it was paid in another window
}

/** Begin an empty cart under a new id; the server hears of it with its first change. @param {string} [after] the cart that is done: if another is open, that goes on */
export function newCart(after = base.cart_id) {
  if (after !== base.cart_id) return;
  takeCart(emptyCart(freshId()));
  void takeRest();
}

/** Begin the next cart before this one is put away: what is scanned from now on belongs to the next customer. @returns {() => void} how it comes back if it can't be put away */
export function leaveCart() {
  const left = base.cart_id;
  takeCart(emptyCart(freshId()));
  return () => {
    rest.push(left);
    void takeRest();
  };
}

/** Show a cart the server sent, e.g. one taken up again. @param {Cart} view */
export function takeCart(view) {
  base = { ...view, lines: view.lines ?? [] };
  queue = [];
  selected.value = "";
  repriced.value = offersWait = null;
  repaint();
}

/** @param {string} cartId @param {Op[]} waiting */
async function openCart(cartId, waiting) {
  try {
    base = await send("GET", `/carts/${cartId}`);
    queue = waiting;
    repaint();
  } catch (error) {
    if (asProblem(error).status !== 404) return;
    base = emptyCart(freshId());
    queue = [];
    repaint();
  }
}

/** Look at the cart anew: what this till may sell has changed. */
export const reloadCart = () => openCart(base.cart_id, queue);

/** Goods or rights came in: the open cart may lack fewer now. */
export const hearOfStock = () => void (base.lacking?.length && !flushing && reloadCart());

/** After a reload: the changes that were not yet sent come first, then the cart the server has open. @param {string | null} serverCart */
export async function restoreCart(serverCart) {
  let kept = { cart_id: "", queue: /** @type {Op[]} */ ([]), rest: /** @type {string[]} */ ([]) };
  try {
    kept = JSON.parse(localStorage.getItem(KEEP) ?? "") ?? kept;
  } catch {
    // Nothing kept, or not readable: the server's cart is the truth.
  }
  // The till names the newest cart; in the middle of a split bill that is what was left.
  const id = kept.queue.length || kept.rest?.length ? kept.cart_id : serverCart || kept.cart_id;
  if (!id || lineCount.peek()) return;
  rest.push(...(kept.rest ?? []));
  base = emptyCart(id);
  queue = kept.queue;
  if (queue.length) repaint();
  else await openCart(id, []);
  void takeRest();
  flush();
}

/** Wait until Python has confirmed everything. @param {number} ms @returns {Promise<boolean>} */
export async function settled(ms) {
  const until = performance.now() + ms;
  while (queue.length && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 15));
  return !queue.length;
}

/** Add a product; a piece already in the cart, at the same terms and price, gets a higher quantity. @param {{sku: string, unit: string, price_minor: number}} product @param {number} [milli] @param {object} [more] which reading of the scale it is */
export function addProduct(product, milli = 1000, more = {}) {
  const merge = isWeighed(product.unit)
    ? undefined
    : cart.peek().lines.find((line) => line.sku === product.sku && !line.note && !line.discount && line.unit_price_minor === line.list_price_minor && !line.fixed_price && !isWeighed(line.unit) && (line.price_list || line.list_price_minor === product.price_minor));
  if (merge) {
    selected.value = merge.line_id;
    setQuantity(merge.line_id, (parseQuantity(merge.quantity) ?? 0) + milli);
    return;
  }
  const line_id = freshId();
  selected.value = line_id;
  submit({ op: "add", line_id, sku: product.sku, quantity: quantityText(milli), ...more });
}

/** Add what only Python can resolve: an in-store code, or one that is not in our copy. @param {string} barcode @param {number} [milli] */
export function addBarcode(barcode, milli) {
  const line_id = freshId();
  selected.value = line_id;
  submit({ op: "add", line_id, barcode, ...(milli ? { quantity: quantityText(milli) } : {}) });
}

/** @param {string} line_id @param {number} milli */
export function setQuantity(line_id, milli) {
  if (milli <= 0) return removeLine(line_id);
  if (milli > 9_999_999) return toast({ tone: "warn", title: t("sell.quantity.limit") });
  submit({ op: "set_quantity", line_id, quantity: quantityText(milli) });
}

/** @param {string} line_id */
export function removeLine(line_id) {
  const { lines } = cart.peek();
  const at = lines.findIndex((line) => line.line_id === line_id);
  if (at < 0) return;
  selected.value = (lines[at + 1] ?? lines[at - 1])?.line_id ?? "";
  submit({ op: "remove", line_id });
}

/** Move the selection by one line. @param {number} by */
export function moveSelection(by) {
  const { lines } = cart.peek();
  if (!lines.length) return;
  const at = lines.findIndex((line) => line.line_id === selected.peek());
  const next = at < 0 ? lines.length - 1 : Math.max(0, Math.min(lines.length - 1, at + by));
  selected.value = lines[next].line_id;
}
