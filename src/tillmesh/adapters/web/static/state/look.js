// How this screen looks: kept on the device, as each till's screen and light are its own.
import { effect, signal } from "../lib/ui.js";

const KEEP = "tillmesh.look";

/** @typedef {{theme: "auto" | "light" | "dark" | "contrast", text: "normal" | "large" | "larger", mirror: boolean}} Look */

/** @returns {Look} */
function kept() {
  const usual = /** @type {Look} */ ({ theme: "auto", text: "normal", mirror: false });
  try {
    return { ...usual, ...JSON.parse(localStorage.getItem(KEEP) ?? "{}") };
  } catch {
    return usual;
  }
}

export const look = signal(kept());

/** @param {Partial<Look>} change */
export function changeLook(change) {
  look.value = { ...look.value, ...change };
  localStorage.setItem(KEEP, JSON.stringify(look.value));
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const contrast = matchMedia("(prefers-contrast: more)");
const media = signal(0);
for (const list of [dark, contrast]) list.addEventListener("change", () => void (media.value += 1));

effect(() => {
  media.value;
  const root = document.documentElement;
  const { theme, text, mirror } = look.value;
  root.dataset.theme = theme !== "auto" ? theme : contrast.matches ? "contrast" : dark.matches ? "dark" : "light";
  root.dataset.text = text;
  root.toggleAttribute("data-mirror", mirror);
});
