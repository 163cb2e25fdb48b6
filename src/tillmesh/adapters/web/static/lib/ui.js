// One place to import the view library from, so that a change of it touches one file.
import { h, render, Fragment } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export { h, render, Fragment };
export { useState, useEffect, useLayoutEffect, useRef, useMemo, useId } from "../vendor/preact-hooks.js";
export { signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect } from "../vendor/signals.js";

export const html = htm.bind(h);

/**
 * Read the value of the form field an event came from.
 * @param {Event} event
 */
export const valueOf = (event) => /** @type {HTMLInputElement} */ (event.currentTarget).value;

/** @param {Event} event */
export const checkedOf = (event) => /** @type {HTMLInputElement} */ (event.currentTarget).checked;

let last = 0;

/** Make an id that no other page load has made: time, a counter, randomness. */
export function freshId() {
  last += 1;
  const [noise] = crypto.getRandomValues(new Uint32Array(1));
  return `${Date.now().toString(36)}-${last.toString(36)}-${noise.toString(36)}`;
}
