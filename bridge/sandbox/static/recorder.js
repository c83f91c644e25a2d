// What is spoken into the microphone, as a voice message.

import { oggOfWebm } from "./ogg.js";

const TYPES = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"];
const ENDINGS = { "audio/ogg": "ogg", "audio/mp4": "m4a" };
const LONGEST_MS = 120_000;
const PIECE_MS = 250;

/** Begins at once, or rejects with a reason for people. `onFull` is called when it has become too long. `seconds()` counts from the first
 *  sound on: a microphone may need a while until it gives any. `end()` resolves to the file, or rejects if nothing was recorded. */
export async function record(onFull) {
  const type = globalThis.MediaRecorder && TYPES.find((one) => MediaRecorder.isTypeSupported(one));
  if (!type || !navigator.mediaDevices) throw new Error("this browser records no sound");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (fault) {
    throw new Error(fault.name === "NotAllowedError" ? "the microphone is not allowed for this page" : "no microphone was found");
  }
  const recorder = new MediaRecorder(stream, { mimeType: type });
  const pieces = [];
  const ended = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
  const timer = setTimeout(onFull, LONGEST_MS);
  let startedAt = Infinity;
  recorder.addEventListener("dataavailable", (event) => {
    if (event.data.size) startedAt = Math.min(startedAt, performance.now());
    pieces.push(event.data);
  });
  recorder.start(PIECE_MS);
  return {
    seconds: () => Math.max(0, Math.floor((performance.now() - startedAt) / 1000)),
    end: async () => {
      clearTimeout(timer);
      if (recorder.state !== "inactive") recorder.stop();
      await ended;
      for (const track of stream.getTracks()) track.stop();
      return voiceOf(new Blob(pieces), type.split(";")[0]);
    },
  };
}

async function voiceOf(sound, type) {
  if (!sound.size) throw new Error("nothing was recorded");
  const isWebm = type === "audio/webm";
  const kept = isWebm ? oggOfWebm(new Uint8Array(await sound.arrayBuffer())) : sound;
  const known = isWebm ? "audio/ogg" : type;
  return Object.assign(new File([kept], `voice.${ENDINGS[known]}`, { type: known }), { sentAs: "voice" });
}
