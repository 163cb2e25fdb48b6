// Where a scan goes: to the topmost taker (a dialog's field, a page).
import { useEffect, useRef } from "../lib/ui.js";

/** @typedef {(code: string) => void} Taker */

/** @type {Taker[]} */
const takers = [];

/** @param {string} code @returns {boolean} whether somebody took it */
export function deliver(code) {
  const taker = takers[takers.length - 1];
  taker?.(code);
  return Boolean(taker);
}

/** Take scans while the calling component is shown. @param {Taker} taker */
export function useScans(taker) {
  const latest = useRef(taker);
  latest.current = taker;
  useEffect(() => {
    const mine = (/** @type {string} */ code) => latest.current(code);
    takers.push(mine);
    return () => void takers.splice(takers.indexOf(mine), 1);
  }, []);
}
