// Taking the money. Python quotes every amount; the page paints the cashier's digits at once.
import { freshId, html, useEffect, useLayoutEffect, useRef, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money } from "../lib/money.js";
import { asProblem, reachable } from "../lib/http.js";
import { useKeys } from "../lib/keys.js";
import { go, route } from "../lib/router.js";
import { rowOfCode, product } from "../state/catalogue.js";
import { addBarcode, addProduct, cart, hearOfOffers, isWeighed, newCart, pending, submit } from "../state/cart.js";
import { call, get, store } from "../state/session.js";
import { chargeCard, hasCardTerminal } from "../state/cards.js";
import { openDialog, toast, toastProblem } from "../state/notices.js";
import { useScans } from "../state/scan.js";
import { splitBill } from "../state/splitting.js";
import { Icon, Key } from "../parts/icon.js";
import { NumPad } from "../parts/numpad.js";
import { Pills } from "../parts/pills.js";
import { isPurse, mayBeCard, PurseFields, usePurse } from "../parts/purses.js";
import { ReceiptDialog } from "../parts/receipt.js";
import { Repriced } from "../parts/repriced.js";
import { chooseCustomer } from "./sell.js";

const DIGITS_MAX = 9;
const RETRY_MS = 800;

/** @typedef {{method: string, amount_minor: number, reference?: string, last_four?: string, card_payment?: string, pin?: string}} Payment */
/** @typedef {{total_minor: number, rounding_minor: number, paid_minor: number, remaining_minor: number, cash_remaining_minor: number, change_minor: number, complete: boolean, quick_cash: number[]}} Quote */

/** @type {{method: string, icon: string}[]} */
const ALL_METHODS = [{ method: "cash", icon: "banknote" }, { method: "card", icon: "credit-card" }, { method: "gift_card", icon: "gift" }, { method: "points", icon: "hand-coins" }, { method: "account", icon: "circle-user-round" }];

/** The ways this store takes money. */
const methods = () => {
  const taken = store.peek().pay_methods ?? ["cash", "card"];
  return ALL_METHODS.filter((one) => taken.includes(one.method));
};

/** @param {string} method */
const needsCustomer = (method) => method === "account" || method === "points";

/** What is still to pay by this method; cash may be rounded. @param {Quote | null} open @param {string} method */
const dueOf = (open, method) => (open ? (method === "cash" ? open.cash_remaining_minor : open.remaining_minor) : cart.value.total_minor);

/** Ask Python; the newest question wins. `fresh` says whether the answer is about these very payments. @param {Payment[]} payments @param {number} turn */
function useQuote(payments, turn) {
  const [held, setHeld] = useState({ key: "", quote: /** @type {Quote | null} */ (null) });
  const { revision, total_minor } = cart.value;
  const key = JSON.stringify([payments, revision, total_minor]);
  useEffect(() => {
    let over = false;
    const ask = async () => {
      try {
        const answer = await call("POST", `/carts/${cart.peek().cart_id}/quote`, { payments });
        if (!over) setHeld({ key, quote: answer });
      } catch (error) {
        if (over) return;
        if (asProblem(error).network) setTimeout(() => !over && ask(), RETRY_MS);
        else setHeld({ key, quote: null });
      }
    };
    void ask();
    return () => void (over = true);
  }, [key, turn]);
  return { quote: held.quote, fresh: held.key === key };
}

/** A large amount, as large as its digits leave room for. @param {{id?: string, amount: number}} props */
const Huge = ({ id, amount }) => html`<output class="huge num" id=${id} style=${`--n:${money(amount).length}`}>${money(amount)}</output>`;

