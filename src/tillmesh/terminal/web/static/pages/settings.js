// Settings: how this screen looks (anyone), and how store, taxes, receipt and printer are set (managers).
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { moneyField, parseMoney } from "../lib/money.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { changeLook, look } from "../state/look.js";
import { call, languageChoices, loadState, may, session, takePerson, training } from "../state/session.js";
import { openDialog, toastOk, toastProblem } from "../state/notices.js";
import { Confirm } from "../parts/dialog.js";
import { Choice, Field, Refusal, Segments, Toggle } from "../parts/fields.js";
import { MailServer } from "../parts/mailserver.js";
import { openQuickKeys } from "../parts/quickdialog.js";
import { openShelf } from "../parts/shelfdialog.js";
import { Icon } from "../parts/icon.js";
import { Loading, useLoad } from "../parts/load.js";
import { OfficeDevices } from "../parts/officedevices.js";
import { PoleSettings, ScaleSettings } from "../parts/scalesettings.js";
import { Head } from "../parts/top.js";

/** @type {["auto" | "light" | "dark" | "contrast", string][]} */
const THEMES = [["auto", "monitor"], ["light", "sun"], ["dark", "moon"], ["contrast", "contrast"]];

const Appearance = () =>
  html`<section class="card section"><h2><${Icon} name="sun" />${t("settings.look")}</h2>
    <div class="swatches" role="group" aria-label=${t("settings.theme")}>${THEMES.map(([key, icon]) => html`<button key=${key} class="swatch" aria-pressed=${look.value.theme === key} onClick=${() => changeLook({ theme: key })}><${Icon} name=${icon} size="lg" /><span>${t(`settings.theme.${key}`)}</span></button>`)}</div>
    <${Segments} label=${t("settings.text")} value=${look.value.text} onChange=${(/** @type {any} */ text) => changeLook({ text })} options=${["normal", "large", "larger"].map((key) => [key, t(`settings.text.${key}`)])} />
    <${Toggle} label=${t("settings.mirror")} hint=${t("settings.mirror.hint")} value=${look.value.mirror} onChange=${(/** @type {boolean} */ mirror) => changeLook({ mirror })} />
    <${MyLanguage} /></section>`;

/** The person's own language, on every till. */
function MyLanguage() {
  const choose = async (/** @type {string} */ language) => {
    try {
      takePerson(await call("PATCH", "/session", { language }));
    } catch (error) {
      toastProblem(error);
    }
  };
  return html`<${Choice} label=${t("settings.language")} value=${session.value?.language ?? ""} onChange=${choose} options=${languageChoices()} hint=${t("settings.language.hint")} />`;
}

/** Practice at this till, for a manager to begin. */
function Training() {
  const begin = async () => {
    try {
      if (await openDialog(Confirm, { title: t("training.begin.title"), text: t("training.begin.text"), yes: t("training.begin") })) await call("POST", "/training", {});
    } catch (error) {
      toastProblem(error);
    }
  };
  return html`<section class="card section"><h2><${Icon} name="circle-user-round" />${t("training.title")}</h2><p class="hint">${t("training.hint")}</p>
    <div><button class="btn" disabled=${Boolean(training.value)} onClick=${begin}><${Icon} name="play" />${t("training.begin")}</button></div></section>`;
}

/** Which products and departments come first on the page of the sale, for a manager to say. */
const QuickKeys = () =>
  html`<section class="card section"><h2><${Icon} name="keyboard" />${t("quick.title")}</h2><p class="hint">${t("quick.hint")}</p>
    <div><button class="btn" onClick=${async () => (await openQuickKeys()) && toastOk("saved")}><${Icon} name="pencil" />${t("quick.open")}</button></div></section>
  <section class="card section"><h2><${Icon} name="boxes" />${t("shelf.title")}</h2><p class="hint">${t("shelf.hint")}</p>
    <div><button class="btn" onClick=${async () => (await openShelf()) && toastOk("saved")}><${Icon} name="pencil" />${t("shelf.open")}</button></div></section>`;

/** @param {Record<string, number>} rates */
const ratesText = (rates) => Object.entries(rates).map(([code, ppm]) => `${code} = ${ppm / 10000}`).join("\n");

/** @param {string} text @returns {Record<string, number> | null} */
function ratesOf(text) {
  /** @type {Record<string, number>} */
  const rates = {};
  for (const line of text.split("\n").filter((one) => one.trim())) {
    const match = /^\s*(\w+)\s*=\s*(\d{1,2}(?:[.,]\d{1,4})?)\s*%?\s*$/.exec(line);
    if (!match) return null;
    rates[match[1]] = Math.round(Number(match[2].replace(",", ".")) * 10000);
  }
  return Object.keys(rates).length ? rates : null;
}

