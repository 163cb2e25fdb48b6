// The models of all stores: which version runs where, what is being tried, what does worse than it did.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { currentOf, doesOf, ofAll, nameOf, rateOf, runsOf, stageOf } from "../lib/models.js";
import { tick } from "../state/tick.js";
import { Icon } from "../parts/icon.js";
import { Loading, useLoad } from "../parts/load.js";
import { Head } from "../parts/shell.js";

/** @param {{one: import("../lib/models.js").Model}} props */
const Tile = ({ one }) => {
  const stage = stageOf(one);
  const [now, runs] = [currentOf(one), runsOf(one)];
  const does = doesOf(now);
  const tone = stage.tone === "bad" || does.tone === "bad" ? "bad" : stage.tone === "warn" || does.tone === "warn" ? "warn" : "ok";
  return html`<a class=${`card shop ${tone}`} href=${`#/model/${one.name}`}>
    <span class="shop-head"><b class="clip2">${nameOf(one.name)}</b><${Icon} name="chevron-right" /></span>
    <span class=${`pill sm ${stage.tone}`}><${Icon} name=${stage.icon} size="sm" />${stage.text}</span>
    <span class="shop-sum"><span class="kv">${t("models.version", { n: ofAll(one) })}</span><small>${runs?.tills ? t("models.ontills", { n: runs.tills }) : t("models.notills")}</small></span>
    <span class=${`pill sm ${does.tone}`}><${Icon} name=${does.icon} size="sm" />${does.text}</span>
    <span class="shop-foot"><small>${t("models.corrected", { rate: rateOf(now?.now.corrections ?? null) })}</small><small>${t("models.late", { rate: rateOf(now?.now.fallbacks ?? null) })}</small></span>
  </a>`;
};

export function ModelsPage() {
  const load = useLoad("/models", tick.value);
  /** @type {import("../lib/models.js").Model[]} */
  const models = load.data?.models ?? [];
  return html`<${Head} title=${t("nav.models")} sub=${t("models.sub")} />
    <${Loading} load=${load} />
    <div class="shops">${models.map((one) => html`<${Tile} key=${one.name} one=${one} />`)}</div>`;
}
