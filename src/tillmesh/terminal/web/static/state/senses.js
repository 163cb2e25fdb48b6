// Ears and eyes of the page come in a script of their own, when somebody first uses them.
import { signal } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { toast } from "./notices.js";

/** What the microphone is doing, for the button that says so. */
export const hearing = signal(/** @type {"idle" | "listening" | "thinking"} */ ("idle"));

/** How many milliseconds were heard since the button is held. */
export const heardMs = signal(0);

const TRIES = 3;
let turns = 0;

/** @typedef {{openScanner: () => void, startTalking: () => void, stopTalking: () => void}} Senses */

/** @returns {Promise<Senses | null>} null while the till program is silent */
async function senses() {
  for (let left = TRIES; left; left -= 1) {
    const turn = turns;
    try {
      return await import(`../senses.js?turn=${turn}`);
    } catch {
      turns += 1;
    }
  }
  toast({ tone: "warn", title: t("error.unreachable.title"), hint: t("senses.none.hint") });
  return null;
}

export const scanWithCamera = async () => void (await senses())?.openScanner();
/** Whether the button is held: it may be let go before the script is there. */
let held = false;

export async function talk() {
  held = true;
  const found = await senses();
  if (held) found?.startTalking();
}

export async function endTalk() {
  if (!held) return;
  held = false;
  (await senses())?.stopTalking();
}
