// The tills of a store in a ring, with a line between every two that hear each other. The table beside says the same.
import { html } from "../lib/ui.js";
import { t } from "../lib/i18n.js";

/** @typedef {{terminal_id: string, name: string, number: number | null, me: boolean, leads: boolean, reachable: boolean, terminal_state: string | null, silent_ms: number | null, lacks: number | null, waiting: number | null}} Till */
/** @typedef {{one: string, other: string, up: boolean | null}} Pair */

const FEW = 6;

/** @param {string} name @param {number} most letters that have room */
const short = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);

/** @param {Till} till */
const word = (till) => (!till.reachable ? t("store.state.away") : till.leads ? t("store.state.leader") : till.lacks ? t("store.behind", { n: till.lacks }) : till.me ? t("store.me") : t("store.instep"));

/** @param {{tills: Till[], links: Pair[]}} props */
export function Mesh({ tills, links }) {
  const narrow = innerWidth < 600;
  const few = tills.length <= FEW;
  const wide = narrow ? 360 : 640;
  const tall = tills.length <= 3 ? 250 : 380;
  const [w, h] = few ? [narrow ? 112 : 150, 68] : [56, 56];
  /** @type {Record<string, {x: number, y: number}>} */
  const at = {};
  // Leader first, at the top; two stand side by side.
  const ring = [...tills].sort((a, b) => Number(b.leads) - Number(a.leads));
  ring.forEach((till, i) => {
    const turn = ((i / ring.length) * 2 - (ring.length === 2 ? 1 : 0.5)) * Math.PI;
    const [rx, ry] = [(wide - w) / 2 - 4, (tall - h) / 2 - 4];
    // Three do not fill the height of their ring: stretch it.
    const y = ring.length === 3 && i ? ry : Math.sin(turn) * ry;
    at[till.terminal_id] = { x: wide / 2 + Math.cos(turn) * rx, y: tall / 2 + y };
  });
  return html`<svg class=${few ? "mesh" : "mesh many"} viewBox=${`0 0 ${wide} ${tall}`} role="img" aria-label=${t("store.mesh.label", { n: links.filter((pair) => pair.up).length, all: links.length })}>
    ${links.map(({ one, other, up }) => {
      const [a, b] = [at[one], at[other]];
      if (!a || !b || up === null) return null;
      const [x, y] = [(a.x + b.x) / 2, (a.y + b.y) / 2];
      return html`<g key=${one + other} class=${up ? "up" : "cut"}><line x1=${a.x} y1=${a.y} x2=${b.x} y2=${b.y} />${!up && few && html`<circle cx=${x} cy=${y} r="13" /><path d=${`M${x - 4} ${y - 4}l8 8m0-8l-8 8`} />`}</g>`;
    })}
    ${tills.map((till) => {
      const { x, y } = at[till.terminal_id];
      return html`<g key=${till.terminal_id} class=${`node ${till.reachable ? (till.leads ? "leads" : "") : "away"} ${till.me ? "me" : ""}`}><title>${till.name}</title>
        <rect x=${x - w / 2} y=${y - h / 2} width=${w} height=${h} rx="16" />
        ${few ? html`<text x=${x} y=${y - 5} class="name">${short(till.name, narrow ? 11 : 15)}</text><text x=${x} y=${y + 17}>${word(till)}</text>` : html`<text x=${x} y=${y + 6} class="name">${till.number ?? "?"}</text>`}</g>`;
    })}
  </svg>`;
}
