// The picture of a product in its form: a file or a photo, made small here, so that every till can keep thousands.
import { html, useEffect, useRef, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { openDialog } from "../state/notices.js";
import { useCamera } from "./camera.js";
import { Dialog } from "./dialog.js";
import { Icon } from "./icon.js";
import { Thumb } from "./thumb.js";

/** What a till takes: `kernel/limits.py` says it. */
const SIDE = 320;
const BYTES = 24 * 1024;
const QUALITIES = [0.85, 0.7, 0.5];
const SMALLEST = 100;

/** @typedef {ImageBitmap | HTMLVideoElement} Source */

/** @param {HTMLCanvasElement} canvas @param {string} type @param {number} quality @returns {Promise<Blob | null>} */
const encoded = (canvas, type, quality) => new Promise((resolve) => canvas.toBlob(resolve, type, quality));

/** Encode as WebP, else as JPEG; not every browser writes WebP. @param {HTMLCanvasElement} canvas @param {number} quality */
async function written(canvas, quality) {
  const webp = await encoded(canvas, "image/webp", quality);
  return webp?.type === "image/webp" ? webp : encoded(canvas, "image/jpeg", quality);
}

/** Draw it so that its longer side is at most so long. @param {Source} from @param {number} width @param {number} height @param {number} side */
function drawn(from, width, height, side) {
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(from, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** Make a picture small enough, first by its quality, then by its size. @param {Source} from @param {number} width @param {number} height @returns {Promise<Blob>} */
async function small(from, width, height) {
  for (let side = SIDE; side >= SMALLEST; side = Math.round(side * 0.75)) {
    const canvas = drawn(from, width, height, side);
    for (const quality of QUALITIES) {
      const blob = await written(canvas, quality);
      if (blob && blob.size <= BYTES) return blob;
    }
  }
  throw new Error(t("picture.unreadable"));
}

/** @param {Blob} file @returns {Promise<Blob>} */
async function fromFile(file) {
  const bitmap = await createImageBitmap(file);
  try {
    return await small(bitmap, bitmap.width, bitmap.height);
  } finally {
    bitmap.close();
  }
}

/** The camera, and one button. @param {{close: (photo?: Blob) => void}} props */
function PhotoDialog({ close }) {
  const video = /** @type {{current: HTMLVideoElement | null}} */ (useRef(null));
  const problem = useCamera(video);
  const [seen, setSeen] = useState(false);
  const take = async () => video.current && close(await small(video.current, video.current.videoWidth, video.current.videoHeight));
  return html`<${Dialog} title=${t("picture.take")} onClose=${() => close()}
    foot=${html`<button type="button" class="btn" onClick=${() => close()}>${t("cancel")}</button><button type="button" class="btn primary" disabled=${!seen} onClick=${take}><${Icon} name="camera" />${t("picture.shoot")}</button>`}>
    ${problem ? html`<p class="hint" role="alert">${problem}</p>` : html`<video class="photo-view" ref=${video} muted playsinline onPlaying=${() => setSeen(true)} aria-label=${t("picture.view")} />`}<//>`;
}

/** Show a file that was chosen; its address goes when it does. @param {Blob | null} chosen */
function useAddress(chosen) {
  const [address, setAddress] = useState("");
  useEffect(() => {
    const made = chosen ? URL.createObjectURL(chosen) : "";
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [chosen]);
  return address;
}

/**
 * `chosen` is a new picture, null: as it was; `image` what the product names, "" when it is to have none.
 * @param {{name: string, icon: string, colour: string, image: string, chosen: Blob | null, onChange: (image: string, chosen: Blob | null) => void}} props
 */
export function PictureField({ name, icon, colour, image, chosen, onChange }) {
  const [problem, setProblem] = useState("");
  const file = /** @type {{current: HTMLInputElement | null}} */ (useRef(null));
  const address = useAddress(chosen);
  const take = async (/** @type {Blob | undefined} */ picked) => {
    setProblem("");
    try {
      if (picked) onChange(image, await fromFile(picked));
    } catch {
      setProblem(t("picture.unreadable"));
    }
    if (file.current) file.current.value = "";
  };
  const shoot = async () => {
    const photo = await openDialog(PhotoDialog, {});
    if (photo) onChange(image, photo);
  };
  const alt = t("picture.of", { name });
  return html`<div class="picture-field" role="group" aria-label=${t("picture")}>
    <span class="th pic large" data-c=${colour}>${address ? html`<img src=${address} alt=${alt} width="96" height="96" />` : html`<${Thumb} image=${image} icon=${icon} alt=${alt} />`}</span>
    <div class="field"><span class="label">${t("picture")}</span>
      <div class="picture-tools"><input ref=${file} hidden type="file" accept="image/*" onChange=${(/** @type {Event} */ e) => take(/** @type {HTMLInputElement} */ (e.currentTarget).files?.[0])} />
        <button type="button" class="btn" onClick=${() => file.current?.click()}><${Icon} name="upload" />${t("picture.choose")}</button>
        <button type="button" class="btn" onClick=${shoot}><${Icon} name="camera" />${t("picture.take")}</button>
        ${(image || chosen) && html`<button type="button" class="btn ghost" onClick=${() => onChange("", null)}><${Icon} name="x" />${t("picture.remove")}</button>`}</div>
      <small role=${problem ? "alert" : undefined}>${problem || t("picture.hint")}</small></div></div>`;
}
