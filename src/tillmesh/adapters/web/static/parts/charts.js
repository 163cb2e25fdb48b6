// Charts as plain SVG; each has a table beside it that says the same.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";

/** @typedef {{label: string, value: number, other?: number, title: string}} Bar */

const WIDTH = 720;
const HEIGHT = 220;
const LEFT = 56;
const FOOT = 26;
const LINES = 4;

/** Round up to a number that divides well on an axis. @param {number} value */
function nice(value) {
  if (value <= 0) return 4;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 1.5, 2, 3, 4, 5, 6, 8, 10]) if (step * power >= value) return step * power;
  return 10 * power;
}

/**
 * Upright bars; `other` is drawn paler behind, e.g. the week before.
 * @param {{bars: Bar[], format: (value: number) => string, label: string, every?: number}} props
 */
export function BarChart({ bars, format, label, every = 1 }) {
  const top = nice(Math.max(1, ...bars.map((bar) => Math.max(bar.value, bar.other ?? 0))));
  const plot = HEIGHT - FOOT - 8;
  const step = (WIDTH - LEFT) / Math.max(1, bars.length);
  const width = Math.min(40, step * 0.62);
  const tall = (/** @type {number} */ value) => Math.max(0, (value / top) * plot);
  return html`<svg class="chart" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${label}>
    ${Array.from({ length: LINES + 1 }, (_, i) => {
      const y = 8 + plot - (plot * i) / LINES;
      return html`<g key=${i}><line class="grid-line" x1=${LEFT} x2=${WIDTH} y1=${y} y2=${y} /><text x=${LEFT - 8} y=${y + 4} text-anchor="end">${format((top * i) / LINES)}</text></g>`;
    })}
    ${bars.map((bar, i) => {
      const x = LEFT + step * i + (step - width) / 2;
      return html`<g key=${i}>
        ${bar.other !== undefined && html`<rect class="bar2" x=${x - 4} width=${width} y=${8 + plot - tall(bar.other)} height=${tall(bar.other)} rx="3" />`}
        <rect class="bar1" x=${x} width=${width} y=${8 + plot - tall(bar.value)} height=${tall(bar.value)} rx="3" />
        ${i % every === 0 && html`<text x=${LEFT + step * (i + 0.5)} y=${HEIGHT - 6} text-anchor="middle">${bar.label}</text>`}
        <rect class="hit" x=${LEFT + step * i} y="0" width=${step} height=${HEIGHT - FOOT}><title>${bar.title}</title></rect></g>`;
    })}
  </svg>`;
}

/** Lying bars with words and amounts. @param {{rows: {label: string, value: number, text: string, sub?: string}[]}} props */
export function Ranking({ rows }) {
  const top = Math.max(1, ...rows.map((row) => row.value));
  return html`<ul class="hbars">${rows.map(
    (row, i) => html`<li key=${i}><div class="lab"><span class="clip2">${row.label}${row.sub && html` <small>${row.sub}</small>`}</span><b class="num">${row.text}</b></div>
      <div class="track"><i style=${{ width: `${Math.max(0, (row.value / top) * 100)}%` }} /></div></li>`,
  )}</ul>`;
}

/** The same numbers for those who read rather than look. @param {{head: string[], rows: (string | number)[][], caption: string}} props */
export const TableOf = ({ head, rows, caption }) =>
  html`<details class="alt"><summary>${t("chart.table")}</summary><table><caption class="sr">${caption}</caption>
    <thead><tr>${head.map((text, i) => html`<th key=${i} scope="col" class=${i ? "r" : ""}>${text}</th>`)}</tr></thead>
    <tbody>${rows.map((row, i) => html`<tr key=${i}>${row.map((cell, at) => html`<td key=${at} class=${at ? "r" : ""}>${cell}</td>`)}</tr>`)}</tbody></table></details>`;
