// Talking to the program behind the page: one call, problem documents, and whether it answers at all.
import { signal } from "./ui.js";
import { t } from "./i18n.js";

/** Requests that hang longer than this count as "not answering" (a Python process that stalls). */
const TIMEOUT_MS = 8000;

/** False while it cannot be reached. */
export const reachable = signal(true);

/** What went wrong, in the server's words where it has any. */
export class Problem extends Error {
  /**
   * @param {{status?: number, kind?: string, title?: string, detail?: string, hint?: string, network?: boolean, body?: any}} what
   */
  constructor(what) {
    super(what.title ?? what.detail ?? "problem");
    this.status = what.status ?? 0;
    this.kind = what.kind ?? "";
    this.title = what.title ?? t("error.title");
    this.detail = what.detail ?? "";
    this.hint = what.hint ?? "";
    this.network = what.network ?? false;
    /** @type {any} */
    this.body = what.body ?? {};
  }
}

/** @param {any} body @param {number} status */
export function toProblem(body, status) {
  const kind = String(body?.kind ?? body?.type ?? "").split(/[/:#]/).pop();
  return new Problem({ ...body, kind, status, body });
}

/** @param {unknown} error @returns {Problem} */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  return new Problem({ title: t("error.title"), detail: error instanceof Error ? error.message : String(error) });
}

const silence = () =>
  new Problem({ title: t("error.unreachable.title"), detail: t("error.unreachable.detail"), hint: t("error.unreachable.hint"), network: true });

/**
 * @typedef {object} CallOptions
 * @property {string} [type] content type of the body; empty for a form
 * @property {number} [timeout] ms
 * @property {"json" | "text"} [as]
 * @property {AbortSignal} [abort]
 * @property {string} [key] the name of this request: sent again under it, it is done once
 */

/**
 * Make one request, no retry, no sign-in. Throws a Problem.
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {unknown} [body]
 * @param {CallOptions} [options]
 * @returns {Promise<any>}
 */
export async function send(method, path, body, options = {}) {
  const { type = "application/json", timeout = TIMEOUT_MS, as = "json", abort, key } = options;
  const limits = [AbortSignal.timeout(timeout), ...(abort ? [abort] : [])];
  /** @type {RequestInit} */
  const init = { method, credentials: "same-origin", signal: AbortSignal.any(limits), headers: { "Tillmesh-Language": document.documentElement.lang, ...(key && { "Idempotency-Key": key }) } };
  if (body !== undefined) {
    // A form says itself what it is, with the boundary between its parts.
    if (type) init.headers = { ...init.headers, "Content-Type": type };
    init.body = type === "application/json" ? JSON.stringify(body) : /** @type {string | Blob | FormData} */ (body);
  }
  let response;
  let answer;
  try {
    response = await fetch(`/api/v1${path}`, init);
    answer = response.status === 204 ? null : await response.text();
  } catch {
    if (!abort?.aborted) reachable.value = false;
    throw silence();
  }
  reachable.value = true;
  if (response.ok) return as === "text" || !answer ? answer : JSON.parse(answer);
  throw toProblem(readProblem(answer, response.status), response.status);
}

/** @param {string | null} text @param {number} status */
function readProblem(text, status) {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return { title: t("error.title"), detail: t("error.status", { status }) };
  }
}

/** How pages ask for what they show; a program puts its own here, which asks for a sign-in where one is missing. */
export const asking = { get: (/** @type {string} */ path) => send("GET", path) };

/**
 * Join query parameters, leaving out empty ones.
 * @param {Record<string, string | number | boolean | null | undefined>} parts
 */
export function query(parts) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) {
    if (value !== undefined && value !== null && value !== "" && value !== false) search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}
