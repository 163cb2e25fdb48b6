// The first page: name and password.
import { html, useState, valueOf } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem, reachable } from "../lib/http.js";
import { ended, signIn } from "../state/session.js";
import { Icon } from "./icon.js";
import { Language } from "./language.js";

export function SignInPage() {
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await signIn(user.trim(), password);
    } catch (error) {
      setProblem(asProblem(error));
      setPassword("");
      setBusy(false);
    }
  };
  const wait = problem?.body?.retry_after_ms;
  return html`<main class="signin">
    <section class="signin-brand"><div class="signin-logo"><${Icon} name="network" /></div>
      <h1>${t("app.name")}</h1><p>${t("signin.about")}</p></section>
    <section class="signin-pad"><form class="form signin-form" onSubmit=${submit}>
      <h2>${t("signin.title")}</h2>
      ${ended.value && html`<p class="refusal warn" role="status">${t("signin.ended")}</p>`}
      ${!reachable.value && html`<p class="pill warn"><${Icon} name="wifi-off" />${t("pill.silent")}</p>`}
      <label class="field"><span>${t("signin.user")}</span><input id="user" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus required value=${user} onInput=${(/** @type {Event} */ e) => setUser(valueOf(e))} /></label>
      <label class="field"><span>${t("signin.password")}</span><input id="password" type="password" autocomplete="current-password" required value=${password} onInput=${(/** @type {Event} */ e) => setPassword(valueOf(e))} /></label>
      <div role="alert">${problem && html`<div class="refusal"><b>${problem.title}</b><span>${wait ? t("signin.wait", { n: Math.ceil(wait / 1000) }) : problem.detail}</span></div>`}</div>
      <button class="btn primary tall wide" disabled=${busy}>${busy && html`<span class="spin" />`}${t("signin.go")}</button>
      <${Language} />
    </form></section>
  </main>`;
}
