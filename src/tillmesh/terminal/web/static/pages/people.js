// People: who works here, what they may do, their PINs.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { call, languageChoices, may, session } from "../state/session.js";
import { openDialog, toastOk } from "../state/notices.js";
import { Choice, Field, Refusal, Segments, Toggle } from "../parts/fields.js";
import { Icon } from "../parts/icon.js";
import { FormDialog } from "../parts/formdialog.js";
import { Loading, useLoad } from "../parts/load.js";
import { Head } from "../parts/top.js";

const ROLES = ["cashier", "supervisor", "manager"];

/** @param {{start: any, close: (saved?: any) => void}} props */
function PersonForm({ start, close }) {
  const old = Boolean(start.user_id);
  const [name, setName] = useState(start.name ?? "");
  const [role, setRole] = useState(start.role ?? "cashier");
  const [pin, setPin] = useState("");
  const [language, setLanguage] = useState(start.language ?? "");
  const [active, setActive] = useState(start.active !== false);
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const pinOk = /^\d{4,8}$/.test(pin);
  const submit = async () => {
    const body = { name: name.trim(), role, language, ...(pin ? { pin } : {}), ...(old ? { active } : {}) };
    try {
      close(old ? await call("PATCH", `/people/${start.user_id}`, body) : await call("POST", "/people", body));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${old ? start.name : t("people.new")} close=${() => close()} ok=${Boolean(name.trim()) && (pinOk || (old && !pin))} submit=${submit} label=${t("save")}>
    <${Refusal} problem=${problem} />
    <${Field} label=${t("customer.name")} required=${true} auto=${true} value=${name} onChange=${setName} />
    <${Segments} label=${t("people.role")} value=${role} onChange=${setRole} options=${ROLES.map((one) => [one, t(`role.${one}`)])} />
    <p class="hint">${t(`role.${role}.may`)}</p>
    <${Field} label=${t(old ? "people.newpin" : "people.pin")} type="password" mode="numeric" max=${8} required=${!old} value=${pin} onChange=${setPin} hint=${t(old ? "people.newpin.hint" : "people.pin.hint")} error=${pin && !pinOk ? t("people.pin.wrong") : ""} />
    <${Choice} label=${t("settings.language")} value=${language} onChange=${setLanguage} options=${languageChoices()} />
    ${old && html`<${Toggle} label=${t("people.active")} hint=${t("people.active.hint")} value=${active} onChange=${setActive} disabled=${start.user_id === session.value?.user_id} />`}
  <//>`;
}

export function PeoplePage() {
  const load = useLoad("/people");
  const manager = may("manager");
  useKeys({ Escape: () => go("sell") });
  const edit = async (/** @type {any} */ start) => {
    if (!manager || !(await openDialog(PersonForm, { start }))) return;
    toastOk("saved");
    load.reload();
  };
  /** @type {any[]} */
  const people = load.data?.people ?? [];
  const sorted = [...people].sort((a, b) => Number(b.active) - Number(a.active) || ROLES.indexOf(b.role) - ROLES.indexOf(a.role) || String(a.name).localeCompare(b.name));
  return html`<${Head} title=${t("nav.people")} sub=${load.data ? t("people.count", { n: people.filter((one) => one.active).length }) : ""}>${manager && html`<button class="btn primary" onClick=${() => edit({})}><${Icon} name="user-plus" />${t("people.new")}</button>`}<//>
    <${Loading} load=${load} />
    ${people.length > 0 && html`<div class="cards">${sorted.map(
      (one) => html`<button key=${one.user_id} class=${`card person ${one.active ? "" : "off"}`} disabled=${!manager} onClick=${() => edit(one)}><span class=${`avatar ${one.role}`} aria-hidden="true">${String(one.name ?? "").slice(0, 1).toUpperCase()}</span>
        <span><b>${one.name}</b><small>${t(`role.${one.role}`)}</small></span><span class="spacer" />${!one.active && html`<span class="pill sm">${t("people.off")}</span>`}${manager && html`<${Icon} name="pencil" size="sm" />`}</button>`,
    )}</div>`}`;
}
