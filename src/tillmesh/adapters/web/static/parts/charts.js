// Charts as plain SVG; each has a table beside it that says the same.
import { html, useLayoutEffect, useRef, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";

/** @typedef {{label: string, value: number, other?: number, title: string}} Bar */

const WIDTH_FIRST = 720;
const WIDTH_LEAST = 200;
const HEIGHT = { least: 180, most: 300, share: 0.31 };
const FOOT = 26;
const LINES = 4;
/** Of a letter, in parts of its size: a guess, with room to spare. */
const LETTER = 0.66;
const LETTERS_REM = 0.75;

/** Round up to a number that divides well on an axis. @param {number} value */
function nice(value) {
  if (value <= 0) return 4;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 1.5, 2, 3, 4, 5, 6, 8, 10]) if (step * power >= value) return step * power;
  return 10 * power;
}

/** As wide as there is room, so that letters are as large here as elsewhere. */
function useRoom() {
  const box = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLElement | null>} */ (useRef(null));
  const [width, setWidth] = useState(WIDTH_FIRST);
  useLayoutEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.max(WIDTH_LEAST, Math.round(entry.contentRect.width))));
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  const letter = parseFloat(getComputedStyle(document.documentElement).fontSize) * LETTERS_REM * LETTER;
  return { box, width, height: Math.round(Math.min(HEIGHT.most, Math.max(HEIGHT.least, width * HEIGHT.share))), letter };
}

/**
 * Upright bars, hanging ones where more came back than was sold; `other` is drawn paler behind, e.g. the week before.
 * @param {{bars: Bar[], format: (value: number) => string, label: string, every?: number}} props
 */
export function BarChart({ bars, format, label, every = 1 }) {
  const { box, width: full, height, letter } = useRoom();
  const values = bars.flatMap((bar) => [bar.value, bar.other ?? 0]);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const unit = nice(Math.max(1, high, -low)) / LINES;
  const below = Math.ceil(-low / unit);
  const lines = (below ? Math.ceil(high / unit) : LINES) + below;
  const plot = height - FOOT - 8;
  const marks = Array.from({ length: lines + 1 }, (_, i) => format(unit * (i - below)));
  const left = 12 + letter * Math.max(...marks.map((mark) => mark.length));
  const zero = 8 + plot - (plot * below) / lines;
  const step = (full - left) / Math.max(1, bars.length);
  const apart = Math.max(every, Math.ceil((letter * (2 + Math.max(0, ...bars.map((bar) => bar.label.length)))) / step));
  const width = Math.min(40, step * 0.62);
  const tall = (/** @type {number} */ value) => (Math.abs(value) / unit / lines) * plot;
  const column = (/** @type {string} */ kind, /** @type {number} */ x, /** @type {number} */ value) =>
    html`<rect class=${value < 0 ? `${kind} less` : kind} x=${x} width=${width} y=${value < 0 ? zero : zero - tall(value)} height=${tall(value)} rx="3" />`;
  return html`<div class="chart" ref=${box}><svg width=${full} height=${height} role="img" aria-label=${label}>
    ${marks.map((mark, i) => {
      const y = 8 + plot - (plot * i) / lines;
      return html`<g key=${i}><line class=${below && i === below ? "zero-line" : "grid-line"} x1=${left} x2=${full} y1=${y} y2=${y} /><text x=${left - 8} y=${y + 4} text-anchor="end">${mark}</text></g>`;
    })}
    ${bars.map((bar, i) => {
      const x = left + step * i + (step - width) / 2;
      return html`<g key=${i}>
        ${bar.other !== undefined && column("bar2", x - 4, bar.other)}
        ${column("bar1", x, bar.value)}
        ${i % apart === 0 && html`<text x=${left + step * (i + 0.5)} y=${height - 6} text-anchor="middle">${bar.label}</text>`}
        <rect class="hit" x=${left + step * i} y="0" width=${step} height=${height - FOOT}><title>${bar.title}</title></rect></g>`;
    })}
  </svg></div>`;
}

/** Lying bars with words and amounts, less than nothing in another colour. @param {{rows: {label: string, value: number, text: string, sub?: string}[]}} props */
export function Ranking({ rows }) {
  const top = Math.max(1, ...rows.map((row) => Math.abs(row.value)));
  return html`<ul class="hbars">${rows.map(
    (row, i) => html`<li key=${i}><div class="lab"><span class="clip2">${row.label}${row.sub && html` <small>${row.sub}</small>`}</span><b class="num">${row.text}</b></div>
      <div class="track"><i class=${row.value < 0 ? "less" : ""} style=${{ width: `${(Math.abs(row.value) / top) * 100}%` }} /></div></li>`,
  )}</ul>`;
}

/** The same numbers for those who read rather than look. @param {{head: string[], rows: (string | number)[][], caption: string}} props */
export const TableOf = ({ head, rows, caption }) =>
  html`<details class="alt"><summary>${t("chart.table")}</summary><table><caption class="sr">${caption}</caption>
    <thead><tr>${head.map((text, i) => html`<th key=${i} scope="col" class=${i ? "r" : ""}>${text}</th>`)}</tr></thead>
    <tbody>${rows.map((row, i) => html`<tr key=${i}>${row.map((cell, at) => html`<td key=${at} class=${at ? "r" : ""}>${cell}</td>`)}</tr>`)}</tbody></table></details>`;
