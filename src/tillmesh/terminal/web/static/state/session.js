// Who is signed in, which store and till this is, and calls that ask for a PIN or an approval when the server wants one.
import { computed, freshId, signal } from "../lib/ui.js";
import { languageOf, loadLocale, nameOfLanguage, setLocale, t } from "../lib/i18n.js";
import { setCurrency } from "../lib/money.js";
import { asking, asProblem, Problem, send } from "../lib/http.js";
import { setQuickKeys, setShelf } from "./catalogue.js";
import { openDialog } from "./notices.js";

/** @typedef {"cashier" | "supervisor" | "manager"} Role */
/** @typedef {{user_id: string, name: string, role: Role, language?: string}} Person */
/** @typedef {{pending?: number, unreplicated?: number, hub_reachable?: boolean | null, peers?: {reachable: boolean}[], [key: string]: any}} Sync */

/** @type {import("../vendor/signals.js").Signal<Person | null>} */
export const session = signal(/** @type {Person | null} */ (null));
/** True from the first sign-in on: later the PIN pad lies over the page and keeps it. */
export const everSignedIn = signal(false);
export const booted = signal(false);
/** Nobody can sign in here yet: the till asks who it belongs to. */
export const isNew = signal(false);
export const store = signal(/** @type {Record<string, any>} */ ({}));
export const terminal = signal(/** @type {Record<string, any>} */ ({}));
export const shift = signal(/** @type {Record<string, any> | null} */ (null));
export const sync = signal(/** @type {Sync} */ ({}));
export const printer = signal(/** @type {{state?: string, waiting?: number, detail?: string}} */ ({}));
/** Why nothing can be saved (disk full, read-only), or "". */
export const storageError = signal("");
/** The stretch of practice this till is in: nothing counts. @type {import("../vendor/signals.js").Signal<{by: string, ends_at: string} | null>} */
export const training = signal(/** @type {any} */ (null));
export const parkedCount = signal(0);
/** How many products are oversold; supervisors and managers are asked about them. */
export const oversold = signal(0);
/** The working cart the till had open when we asked. */
export const openCartId = signal(/** @type {string | null} */ (null));

/** A till without other tills, and without a head office it ever reached. @param {Sync} now */
export const isAlone = (now) => !now.peers?.length && !now.hub_reachable && !now.last_hub_sync;

const RANK = { cashier: 0, supervisor: 1, manager: 2 };

/** Tell whether the person signed in has at least this role. @param {Role} role */
export const may = (role) => (session.value ? RANK[session.value.role] >= RANK[role] : false);

export const taxesIncluded = computed(() => store.value.prices_include_tax !== false);

/** @param {any} answer GET /state */
export function takeState(answer) {
  // Goods, cart and shift are those of another till then: begin anew rather than mix them up.
  if (booted.peek() && Boolean(answer.training) !== Boolean(training.peek())) return location.reload();
  training.value = answer.training ?? null;
  isNew.value = Boolean(answer.new);
  if (answer.store) {
    setCurrency(answer.store.currency ?? "GBP", answer.store.currency_exponent ?? 2);
    store.value = answer.store;
    if (answer.store.name) document.title = answer.store.name;
  }
  terminal.value = answer.terminal ?? {};
  setQuickKeys(answer.quick_keys ?? []);
  setShelf(answer.shelf ?? []);
  sync.value = answer.sync ?? {};
  printer.value = answer.printer ?? {};
  shift.value = answer.shift ?? null;
  openCartId.value = answer.cart_id ?? null;
  if (typeof answer.parked === "number") parkedCount.value = answer.parked;
  if (typeof answer.oversold === "number") oversold.value = answer.oversold;
  storageError.value = answer.storage?.error ?? "";
  if (answer.session) signedIn(answer.session);
  speak(answer.session?.language);
}

/** Speak the person's language, else the store's, with the numbers and dates of the store's region. @param {string} [own] */
export function speak(own) {
  const tag = String(store.peek().locale ?? "en-GB").replace("_", "-");
  const language = own || languageOf(tag);
  const [, region] = tag.match(/-([A-Z]{2})\b/) ?? [];
  setLocale(language === languageOf(tag) ? tag : region ? `${language}-${region}` : language);
  // A program that is silent is asked again with the next state.
  loadLocale(language).catch(() => {});
}

export async function loadState() {
  const answer = await send("GET", "/state");
  takeState(answer);
  booted.value = true;
  return answer;
}

