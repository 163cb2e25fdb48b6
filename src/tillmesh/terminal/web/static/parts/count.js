// Counting a drawer: by coin and note, or as one amount.
import { html, useLayoutEffect, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { currencyExponent, money, moneyField, parseMoney } from "../lib/money.js";
import { store } from "../state/session.js";
import { Segments } from "./fields.js";
import { NumberField } from "./linedialogs.js";

/** Notes and coins in use, in minor units; other currencies count one amount. @type {Record<string, number[]>} */
const PIECES = {
  GBP: [5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1],
  EUR: [20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1],
  USD: [10000, 5000, 2000, 1000, 500, 200, 100, 50, 25, 10, 5, 1],
  CHF: [20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5],
};

/** @param {{onChange: (minor: number | null) => void, label: string}} props */
export function CountFields({ onChange, label }) {
  const pieces = PIECES[store.value.currency] ?? [];
  const [way, setWay] = useState("amount");
  const [text, setText] = useState("");
  const [counts, setCounts] = useState(/** @type {Record<number, string>} */ ({}));
  const sum = pieces.reduce((total, piece) => total + piece * (Number(counts[piece]) || 0), 0);
  const any = Object.values(counts).some(Boolean);
  const minor = way === "amount" ? parseMoney(text || "-") : any ? sum : null;
  useLayoutEffect(() => onChange(minor !== null && minor >= 0 ? minor : null), [minor]);
  const change = (/** @type {string} */ next) => {
    if (next === "amount" && any) setText(moneyField(sum));
    setWay(next);
  };
  return html`${pieces.length > 0 && html`<${Segments} label=${t("count.way")} value=${way} onChange=${change} options=${[["amount", t("count.amount")], ["pieces", t("count.pieces")]]} />`}
    ${way === "amount"
      ? html`<${NumberField} label=${label} value=${text} onChange=${setText} third=${currencyExponent() ? "." : ""} />`
      : html`<div class="pieces">${pieces.map((piece) => html`<label key=${piece}><span class="num">${money(piece)}</span><input inputmode="numeric" maxlength="5" placeholder="0" value=${counts[piece] ?? ""} onInput=${(/** @type {Event} */ e) => setCounts({ ...counts, [piece]: valueOf(e).replace(/\D/g, "") })} /><output class="num">${counts[piece] ? money(piece * Number(counts[piece])) : ""}</output></label>`)}</div>
          <p class="preview num" role="status">${label} ${money(sum)}</p>`}`;
}
