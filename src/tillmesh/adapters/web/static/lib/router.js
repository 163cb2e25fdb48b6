// The page is the hash: #/sales/abc?q=x -> {page: "sales", arg: "abc", query}.
import { signal } from "./ui.js";

/** The page of an empty hash; the document names it. */
const HOME = document.documentElement.dataset.home ?? "";

/** @typedef {{page: string, arg: string, query: URLSearchParams}} Route */

/** @returns {Route} */
function read() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [page = "", ...rest] = path.split("/");
  return { page: page || HOME, arg: decodeURIComponent(rest.join("/")), query: new URLSearchParams(search) };
}

export const route = signal(read());
addEventListener("hashchange", () => void (route.value = read()));

/** @param {string} path e.g. "sales/abc" */
export function go(path) {
  location.hash = `#/${path}`;
  // At once, not after the event: the next page is painted in this frame.
  route.value = read();
}
