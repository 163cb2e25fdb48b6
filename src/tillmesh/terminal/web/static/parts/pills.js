// The quiet pills: what matters now, in words. Nothing to say, nothing shown.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { reachable } from "../lib/http.js";
import { pending, stalled } from "../state/cart.js";
import { isAlone, may, oversold, printer, storageError, sync } from "../state/session.js";
import { Icon } from "./icon.js";

/** @param {import("../state/session.js").Sync} now */
function syncWords(now) {
  const waiting = now.unreplicated ?? 0;
  const peers = now.peers ?? [];
  if (isAlone(now)) return { tone: "", icon: "monitor", text: t("pill.alone"), page: "health" };
  const up = peers.filter((peer) => peer.reachable).length;
  if (!up) return { tone: "warn", icon: "wifi-off", text: waiting ? t("pill.offline", { n: waiting }) : t("pill.offline.none"), page: "store" };
  return { tone: up === peers.length ? "ok" : "warn", icon: "network", text: t("pill.tills", { n: up + 1, all: peers.length + 1 }), page: "store" };
}

export function Pills() {
  const silent = !reachable.value || stalled.value;
  const words = syncWords(sync.value);
  const state = printer.value.state;
  return html`<div class="pills" role="status">
    ${silent && html`<span class="pill warn"><${Icon} name="wifi-off" />${pending.value ? t("pill.silent.changes", { n: pending.value }) : t("pill.silent")}</span>`}
    ${storageError.value && html`<span class="pill bad" title=${storageError.value}><${Icon} name="triangle-alert" />${t("pill.storage")}</span>`}
    ${state && state !== "ready" && state !== "off" && html`<span class="pill warn" title=${printer.value.detail ?? ""}><${Icon} name="printer" />${t(`pill.printer.${state}`)}</span>`}
    ${oversold.value > 0 && may("supervisor") && html`<a class="pill warn" href="#/conflicts"><${Icon} name="package-open" />${t("pill.oversold", { n: oversold.value })}</a>`}
    ${!silent && sync.value.has_quorum === false && may("manager") && html`<a class="pill warn hide-s" href="#/store"><${Icon} name="lock" />${t("pill.minority")}</a>`}
    ${!silent && html`<a class=${`pill ${words.tone} ${words.tone === "warn" ? "" : "hide-s"}`} href=${`#/${words.page}`}><${Icon} name=${words.icon} />${words.text}</a>`}
  </div>`;
}
