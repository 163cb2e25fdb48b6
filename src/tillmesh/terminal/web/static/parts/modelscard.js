// The models of this till: which version runs, how it answers, and how far one is that head office has ordered.
import { html } from "../lib/ui.js";
import { number, t, tOr } from "../lib/i18n.js";
import { Icon } from "./icon.js";
import { useLoad } from "./load.js";

/** @param {any} model */
const news = ({ order, given_up }) => {
  if (given_up && (!order || order.state === "failed" || order.state === "runs" || order.state === "waits")) return { tone: "bad", text: t("health.model.given_up", { v: given_up }) };
  if (!order || order.state === "runs" || order.state === "waits") return null;
  if (order.reason || order.state === "expired" || order.state === "older") return { tone: "bad", text: t("health.model.refused", { v: order.version }) };
  const percent = Math.floor((100 * order.bytes_here) / Math.max(1, order.bytes));
  return { tone: "warn", text: t("health.model.coming", { v: order.version, percent: `${percent} %` }) };
};

/** @param {any} model */
function howWell(model) {
  if (!model.version) return t("health.model.none");
  const version = t("health.model.version", { v: model.version });
  return model.answered ? `${version} · ${t("health.model.answers", { n: number(model.answered), ms: number(Math.round(model.p50_ms)) })}` : version;
}

/** @param {{model: any}} props */
function Row({ model }) {
  const coming = news(model);
  const bad = Boolean(model.refused) || coming?.tone === "bad" || !model.version;
  const pill = coming ?? (model.refused ? { tone: "bad", text: t("health.model.off") } : { tone: model.version ? "ok" : "bad", text: t(model.version ? "health.ok" : "health.look") });
  return html`<li><span class=${`row-icon ${bad ? "bad" : "ok"}`}><${Icon} name=${bad ? "triangle-alert" : "circle-check"} /></span>
    <span><b>${tOr(`health.model.${model.name}`, model.name)}</b><small>${howWell(model)}</small></span><span class=${`pill sm ${pill.tone}`}>${pill.text}</span></li>`;
}

/** @param {{turn: unknown}} props */
export function ModelsCard({ turn }) {
  const load = useLoad("/ai/status", turn);
  /** @type {any[]} */
  const models = load.data?.models ?? [];
  if (!models.length) return null;
  return html`<section class="card"><h2>${t("health.models")}</h2><ul class="timeline">${models.map((model) => html`<${Row} key=${model.name} model=${model} />`)}</ul></section>`;
}
