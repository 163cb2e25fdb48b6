// What a picky eye sees: too small to hit, cut off, sticking out, off the screen, focus that nobody can find.
window.auditing = (() => {
  const TARGET_PX = 47.5; // 48, less what fractions of a pixel may take
  const ARROW_PX = 18; // at the end of a closed list
  const over = () => [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;
  const isShown = (e) => {
    const { width, height } = e.getBoundingClientRect();
    return e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && width > 1 && height > 1 && !e.closest(".sr");
  };
  const wordsOf = (e) =>
    `${e.tagName.toLowerCase()}.${e.getAttribute("class")} "${(e.getAttribute("aria-label") ?? e.textContent).trim().slice(0, 50)}"`;
  const shown = (selector) => [...over().querySelectorAll(selector)].filter(isShown);

  /** Names of products and people may end in dots where a row has one line for them; words of ours may not. */
  const mayEllipse = (e) =>
    !e.closest("button, output, .num") || e.closest(".tile, .list-row, .line, .row-main, .seg, .named");

  const small = () =>
    shown("button, a[href], select, input, textarea, summary")
      .filter((e) => !e.matches(".toggle input"))
      .map((e) => [e, e.getBoundingClientRect()])
      .filter(([, box]) => box.height < TARGET_PX || box.width < TARGET_PX)
      .map(([e, box]) => `target ${box.width.toFixed(0)}x${box.height.toFixed(0)}: ${wordsOf(e)}`);

  const cut = () =>
    shown("button, .btn, label, h1, h2, h3, .pill, th, output, dt, dd, b, small, kbd, span")
      .filter((e) => e.textContent.trim() && getComputedStyle(e).overflowX !== "visible")
      .filter((e) => e.scrollWidth > e.clientWidth + 1)
      .filter((e) => {
        const { textOverflow, webkitLineClamp } = getComputedStyle(e);
        return !((textOverflow === "ellipsis" || webkitLineClamp !== "none") && mayEllipse(e));
      })
      .map((e) => `cut off ${e.scrollWidth}>${e.clientWidth}: ${wordsOf(e)}`);

  /** What an empty field says of itself, beside what lies over its end. */
  const placeholders = () =>
    shown("input[placeholder]")
      .filter((e) => !e.value && e.placeholder)
      .map((e) => {
        const style = getComputedStyle(e);
        const pen = document.createElement("canvas").getContext("2d");
        pen.font = style.font;
        return [e, pen.measureText(e.placeholder).width, e.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)];
      })
      .filter(([, needs, has]) => needs > has + 1)
      .map(([e, needs, has]) => `placeholder cut off ${needs.toFixed(0)}>${has.toFixed(0)}: ${e.placeholder}`);

  /** What a closed list shows of each of its choices, beside its arrow. Names of people's own may end in dots. */
  const choices = () =>
    shown("select").flatMap((e) => {
      const style = getComputedStyle(e);
      const pen = document.createElement("canvas").getContext("2d");
      pen.font = style.font;
      const has = e.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - ARROW_PX;
      return [...e.options].filter((one) => pen.measureText(one.text).width > has + 1).map((one) => `choice cut off ${pen.measureText(one.text).width.toFixed(0)}>${has.toFixed(0)}: ${one.text}`);
    });

  /** Room that is kept for more lines than there are: a hole in the page. */
  const holes = () =>
    shown("p[role=status]").filter((e) => e.textContent.trim() && getComputedStyle(e).display === "block").flatMap((e) => {
      const words = document.createRange();
      words.selectNodeContents(e);
      const { paddingTop, paddingBottom, lineHeight, fontSize } = getComputedStyle(e);
      const empty = e.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom) - words.getBoundingClientRect().height;
      return empty > (parseFloat(lineHeight) || parseFloat(fontSize)) * 0.75 ? [`an empty line below: ${wordsOf(e)}`] : [];
    });

  const sticking = () =>
    shown("button, .btn").flatMap((button) => {
      if (button.closest(".tile, .list-row, .line, .row-main")) return [];
      const box = button.getBoundingClientRect();
      return [...button.querySelectorAll("span, b, small, kbd, svg")]
        .filter(isShown)
        .map((e) => [e, e.getBoundingClientRect()])
        .filter(([, inner]) => inner.right > box.right + 1 || inner.left < box.left - 1)
        .map(([e]) => `sticks out: ${wordsOf(e)} of ${wordsOf(button)}`);
    });

  /** What scrolls with an element; what sticks or lies over the page is a layer of its own. */
  const layer = (e) => {
    for (let one = e.parentElement; one; one = one.parentElement) {
      const { overflowX, overflowY, position } = getComputedStyle(one);
      if (/auto|scroll/.test(overflowX + overflowY) || position === "sticky" || position === "fixed") return one;
    }
    return null;
  };
  const overlapping = () => {
    const all = shown("button, a[href], select, input, textarea, summary").map((e) => [e, e.getBoundingClientRect(), layer(e)]);
    return all.flatMap(([e, box, own], at) =>
      all.slice(at + 1)
        .filter(([other, there, theirs]) => own === theirs && !e.contains(other) && !other.contains(e) && !e.closest(".search, .numfield-box")?.contains(other)
          && Math.min(box.right, there.right) - Math.max(box.left, there.left) > 2 && Math.min(box.bottom, there.bottom) - Math.max(box.top, there.top) > 2)
        .map(([other]) => `lies over another: ${wordsOf(e)} and ${wordsOf(other)}`));
  };

  const sideways = () => [
    ...(document.scrollingElement.scrollWidth > innerWidth + 1
      ? [`the page scrolls sideways: ${document.scrollingElement.scrollWidth} > ${innerWidth}`]
      : []),
    ...shown("button, a.btn")
      .filter((e) => !e.closest(".cats, .scroll-x, .chips"))
      .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1)
      .map((e) => `off the screen: ${wordsOf(e)}`),
  ];

  const ring = (e) => {
    if (!e) return false;
    const { outlineStyle, outlineWidth } = getComputedStyle(e);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  };
  const focus = () => {
    const e = document.activeElement;
    if (!e || e === document.body) return "";
    if (!e.closest("dialog[open]")) return `the focus left the dialog: ${wordsOf(e)}`;
    return ring(e) || ring(e.nextElementSibling) || ring(e.parentElement) ? "" : `no visible focus: ${wordsOf(e)}`;
  };

  return { overlapping, placeholders, fitting: () => [...new Set([...small(), ...cut(), ...choices(), ...holes(), ...sticking(), ...sideways()])], sideways, focus };
})();
