// What the microphone hears while a key is held, as a WAV file of 16,000 samples a second.

const RATE_HZ = 16_000;
/** Longer is no command; the till takes ten seconds. */
const SECONDS_MAX = 8;

/** Pages of the LAN without TLS have no microphone and no camera: the browser hides them. */
export const hasMicrophone = () => Boolean(window.isSecureContext && navigator.mediaDevices && "AudioWorkletNode" in window);

/**
 * Begin to listen; the answer stops it and gives the WAV file.
 * @param {(ms: number) => void} heard told now and then how much sound there is
 * @returns {Promise<() => Promise<Blob>>}
 */
export async function recordSound(heard) {
  // First what takes time: whoever holds the button speaks as soon as the microphone is open.
  const context = new AudioContext({ sampleRate: RATE_HZ });
  await context.audioWorklet.addModule("/static/worklets/tape.js");
  const tape = new AudioWorkletNode(context, "tape", { numberOfOutputs: 0 });
  /** @type {Float32Array[]} */
  const pieces = [];
  let count = 0;
  tape.port.onmessage = ({ data }) => {
    if (count >= SECONDS_MAX * RATE_HZ) return;
    pieces.push(data);
    count += data.length;
    if (pieces.length % 64 === 0) heard((1000 * count) / RATE_HZ);
  };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true } });
  context.createMediaStreamSource(stream).connect(tape);
  await context.resume();
  return async () => {
    for (const track of stream.getTracks()) track.stop();
    await context.close();
    return wavOf(pieces, count);
  };
}

/** @param {Float32Array[]} pieces @param {number} count */
function wavOf(pieces, count) {
  const view = new DataView(new ArrayBuffer(44 + 2 * count));
  const text = (/** @type {number} */ at, /** @type {string} */ letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * count, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE_HZ, true);
  view.setUint32(28, 2 * RATE_HZ, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * count, true);
  let at = 44;
  for (const piece of pieces) {
    for (const sample of piece) {
      view.setInt16(at, Math.max(-1, Math.min(1, sample)) * 32_767, true);
      at += 2;
    }
  }
  return new Blob([view.buffer], { type: "audio/wav" });
}
