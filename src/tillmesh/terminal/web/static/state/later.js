// What the page of the sale opens over itself, but few sales need: it comes with the second script.
let turn = 0;
/** @type {any} */
let held = null;

/** Fetch it, at the first time; browsers remember an import that failed, so each try has another address. */
export async function later() {
  if (held) return held;
  turn += 1;
  held = (await import(`../backoffice.js?turn=${turn}`)).LATER;
  return held;
}
