// Search as you type over the whole catalogue: all names in one string, so that the browser's own search does the work.

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
 * All names, each after a line break, and where each row's name begins.
 * @typedef {{text: string, starts: Uint32Array}} Index
 */

/** @param {string[]} names folded, by row @returns {Index} */
export function indexOfNames(names) {
  const starts = new Uint32Array(names.length + 1);
  let at = 1;
  for (let row = 0; row < names.length; row += 1) {
    starts[row] = at;
    at += names[row].length + 1;
  }
  starts[names.length] = at;
  return { text: names.length ? `\n${names.join("\n")}\n` : "\n", starts };
}

/**
 * Put other names into an index, or behind its end, in one walk: no list of all names is kept beside it.
 * @param {Index} index
 * @param {Map<number, string>} names folded, by row; rows behind the end follow it without gaps
 * @returns {Index}
 */
export function renamed({ text, starts }, names) {
  const before = starts.length - 1;
  const rows = [...names.keys()].sort((a, b) => a - b);
  const next = new Uint32Array(Math.max(before, (rows.at(-1) ?? -1) + 1) + 1);
  const pieces = [];
  let from = 0; // in the old text, what was not taken over yet
  let shift = 0;
  let done = 0; // rows whose start is known
  for (const row of rows) {
    for (; done <= Math.min(row, before); done += 1) next[done] = starts[done] + shift;
    const name = /** @type {string} */ (names.get(row));
    if (row < before) {
      pieces.push(text.slice(from, starts[row]), name);
      from = starts[row + 1] - 1;
      shift += name.length - (from - starts[row]);
    } else {
      pieces.push(text.slice(from), name, "\n");
      from = text.length;
      shift += name.length + 1;
      next[row + 1] = next[row] + name.length + 1;
      done = row + 2;
    }
  }
  for (; done <= before; done += 1) next[done] = starts[done] + shift;
  pieces.push(text.slice(from));
  return { text: pieces.join(""), starts: next };
}

/** Find the row whose name holds this place. @param {Uint32Array} starts @param {number} place */
function rowAt(starts, place) {
  let low = 0;
  let high = starts.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Call with each row that holds the needle, until it says stop.
 * @param {Index} index
 * @param {string} needle one that begins with a line break stands at the start of a name
 * @param {(row: number) => boolean} take false stops
 */
function each({ text, starts }, needle, take) {
  const skip = needle[0] === "\n" ? 1 : 0;
  for (let place = text.indexOf(needle); place >= 0; ) {
    const row = rowAt(starts, place + skip);
    if (!take(row)) return;
    // The break before the next name belongs to it: a needle may begin there.
    place = text.indexOf(needle, starts[row + 1] - 1);
  }
}

/** Rows with all words that are looked at for the best ones: beyond that the text says too little anyway. */
const LOOKED_AT_MAX = 3000;

/**
 * Find rows that hold every word, the best first: the name starts with the text, with a word, a word in it does, anywhere.
 * @param {Index} index
 * @param {string} query
 * @param {number} limit
 * @param {(row: number) => boolean} visible
 * @returns {number[]} rows
 */
export function searchRows(index, query, limit, visible) {
  const folded = fold(query.trim()).replace(/\s+/g, " ");
  if (!folded || index.starts.length < 2) return [];
  const words = folded.split(" ");
  if (words.length > 1) return several(index, words, folded, visible).slice(0, limit);
  /** @type {Set<number>} */
  const found = new Set();
  for (const needle of [`\n${folded}`, ` ${folded}`, folded]) {
    each(index, needle, (row) => {
      if (visible(row)) found.add(row);
      return found.size < limit;
    });
  }
  return [...found].slice(0, limit);
}

/** @param {Index} index @param {string[]} words @param {string} folded @param {(row: number) => boolean} visible */
function several(index, words, folded, visible) {
  const { text, starts } = index;
  const longest = words.reduce((best, word) => (word.length > best.length ? word : best));
  /** @type {number[][]} */
  const ranks = [[], [], [], []];
  let looked = 0;
  each(index, longest, (row) => {
    const name = text.slice(starts[row], starts[row + 1] - 1);
    if (words.every((word) => name.includes(word)) && visible(row)) {
      looked += 1;
      ranks[name.startsWith(folded) ? 0 : name.startsWith(words[0]) ? 1 : name.includes(` ${words[0]}`) ? 2 : 3].push(row);
    }
    return looked < LOOKED_AT_MAX;
  });
  return ranks.flat();
}
