// Promotions, in the order in which the till looks at them: what holds, what is planned, what is over; made, ended, copied.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { offersNews } from "../state/live.js";
import { may } from "../state/session.js";
import { openDialog, toastProblem } from "../state/notices.js";
import { BasketPreview } from "../parts/basketpreview.js";
import { Segments } from "../parts/fields.js";
import { Icon } from "../parts/icon.js";
import { ImportDialog } from "../parts/importdialog.js";
import { Loading, Nothing, useLoad } from "../parts/load.js";
import { BLANK, inWords, PromotionForm, writePromotion } from "../parts/promotionform.js";
import { Head } from "../parts/top.js";

const TONES = { now: "ok", planned: "warn", over: "", off: "bad" };
const FILTERS = ["now", "planned", "past"];

/** A copy begins today and is nobody's yet; kept between the tap and the page. @type {any} */
let copied = null;

/** @param {any} one */
const filterOf = (one) => (one.state === "now" || one.state === "planned" ? one.state : "past");

/** @param {{one: any, place: number, chosen: boolean}} props */
const Row = ({ one, place, chosen }) =>
  html`<li><a class="row-main" href=${`#/promotions/${one.promotion_id}`} aria-current=${chosen ? "true" : undefined}>
    <span class="row-icon num" aria-hidden="true">${one.state === "off" ? "–" : place}</span>
    <span><b>${one.name}</b><small>${inWords(one)}${one.codes.length ? ` · ${t("promo.coupon")}` : ""} · ${t(`promo.stage.${one.stage}`)}</small></span><span class="spacer" />
    <span class=${`pill sm ${TONES[/** @type {keyof typeof TONES} */ (one.state)]}`}>${t(one.state === "now" && !one.holds_now ? "promo.state.waits" : `promo.state.${one.state}`)}</span></a></li>`;

/** @param {{one: any, again: () => void}} props */
function Detail({ one, again }) {
  const write = (/** @type {Record<string, any>} */ fields, /** @type {string} */ said) => writePromotion(one.promotion_id, one, fields, said, again).catch(toastProblem);
  const copy = () => {
    copied = { ...Object.fromEntries(Object.keys(BLANK).map((name) => [name, one[name]])), name: t("promo.copy.name", { name: one.name }).slice(0, 60), start: "", until: "", active: true };
    go("promotions/new");
  };
  return html`<section class="card sale-card" aria-label=${one.name}><header class="sale-head"><a class="btn ghost icon only-s" href="#/promotions" aria-label=${t("back")}><${Icon} name="arrow-left" /></a>
      <div><h2>${one.name}</h2><small>${t("promo.uses", { n: one.uses })}</small></div></header>
    <${PromotionForm} key=${JSON.stringify(one)} start=${one} onSaved=${again}>
      <button type="button" class="btn" onClick=${copy}><${Icon} name="copy" />${t("promo.copy")}</button>
      ${one.state === "now" && html`<button type="button" class="btn" onClick=${() => write({ until: new Date().toISOString() }, "promo.ended")}>${t("promo.end")}</button>`}
      <button type="button" class="btn" onClick=${() => write({ active: !one.active }, one.active ? "promo.offed" : "promo.oned")}>${t(one.active ? "promo.off" : "promo.on")}</button><//></section>`;
}

const Making = ({ again = () => {} }) => {
  const [start] = useState(() => copied ?? BLANK);
  const saved = (/** @type {string} */ id) => {
    copied = null;
    again();
    go(`promotions/${id}`);
  };
  return html`<section class="card sale-card" aria-label=${t("promo.new")}><header class="sale-head"><a class="btn ghost icon only-s" href="#/promotions" aria-label=${t("back")}><${Icon} name="arrow-left" /></a><h2>${t("promo.new")}</h2></header>
    <${PromotionForm} start=${start} onSaved=${saved} /></section>`;
};

/** @param {{rows: any[], find: (id: string) => any}} props */
const Overused = ({ rows, find }) =>
  html`<div class="refusal warn" role="note"><b>${t("promo.overused")}</b>${rows.map((one) => html`<span key=${one.promotion_id + one.code + one.customer_id}>${find(one.promotion_id)?.name} ${one.code}: ${t("promo.overused.row", { n: one.uses, limit: one.limit })}</span>`)}</div>`;

/** @param {{arg: string}} props */
export function PromotionsPage({ arg }) {
  const [turn, setTurn] = useState(0);
  const [filter, setFilter] = useState("now");
  const load = useLoad("/promotions", `${turn} ${offersNews.value}`);
  useKeys({ Escape: () => go(arg ? "promotions" : "sell"), n: () => make(), N: () => make() });
  const again = () => setTurn((now) => now + 1);
  const make = () => {
    copied = null;
    go("promotions/new");
  };
  const importing = async () => {
    await openDialog(ImportDialog, { what: "promotions" });
    again();
  };
  /** @type {any[]} */
  const all = load.data?.promotions ?? [];
  const one = all.find((each) => each.promotion_id === arg);
  const shown = all.map((each, at) => ({ each, place: at + 1 })).filter(({ each }) => filterOf(each) === filter);
  if (!may("manager")) return html`<${Head} title=${t("nav.promotions")} /><${Nothing} icon="lock" title=${t("settings.locked")} />`;
  return html`<${Head} title=${t("nav.promotions")} sub=${t("promo.order")}><button class="btn" onClick=${importing}><${Icon} name="upload" />${t("import")}</button><a class="btn" href="/api/v1/promotions/export" download><${Icon} name="download" />${t("export")}</a>
      <button class="btn primary" onClick=${make}><${Icon} name="plus" />${t("promo.new")}</button><//>
    <div class=${`cols sales promo ${arg ? "open" : ""}`}>
      <section class="list promo-list" aria-label=${t("nav.promotions")}>
        <div class="list-tools"><${Segments} label=${t("promo.shown")} value=${filter} onChange=${setFilter} options=${FILTERS.map((name) => [name, `${t(`promo.filter.${name}`)} (${all.filter((each) => filterOf(each) === name).length})`])} /></div>
        <${Loading} load=${load} />${load.data?.overused.length > 0 && html`<${Overused} rows=${load.data.overused} find=${(/** @type {string} */ id) => all.find((each) => each.promotion_id === id)} />`}
        ${load.data && !shown.length && html`<${Nothing} icon="badge-percent" title=${t("promo.none")} hint=${t("promo.none.hint")} />`}
        <ul class="rows">${shown.map(({ each, place }) => html`<${Row} key=${each.promotion_id} one=${each} place=${place} chosen=${each.promotion_id === arg} />`)}</ul></section>
      ${arg === "new" ? html`<${Making} key=${copied ? "copy" : "new"} again=${again} />` : one ? html`<${Detail} key=${arg} one=${one} again=${again} />` : html`<section class="card hide-s"><${BasketPreview} draft=${null} id="" /></section>`}
    </div>`;
}
