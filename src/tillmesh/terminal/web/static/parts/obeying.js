// What was said is done as if a hand had done it; nothing that a voice says takes or gives money.
import { html, useEffect } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { money, parseQuantity, quantityText } from "../lib/money.js";
import { go } from "../lib/router.js";
import { fold } from "../lib/search.js";
import { changeLook } from "../state/look.js";
import { product, search } from "../state/catalogue.js";
import { addProduct, cart, isWeighed, moveSelection, removeLine, selected, selectedLine, setQuantity, submit } from "../state/cart.js";
import { dialogs, openDialog, toast } from "../state/notices.js";
import { signOut } from "../state/session.js";
import { Confirm, Dialog } from "./dialog.js";
import { Icon } from "./icon.js";
import { NoteDialog, PriceDialog, QuantityDialog } from "./linedialogs.js";
import { openMenu } from "./nav.js";

const CHOICES = 3;

/** @typedef {{command: string, slots: {n?: number, product?: string}, words: string[], confidence: number, requires_confirmation: boolean, sure: boolean}} Heard */
/** @typedef {import("../state/catalogue.js").Product} Product */

/** @type {() => void} */
let scanner = () => {};
/** @param {() => void} open */
export const setScanner = (open) => void (scanner = open);

/** Presses a key of the page: what a command does has one place, whoever asks for it. @param {string} key */
const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

/** @type {(() => void) | null} */
let takeBack = null;

/** Say what was understood, with a way back. @param {Heard} heard @param {string} detail @param {() => void} [undo] */
function said(heard, detail, undo) {
  takeBack = undo ?? null;
  const action = undo && { label: t("voice.undo"), run: () => { undo(); takeBack = null; } };
  toast({ tone: "ok", title: t("voice.heard", { words: heard.words.join(" ") }), detail, ...(action ? { action } : {}) });
}

/** The products that a spoken name may mean, the best first; a word that no name has is left out. @param {string} words */
export function meant(words) {
  const all = words.split(" ");
  const tries = [all, ...(all.length > 1 ? all.map((_, i) => all.filter((_, j) => j !== i)) : [])];
  for (const some of tries) {
    const rows = search(some.join(" "), 30);
    if (rows.length) return rows.map(product).sort((a, b) => Number(b.favourite) - Number(a.favourite));
  }
  return [];
}

/** @param {{title: string, choices: Product[], close: (chosen?: Product) => void}} props */
function ChooseDialog({ title, choices, close }) {
  useEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      const chosen = choices[Number(event.key) - 1];
      if (!chosen) return;
      event.preventDefault();
      close(chosen);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return html`<${Dialog} title=${title} onClose=${() => close()}>
    <div class="choices">${choices.map(
      (one, i) => html`<button key=${one.sku} class="btn tall choice" data-first=${i === 0} onClick=${() => close(one)}><kbd>${i + 1}</kbd><span>${one.name}</span><b class="num">${money(one.price_minor)}</b></button>`,
    )}</div>
  <//>`;
}

/** @param {Heard} heard */
async function add(heard) {
  const name = heard.slots.product ?? "";
  const found = meant(name);
  if (!found.length) return toast({ tone: "info", title: t("voice.heard", { words: heard.words.join(" ") }), detail: t("voice.no.product") });
  const exact = found.find((one) => fold(one.name) === name) ?? (found.length === 1 ? found[0] : null);
  const chosen = exact && heard.sure ? exact : await openDialog(ChooseDialog, { title: t("voice.which", { words: heard.words.join(" ") }), choices: found.slice(0, CHOICES) });
  if (!chosen) return;
  if (isWeighed(chosen.unit)) return addWeighed(chosen);
  const before = cart.peek().lines.map((line) => ({ id: line.line_id, quantity: line.quantity }));
  addProduct(chosen, (heard.slots.n ?? 1) * 1000);
  const line = selected.peek();
  const old = before.find((one) => one.id === line);
  said(heard, `${heard.slots.n ?? 1} × ${chosen.name}`, () => (old ? setQuantity(line, parseQuantity(old.quantity) ?? 0) : removeLine(line)));
}

/** A weight is never taken from a voice: the scale or a hand says it. @param {Product} item */
async function addWeighed(item) {
  const weight = await openDialog(QuantityDialog, { name: item.name, unit: item.unit, price: item.price_minor });
  if (weight) addProduct(item, weight);
}

async function price() {
  const line = selectedLine.peek();
  if (!line) return toast({ tone: "info", title: t("voice.no.line") });
  const op = await openDialog(PriceDialog, { line });
  if (op) submit({ op: "set_price", line_id: line.line_id, ...op });
}

async function note() {
  const line = selectedLine.peek();
  if (!line) return toast({ tone: "info", title: t("voice.no.line") });
  const text = await openDialog(NoteDialog, { title: t("note.title"), text: line.note ?? "" });
  if (text !== undefined) submit({ op: "note", line_id: line.line_id, text });
}

/** @param {Heard} heard @param {(now: number) => number} change of thousandths */
function recount(heard, change) {
  const line = selectedLine.peek() ?? cart.peek().lines.at(-1);
  if (!line || isWeighed(line.unit)) return toast({ tone: "info", title: t("voice.no.line") });
  const before = parseQuantity(line.quantity) ?? 0;
  const after = change(before);
  setQuantity(line.line_id, after);
  said(heard, `${Math.max(0, after) / 1000} × ${line.name}`, after > 0 ? () => setQuantity(line.line_id, before) : () => addAgain(line));
}

