// The camera: what is held in front of it is named, and added at once only when the model is sure. People decide the rest.
import { html, useEffect, useRef, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem } from "../lib/http.js";
import { call } from "../state/session.js";
import { dialogs, openDialog, toastOk, toastProblem } from "../state/notices.js";
import { productOf } from "../state/catalogue.js";
import { useCamera } from "./camera.js";
import { Dialog } from "./dialog.js";
import { Icon, Key } from "./icon.js";
import { ProductPicker } from "./picker.js";

/** Pause between two looks. */
const PAUSE_MS = 150;
/** How many looks in a row must agree before anything is added by itself. */
const AGREE = 2;
const QUALITY = 0.85;
const PHOTOS = { least: 3, most: 5 };

/** @typedef {import("../state/catalogue.js").Product} Product */
/** @typedef {{sku: string, name: string, confidence: number, word: "sure" | "likely" | "maybe"}} Guess */
/** @typedef {{predictions: Guess[], requires_confirmation: boolean, known: boolean, fallback: boolean, reason: string}} Answer */
/** @typedef {{current: HTMLVideoElement | null}} VideoRef */

/** Take what the camera sees as a JPEG; null before it sees anything. @param {VideoRef} video @returns {Promise<Blob | null>} */
async function photo(video) {
  const from = video.current;
  if (!from?.videoWidth) return null;
  const canvas = document.createElement("canvas");
  canvas.width = from.videoWidth;
  canvas.height = from.videoHeight;
  canvas.getContext("2d")?.drawImage(from, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

/** Ask the till what a photo shows. @param {Blob} given @returns {Promise<Answer>} */
const recognise = (given) => call("POST", "/ai/recognise", given, { type: "image/jpeg" });

/** Say what a person took, so that the model's accuracy is known. @param {string} suggested @param {string} chosen */
const tellVerdict = (suggested, chosen) => void call("POST", "/ai/recognise/verdict", { suggested, chosen }).catch(() => {});

/** @param {{guess: Guess, place: number, onTake: (guess: Guess) => void}} props */
const GuessRow = ({ guess, place, onTake }) =>
  html`<li><button class="guess" onClick=${() => onTake(guess)}>
    <${Key} k=${String(place)} /><span class="guess-text"><b>${guess.name}</b><small>${t(`look.${guess.word}`)}</small></span>
    <meter min="0" max="1" value=${guess.confidence} aria-label=${t("look.sureness")} />
  </button></li>`;

/** @param {{answer: Answer | null, problem: string, onTake: (guess: Guess) => void}} props */
function Verdict({ answer, problem, onTake }) {
  if (problem) return html`<div class="empty"><${Icon} name="circle-alert" size="xl" /><b>${problem}</b><span>${t("look.byhand")}</span></div>`;
  if (!answer) return html`<div class="empty" role="status"><span class="spin" /><b>${t("look.looking")}</b><span>${t("look.hold")}</span></div>`;
  if (answer.fallback) return html`<div class="empty" role="status"><${Icon} name="clock" size="xl" /><b>${t("look.slow")}</b><span>${t("look.byhand")}</span></div>`;
  return html`<div role="status" aria-live="polite"><b class="guess-title">${t(answer.known ? "look.which" : "look.unknown")}</b></div>
    ${answer.predictions.length > 0 && html`<ol class="guesses">${answer.predictions.map((guess, at) => html`<${GuessRow} key=${guess.sku} guess=${guess} place=${at + 1} onTake=${onTake} />`)}</ol>`}
    ${!answer.known && html`<p class="hint">${t(answer.predictions.length ? "look.unknown.guesses" : "look.unknown.hint")}</p>`}`;
}

/**
 * Keep looking until somebody decides or two looks in a row are sure of the same product.
 * @param {VideoRef} video @param {boolean} paused @param {(guess: Guess) => void} onSure
 */
function useLooks(video, paused, onSure) {
  const [answer, setAnswer] = useState(/** @type {Answer | null} */ (null));
  const [problem, setProblem] = useState("");
  const agreed = useRef({ sku: "", times: 0 });
  useEffect(() => {
    let over = paused;
    const look = async () => {
      const given = await photo(video);
      if (given && !over) {
        const found = await recognise(given);
        if (over) return;
        setAnswer(found);
        const best = found.predictions[0];
        const sure = best && !found.requires_confirmation && !found.fallback ? best.sku : "";
        agreed.current = { sku: sure, times: sure && sure === agreed.current.sku ? agreed.current.times + 1 : 1 };
        if (sure && agreed.current.times >= AGREE) return void onSure(best);
      }
      if (!over) setTimeout(run, PAUSE_MS);
    };
    const run = () => {
      if (!over)
        look().catch((error) => {
          if (!over) setProblem(asProblem(error).title);
        });
    };
    run();
    return () => void (over = true);
  }, [paused]);
  return { answer, problem };
}

/** @param {{close: (taken?: {guess: Guess, sure: boolean} | null) => void}} props */
function LookDialog({ close }) {
  const video = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLVideoElement | null>} */ (useRef(null));
  const [teaching, setTeaching] = useState(false);
  const silent = useCamera(video);
  const { answer, problem } = useLooks(video, teaching, (guess) => close({ guess, sure: true }));
  const take = (/** @type {Guess} */ guess) => {
    tellVerdict(answer?.predictions[0]?.sku ?? guess.sku, guess.sku);
    close({ guess, sure: false });
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const guess = teaching ? undefined : answer?.predictions[Number(event.key) - 1];
    if (!guess || !/^[1-3]$/.test(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    take(guess);
  };
  const teach = html`<button class="btn" onClick=${() => setTeaching(true)}><${Icon} name="plus" />${t("look.teach")}</button>`;
  return html`<${Dialog} title=${t("look.title")} wide onClose=${() => close(null)} className="camera"
    foot=${!teaching && !silent && html`${teach}<span class="spacer" /><button class="btn" onClick=${() => close(null)}>${t("look.search")}</button>`}>
    <div class="camera-cols" tabindex="-1" data-first onKeyDown=${onKey}>
      <div class="camera-view"><video ref=${video} muted playsinline aria-label=${t("look.picture")} /><i aria-hidden="true" /></div>
      <div class="camera-side">
        ${teaching ? html`<${Teach} video=${video} onDone=${() => setTeaching(false)} />` : html`<${Verdict} answer=${answer} problem=${silent || problem} onTake=${take} />`}
      </div>
    </div>
  <//>`;
}

/** Learn a product from a few photos. @param {{video: VideoRef, onDone: () => void}} props */
function Teach({ video, onDone }) {
  const [item, setItem] = useState(/** @type {Product | null} */ (null));
  const [shots, setShots] = useState(/** @type {Blob[]} */ ([]));
  const [busy, setBusy] = useState(false);
  const shoot = async () => {
    const taken = await photo(video);
    if (taken) setShots((held) => (held.length < PHOTOS.most ? [...held, taken] : held));
  };
  const send = async () => {
    const form = new FormData();
    form.append("sku", item?.sku ?? "");
    shots.forEach((shot, at) => form.append("photo", shot, `${at}.jpg`));
    setBusy(true);
    try {
      await call("POST", "/ai/enrol", form, { type: "" });
      toastOk("look.taught", { name: item?.name ?? "" });
      onDone();
    } catch (error) {
      if (asProblem(error).kind !== "cancelled") toastProblem(error); // declined: the photos are still there
    }
    setBusy(false);
  };
  if (!item) return html`<b class="guess-title">${t("look.teach.which")}</b><${ProductPicker} onPick=${setItem} /><button class="btn" onClick=${onDone}>${t("cancel")}</button>`;
  const enough = shots.length >= PHOTOS.least;
  return html`<b class="guess-title">${item.name}</b><p class="hint">${t("look.teach.how")}</p>
    <p role="status">${t("look.photos", { n: shots.length })}</p>
    <div class="camera-act"><button class=${`btn ${enough ? "" : "primary"}`} data-shoot disabled=${busy || shots.length >= PHOTOS.most} onClick=${shoot}><${Icon} name="camera" />${t("look.shoot")}</button>
    <button class=${`btn ${enough ? "primary" : ""}`} disabled=${!enough || busy} onClick=${send}><${Icon} name="check" />${t("look.learn")}</button>
    <button class="btn" onClick=${onDone}>${t("cancel")}</button></div>`;
}

/**
 * Open the camera and wait for a product; null when nobody took one.
 * @returns {Promise<{product: Product, sure: boolean} | null>}
 */
export async function openLook() {
  if (dialogs.peek().length) return null;
  void call("POST", "/ai/models/recognition/load").catch(() => {});
  const taken = await openDialog(LookDialog, {});
  if (!taken) return null;
  const product = productOf(taken.guess.sku) ?? (await call("GET", `/products/${encodeURIComponent(taken.guess.sku)}`));
  return { product, sure: taken.sure };
}

/** Count whether a product that was added by itself was right. @param {string} sku @param {boolean} right */
export const judgeLook = (sku, right) => tellVerdict(sku, right ? sku : "");
