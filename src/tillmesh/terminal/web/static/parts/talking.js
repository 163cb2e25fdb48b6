// Push to talk: sound goes to the till program when the button is let go, and what it understood is done.
import { t } from "../lib/i18n.js";
import { asProblem, send } from "../lib/http.js";
import { hasMicrophone, recordSound } from "../lib/microphone.js";
import { toast, toastProblem } from "../state/notices.js";
import { heardMs, hearing } from "../state/senses.js";
import { obey } from "./obeying.js";

/** Shorter is a press by mistake. */
const PRESS_MS_MIN = 250;
const ANSWER_MS_MAX = 4000;

/** @type {Promise<() => Promise<Blob>> | null} */
let recording = null;
let began = 0;

export async function beginTalking() {
  if (recording || hearing.peek() !== "idle") return;
  if (!hasMicrophone()) return toast({ tone: "warn", title: t("voice.unheard"), detail: t("voice.unheard.detail") });
  hearing.value = "listening";
  began = performance.now();
  heardMs.value = 0;
  recording = recordSound((ms) => void (heardMs.value = ms));
  try {
    await recording;
  } catch (error) {
    recording = null;
    hearing.value = "idle";
    const denied = error instanceof DOMException && error.name === "NotAllowedError";
    toast({ tone: "warn", title: t("voice.unheard"), detail: t(denied ? "voice.denied" : "voice.missing") });
  }
}

export async function finishTalking() {
  const mine = recording;
  if (!mine) return;
  recording = null;
  hearing.value = "thinking";
  try {
    const sound = await (await mine)();
    if (performance.now() - began < PRESS_MS_MIN) return toast({ tone: "info", title: t("voice.hold") });
    const heard = await send("POST", "/ai/voice", sound, { type: "audio/wav", timeout: ANSWER_MS_MAX });
    if (heard.fallback) return toast({ tone: "warn", title: t("voice.nothing"), detail: t("voice.by.hand") });
    if (!heard.command) return toast({ tone: "info", title: t("voice.nothing"), detail: t("voice.try") });
    hearing.value = "idle"; // what is asked now may take a while
    await obey(heard);
  } catch (error) {
    if (asProblem(error).status === 503) toast({ tone: "warn", title: t("voice.nothing"), detail: t("voice.by.hand") });
    else if (!(error instanceof DOMException)) toastProblem(error);
  } finally {
    hearing.value = "idle";
  }
}