/** @type {(() => void)[]} */
let waiting = [];

/** @param {Person & {user?: string}} person */
function signedIn(person) {
  const same = session.peek()?.user_id === person.user_id;
  if (!same) session.value = { user_id: person.user_id, name: person.name ?? person.user ?? "", role: person.role, language: person.language };
  everSignedIn.value = true;
  for (const go of waiting.splice(0)) go();
}

/** Take what was changed about the person signed in. @param {Person} person */
export function takePerson(person) {
  session.value = session.peek() && { ...session.peek(), ...person };
  speak(person.language);
}

/** The languages of the pages, each in its own words; the first is the store's. @returns {[string, string][]} */
export const languageChoices = () => [["", t("settings.language.store")], ...(store.value.languages ?? []).map((/** @type {string} */ tag) => [tag, nameOfLanguage(tag)])];

/** @param {string} pin */
export async function signIn(pin) {
  const person = await send("POST", "/session", { pin });
  // Which cart is open and what a shift holds is told only to people who are signed in; the page opens knowing it.
  await loadState().catch(() => {});
  signedIn(person);
}

export async function signOut() {
  await send("DELETE", "/session").catch(() => {});
  everSignedIn.value = false;
  session.value = null;
  speak();
}

/** Lay the PIN pad over the page and wait until somebody has signed in. @returns {Promise<void>} */
export function needSignIn() {
  session.value = null;
  return new Promise((resolve) => void waiting.push(resolve));
}

/** @type {import("../vendor/preact.js").Component<any> | null} */
let approvalView = null;

/** The shell hands in the dialog, so that state does not import parts. @param {import("../vendor/preact.js").Component<any>} view */
export const setApprovalView = (view) => void (approvalView = view);

/**
 * Ask a supervisor or manager for a PIN; the token, or null when they decline.
 * @param {any} refusal problem document with `needs` and `action`
 * @returns {Promise<string | null>}
 */
export async function askApproval(refusal) {
  if (!approvalView) return null;
  return (await openDialog(approvalView, { needs: refusal.needs, action: refusal.action ?? "", detail: refusal.detail ?? "" })) ?? null;
}

/** Wishes without an answer, by their words: asked again such a wish keeps its name, and is done once. @type {Map<string, {key: string, at: number, answer?: Promise<any>}>} */
const wishes = new Map();
/** After that the same words are another wish: who had no answer asks again sooner. Guess. */
const WISH_MS = 120_000;

/**
 * Call the till program; sign-in and approval are asked for in place, then the call is made again.
 * @param {string} method
 * @param {string} path
 * @param {any} [body]
 * @param {import("../lib/http.js").CallOptions} [options]
 * @returns {Promise<any>}
 */
export function call(method, path, body, options) {
  if (method !== "POST" || options?.type !== undefined) return ask(method, path, body, options);
  const words = path + JSON.stringify(body);
  const before = wishes.get(words);
  if (before?.answer) return before.answer;
  const key = before && Date.now() - before.at < WISH_MS ? before.key : freshId();
  const answer = ask(method, path, body, { ...options, key });
  wishes.set(words, { key, at: 0, answer });
  answer.then(
    () => wishes.delete(words),
    (error) => (asProblem(error).network ? wishes.set(words, { key, at: Date.now() }) : wishes.delete(words)),
  );
  return answer;
}

/** @param {string} method @param {string} path @param {any} body @param {import("../lib/http.js").CallOptions} [options] */
async function ask(method, path, body, options) {
  let tried = false;
  for (;;) {
    try {
      return await send(method, path, body, options);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status === 401) await needSignIn();
      else if (problem.status === 403 && problem.body.action && !tried) {
        const approval = await askApproval(problem.body);
        tried = true;
        if (!approval) throw new Problem({ ...problem.body, kind: "cancelled", status: 403 });
        // DELETE has no body: there the token goes into the address.
        if (method === "DELETE") path += `${path.includes("?") ? "&" : "?"}approval=${encodeURIComponent(approval)}`;
        if (body instanceof FormData) body.set("approval", approval);
        else body = method === "DELETE" ? undefined : { ...body, approval };
      } else throw problem;
    }
  }
}

/** @param {string} path @param {import("../lib/http.js").CallOptions} [options] */
export const get = (path, options) => call("GET", path, undefined, options);
asking.get = get;
