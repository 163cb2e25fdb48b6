// Who is to run a version from now on: some tills first, then more of them.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { nameOf } from "../lib/models.js";
import { call } from "../state/session.js";
import { Choice, Refusal, Segments } from "./fields.js";
import { FormDialog } from "./formdialog.js";
import { WhereChoice, asked, everywhere, isChosen } from "./where.js";

const SHARES = [5, 20, 50, 100];

/** @param {{one: import("../lib/models.js").Model, versions: number[], groups: any[], stores: any[], close: (saved?: any) => void}} props */
export function WidenForm({ one, versions, groups, stores, close }) {
  const [version, setVersion] = useState(String(one.challenger || versions[0]));
  const [where, setWhere] = useState(one.challenger && one.stores.length ? { ...everywhere(), all: /** @type {const} */ ("stores"), stores: new Set(one.stores) } : everywhere());
  const [share, setShare] = useState(String(SHARES.find((part) => part > (one.challenger ? one.share : 0)) ?? 100));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const submit = async () => {
    try {
      close(await call("POST", `/models/${encodeURIComponent(one.name)}/activate`, { version: Number(version), share: Number(share), ...asked(where) }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const all = share === "100" && where.all === "all";
  return html`<${FormDialog} title=${t("models.widen.title", { name: nameOf(one.name) })} note=${t("models.widen.note")} close=${() => close()} ok=${isChosen(where)} submit=${submit} label=${all ? t("models.widen.all") : t("models.widen.some")}>
    <${Refusal} problem=${problem} />
    <${Choice} label=${t("models.which")} value=${version} onChange=${setVersion} options=${versions.map((n) => [String(n), t("models.version", { n })])} />
    <${WhereChoice} where=${where} onChange=${setWhere} groups=${groups} stores=${stores} />
    <${Segments} label=${t("models.share")} value=${share} onChange=${setShare} options=${SHARES.map((n) => [String(n), n === 100 ? t("models.alltills") : `${n} %`])} />
  <//>`;
}

/** @param {{one: import("../lib/models.js").Model, versions: number[], close: (saved?: any) => void}} props */
export function BackForm({ one, versions, close }) {
  const [version, setVersion] = useState(String(versions[0]));
  const [problem, setProblem] = useState(/** @type {import("../lib/http.js").Problem | null} */ (null));
  const submit = async () => {
    try {
      close(await call("POST", `/models/${encodeURIComponent(one.name)}/rollback`, { version: Number(version) }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${FormDialog} title=${t("models.back.title", { name: nameOf(one.name) })} note=${t("models.back.note")} close=${() => close()} ok=${true} submit=${submit} label=${t("models.back")} danger=${true}>
    <${Refusal} problem=${problem} />
    <${Choice} label=${t("models.which")} value=${version} onChange=${setVersion} options=${versions.map((n) => [String(n), t("models.version", { n })])} />
  <//>`;
}
