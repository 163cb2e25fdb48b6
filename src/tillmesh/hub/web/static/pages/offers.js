// Offers of head office: promotions, and prices from a time on. Stores know them beforehand, so they begin without internet too.
import { html, useState } from "../lib/ui.js";
import { localeTag, t } from "../lib/i18n.js";
import { amount } from "../lib/amounts.js";
import { call, may } from "../state/session.js";
import { openDialog, toastOk, toastProblem } from "../state/notices.js";
import { tick } from "../state/tick.js";
import { Confirm } from "../parts/dialog.js";
import { Icon } from "../parts/icon.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { PriceForm, PromotionForm } from "../parts/offerforms.js";
import { Head } from "../parts/shell.js";

const TONES = { planned: "info", in_force: "ok", sent: "ok", over: "", withdrawn: "", ended: "" };

/** A local time as it was typed. @param {string} text */
const typed = (text) => new Intl.DateTimeFormat(localeTag(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));

/** @param {{one: any}} props */
const Spread = ({ one }) =>
  html`<small>${[one.chosen || t("where.all"), one.stores_with === one.stores ? t("plan.everywhere", { n: one.stores }) : t("plan.some", { n: one.stores_with, all: one.stores })].join(" · ")}</small>`;

/** What a promotion takes off, in words. @param {any} one */
function takes(one) {
  switch (one.kind) {
    case "buy_get":
      if (one.percent === "100") return t("promo.says.free", { buy: one.buy_count, get: one.get_count });
      return t("promo.says.buy_get", { buy: one.buy_count, get: one.get_count, percent: one.percent });
    case "mix":
      return t("promo.says.mix", { buy: one.buy_count, amount: amount(one.amount_minor, one) });
    case "percent":
    case "cart_percent":
      return t(`promo.says.${one.kind}`, { percent: one.percent });
    default:
      return t(`promo.says.${one.kind}`, { amount: amount(one.amount_minor, one) });
  }
}

/** @param {{one: any, children?: any}} props */
const When = ({ one }) =>
  html`<small>${[one.from || one.start ? t("plan.begins", { at: typed(one.from || one.start) }) : "", one.until ? t("plan.ends", { at: typed(one.until) }) : ""].filter(Boolean).join(" · ") || t("plan.always")}</small>`;

/** @param {{icon: string, title: string, what: string, one: any, live: boolean, onEnd: (() => void) | null, end: string, onEdit?: (() => void) | null}} props */
const Row = ({ icon, title, what, one, live, onEnd, end, onEdit }) =>
  html`<section class=${`card access ${live ? "" : "off"}`}><span class=${`row-icon ${live ? "ok" : ""}`}><${Icon} name=${icon} /></span>
    <div><b>${title}</b><small>${what}</small><${When} one=${one} /><${Spread} one=${one} /></div>
    <span class=${`pill sm ${TONES[/** @type {"sent"} */ (one.state)]}`}>${t(`plan.state.${one.state}`)}</span>
    ${live && onEdit && html`<button class="btn" onClick=${onEdit}><${Icon} name="pencil" />${t("plan.change")}</button>`}
    ${live && onEnd && html`<button class="btn bad-ink" onClick=${onEnd}>${end}</button>`}</section>`;

export function OffersPage() {
  const [tab, setTab] = useState("promotions");
  const load = useLoad(`/${tab}`, `${tab} ${tick.value}`);
  const places = useLoad("/groups");
  const shops = useLoad("/overview");
  /** @type {any[]} */
  const found = load.data?.[tab] ?? [];
  const buyer = may("buyer");
  const first = shops.data?.stores[0];
  const common = { coin: { currency: first?.currency ?? "EUR", exponent: first?.exponent ?? 2 }, groups: places.data?.groups ?? [], stores: places.data?.stores ?? [] };
  const open = async (/** @type {any} */ form, /** @type {any} */ more, /** @type {string} */ said) => {
    if (!(await openDialog(form, { ...common, ...more }))) return;
    toastOk(said);
    load.reload();
  };
  const end = async (/** @type {string} */ method, /** @type {string} */ path, /** @type {string} */ words, /** @type {string} */ name) => {
    if (!(await openDialog(Confirm, { title: t(`${words}.title`, { name }), text: t(`${words}.text`), yes: t(`${words}.yes`), danger: true }))) return;
    try {
      await call(method, path);
      toastOk(`${words}.done`);
    } catch (error) {
      toastProblem(error);
    }
    load.reload();
  };
  const promotion = (/** @type {any} */ one) =>
    html`<${Row} key=${one.promotion_id} icon="percent" title=${one.name} what=${takes(one)} one=${one} live=${one.state === "sent"} end=${t("promo.end.yes")}
      onEdit=${buyer ? () => void open(PromotionForm, { start: one }, "promo.saved") : null} onEnd=${buyer ? () => void end("POST", `/promotions/${one.promotion_id}/end`, "promo.end", one.name) : null} />`;
  const price = (/** @type {any} */ one) =>
    html`<${Row} key=${one.id} icon="tag" title=${one.name} what=${`${one.sku} · ${amount(one.price_minor, one)}`} one=${one} live=${one.state === "planned" || one.state === "in_force"} end=${t("plan.withdraw.yes")}
      onEnd=${buyer ? () => void end("DELETE", `/prices/${one.id}`, "plan.withdraw", one.name) : null} />`;
  /** @type {[string, string][]} */
  const tabs = [["promotions", t("offers.promotions")], ["prices", t("offers.prices")]];
  return html`<${Head} title=${t("nav.offers")} sub=${t("offers.sub")}>
      <a class="btn" href=${`/api/v1/${tab}?format=csv&language=${localeTag()}`} download><${Icon} name="download" />${t("export.csv")}</a>
      ${buyer && (tab === "prices" ? html`<button class="btn primary" disabled=${!places.data || !shops.data} onClick=${() => void open(PriceForm, {}, "plan.saved")}><${Icon} name="plus" />${t("plan.new")}</button>` : html`<button class="btn primary" disabled=${!places.data || !shops.data} onClick=${() => void open(PromotionForm, {}, "promo.saved")}><${Icon} name="plus" />${t("promo.new")}</button>`)}<//>
    <div class="tools"><div class="seg" role="group" aria-label=${t("offers.which")}>${tabs.map(([key, text]) => html`<button key=${key} aria-pressed=${key === tab} onClick=${() => setTab(key)}>${text}</button>`)}</div></div>
    <${Loading} load=${load} />
    ${load.data?.[tab] && !found.length && html`<${Nothing} icon=${tab === "prices" ? "tag" : "percent"} title=${t(`offers.${tab}.none`)} hint=${t(`offers.${tab}.none.hint`)} />`}
    <div class="accesses">${found.map(tab === "prices" ? price : promotion)}</div>`;
}
