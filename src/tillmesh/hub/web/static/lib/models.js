// What is said of a model: its name, how far a roll-out is, how it does.
import { percent, t, tOr } from "./i18n.js";

/** @typedef {{asked: number, answers: number, verdicts: number, corrections: number | null, fallbacks: number | null, p95_ms: number}} Rates */
/** @typedef {{version: number, registered: boolean, at?: string, by?: string, bytes?: number, licence?: string, metrics?: Record<string, number>, tills: number, stores_running: number, state: string, psi: number | null, reasons: string[], first: Rates, now: Rates}} Version */
/** @typedef {{name: string, stage: string, champion: number, challenger: number, stores: string[], share: number, halted: string, began: string | null, shipped: number | null, retrain_wanted: boolean, versions: Version[]}} Model */
/** @typedef {{store: string, name: string, terminal: string, version: number, heard: string}} Till */

/** @param {string} name */
export const nameOf = (name) => tOr(`model.${name}`, name);

/** What all tills are to run. @param {Model} one */
export const ofAll = (one) => one.champion || one.shipped || 0;

/** The version that all tills are to run. @param {Model} one */
export const runsOf = (one) => one.versions.find((version) => version.version === ofAll(one));

/** The version to look at: what is tried once it has answered enough, until then what runs. @param {Model} one */
export const currentOf = (one) => one.versions.find((version) => version.version === one.challenger && version.now.answers > 0) ?? runsOf(one);

/** @param {Model} one */
export function stageOf(one) {
  const words = { version: one.challenger || ofAll(one), share: percent(one.share / 100), n: one.stores.length, why: whyOf(one.halted) };
  const tones = { none: "", all: "ok", canary: "info", share: "info", halted: "bad", rollback: "warn" };
  const icons = { none: "package", all: "circle-check", canary: "eye", share: "eye", halted: "pause", rollback: "undo-2" };
  const stage = /** @type {"all"} */ (one.stage);
  return { tone: tones[stage], icon: icons[stage], text: t(`models.stage.${stage}`, words) };
}

/** @param {string} halted as head office wrote it: reasons with commas between, and by whose reports */
export function whyOf(halted) {
  const [reasons, stores] = halted.split("; reports of ");
  const words = reasons.split(", ").filter(Boolean).map((one) => tOr(`models.why.${one}`, one)).join(", ");
  return stores ? t("models.whose", { why: words, stores }) : words;
}

/** @param {Version | undefined} one */
export function doesOf(one) {
  const state = /** @type {"fine"} */ (one?.state ?? "unknown");
  const tones = { unknown: "", fine: "ok", watch: "warn", drift: "bad" };
  const icons = { unknown: "clock", fine: "circle-check", watch: "info", drift: "triangle-alert" };
  return { tone: tones[state], icon: icons[state], text: t(`models.does.${state}`, { why: whyOf((one?.reasons ?? []).join(", ")) }) };
}

/** @param {number | null} part */
export const rateOf = (part) => (part === null ? "–" : percent(Math.round(part * 1000) / 1000));