/** What changed between two settings. @param {Record<string, any>} before @param {Record<string, any>} after */
const changes = (before, after) => Object.fromEntries(Object.entries(after).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key])));

const WAYS = ["card", "gift_card", "points", "account"];
/** @type {["loyalty_earn_minor" | "loyalty_point_minor" | "offline_redeem_max_minor", string][]} */
const LOYALTY = [["loyalty_earn_minor", "settings.earn"], ["loyalty_point_minor", "settings.point"], ["offline_redeem_max_minor", "settings.apart"]];

/** Ways to pay, points, and what tills apart may take. @param {{shop: any, set: (name: string) => (value: any) => void, off: boolean}} props */
function Ways({ shop, set, off }) {
  const [texts, setTexts] = useState(/** @type {Record<string, string>} */ (Object.fromEntries(LOYALTY.map(([name]) => [name, moneyField(shop[name] ?? 0)]))));
  const type = (/** @type {string} */ name) => (/** @type {string} */ text) => {
    setTexts({ ...texts, [name]: text });
    const minor = parseMoney(text);
    if (minor !== null && minor >= 0) set(name)(minor);
  };
  const toggle = (/** @type {string} */ way) => (/** @type {boolean} */ on) => set("pay_methods")(["cash", ...WAYS.filter((one) => (one === way ? on : shop.pay_methods.includes(one)))]);
  return html`<section class="card section"><h2><${Icon} name="wallet" />${t("settings.ways")}</h2>
    ${WAYS.map((way) => html`<${Toggle} key=${way} label=${t(`method.${way}`)} value=${shop.pay_methods.includes(way)} onChange=${toggle(way)} disabled=${off} />`)}
    <div class="two">${LOYALTY.map(([name, key]) => html`<${Field} key=${name} label=${t(key)} mode="decimal" value=${texts[name]} onChange=${type(name)} disabled=${off} hint=${t(`${key}.hint`)} error=${parseMoney(texts[name]) === null ? t("settings.amount.wrong") : ""} />`)}</div></section>`;
}