/** @param {{sale: any}} props */
function Paid({ sale }) {
  const next = () => go("sell");
  const receipt = () => openDialog(ReceiptDialog, { path: `/sales/${sale.sale_id}`, receipt: sale.receipt_number });
  useKeys({ Enter: next, Escape: next, F9: next, F2: next, r: () => void receipt(), R: () => void receipt() });
  useScans((code) => {
    next();
    const row = rowOfCode(code);
    if (row >= 0 && !isWeighed(product(row).unit)) addProduct(product(row));
    else addBarcode(code);
  });
  const change = sale.change_minor ?? 0;
  return html`<div class="payscr done">
    <header class="top"><h1 class="brand"><${Icon} name="circle-check" />${t("paid.title", { receipt: sale.receipt_number })}</h1><span class="spacer" /><${Pills} /></header>
    <main class="paid" role="status">
      <div class="paid-tick"><${Icon} name="check" /></div>
      ${change > 0
        ? html`<small>${t("paid.change")}</small><${Huge} id="change" amount=${change} />`
        : html`<small>${t("paid.exact")}</small><${Huge} amount=${sale.total_minor} />`}
      <p class="num">${t("paid.total", { total: money(sale.total_minor) })}${sale.payments?.length ? ` · ${sale.payments.map((/** @type {Payment} */ p) => `${t(`method.${p.method}`)} ${money(p.amount_minor)}`).join(" + ")}` : ""}</p>
      <div class="paid-acts"><button class="btn tall" onClick=${receipt}><${Icon} name="receipt-text" />${t("paid.receipt")} <${Key} k="R" /></button>
        <button class="btn tall primary" data-first onClick=${next}>${t("paid.next")} <${Key} k="Enter" /></button></div>
      <p class="hint">${t("paid.scan")}</p>
    </main>
  </div>`;
}

/** @param {{taken: Payment[], onDrop: (index: number) => void}} props */
const Taken = ({ taken, onDrop }) =>
  taken.length > 0 &&
  html`<ul class="taken" aria-label=${t("pay.taken")}>${taken.map(
    (one, i) => html`<li key=${i}><${Icon} name="check" /><span>${t(`method.${one.method}`)}</span><b class="num">${money(one.amount_minor)}</b>
      <button class="btn ghost icon" aria-label=${t("pay.drop", { method: t(`method.${one.method}`) })} onClick=${() => onDrop(i)}><${Icon} name="x" /></button></li>`,
  )}</ul>`;

/** @param {{reference: string, last: string, onReference: (v: string) => void, onLast: (v: string) => void, onEnter: () => void}} props */
const CardFields = ({ reference, last, onReference, onLast, onEnter }) =>
  html`<form class="cardfields" onSubmit=${(/** @type {Event} */ e) => { e.preventDefault(); onEnter(); }}><p class="hint">${t("pay.card.hint")}</p>
    <label class="field"><span>${t("pay.card.reference")}</span><input maxlength="24" autocomplete="off" value=${reference} onInput=${(/** @type {Event} */ e) => onReference(valueOf(e))} /></label>
    <label class="field"><span>${t("pay.card.last")}</span><input maxlength="4" inputmode="numeric" autocomplete="off" value=${last} onInput=${(/** @type {Event} */ e) => onLast(valueOf(e).replace(/\D/g, ""))} /></label><button class="sr" tabindex="-1" aria-hidden="true" /></form>`;

/** What was chosen for carts whose page was left and is taken when the sale is closed: cards with a code, points, accounts. @type {Map<string, Payment[]>} */
const kept = new Map();

export function PayPage() {
  const [sale, setSale] = useState(/** @type {any} */ (null));
  const [bill, setBill] = useState({ turn: 0, shares: 1 });
  if (sale) return html`<${Paid} sale=${sale} />`;
  return html`<${Tender} key=${bill.turn} shares=${bill.shares} onSplit=${(/** @type {number} */ shares) => setBill({ turn: bill.turn + 1, shares })} onPaid=${(/** @type {any} */ paid, /** @type {string} */ cartId) => { kept.delete(cartId); newCart(cartId); setSale(paid); }} />`;
}

