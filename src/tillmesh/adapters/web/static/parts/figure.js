// A number that a card is about: as large as its room allows, however many digits it has.
import { html } from "../lib/ui.js";

/** @param {{text: string | number, tone?: string}} props */
export const Figure = ({ text, tone = "" }) => html`<b class=${`kv ${tone}`} style=${`--n:${String(text).length}`}>${text}</b>`;
