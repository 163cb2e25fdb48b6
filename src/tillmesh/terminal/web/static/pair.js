// What a device sees that was not paired yet: the code from the till's screen lets it in, once and for good.
import { html, render, useLayoutEffect, useState, valueOf } from "./lib/ui.js";
import { languageOf, loadLocale, t } from "./lib/i18n.js";
import { asProblem, send } from "./lib/http.js";
import { Icon } from "./parts/icon.js";
import "./state/look.js";

function Pairing() {
  const [code, setCode] = useState("");
  const [name, setName] = useState("");
  const [problem, setProblem] = useState(/** @type {import("./lib/http.js").Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => document.getElementById("code")?.focus(), []);
  const digits = code.replace(/\D/g, "");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy || !digits) return;
    setBusy(true);
    try {
      await send("POST", "/office/pair", { code: digits, name });
      location.replace("/");
    } catch (error) {
      setProblem(asProblem(error));
      setCode("");
      setBusy(false);
    }
  };
  return html`<h1><${Icon} name="store" />${t("office.pair.title")}</h1><p class="lead">${t("office.pair.text")}</p>
    <form onSubmit=${submit}>
      <label class="field"><span>${t("office.code")}</span><input id="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" value=${code} onInput=${(/** @type {Event} */ e) => setCode(valueOf(e))} /></label>
      <label class="field"><span>${t("office.name")}</span><input maxlength="40" autocomplete="off" placeholder=${t("office.name.hint")} value=${name} onInput=${(/** @type {Event} */ e) => setName(valueOf(e))} /></label>
      ${problem && html`<p class="refusal" role="alert"><b>${problem.title}</b><span>${problem.detail}</span><small>${problem.hint}</small></p>`}
      <button class="btn primary tall" disabled=${busy || digits.length < 8}>${t("office.pair")}</button>
    </form><a class="btn ghost" href="/office-ca.crt" download>${t("office.certificate")}</a>`;
}

await loadLocale(languageOf(navigator.language)).catch(() => loadLocale("en"));
render(html`<${Pairing} />`, /** @type {HTMLElement} */ (document.getElementById("pair")));
