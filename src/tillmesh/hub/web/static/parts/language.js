// The choice of the language, each by its own name.
import { html, valueOf } from "../lib/ui.js";
import { nameOfLanguage, t } from "../lib/i18n.js";
import { LANGUAGES, choose, language } from "../state/language.js";
import { session } from "../state/session.js";

export const Language = () =>
  html`<select class="nav language" aria-label=${t("language.label")} value=${language.value} onChange=${(/** @type {Event} */ e) => choose(valueOf(e), session.value?.user)}>
    ${LANGUAGES.map((one) => html`<option key=${one} value=${one} lang=${one} selected=${one === language.value}>${nameOfLanguage(one)}</option>`)}
  </select>`;
