// Asking for what a page shows, with its three states: waiting, refused, here.
import { html, useEffect, useRef, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { asking, asProblem } from "../lib/http.js";
import { Icon } from "./icon.js";

/** @typedef {import("../lib/http.js").Problem} Problem */

/**
 * Load a path and load it again when it or `turn` changes; old answers never overwrite new ones.
 * @param {string} path "" loads nothing
 * @param {unknown} [turn]
 * @param {number} [wait] ms, for a path that follows typing
 * @returns {{data: any, problem: Problem | null, busy: boolean, reload: () => void}}
 */
export function useLoad(path, turn, wait = 0) {
  const [state, setState] = useState(/** @type {{data: any, problem: Problem | null, busy: boolean}} */ ({ data: null, problem: null, busy: true }));
  const [again, setAgain] = useState(0);
  const newest = useRef(0);
  useEffect(() => {
    newest.current += 1;
    const mine = newest.current;
    if (!path) return setState({ data: null, problem: null, busy: false });
    setState((now) => ({ ...now, busy: true }));
    const timer = setTimeout(
      () =>
        asking.get(path).then(
          (data) => mine === newest.current && setState({ data, problem: null, busy: false }),
          (error) => mine === newest.current && setState((now) => ({ ...now, problem: asProblem(error), busy: false })),
        ),
      wait,
    );
    return () => clearTimeout(timer);
  }, [path, turn, again]);
  return { ...state, reload: () => setAgain((n) => n + 1) };
}

/** Waiting or refused; nothing once there is something to show. @param {{load: ReturnType<typeof useLoad>}} props */
export const Loading = ({ load }) => {
  if (load.problem) {
    return html`<div class="empty" role="alert"><${Icon} name=${load.problem.network ? "wifi-off" : "circle-alert"} size="xl" /><b>${load.problem.title}</b><span>${load.problem.detail}</span>${load.problem.hint && html`<span>${load.problem.hint}</span>`}
      <button class="btn" onClick=${load.reload}><${Icon} name="refresh-cw" />${t("again")}</button></div>`;
  }
  return load.data === null && load.busy ? html`<div class="waiting" role="status"><span class="spin" /><span>${t("loading")}</span></div>` : null;
};

/** @param {{icon: string, title: string, hint?: string, children?: any}} props */
export const Nothing = ({ icon, title, hint, children }) =>
  html`<div class="empty"><${Icon} name=${icon} size="xl" /><b>${title}</b>${hint && html`<span>${hint}</span>`}${children}</div>`;
