// Parked carts: put one aside, take one up again.
import { html, useEffect, useMemo, useState } from "../lib/ui.js";
import { t, clock } from "../lib/i18n.js";
import { money } from "../lib/money.js";
import { asProblem } from "../lib/http.js";
import { cart, leaveCart, pending, settled, takeBill } from "../state/cart.js";
import { call, get, parkedCount } from "../state/session.js";
import { once, openDialog, toast, toastOk, toastProblem } from "../state/notices.js";
import { Confirm, Dialog } from "./dialog.js";
import { Refusal } from "./fields.js";
import { Icon } from "./icon.js";
import { NoteDialog } from "./linedialogs.js";

const SETTLE_MS = 1500;

/** Put the current cart aside under an optional name. */
export async function parkCart() {
  const label = await openDialog(NoteDialog, { title: t("park.title"), text: "", label: t("park.label"), max: 60 });
  if (label === undefined) return;
  if (!(await settled(SETTLE_MS))) return toast({ tone: "warn", title: t("sell.unsaved", { n: pending.peek() }), detail: t("sell.unsaved.detail") });
  void putAway(label);
}

/** Nobody waits for it: the next customer is served. @param {string} label */
async function putAway(label) {
  const before = parkedCount.peek();
  const { cart_id } = cart.peek();
  const comeBack = leaveCart();
  try {
    await call("POST", `/carts/${cart_id}/park`, label ? { label } : {});
    // The live news may have been faster than this answer, and counted it already.
    if (parkedCount.peek() === before) parkedCount.value = before + 1;
    toastOk("park.done");
  } catch (error) {
    comeBack();
    toastProblem(error);
  }
}

/** @param {{close: () => void}} props */
export function ParkedDialog({ close }) {
  const [list, setList] = useState(/** @type {any[] | null} */ (null));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const load = () =>
    get("/parked").then(
      (answer) => {
        setList(answer.parked);
        parkedCount.value = answer.parked.length;
      },
      (error) => setProblem(asProblem(error)),
    );
  useEffect(() => void load(), []);
  useEffect(() => /** @type {HTMLElement | null} */ (document.querySelector("dialog .row-main"))?.focus(), [list?.length]);
  const resume = useMemo(() => once(async (/** @type {any} */ one) => {
    const before = parkedCount.peek();
    try {
      const taken = await call("POST", `/parked/${one.park_id}/resume`, {});
      // Something may have been scanned behind this list: it comes back after this one.
      while (!(await settled(SETTLE_MS)));
      takeBill(taken);
      if (parkedCount.peek() === before) parkedCount.value = Math.max(0, before - 1);
      close();
    } catch (error) {
      const problem = asProblem(error);
      setProblem(problem);
      // It may have been taken up, and only the answer was lost: tapped again it is given again.
      if (!problem.network) void load();
    }
  }), []);
  const drop = async (/** @type {any} */ one) => {
    const back = !one.paid && one.parts_minor > 0;
    const yes = await openDialog(Confirm, { title: t("park.drop.title"), text: t("park.drop.text", { label: one.label || one.by?.name, total: money(one.total_minor) }) + (back ? ` · ${t("clear.paid", { amount: money(one.parts_minor) })}` : ""), yes: t("park.drop"), danger: true });
    if (!yes) return;
    await call("DELETE", `/parked/${one.park_id}${back ? "?given_back=1" : ""}`).catch((error) => setProblem(asProblem(error)));
    void load();
  };
  return html`<${Dialog} title=${t("park.list")} onClose=${close}>
    <${Refusal} problem=${problem} />
    ${list === null && !problem ? html`<div class="waiting small"><span class="spin" /></div>` : ""}
    ${list?.length === 0 && html`<div class="empty"><${Icon} name="pause" size="xl" /><b>${t("park.none")}</b><span>${t("park.none.hint")}</span></div>`}
    <ul class="rows">${(list ?? []).map(
      (one, i) => html`<li key=${one.park_id}><button class="row-main" data-first=${i === 0} onClick=${() => resume(one)}><span class="row-icon"><${Icon} name="play" /></span>
          <span><b>${one.label || one.customer?.name || t("park.nolabel")}</b><small>${t("park.by", { by: typeof one.by === "string" ? one.by : (one.by?.name ?? ""), at: clock(one.parked_at) })} · ${one.paid ? t("park.paid", { receipt: one.paid.receipt_number }) : t("cart.items", { n: Number(one.item_count) })}${one.parts_minor > 0 && !one.paid ? ` · ${t("cart.paid")} ${money(one.parts_minor)}` : ""}</small></span><span class="spacer" /><b class="num">${money(one.total_minor)}</b></button>
        <button class="btn ghost icon" aria-label=${t("park.drop")} onClick=${() => drop(one)}><${Icon} name="trash-2" /></button></li>`,
    )}</ul>
  <//>`;
}
