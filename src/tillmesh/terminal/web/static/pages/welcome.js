// The first page of a till's life: what the shop is called, and who it belongs to.
import { html, useEffect, useRef, useState } from "../lib/ui.js";
import { languageOf, loadLocale, t } from "../lib/i18n.js";
import { asProblem, send } from "../lib/http.js";
import { go } from "../lib/router.js";
import { call, loadState, store } from "../state/session.js";
import { toastProblem } from "../state/notices.js";
import { Field, Refusal } from "../parts/fields.js";
import { Icon } from "../parts/icon.js";

/** What is paid with where browsers are set to a country; others say it in the settings. @type {Record<string, string>} */
const CURRENCIES = { GB: "GBP", US: "USD", CH: "CHF", ...Object.fromEntries("AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK".split(" ").map((one) => [one, "EUR"])) };

/** What this browser knows of the shop's place. @returns {Record<string, string>} */
function here() {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const [language, region = ""] = navigator.language.split("-");
  const spoken = (store.peek().languages ?? []).includes(language) && /^[A-Z]{2}$/.test(region);
  return { ...(timeZone ? { time_zone: timeZone } : {}), ...(spoken ? { locale: `${language}-${region}` } : {}), ...(CURRENCIES[region] ? { currency: CURRENCIES[region] } : {}) };
}

export function WelcomePage() {
  const [shop, setShop] = useState("");
  const [name, setName] = useState("");
  const [pin, setPin] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  useEffect(() => {
    form.current?.querySelector("input")?.focus();
    const { locale } = here();
    if (locale) loadLocale(languageOf(locale), false).catch(() => {});
  }, []);
  const good = /^\d{4,8}$/.test(pin);
  const ok = Boolean(shop.trim() && name.trim()) && good && pin === again && !busy;
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!ok) return;
    setBusy(true);
    try {
      await send("POST", "/owner", { name: name.trim(), pin });
      await call("PATCH", "/settings", { store: { name: shop.trim(), ...here() }, terminal: { name: t("welcome.till") } }).catch(toastProblem);
      go("settings");
      await loadState();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  const digits = { type: "password", mode: "numeric", max: 8, required: true };
  return html`<main class="signin">
    <section class="signin-brand"><div class="signin-logo"><${Icon} name="store" /></div><h1>${t("welcome.title")}</h1><p>${t("welcome.text")}</p></section>
    <section class="signin-pad"><form class="form welcome" ref=${form} onSubmit=${submit}><h2>${t("welcome.who")}</h2><${Refusal} problem=${problem} />
      <${Field} label=${t("welcome.shop")} max=${60} required=${true} value=${shop} onChange=${setShop} />
      <${Field} label=${t("welcome.name")} max=${60} required=${true} value=${name} onChange=${setName} />
      <${Field} label=${t("people.pin")} ...${digits} value=${pin} onChange=${setPin} hint=${t("welcome.pin.hint")} error=${pin && !good ? t("people.pin.wrong") : ""} />
      <${Field} label=${t("welcome.again")} ...${digits} value=${again} onChange=${setAgain} error=${again && again !== pin ? t("welcome.differ") : ""} />
      <button class="btn primary tall wide" disabled=${!ok}>${busy && html`<span class="spin" />`}${t("welcome.go")}</button></form></section>
  </main>`;
}