/** @param {Heard} heard @param {import("../state/paint.js").Line | null | undefined} line */
function takeOut(heard, line) {
  if (!line) return toast({ tone: "info", title: t("voice.no.line") });
  removeLine(line.line_id);
  said(heard, t("voice.removed", { name: line.name }), () => addAgain(line));
}

/** @param {import("../state/paint.js").Line} line */
const addAgain = (line) => addProduct({ sku: line.sku, unit: line.unit, price_minor: line.list_price_minor }, parseQuantity(line.quantity) ?? 1000);

/** @param {Heard} heard */
async function discount(heard) {
  const percent = quantityText((heard.slots.n ?? 0) * 1000);
  const yes = await openDialog(Confirm, { title: t("voice.heard", { words: heard.words.join(" ") }), text: t("voice.discount", { percent }), yes: t("voice.yes") });
  if (yes) submit({ op: "discount_cart", percent, reason: t("voice.reason") });
}

/** @param {Heard} heard @param {() => void} action */
async function ifSure(heard, action) {
  const yes = await openDialog(Confirm, { title: t("voice.heard", { words: heard.words.join(" ") }), text: t("voice.sure"), yes: t("voice.yes") });
  if (yes) action();
}

/** @param {number} at */
function select(at) {
  const line = cart.peek().lines.at(at);
  if (line) selected.value = line.line_id;
  else toast({ tone: "info", title: t("voice.no.line") });
}

/** @param {string} text */
function searchFor(text) {
  press("F2");
  const field = document.querySelector('[role="searchbox"]');
  if (!(field instanceof HTMLInputElement)) return;
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

async function listCommands() {
  const { commands } = await (await fetch("/api/v1/ai/voice/commands")).json();
  await openDialog(HelpDialog, { commands });
}

/** @param {{commands: {name: string, phrases: string[]}[], close: () => void}} props */
const HelpDialog = ({ commands, close }) =>
  html`<${Dialog} title=${t("voice.help")} note=${t("voice.help.note")} onClose=${close} wide=${true}>
    <ul class="said">${commands.map((one) => html`<li key=${one.name}><${Icon} name="mic" />${one.phrases.map((phrase) => phrase.replace("{n}", t("voice.slot.n")).replace("{product}", t("voice.slot.product"))).join(" · ")}</li>`)}</ul>
  <//>`;

/** @type {Record<string, (heard: Heard) => unknown>} */
const ACTS = {
  add,
  quantity: (heard) => recount(heard, () => (heard.slots.n ?? 1) * 1000),
  one_more: (heard) => recount(heard, (now) => now + 1000),
  one_less: (heard) => recount(heard, (now) => now - 1000),
  double: (heard) => recount(heard, (now) => 2 * now),
  remove: (heard) => takeOut(heard, selectedLine.peek()),
  remove_last: (heard) => takeOut(heard, cart.peek().lines.at(-1)),
  undo: () => { takeBack?.(); takeBack = null; },
  clear: (heard) => cart.peek().lines.length && ifSure(heard, () => submit({ op: "clear" })),
  total: () => toast({ tone: "info", title: t("voice.total", { total: money(cart.peek().total_minor) }) }),
  charge: () => press("F9"),
  pay_cash: () => cart.peek().lines.length && go("pay/cash"),
  pay_card: () => cart.peek().lines.length && go("pay/card"),
  pay_gift_card: () => cart.peek().lines.length && go("pay/gift_card"),
  pay_account: () => cart.peek().lines.length && go("pay/account"),
  discount,
  discount_open: () => press("F7"),
  price,
  note,
  park: () => cart.peek().lines.length && press("F6"),
  resume: () => (cart.peek().lines.length ? toast({ tone: "info", title: t("voice.park.first") }) : press("F6")),
  customer: () => press("F4"),
  no_customer: () => cart.peek().customer && submit({ op: "customer", customer_id: null }),
  search: () => press("F2"),
  search_for: (heard) => searchFor(heard.slots.product ?? ""),
  scan: () => scanner(),
  up: () => moveSelection(-1),
  down: () => moveSelection(1),
  first: () => select(0),
  last: () => select(-1),
  line: (heard) => select((heard.slots.n ?? 1) - 1),
  yes: () => toast({ tone: "info", title: t("voice.not.asked") }),
  no: () => press("Escape"),
  back: () => history.back(),
  favourites: () => press("Escape"),
  return: () => press("F8"),
  sales: () => go("sales"),
  reprint: () => go("sales"),
  drawer: () => go("shift"),
  shift: () => go("shift"),
  close_shift: () => go("shift"),
  reports: () => go("reports"),
  products: () => go("products"),
  stock: () => go("stock"),
  customers: () => go("customers"),
  health: () => go("health"),
  settings: () => go("settings"),
  menu: () => void openMenu(),
  new_sale: () => cart.peek().lines.length && press("F6"),
  sign_out: (heard) => ifSure(heard, () => void signOut()),
  dark: () => changeLook({ theme: "dark" }),
  light: () => changeLook({ theme: "light" }),
  help: listCommands,
};

/** Do what was said. A dialog that is open is answered by hand. @param {Heard} heard */
export async function obey(heard) {
  if (dialogs.peek().length) return toast({ tone: "info", title: t("voice.heard", { words: heard.words.join(" ") }), detail: t("voice.dialog") });
  const unsure = !heard.sure && heard.command !== "add";
  const act = ACTS[heard.command];
  if (!act) return toast({ tone: "info", title: t("voice.nothing") });
  if (unsure) return ifSure(heard, () => void act(heard));
  await act(heard);
  if (heard.command !== "add" && !takeBack) toast({ tone: "ok", title: t("voice.heard", { words: heard.words.join(" ") }) });
}
