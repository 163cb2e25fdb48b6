// How long ago, in words.
import { t } from "./i18n.js";

/** @param {number} ms */
export function span(ms) {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return t("ago.now");
  if (minutes < 90) return t("ago.min", { n: minutes });
  const hours = Math.round(minutes / 60);
  return hours < 48 ? t("ago.h", { n: hours }) : t("ago.d", { n: Math.round(hours / 24) });
}
