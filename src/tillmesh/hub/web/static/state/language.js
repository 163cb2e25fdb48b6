// Which language this browser speaks: what the person chose here, else what was chosen here last, else the browser's own.
import { signal } from "../lib/ui.js";
import { languageOf, loadLocale, setLocale, t } from "../lib/i18n.js";

/** Each has its file in locales/; the first is the one that all fall back to. */
export const LANGUAGES = ["en", "de", "fr"];
/** Whose numbers and dates are shown where the browser names a language and no region. @type {Record<string, string>} */
const REGIONS = { en: "en-GB", de: "de-DE", fr: "fr-FR" };
const KEEP = "tillmesh.office.languages";

/** The one that is spoken now. */
export const language = signal(LANGUAGES[0]);

/** What was chosen in this browser: by name, and last of all under no name. @returns {Record<string, string>} */
function chosen() {
  try {
    return JSON.parse(localStorage.getItem(KEEP) ?? "{}") ?? {};
  } catch {
    return {};
  }
}

/** Say what to speak with somebody. @param {string} [user] nobody is signed in: empty */
export function wanted(user = "") {
  const found = chosen();
  return [found[user], found[""], ...navigator.languages.map(languageOf)].find((one) => LANGUAGES.includes(one)) ?? LANGUAGES[0];
}

/** Speak a language, with the numbers and dates of the browser's region. @param {string} which */
export async function speak(which) {
  await loadLocale(which, false);
  const tag = navigator.languages.find((one) => languageOf(one) === which && one.includes("-"));
  setLocale(tag ?? REGIONS[which] ?? which);
  language.value = which;
  document.title = t("app.name");
}

/** Choose a language, for the next time too. @param {string} which @param {string} [user] */
export function choose(which, user = "") {
  localStorage.setItem(KEEP, JSON.stringify({ ...chosen(), "": which, [user]: which }));
  // Head office that is silent leaves the page in its old language; the choice stands for the next start.
  speak(which).catch(() => {});
}
