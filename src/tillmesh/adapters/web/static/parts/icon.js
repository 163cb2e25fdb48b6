import { html } from "../lib/ui.js";

const AGAIN_MS = 1000;

// The drawings stand in the page itself: those of a file are asked for anew, and are gone while the till is silent.
const draw = () =>
  fetch("/static/vendor/icons.svg")
    .then((answer) => (answer.ok ? answer.text() : Promise.reject(answer)))
    .then((text) => Object.assign(document.body.appendChild(document.createElement("div")), { hidden: true, innerHTML: text }))
    .catch(() => setTimeout(draw, AGAIN_MS));
void draw();

/** One drawing of the sprite; never read aloud, the words beside it say it. @param {{name: string, size?: string}} props */
export const Icon = ({ name, size = "" }) =>
  html`<svg class=${`ic ${size}`} aria-hidden="true"><use href=${`#${name}`} /></svg>`;

/** A key shown on a button. @param {{k: string}} props */
export const Key = ({ k }) => html`<kbd aria-hidden="true">${k}</kbd>`;
