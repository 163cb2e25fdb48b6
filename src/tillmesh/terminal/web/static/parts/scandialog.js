// Bar codes from the camera: frame after frame goes to the till program; what it accepts is a scan like any other.
import { freshId, html, useEffect, useRef, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asProblem, send } from "../lib/http.js";
import { product, rowOfCode } from "../state/catalogue.js";
import { dialogs } from "../state/notices.js";
import { deliver } from "../state/scan.js";
import { Dialog } from "./dialog.js";
import { Icon } from "./icon.js";

const WIDTH = 640;
const HEIGHT = 480;
const QUALITY = 0.8;
/** Between two frames at least: the till has other work too. */
const PAUSE_MS = 60;
const RETRY_MS = 500;
const FRAME_TIMEOUT_MS = 3000;
const BEEP_HZ = 1900;
const FLASH_MS = 350;

/** @typedef {"starting" | "looking" | "denied" | "none"} CameraState */

function beep() {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = BEEP_HZ;
  volume.gain.value = 0.15;
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.09);
  tone.onended = () => void context.close();
}

/** @param {HTMLVideoElement} video @param {HTMLCanvasElement} canvas @returns {Promise<Blob | null>} */
function frameOf(video, canvas) {
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  canvas.getContext("2d")?.drawImage(video, 0, 0, WIDTH, HEIGHT);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

/** @param {{close: () => void}} props */
export function ScanDialog({ close }) {
  const video = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLVideoElement | null>} */ (useRef(null));
  const [state, setState] = useState(/** @type {CameraState} */ ("starting"));
  const [last, setLast] = useState("");
  const [unknown, setUnknown] = useState("");
  const [flash, setFlash] = useState(false);
  useEffect(() => {
    let over = false;
    /** @type {MediaStream | undefined} */
    let stream;
    const take = (/** @type {{accepted: string[], unknown: string[]}} */ answer) => {
      for (const code of answer.accepted) {
        deliver(code);
        const row = rowOfCode(code);
        setLast(row < 0 ? code : product(row).name);
        setUnknown("");
        setFlash(true);
        setTimeout(() => setFlash(false), FLASH_MS);
        beep();
      }
      if (answer.unknown.length) setUnknown(answer.unknown[0]);
    };
    const look = async () => {
      const canvas = document.createElement("canvas");
      const scan = freshId();
      const mine = dialogs.peek().length;
      while (!over) {
        let pause = PAUSE_MS;
        // While something is asked about the last product, the next one waits.
        if (video.current && video.current.readyState >= 2 && dialogs.peek().length <= mine) {
          const frame = await frameOf(video.current, canvas);
          try {
            const answer = frame && (await send("POST", `/ai/barcode?scan=${scan}`, frame, { type: "image/jpeg", timeout: FRAME_TIMEOUT_MS }));
            if (answer && !over) take(answer);
          } catch (error) {
            if (asProblem(error).status === 503) return setState("none");
            pause = RETRY_MS;
          }
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    };
    const start = async () => {
      if (!window.isSecureContext || !navigator.mediaDevices) return setState("none");
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { width: WIDTH, height: HEIGHT, facingMode: "environment" } });
      } catch (error) {
        return setState(error instanceof DOMException && error.name === "NotAllowedError" ? "denied" : "none");
      }
      if (over || !video.current) return stream.getTracks().forEach((track) => track.stop());
      video.current.srcObject = stream;
      await video.current.play().catch(() => {});
      setState("looking");
      void look();
    };
    void start();
    return () => {
      over = true;
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, []);
  const trouble = state === "denied" || state === "none";
  return html`<${Dialog} title=${t("camera.title")} onClose=${() => close()} wide=${true} className="scandlg">
    <div class=${`viewfinder ${flash ? "hit" : ""}`}>
      <video ref=${video} playsinline muted aria-label=${t("camera.picture")}></video>
      ${!trouble && html`<span class="aim" aria-hidden="true"></span>`}
      ${state === "starting" && html`<div class="waiting"><span class="spin" /></div>`}
      ${trouble && html`<div class="empty"><${Icon} name="triangle-alert" size="xl" /><b>${t(`camera.${state}`)}</b><span>${t(`camera.${state}.hint`)}</span></div>`}
    </div>
    <p class="scan-said" role="status">${unknown ? t("camera.unknown", { code: unknown }) : last ? t("camera.took", { what: last }) : trouble ? "" : t("camera.hint")}</p>
  <//>`;
}