/** @param {{settings: any, onSaved: () => void}} props */
function Store({ settings, onSaved }) {
  const [shop, setShop] = useState(settings.store);
  const [till, setTill] = useState(settings.terminal);
  const [rates, setRates] = useState(ratesText(settings.store.tax_rates));
  const [refund, setRefund] = useState(moneyField(settings.store.refund_limit_minor ?? 0));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  const locked = !may("manager");
  const set = (/** @type {string} */ name) => (/** @type {any} */ value) => setShop({ ...shop, [name]: value });
  const setT = (/** @type {string} */ name) => (/** @type {any} */ value) => setTill({ ...till, [name]: value });
  const parsed = ratesOf(rates);
  const limit = parseMoney(refund);
  const body = { store: changes(settings.store, { ...shop, tax_rates: parsed ?? shop.tax_rates, refund_limit_minor: limit ?? shop.refund_limit_minor }), terminal: changes(settings.terminal, till) };
  const dirty = Object.keys(body.store).length + Object.keys(body.terminal).length > 0;
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await call("PATCH", "/settings", body);
      await loadState();
      toastOk("saved");
      onSaved();
    } catch (error) {
      setProblem(asProblem(error));
    }
    setBusy(false);
  };
  const words = (/** @type {string[]} */ keys, /** @type {string} */ prefix) => keys.map((key) => /** @type {[string, string]} */ ([key, t(`${prefix}.${key}`)]));
  const off = locked;
  return html`<form class="section" onSubmit=${save}>
    ${locked && html`<p class="hint">${t("settings.locked")}</p>`}<${Refusal} problem=${problem} />
    <div class="cols even">
      <section class="card section"><h2><${Icon} name="store" />${t("settings.store")}</h2>
        <${Field} label=${t("settings.name")} value=${shop.name} onChange=${set("name")} disabled=${off} />
        <div class="field"><label for="set-address">${t("settings.address")}</label><textarea id="set-address" rows="3" disabled=${off} value=${(shop.address ?? []).join("\n")} onInput=${(/** @type {Event} */ e) => set("address")(/** @type {HTMLTextAreaElement} */ (e.currentTarget).value.split("\n"))} /></div>
        <div class="two"><${Field} label=${t("settings.taxid")} value=${shop.tax_id} onChange=${set("tax_id")} disabled=${off} /><${Field} label=${t("settings.timezone")} value=${shop.time_zone ?? ""} onChange=${set("time_zone")} disabled=${off} hint=${t("settings.timezone.hint")} />
          <${Field} label=${t("settings.currency")} value=${shop.currency} onChange=${set("currency")} disabled=${off} hint=${t("settings.currency.hint")} /><${Field} label=${t("settings.locale")} value=${shop.locale} onChange=${set("locale")} disabled=${off} hint=${t("settings.locale.hint")} /></div></section>
      <section class="card section"><h2><${Icon} name="percent" />${t("settings.taxes")}</h2>
        <${Toggle} label=${t("settings.included")} hint=${t("settings.included.hint")} value=${shop.prices_include_tax} onChange=${set("prices_include_tax")} disabled=${off} />
        <div class=${`field ${parsed ? "" : "wrong"}`}><label for="set-rates">${t("settings.rates")}</label><textarea id="set-rates" rows="4" disabled=${off} value=${rates} onInput=${(/** @type {Event} */ e) => setRates(/** @type {HTMLTextAreaElement} */ (e.currentTarget).value)} /><small>${t(parsed ? "settings.rates.hint" : "settings.rates.wrong")}</small></div>
        <div class="two"><${Choice} label=${t("settings.taxrounding")} value=${shop.tax_rounding} onChange=${set("tax_rounding")} disabled=${off} options=${words(["total", "line"], "settings.taxrounding")} />
          <${Choice} label=${t("settings.cashstep")} value=${String(shop.cash_step_minor)} onChange=${(/** @type {string} */ v) => set("cash_step_minor")(Number(v))} disabled=${off} options=${[...new Set([0, 1, 5, 10, 50, 100, 500, shop.cash_step_minor])].map((n) => /** @type {[string, string]} */ ([String(n), n === 1 ? t("settings.cashstep.none") : n ? moneyField(n) : t("settings.cashstep.usual", { step: shop.cash_step_usual_minor > 1 ? moneyField(shop.cash_step_usual_minor) : t("settings.cashstep.none") })]))} />
          <${Field} label=${t("settings.discount")} mode="decimal" unit="%" value=${String((shop.discount_limit_ppm ?? 0) / 10000)} onChange=${(/** @type {string} */ v) => /^\d{1,3}([.,]\d{1,2})?$/.test(v) && set("discount_limit_ppm")(Math.round(Number(v.replace(",", ".")) * 10000))} disabled=${off} />
          <${Choice} label=${t("settings.oversell")} value=${shop.oversell_policy} onChange=${set("oversell_policy")} disabled=${off} options=${words(["ask", "back_order", "adjust"], "settings.oversell")} hint=${t(`settings.oversell.${shop.oversell_policy}.hint`, { n: shop.oversell_adjust_max_milli / 1000 })} />
          <${Field} label=${t("settings.oversell.name")} value=${shop.oversell_policy_name} onChange=${set("oversell_policy_name")} disabled=${off} hint=${t("settings.oversell.name.hint")} />
          <${Field} label=${t("settings.refund")} mode="decimal" value=${refund} onChange=${setRefund} disabled=${off} error=${limit === null ? t("settings.amount.wrong") : ""} /></div></section>
      <${Ways} shop=${shop} set=${set} off=${off} />
      <section class="card section"><h2><${Icon} name="printer" />${t("settings.printer")}</h2>
        <div class="two"><${Field} label=${t("settings.till")} value=${till.name ?? ""} onChange=${setT("name")} disabled=${off} /><${Choice} label=${t("settings.printer.kind")} value=${till.printer_kind} onChange=${setT("printer_kind")} disabled=${off} options=${words(["none", "network", "usb", "file"], "settings.printer")} />
          ${till.printer_kind !== "none" && html`<${Field} label=${t("settings.printer.target")} value=${till.printer_target} onChange=${setT("printer_target")} disabled=${off} hint=${t(`settings.printer.${till.printer_kind}.hint`)} />`}
          <${Choice} label=${t("settings.columns")} value=${String(till.printer_columns)} onChange=${(/** @type {string} */ v) => setT("printer_columns")(Number(v))} disabled=${off} options=${[...new Set([32, 42, 48, till.printer_columns])].map((n) => /** @type {[string, string]} */ ([String(n), t("settings.columns.n", { n })]))} /></div>
        <${Toggle} label=${t("settings.print")} value=${till.print_receipts} onChange=${setT("print_receipts")} disabled=${off} /><${Toggle} label=${t("settings.drawer")} value=${till.open_drawer} onChange=${setT("open_drawer")} disabled=${off} /></section>
      <${ScaleSettings} till=${till} set=${setT} off=${off} /><${PoleSettings} till=${till} set=${setT} off=${off} />
      <section class="card section"><h2><${Icon} name="receipt-text" />${t("settings.receipt")}</h2>
        <div class="field"><label for="set-footer">${t("settings.footer")}</label><textarea id="set-footer" rows="3" maxlength="500" disabled=${off} value=${shop.receipt_footer} onInput=${(/** @type {Event} */ e) => set("receipt_footer")(/** @type {HTMLTextAreaElement} */ (e.currentTarget).value)} /></div>
        <${Field} label=${t("settings.prefix")} value=${shop.scanner_prefix ?? ""} max=${5} onChange=${set("scanner_prefix")} disabled=${off} hint=${t("settings.prefix.hint")} /></section>
    </div>
    ${!locked && dirty && html`<div class="savebar"><span class="hint">${t("settings.dirty")}</span><button class="btn primary tall" disabled=${busy || !parsed || limit === null}>${busy && html`<span class="spin" />`}${t("save")}</button></div>`}
  </form>`;
}

