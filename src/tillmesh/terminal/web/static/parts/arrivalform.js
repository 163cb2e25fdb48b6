// What has come of goods that were expected: of an order at a supplier, or from another store.
import { freshId, html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { parseQuantity, quantity } from "../lib/money.js";
import { call } from "../state/session.js";
import { Field, Refusal } from "./fields.js";
import { FormDialog } from "./formdialog.js";

/** Ask what came, beginning with all that is missing. @param {{title: string, path: string, expected: {sku: string, name: string, missing: string}[], close: (done?: any) => void}} props */
export function ArrivalForm({ title, path, expected, close }) {
  const open = expected.filter((line) => Number(line.missing) > 0);
  const [came, setCame] = useState(/** @type {Record<string, string>} */ (Object.fromEntries(open.map((line) => [line.sku, line.missing]))));
  const [key] = useState(freshId);
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const lines = Object.entries(came).filter(([, text]) => (parseQuantity(text || "0") ?? 0) > 0);
  const submit = async () => {
    try {
      close(await call("POST", `${path}/receipts`, { key, lines: lines.map(([sku, text]) => ({ sku, quantity: text.replace(",", ".") })) }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${title} note=${t("buy.receive.note")} close=${() => close()} ok=${lines.length > 0} submit=${submit} label=${t("stock.receive")}>
    <${Refusal} problem=${problem} />
    ${open.map((line, at) => html`<${Field} key=${line.sku} auto=${at === 0} className="came" label=${line.name} mode="decimal" unit=${t("buy.of", { n: quantity(line.missing) })} value=${came[line.sku]} onChange=${(/** @type {string} */ v) => setCame({ ...came, [line.sku]: v })} />`)}
  <//>`;
}
