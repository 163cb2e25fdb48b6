// People of head office: who may sign in, and what they may do.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { call, session } from "../state/session.js";
import { openDialog, toastOk, toastProblem } from "../state/notices.js";
import { Confirm } from "../parts/dialog.js";
import { Field, Refusal, Segments } from "../parts/fields.js";
import { FormDialog } from "../parts/formdialog.js";
import { Icon } from "../parts/icon.js";
import { Loading, useLoad } from "../parts/load.js";
import { Head } from "../parts/shell.js";

const ROLES = ["viewer", "buyer", "admin"];
const PASSWORD_MIN = 10;

/** @param {{start: any, close: (saved?: any) => void}} props */
function PersonForm({ start, close }) {
  const old = Boolean(start.name);
  const me = start.name === session.value?.user;
  const [name, setName] = useState(start.name ?? "");
  const [role, setRole] = useState(start.role ?? "viewer");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const long = password.length >= PASSWORD_MIN;
  const submit = async () => {
    try {
      close(password ? await call("POST", "/people", { name: name.trim(), role, password }) : await call("PATCH", `/people/${encodeURIComponent(name)}`, { role }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${old ? start.name : t("people.new")} close=${() => close()} ok=${Boolean(name.trim()) && (long || (old && !me && !password))} submit=${submit} label=${t("save")}>
    <${Refusal} problem=${problem} />
    ${!old && html`<${Field} label=${t("people.name")} required=${true} auto=${true} max=${60} value=${name} onChange=${setName} />`}
    <${Segments} label=${t("people.role")} value=${role} onChange=${setRole} disabled=${me} options=${ROLES.map((one) => [one, t(`role.${one}`)])} />
    <p class="hint">${t(`role.${role}.may`)}</p>
    <${Field} label=${t(old ? "people.newpassword" : "people.password")} type="password" required=${!old} value=${password} onChange=${setPassword} hint=${t(old ? "people.newpassword.hint" : "people.password.hint")} error=${password && !long ? t("people.password.short") : ""} />
    ${old && !me && html`<button type="button" class="btn bad-ink" onClick=${() => close({ name, gone: true })}><${Icon} name="trash-2" />${t("people.remove")}</button>`}
  <//>`;
}

export function PeoplePage() {
  const load = useLoad("/people");
  /** @type {any[]} */
  const people = load.data?.people ?? [];
  const remove = async (/** @type {string} */ name) => {
    if (!(await openDialog(Confirm, { title: t("people.remove.title", { name }), text: t("people.remove.text"), yes: t("people.remove"), danger: true }))) return;
    try {
      await call("DELETE", `/people/${encodeURIComponent(name)}`);
      toastOk("people.removed", { name });
    } catch (error) {
      toastProblem(error);
    }
    load.reload();
  };
  const edit = async (/** @type {any} */ start) => {
    const saved = await openDialog(PersonForm, { start });
    if (!saved) return;
    if (saved.gone) return void remove(saved.name);
    toastOk(start.name ? "people.saved" : "people.added", { name: saved.name });
    load.reload();
  };
  const sorted = [...people].sort((a, b) => ROLES.indexOf(b.role) - ROLES.indexOf(a.role) || a.name.localeCompare(b.name));
  return html`<${Head} title=${t("nav.people")} sub=${load.data ? t("people.sub", { n: people.length }) : ""}><button class="btn primary" onClick=${() => edit({})}><${Icon} name="user-plus" />${t("people.new")}</button><//>
    <${Loading} load=${load} />
    <div class="cards">${sorted.map((one) => html`<button key=${one.name} class=${`card person`} onClick=${() => edit(one)}><span class=${`avatar ${one.role}`} aria-hidden="true">${one.name.slice(0, 1).toUpperCase()}</span>
      <span><b>${one.name}</b><small>${t(`role.${one.role}`)}</small></span><span class="spacer" />${one.name === session.value?.user && html`<span class="pill sm">${t("people.you")}</span>`}<${Icon} name="pencil" size="sm" /></button>`)}</div>`;
}
