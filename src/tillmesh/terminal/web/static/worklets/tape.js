// @ts-nocheck - the names of an audio worklet are in no library that tsc knows
// Runs beside the page's own thread and hands on what the microphone hears, in pieces of 128 samples.
registerProcessor(
  "tape",
  class extends AudioWorkletProcessor {
    /** @param {Float32Array[][]} inputs */
    process(inputs) {
      const heard = inputs[0]?.[0];
      if (heard) this.port.postMessage(heard.slice());
      return true;
    }
  },
);