/** @param {{shares: number, onSplit: (shares: number) => void, onPaid: (sale: any, cartId: string) => void}} props */
function Tender({ shares, onSplit, onPaid }) {
  const [method, setMethod] = useState(() => methods().find((one) => one.method === route.peek().arg)?.method ?? "cash");
  const [typed, setTyped] = useState("");
  const [held, setHeld] = useState(() => kept.get(cart.peek().cart_id) ?? []);
  const [reference, setReference] = useState("");
  const [last, setLast] = useState("");
  const [busy, setBusy] = useState("");
  const turn = useRef(0);
  const saving = useRef(false);
  const METHODS = methods();
  const now = cart.value;
  const mine = useRef(now.cart_id).current;
  useLayoutEffect(() => void (now.cart_id === mine && kept.set(mine, held)), [now.cart_id, held]);
  // Money that has changed hands stands in the cart, whoever looks at it and wherever.
  const parts = now.parts ?? [];
  const taken = [...parts.map((one) => one.payment), ...held];
  const { quote: open, fresh } = useQuote(taken, 0);
  // After a part was taken, what is left has to be known before the next is: a quick Enter waits for it.
  const sure = (!taken.length || (fresh && open !== null)) && pending.value === 0;
  const wanted = useRef(false);
  const due = dueOf(open, method);
  const gift = method === "gift_card";
  const asksPurse = isPurse(method);
  const purse = usePurse(method, reference, now.customer?.customer_id ?? "");
  const used = taken.reduce((sum, one) => sum + (one.method === method && (!gift || one.reference === reference) ? one.amount_minor : 0), 0);
  const most = asksPurse ? Math.floor(Math.max(0, Math.min(due, purse.free - used)) / purse.step) * purse.step : due;
  // Of equal shares each takes what is left, divided by who has not paid yet; coins have a smallest one.
  const step = method === "cash" ? (store.value.cash_step_now_minor ?? 1) : 1;
  const share = shares > 1 ? Math.min(most, Math.ceil(due / Math.max(1, shares - taken.length) / step) * step) : most;
  const amount = typed ? Number(typed) : share;
  /** @type {Payment} */
  const current = { method, amount_minor: amount, ...((method === "card" || gift) && reference ? { reference } : {}), ...(method === "card" && last ? { last_four: last } : {}), ...(gift && last ? { pin: last } : {}) };
  const { quote } = useQuote(amount > 0 ? [...taken, current] : taken, 1);
  const [byHand, setByHand] = useState(false);
  const wired = method === "card" && hasCardTerminal() && !byHand;
  const part = amount > 0 && amount < due;
  const tooMuch = method !== "cash" && (amount > most || amount % purse.step !== 0) && (!asksPurse || purse.held);
  const empty = asksPurse && (!purse.held || amount <= 0);
  useEffect(() => {
    if (!now.lines.length && !busy) go("sell");
  }, [now.lines.length]);

  const choose = (/** @type {string} */ name) => {
    wanted.current = false;
    setMethod(name);
    setTyped("");
    setReference("");
    setLast("");
  };
  // A gift card may be scanned whatever is chosen; the scanner's keys are no amount.
  useScans((code) => {
    setTyped("");
    if (!mayBeCard(code) || !METHODS.some((one) => one.method === "gift_card")) return toast({ tone: "info", title: t("scan.later"), detail: code });
    choose("gift_card");
    setReference(code);
  });
  const press = (/** @type {string} */ key) => {
    wanted.current = false;
    setTyped((text) => (key === "back" ? text.slice(0, -1) : (text + key).replace(/^0+/, "").slice(0, DIGITS_MAX)));
  };
  const addPart = () => {
    if (!sure || !part || wired || tooMuch || empty) return;
    if (method === "cash" || method === "card") submit({ op: "take_part", line_id: freshId(), payment: current });
    else setHeld([...held, current]);
    choose(method === "cash" ? "card" : "cash");
  };
  /** What the terminal took counts, whatever becomes of this page. @param {any} wanted */
  const byTerminal = async (wanted) => {
    const paid = await chargeCard({ cart_id: now.cart_id, ...wanted });
    if (!paid) return;
    setTyped("");
    if (wanted.amount_minor === due && !wanted.payment_id) return finish([...taken, paid]);
    setHeld((before) => [...before, paid]);
    setMethod("cash");
  };
  useEffect(() => {
    if (!hasCardTerminal()) return;
    void get(`/card-payments?cart_id=${encodeURIComponent(now.cart_id)}`).then(({ payments }) => {
      const charged = payments.filter((/** @type {any} */ one) => one.free).map((/** @type {any} */ one) => ({ method: "card", amount_minor: one.amount_minor, card_payment: one.payment_id }));
      setHeld((before) => [...before.filter((one) => !one.card_payment), ...charged]);
      const open = payments.find((/** @type {any} */ one) => one.open);
      if (open) void byTerminal(open);
    }, () => {});
  }, []);
  const drop = async (/** @type {number} */ at) => {
    if (at < parts.length) return submit({ op: "give_part_back", line_id: parts[at].part_id });
    const { card_payment, amount_minor } = taken[at];
    if (card_payment && !(await chargeCard({ cart_id: now.cart_id, amount_minor, payment_id: card_payment, back: true }))) return;
    setHeld((before) => before.filter((_, i) => i !== at - parts.length));
  };
  const complete = async () => {
    wanted.current = !sure;
    if (!sure || busy || empty) return;
    if (tooMuch) return toast({ tone: "warn", title: t("pay.toomuch", { method: t(`method.${method}`) }), detail: limit });
    if (wired && amount > 0) return byTerminal({ amount_minor: amount });
    if (part) return addPart();
    return finish(amount > 0 ? [...taken, current] : taken);
  };
  const finish = async (/** @type {Payment[]} */ payments) => {
    // Two keys before the next paint: the second would end this sale once more, over the next one.
    if (saving.current) return;
    saving.current = true;
    setBusy("saving");
    turn.current += 1;
    const mine = turn.current;
    while (turn.current === mine) {
      try {
        return onPaid(await call("POST", `/carts/${now.cart_id}/pay`, { payments, total_minor: now.total_minor }), now.cart_id);
      } catch (error) {
        const problem = asProblem(error);
        if (!problem.network && problem.status < 500) {
          setBusy("");
          saving.current = false;
          if (problem.kind === "total-changed") void hearOfOffers();
          return toastProblem(problem);
        }
        // The same cart is paid once however often we ask, so asking again is safe.
        setBusy("retry");
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };
  useEffect(() => {
    if (sure && wanted.current) void complete();
  }, [sure]);
  useEffect(() => () => void (turn.current += 1), []);
  const split = async () => {
    const into = !busy && !taken.length && (await splitBill());
    if (into) onSplit(into);
  };
  const back = () => (busy ? undefined : go("sell"));
  const pick = (/** @type {string} */ name) => () => {
    if (METHODS.some((one) => one.method === name) && (now.customer || !needsCustomer(name))) choose(name);
  };
  useKeys({ Escape: back, Enter: () => void complete(), F9: () => void complete(), digit: (e) => press(e.key), Backspace: () => press("back"), Delete: () => setTyped(""), "+": addPart,
    F4: () => void (busy || chooseCustomer()), c: pick("cash"), C: pick("cash"), k: pick("card"), K: pick("card"), a: pick("account"), A: pick("account"),
    g: pick("gift_card"), G: pick("gift_card"), p: pick("points"), P: pick("points"), s: () => void split(), S: () => void split() });
  const change = quote && quote.complete ? quote.change_minor : Math.max(0, amount - due);
  const limit = t(purse.step > 1 ? "purse.step" : asksPurse ? "purse.most" : "pay.toomuch.detail", { amount: money(most), step: money(purse.step) });
  const quick = method === "cash" ? (open?.quick_cash ?? []).filter((one) => one > due).slice(0, 3) : [];
  return html`<div class="payscr">
    <header class="top"><h1 class="sr">${t("pay.title")}</h1><button class="btn ghost" onClick=${back}><${Icon} name="arrow-left" />${t("pay.back")} <${Key} k="Esc" /></button><span class="spacer" />
      <button class="btn ghost" disabled=${Boolean(busy) || taken.length > 0} onClick=${split}><${Icon} name="users" />${t("split.open")} <${Key} k="S" /></button><${Pills} /></header>
    <section class="methods" aria-label=${t("pay.methods")}>
      ${METHODS.map(
        (one) => html`<button key=${one.method} class="meth" aria-pressed=${method === one.method} disabled=${needsCustomer(one.method) && !now.customer} onClick=${() => choose(one.method)}>
          <${Icon} name=${one.icon} size="lg" /><span><b>${t(`method.${one.method}`)}</b><small>${needsCustomer(one.method) && !now.customer ? t("pay.account.none") : t(`pay.${one.method}.sub`)}</small></span><span class="spacer" /><${Key} k=${t(`pay.${one.method}.key`)} /></button>`,
      )}
      ${METHODS.some((one) => needsCustomer(one.method)) && html`<button class="btn" onClick=${() => void chooseCustomer()}><${Icon} name="user" /><span class="clip">${now.customer?.name || t("cart.customer")}</span> <${Key} k="F4" /></button>`}
      <${Taken} taken=${taken} onDrop=${drop} />
    </section>
    <main class="due">
      <${Repriced} /><small>${t(taken.length ? "pay.remaining" : "pay.due")}${shares > 1 ? ` · ${t("split.share", { n: Math.min(taken.length + 1, shares), of: shares })}` : ""}</small>
      <${Huge} id="due" amount=${due} />
      ${open && open.rounding_minor !== 0 && method === "cash" && html`<small class="num">${t("pay.rounding", { amount: money(open.rounding_minor) })}</small>`}
      ${wired ? html`<p class="hint">${t("pay.wired")} <button class="btn ghost" onClick=${() => setByHand(true)}>${t("pay.byhand")}</button></p>` : method === "card" ? html`<${CardFields} reference=${reference} last=${last} onReference=${setReference} onLast=${setLast} onEnter=${complete} />` : ""}
      ${asksPurse && html`<${PurseFields} method=${method} purse=${purse} code=${reference} pin=${last} onCode=${setReference} onPin=${setLast} onEnter=${complete} />`}
      <div class="row"><span><small>${t(method === "cash" ? "pay.tendered" : "pay.amount")}</small><output class=${`mid num ${typed ? "" : "soft"}`} id="tendered">${money(amount)}</output></span>
        ${method === "cash" && html`<span><small>${t("pay.change")}</small><output class=${`mid num ${change > 0 ? "good" : ""}`} id="change">${money(change)}</output></span>`}</div>
      ${method === "cash" && html`<div class="quick"><button class="btn" aria-pressed=${!typed} onClick=${() => setTyped("")}>${t("pay.exact")}</button>
        ${quick.map((one) => html`<button key=${one} class="btn num" aria-pressed=${typed === String(one)} onClick=${() => setTyped(String(one))}>${money(one)}</button>`)}</div>`}
      ${tooMuch && html`<p class="refusal" role="alert">${limit}</p>`}
      ${busy === "retry" && html`<p class="refusal warn" role="alert"><b>${t("pay.retry")}</b><span>${t("pay.retry.detail")}</span></p>`}
      ${wired && amount > 0
        ? html`<button class="pay" disabled=${Boolean(busy) || tooMuch || !reachable.value} onClick=${complete}><span>${t("pay.charge")} <${Key} k="Enter" /></span><span class="num">${money(amount)}</span></button>`
        : part
        ? html`<button class="pay" disabled=${Boolean(busy) || tooMuch || empty} onClick=${addPart}><span>${t("pay.part", { method: t(`method.${method}`) })} <${Key} k="Enter" /></span><span class="num">${money(amount)}</span></button>`
        : html`<button class="pay" disabled=${Boolean(busy) || tooMuch || empty || pending.value > 0 || !reachable.value} onClick=${complete}><span>${busy ? t("pay.saving") : t("pay.complete")} <${Key} k="Enter" /></span>${busy ? html`<span class="spin" />` : html`<${Icon} name="check" size="lg" />`}</button>`}
    </main>
    <section class="payside" aria-label=${t("numpad.label")}><${NumPad} onKey=${(/** @type {string} */ key) => (key === "00" ? (press("0"), press("0")) : press(key))} third="00" /></section>
  </div>`;
}
