// Search as you type over the whole catalogue: plain substring tests on folded names, narrowed as the words grow.

/**
 * Fold text for comparing: lower case, no accents.
 * @param {string} text
 */
export function fold(text) {
  const low = text.toLowerCase();
  // Most names are ASCII: normalising only the others makes folding the catalogue five times faster.
  // eslint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(low) ? low : low.normalize("NFD").replace(/[\u0300-\u036f]/g, "");
}

/**
 * @typedef {object} Index
 * @property {string[]} names folded, by row
 * @property {(row: number) => boolean} visible
 * @property {(row: number) => boolean} preferred
 */

/** @type {{words: string, rows: number[], names: string[] | null, size: number}} */
const memory = { words: "", rows: [], names: null, size: 0 };

/** Forget the narrowed rows: the catalogue changed. */
export function forgetSearch() {
  memory.names = null;
}

/**
 * Find rows that hold every word, the best first: name starts with the text, a word starts with it, anywhere.
 * @param {Index} index
 * @param {string} text
 * @param {number} limit
 * @returns {number[]} rows
 */
export function searchRows(index, text, limit) {
  const folded = fold(text.trim());
  const words = folded.split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const rows = matching(index, folded, words);
  /** @type {number[][]} */
  const ranks = [[], [], [], []];
  const spaced = ` ${words[0]}`;
  for (const row of rows) {
    if (!index.visible(row)) continue;
    const name = index.names[row];
    const rank = index.preferred(row) ? 0 : name.startsWith(folded) ? 1 : name.startsWith(words[0]) || name.includes(spaced) ? 2 : 3;
    if (ranks[rank].length < limit) ranks[rank].push(row);
  }
  return ranks.flat().slice(0, limit);
}

/**
 * @param {Index} index
 * @param {string} folded
 * @param {string[]} words
 */
function matching(index, folded, words) {
  const narrower = memory.names === index.names && memory.size === index.names.length && memory.words && folded.startsWith(memory.words);
  /** @type {number[]} */
  const rows = [];
  const test = (/** @type {number} */ row) => {
    const name = index.names[row];
    for (const word of words) if (!name.includes(word)) return;
    rows.push(row);
  };
  if (narrower) for (const row of memory.rows) test(row);
  else for (let row = 0; row < index.names.length; row += 1) test(row);
  Object.assign(memory, { words: folded, rows, names: index.names, size: index.names.length });
  return rows;
}
