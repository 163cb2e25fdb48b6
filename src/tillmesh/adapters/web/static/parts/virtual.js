// Only what can be seen is in the page: rows of equal height in a scrolling box, whatever their number.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib/ui.js";

/** Rows kept ready above and below, so that a quick scroll shows no gap. */
const SPARE = 1;

const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

/**
 * @param {object} props
 * @param {number} props.count
 * @param {number} props.height height of a row in px at normal text size
 * @param {number} [props.width] smallest width of a cell; without it one cell a row
 * @param {number} [props.gap]
 * @param {(index: number, columns: number) => any} props.item
 * @param {string} [props.className]
 * @param {number} [props.show] index to keep in view
 * @param {unknown} [props.top] scrolls to the top whenever it changes
 * @param {string} [props.label]
 * @param {string} [props.role]
 * @param {(event: KeyboardEvent, columns: number) => void} [props.onKeyDown]
 */
export function Virtual({ count, height, width = 0, gap = 0, item, className = "", show = -1, top, label, role, onKeyDown }) {
  const ref = /** @type {import("../vendor/preact-hooks.js").Ref<HTMLDivElement | null>} */ (useRef(null));
  const [box, setBox] = useState({ width: 0, height: 0, scale: 1 });
  const [from, setFrom] = useState(0);
  const scale = box.scale;
  const columns = width && box.width ? Math.max(1, Math.floor((box.width + gap) / (width * scale + gap))) : 1;
  const row = height * scale + gap;
  const rows = Math.ceil(count / columns);
  const fits = Math.ceil(box.height / row) + 2 * SPARE;
  const first = Math.max(0, Math.min(from, rows - fits + SPARE));

  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () => {
      const style = getComputedStyle(element);
      const inner = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      setBox((now) => (now.width === inner && now.height === element.clientHeight && now.scale === rem() ? now : { width: inner, height: element.clientHeight, scale: rem() }));
    };
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    measure();
    return () => watch.disconnect();
  }, []);
  const onScroll = () => {
    const next = Math.max(0, Math.floor((ref.current?.scrollTop ?? 0) / row) - SPARE);
    if (Math.abs(next - from) >= 1) setFrom(next);
  };
  useLayoutEffect(() => {
    if (ref.current && top !== undefined) ref.current.scrollTop = 0;
    setFrom(0);
  }, [top]);
  useEffect(() => {
    const element = ref.current;
    if (!element || show < 0) return;
    const at = Math.floor(show / columns) * row;
    if (at < element.scrollTop) element.scrollTop = at;
    else if (at + row > element.scrollTop + element.clientHeight) element.scrollTop = at + row - element.clientHeight + gap;
  }, [show, columns, row, count, box.height]);

  const cells = [];
  const end = Math.min(count, (first + fits) * columns);
  for (let index = first * columns; index < end; index += 1) cells.push(item(index, columns));
  return html`<div class=${`virtual ${className}`} ref=${ref} onScroll=${onScroll} role=${role} aria-label=${label} tabindex=${role === "list" || !role ? "-1" : undefined}
      onKeyDown=${onKeyDown && ((/** @type {KeyboardEvent} */ event) => onKeyDown(event, columns))}>
    <div class="virtual-space" style=${{ height: `${rows * row - gap}px` }} role="presentation">
      <div class="virtual-view" role="presentation" style=${{ transform: `translateY(${first * row}px)`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gridAutoRows: `${height * scale}px`, gap: `${gap}px` }}>${cells}</div>
    </div>
  </div>`;
}
