// Who is signed in at head office, and calls that go back to the sign-in page when a session has ended.
import { signal } from "../lib/ui.js";
import { asking, asProblem, send } from "../lib/http.js";

/** @typedef {"viewer" | "buyer" | "admin"} Role */
/** @typedef {{user: string, role: Role}} Person */

/** Undefined until we know. @type {import("../vendor/signals.js").Signal<Person | null | undefined>} */
export const session = signal(/** @type {Person | null | undefined} */ (undefined));
/** True when a session ended by itself, so that the sign-in page can say so. */
export const ended = signal(false);

const RANK = { viewer: 0, buyer: 1, admin: 2 };

/** Tell whether the person signed in has at least this role. @param {Role} role */
export const may = (role) => (session.value ? RANK[session.value.role] >= RANK[role] : false);

/** Find out who is signed in. Throws only when head office is silent. */
export async function loadSession() {
  try {
    session.value = await send("GET", "/session");
  } catch (error) {
    if (asProblem(error).status !== 401) throw error;
    session.value = null;
  }
}

/** @param {string} user @param {string} password */
export async function signIn(user, password) {
  const answer = await send("POST", "/session", { user, password });
  ended.value = false;
  session.value = { user: answer.user, role: answer.role };
}

export async function signOut() {
  await send("DELETE", "/session").catch(() => {});
  session.value = null;
}

/**
 * Call head office; who is not signed in any more is asked to.
 * @param {string} method
 * @param {string} path
 * @param {any} [body]
 * @param {import("../lib/http.js").CallOptions} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, body, options) {
  try {
    return await send(method, path, body, options);
  } catch (error) {
    if (asProblem(error).status === 401) {
      ended.value = true;
      session.value = null;
    }
    throw error;
  }
}

asking.get = (path) => call("GET", path);
