// How this till is, in words, and where its sales are on their way.
import { html, useEffect } from "../lib/ui.js";
import { number, t, tOr } from "../lib/i18n.js";
import { reachable } from "../lib/http.js";
import { useKeys } from "../lib/keys.js";
import { go } from "../lib/router.js";
import { count } from "../state/catalogue.js";
import { pending } from "../state/cart.js";
import { isAlone, printer, sync, terminal } from "../state/session.js";
import { Icon } from "../parts/icon.js";
import { Loading, useLoad } from "../parts/load.js";
import { ModelsCard } from "../parts/modelscard.js";
import { Head } from "../parts/top.js";

const AGAIN_MS = 5000;

/** @param {{ok: boolean, title: string, text: string}} props */
const Check = ({ ok, title, text }) =>
  html`<li><span class=${`row-icon ${ok ? "ok" : "bad"}`}><${Icon} name=${ok ? "circle-check" : "triangle-alert"} /></span><span><b>${title}</b><small>${text}</small></span><span class=${`pill sm ${ok ? "ok" : "bad"}`}>${t(ok ? "health.ok" : "health.look")}</span></li>`;

export function HealthPage() {
  const load = useLoad("/health");
  const now = sync.value;
  useKeys({ Escape: () => go("sell") });
  useEffect(() => {
    const timer = setInterval(load.reload, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  /** @type {any[]} */
  const checks = load.data?.checks ?? [];
  return html`<${Head} title=${t("nav.health")} sub=${terminal.value.version ? t("app.made", { version: terminal.value.version }) : ""} />
    <div class="cols even">
      <section class="card"><h2>${t("health.till")}</h2>${load.data ? "" : html`<${Loading} load=${load} />`}
        <ul class="timeline"><${Check} ok=${reachable.value} title=${t("health.program")} text=${reachable.value ? t("health.program.ok") : t("error.unreachable.hint")} />
          ${checks.map((one, at) => html`<${Check} key=${`${one.check} ${at}`} ok=${one.ok} title=${tOr(`health.check.${one.check}`, one.check)} text=${one.text} />`)}</ul></section>
      <div class="stack"><section class="card"><h2>${t("health.sync")}</h2>
        <dl class="kvs"><div><dt>${t("health.pending")}</dt><dd>${isAlone(now) ? t("pill.alone") : number(now.pending ?? 0)}</dd></div><div><dt>${t("health.tills")}</dt><dd>${(now.peers ?? []).length ? number((now.peers ?? []).length + 1) : t("pill.alone")}</dd></div>
          <div><dt>${t("health.hub")}</dt><dd>${t(now.hub_reachable ? "health.hub.yes" : isAlone(now) ? "health.hub.none" : "health.hub.no")}</dd></div><div><dt>${t("health.unsaved")}</dt><dd>${number(pending.value)}</dd></div>
          <div><dt>${t("health.products")}</dt><dd>${number(count())}</dd></div><div><dt>${t("health.printer")}</dt><dd>${tOr(`printer.${printer.value.state}`, printer.value.state ?? "")}${printer.value.waiting ? ` · ${t("health.printer.waiting", { n: printer.value.waiting })}` : ""}</dd></div>
          <div><dt>${t("health.id")}</dt><dd>${terminal.value.actor ?? ""}</dd></div></dl></section>
        <${ModelsCard} turn=${load.data} /></div>
    </div>`;
}
