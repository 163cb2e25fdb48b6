import { html } from "../lib/ui.js";

/** One drawing of the sprite; never read aloud, the words beside it say it. @param {{name: string, size?: string}} props */
export const Icon = ({ name, size = "" }) =>
  html`<svg class=${`ic ${size}`} aria-hidden="true"><use href=${`/static/vendor/icons.svg#${name}`} /></svg>`;

/** A key shown on a button. @param {{k: string}} props */
export const Key = ({ k }) => html`<kbd aria-hidden="true">${k}</kbd>`;
