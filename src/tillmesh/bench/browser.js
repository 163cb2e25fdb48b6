// Measures a page from inside: when a key went down, and when what it caused was on the screen.
(() => {
  const took = [];
  let pressed = 0;
  let watched = () => "";
  let before = "";
  let waiting = false;
  const look = () => {
    if (!waiting) return;
    if (watched() === before) return;
    waiting = false;
    // The frame that shows the change has been drawn when the task after its callbacks runs.
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => took.push(performance.now() - pressed);
      port2.postMessage(0);
    });
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  window.stopwatch = {
    /** From the next press of `key` until `watch()` says something else. */
    arm(key, watch) {
      watched = watch;
      const down = (event) => {
        if (event.key !== key) return;
        removeEventListener("keydown", down, true);
        pressed = event.timeStamp;
        before = watch();
        waiting = true;
      };
      addEventListener("keydown", down, true);
    },
    count: () => took.length,
    idle: () => !waiting,
    /** Nothing came of the key: what changes later is no answer to it. */
    disarm: () => void (waiting = false),
    take: () => took.splice(0),
  };
})();
