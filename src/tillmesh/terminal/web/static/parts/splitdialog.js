// Split a bill: some items go on a bill of their own, or everybody pays an equal share.
import { freshId, html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { money, parseQuantity, quantity, quantityText } from "../lib/money.js";
import { cart, isWeighed } from "../state/cart.js";
import { call } from "../state/session.js";
import { openDialog } from "../state/notices.js";
import { Refusal, Segments } from "./fields.js";
import { FormDialog } from "./formdialog.js";
import { Icon } from "./icon.js";

const SHARES_MAX = 20;

/** @typedef {import("../state/paint.js").Line} Line */

/** @param {Line} line */
const all = (line) => parseQuantity(line.quantity) ?? 0;

/** How much one touch moves: a piece, or a weighed line whole. @param {Line} line */
const grain = (line) => (isWeighed(line.unit) || line.fixed_price ? all(line) : 1000);

/** @param {{label: string, now: string, less: () => void, more: () => void, none: boolean, full: boolean}} props */
const Stepper = ({ label, now, less, more, none, full }) =>
  html`<span class="stepper" role="group" aria-label=${label}><button type="button" class="btn icon" disabled=${none} aria-label=${t("split.less", { name: label })} onClick=${less}><${Icon} name="minus" /></button>
    <output class="num">${now}</output><button type="button" class="btn icon" disabled=${full} aria-label=${t("split.more", { name: label })} onClick=${more}><${Icon} name="plus" /></button></span>`;

/** @param {{parts: Record<string, number>, onChange: (parts: Record<string, number>) => void}} props */
const Items = ({ parts, onChange }) =>
  html`<ul class="rows split">${cart.value.lines.map((line) => {
    const taken = parts[line.line_id] ?? 0;
    const put = (/** @type {number} */ milli) => onChange({ ...parts, [line.line_id]: Math.max(0, Math.min(all(line), milli)) });
    return html`<li key=${line.line_id} class=${taken ? "taken" : ""}><span><b>${line.name}</b><small class="num">${t("split.of", { n: quantity(line.quantity), total: money(line.total_minor) })}</small></span><span class="spacer" />
      <${Stepper} label=${line.name} now=${quantity(quantityText(taken))} none=${taken === 0} full=${taken >= all(line)} less=${() => put(taken - grain(line))} more=${() => put(taken + grain(line))} /></li>`;
  })}</ul>`;

/** @param {{close: (how?: {bill?: any, shares?: number}) => void}} props */
function SplitDialog({ close }) {
  const [way, setWay] = useState("items");
  const [parts, setParts] = useState(/** @type {Record<string, number>} */ ({}));
  const [shares, setShares] = useState(2);
  const [into] = useState(freshId);
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const { lines, cart_id, total_minor } = cart.value;
  // What is shown is a preview; the bill's own amounts come from Python.
  const sum = lines.reduce((so, line) => so + Math.round((line.total_minor * (parts[line.line_id] ?? 0)) / (all(line) || 1)), 0);
  const some = Object.values(parts).some((milli) => milli > 0);
  const left = lines.some((line) => (parts[line.line_id] ?? 0) < all(line));
  const submit = async () => {
    if (way === "shares") return close({ shares });
    const wanted = Object.entries(parts).filter(([, milli]) => milli > 0);
    try {
      close({ bill: await call("POST", `/carts/${cart_id}/split`, { into, lines: Object.fromEntries(wanted.map(([id, milli]) => [id, quantityText(milli)])) }) });
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const ok = way === "shares" || (some && left);
  // Touches leave the keyboard where it is, so that Enter goes on instead of pressing the last button once more.
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || event.target !== event.currentTarget) return;
    event.preventDefault();
    if (ok) void submit();
  };
  const label = way === "shares" ? t("split.shares.take", { amount: money(Math.ceil(total_minor / shares)) }) : t("split.pay", { amount: money(sum) });
  return html`<${FormDialog} title=${t("split.title")} close=${() => close()} ok=${ok} submit=${submit} label=${label} wide=${true}>
    <${Refusal} problem=${problem} />
    <div class="stay" tabindex="-1" data-first onMouseDown=${(/** @type {Event} */ e) => e.preventDefault()} onKeyDown=${onKey}>
    <${Segments} label=${t("split.how")} value=${way} onChange=${setWay} options=${["items", "shares"].map((key) => [key, t(`split.${key}`)])} />
    ${way === "items"
      ? html`<p class="hint">${t("split.items.hint")}</p><${Items} parts=${parts} onChange=${setParts} />`
      : html`<p class="hint">${t("split.shares.hint")}</p><div class="split-n"><${Stepper} label=${t("split.people")} now=${String(shares)} none=${shares <= 2} full=${shares >= SHARES_MAX} less=${() => setShares(shares - 1)} more=${() => setShares(shares + 1)} /><span>${t("split.people")}</span></div>`}</div>
  <//>`;
}

export const openSplit = () => openDialog(SplitDialog, {});
