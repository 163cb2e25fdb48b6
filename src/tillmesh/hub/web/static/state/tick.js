// A calm beat: pages that show what goes on ask again every few seconds, and only while somebody looks.
import { signal } from "../lib/ui.js";
import { session } from "./session.js";

const EVERY_MS = 5000;

/** Grows while the page is in sight and somebody is signed in. */
export const tick = signal(0);

/** Ask at once. */
export const refresh = () => void (tick.value += 1);

export function startTicking() {
  setInterval(() => {
    if (!document.hidden && session.peek()) refresh();
  }, EVERY_MS);
  document.addEventListener("visibilitychange", () => void (!document.hidden && session.peek() && refresh()));
}
