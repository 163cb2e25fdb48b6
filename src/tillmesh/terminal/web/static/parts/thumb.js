// The picture of a product, or an icon where there is none, or none here yet.
import { html, signal } from "../lib/ui.js";
import { Icon } from "./icon.js";

/** Pictures that this till has not got: it tells when one came. */
const missing = signal(/** @type {Set<string>} */ (new Set()));

/** @param {string} hash */
export function pictureCame(hash) {
  missing.value = new Set([...missing.peek()].filter((one) => one !== hash));
}

/** @param {{image?: string, icon: string, alt?: string}} props */
export function Thumb({ image = "", icon, alt = "" }) {
  const hash = image.slice(0, 64);
  if (!hash || missing.value.has(hash)) return html`<${Icon} name=${icon} />`;
  return html`<img key=${hash} src=${`/api/v1/pictures/${hash}`} alt=${alt} width="48" height="48" loading="lazy" decoding="async" onError=${() => void (missing.value = new Set(missing.peek()).add(hash))} />`;
}
