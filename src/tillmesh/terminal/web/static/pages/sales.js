// Sales: find one by receipt, product or customer; see it whole; refund, void, print again.
import { html, useEffect, useLayoutEffect, useRef, useState, valueOf } from "../lib/ui.js";
import { clock, day, t } from "../lib/i18n.js";
import { money } from "../lib/money.js";
import { query } from "../lib/http.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { salesNews } from "../state/live.js";
import { useScans } from "../state/scan.js";
import { Icon, Key } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { Head } from "../parts/top.js";
import { Virtual } from "../parts/virtual.js";
import { openReturn } from "../parts/refund.js";
import { SaleDetail } from "../parts/saledetail.js";

const LIST_MAX = 200;

/** @param {string} state */
const toneOf = (state) => ({ closed: "ok", voided: "bad", refunded: "warn", part_refunded: "warn" })[state] ?? "";

/** @param {{sale: any, open: boolean}} props */
const Row = ({ sale, open }) =>
  html`<a class="list-row sale-row" href=${`#/sales/${sale.sale_id}`} aria-current=${open ? "true" : undefined}>
    <span><b class="num">${sale.receipt_number}</b><small>${day(sale.at)}, ${clock(sale.at)}</small></span>
    <span><span class="clip">${sale.customer?.name || sale.cashier?.name}</span><small>${t("cart.items", { n: sale.lines.length })}</small></span>
    <span class="r">${sale.state !== "closed" && html`<span class=${`pill sm ${toneOf(sale.state)}`}>${t(`sale.state.${sale.state}`)}</span>`}<b class="num">${money(sale.total_minor)}</b></span>
  </a>`;

/** @param {{arg: string}} props */
export function SalesPage({ arg }) {
  const [text, setText] = useState("");
  const field = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLInputElement | null>} */ (useRef(null));
  const load = useLoad(`/sales${query({ q: text.trim(), limit: LIST_MAX })}`, salesNews.value, text ? 120 : 0);
  /** @type {any[]} */
  const sales = load.data?.sales ?? [];
  useLayoutEffect(() => field.current?.focus(), []);
  useScans((code) => {
    setText(code);
    if (field.current) field.current.value = code;
  });
  useKeys({ F2: () => field.current?.focus(), Escape: () => go(arg ? "sales" : "sell") });
  // A receipt that was scanned or typed whole opens by itself.
  useEffect(() => {
    if (text && sales.length === 1 && sales[0].receipt_number.toLowerCase() === text.trim().toLowerCase()) go(`sales/${sales[0].sale_id}`);
  }, [load.data]);
  const at = sales.findIndex((sale) => sale.sale_id === arg);
  const step = (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      const next = sales[Math.max(0, Math.min(sales.length - 1, at + by))];
      if (next) go(`sales/${next.sale_id}`);
    } else if (event.key === "Enter" && sales[0]) go(`sales/${(sales[at] ?? sales[0]).sale_id}`);
  };
  return html`<${Head} title=${t("nav.sales")}><button class="btn" onClick=${openReturn}><${Icon} name="undo-2" />${t("return.without")}</button><//>
    <div class=${`cols sales ${arg ? "open" : ""}`}>
      <section class="list deep" aria-label=${t("nav.sales")}>
        <div class="list-tools"><label class="search"><${Icon} name="search" /><span class="sr">${t("sales.search")}</span>
          <input ref=${field} placeholder=${t("sales.search")} onInput=${(/** @type {Event} */ e) => setText(valueOf(e))} onKeyDown=${step} autocomplete="off" /><${Key} k="F2" /></label></div>
        <${Loading} load=${load} />
        ${load.data && sales.length === 0 && html`<${Nothing} icon="receipt-text" title=${t(text ? "sales.nothing" : "sales.none")} hint=${t(text ? "sales.nothing.hint" : "sales.none.hint")} />`}
        ${sales.length > 0 && html`<${Virtual} count=${sales.length} height=${64} show=${at} label=${t("nav.sales")} role="group" item=${(/** @type {number} */ i) => html`<${Row} key=${sales[i].sale_id} sale=${sales[i]} open=${sales[i].sale_id === arg} />`} />`}
      </section>
      ${arg ? html`<${SaleDetail} id=${arg} key=${arg} onChange=${load.reload} />` : html`<section class="card hide-s"><${Nothing} icon="receipt-text" title=${t("sales.choose")} hint=${t("sales.choose.hint")} /></section>`}
    </div>`;
}