/** How this till charges cards. @param {{settings: any, onSaved: () => void}} props */
function Cards({ settings, onSaved }) {
  const till = settings.terminal;
  const load = useLoad(till.card_terminal === "adyen" ? "/card-terminal" : "", settings);
  const [reach, setReach] = useState(/** @type {any} */ (null));
  const now = reach ?? load.data ?? {};
  const save = async (/** @type {() => Promise<any>} */ work) => {
    try {
      await work();
      await loadState();
      toastOk("saved");
      onSaved();
    } catch (error) {
      toastProblem(error);
    }
  };
  const set = (/** @type {Record<string, string>} */ terminal) => save(() => call("PATCH", "/settings", { terminal }));
  const part = (/** @type {string} */ name, /** @type {string} */ key, /** @type {any} */ more = {}) => html`<${Field} label=${t(`settings.cards.${key}`)} value=${String(now[name] ?? "")} onChange=${(/** @type {string} */ value) => setReach({ ...now, [name]: value })} ...${more} />`;
  const words = (/** @type {string[]} */ keys, /** @type {string} */ prefix) => keys.map((key) => /** @type {[string, string]} */ ([key, t(`${prefix}.${key}`)]));
  const { has_passphrase, ...body } = now;
  return html`<section class="card section"><h2><${Icon} name="credit-card" />${t("settings.cards")}</h2>
    <div class="two"><${Choice} label=${t("settings.cards.kind")} value=${till.card_terminal} onChange=${(/** @type {string} */ card_terminal) => set({ card_terminal })} options=${words(["none", "simulated", "adyen"], "settings.cards")} />
      ${till.card_terminal === "simulated" && html`<${Choice} label=${t("settings.cards.script")} value=${till.card_simulation} onChange=${(/** @type {string} */ card_simulation) => set({ card_simulation })} options=${words(["ask", "accept", "decline", "lost", "late", "silent"], "settings.cards.script")} />`}</div>
    ${till.card_terminal === "adyen" && load.data && html`<div class="two">${part("host", "host")}${part("poi_id", "poi", { hint: t("settings.cards.poi.hint") })}${part("key_identifier", "keyname")}${part("key_version", "keyversion", { mode: "numeric" })}${part("passphrase", "passphrase", { hint: has_passphrase ? t("settings.cards.passphrase.kept") : "" })}</div>
      <div class="field"><label for="set-authority">${t("settings.cards.authority")}</label><textarea id="set-authority" rows="4" value=${now.authority ?? ""} onInput=${(/** @type {Event} */ e) => setReach({ ...now, authority: /** @type {HTMLTextAreaElement} */ (e.currentTarget).value })} /></div>
      <button class="btn primary" disabled=${!reach} onClick=${() => save(() => call("PUT", "/card-terminal", { ...body, key_version: Number(now.key_version) || 0, port: Number(now.port) || 8443 }))}>${t("settings.cards.setup")}</button>`}</section>`;
}

export function SettingsPage() {
  const [turn, setTurn] = useState(0);
  const load = useLoad("/settings", turn);
  useKeys({ Escape: () => go("sell") });
  return html`<${Head} title=${t("nav.settings")} /><${Appearance} />${may("manager") && html`<${QuickKeys} /><${MailServer} /><${Training} />`}<${Loading} load=${load} />${load.data && html`<${Store} key=${JSON.stringify(load.data)} settings=${load.data} onSaved=${() => setTurn(turn + 1)} />${may("manager") && html`<${Cards} settings=${load.data} onSaved=${() => setTurn(turn + 1)} /><${OfficeDevices} />`}`}`;
}
