// The browser's side of the device's ears and mouth.

const RATE = 16000;
const LEAD = 0.1; // seconds of sound that are kept in hand against gusts of the network
const TOO_LATE = 1.5; // seconds by which sound may lag before it is dropped

/** Plays the device's sound, once the person has touched the page (browsers allow none before). */
export class Loudspeaker {
  on = true;
  #context = null;
  #next = 0;

  /** Call it from a click or a key. */
  wake() {
    this.#context ??= new AudioContext({ sampleRate: RATE });
    if (this.#context.state === "suspended") this.#context.resume();
  }

  play(bytes) {
    const context = this.#context;
    if (!this.on || context?.state !== "running") return;
    const pcm = new Int16Array(bytes);
    const buffer = context.createBuffer(1, pcm.length, RATE);
    buffer.copyToChannel(Float32Array.from(pcm, (value) => value / 32768), 0);
    if (this.#next < context.currentTime) this.#next = context.currentTime + LEAD;
    if (this.#next - context.currentTime > TOO_LATE) return;
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(context.destination);
    source.start(this.#next);
    this.#next += buffer.duration;
  }
}

const WORDS = {
  NotAllowedError: "The browser may not use the microphone. Allow it for this page, at the left of the address.",
  NotFoundError: "This machine has no microphone. Plug one in, or type.",
  NotReadableError: "The microphone is in use by another program. Close it, or type.",
};

/** Streams the browser's microphone as pieces of 16-bit 16 kHz sound. */
export class Microphone {
  #stream = null;
  #context = null;

  get on() {
    return this.#stream !== null;
  }

  /** `heard(pcm, level)` gets each piece; `lost(words)` is told if the microphone goes away. Throws words. */
  async open(heard, lost) {
    if (!navigator.mediaDevices) {
      throw new Error("Browsers give a microphone only to pages at http://127.0.0.1 or over HTTPS. Open it there, or type.");
    }
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: true },
      });
      this.#context = this.#connectable(this.#stream);
      await this.#context.audioWorklet.addModule("capture.js");
    } catch (error) {
      this.close();
      throw new Error(WORDS[error.name] ?? `The microphone can't be used: ${error.message}.`);
    }
    const capture = new AudioWorkletNode(this.#context, "capture");
    capture.port.onmessage = ({ data }) => heard(data.pcm, data.level);
    this.#source.connect(capture).connect(this.#context.destination); // its output is silence, and keeps it running
    this.#stream.getAudioTracks()[0].addEventListener("ended", () => {
      this.close();
      lost("The microphone was taken away. Plug it in and turn it on again.");
    });
  }

  close() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#context?.close();
    this.#stream = this.#context = null;
  }

  #source = null;

  // Some browsers connect a microphone only to a context of its own rate; the worklet resamples then.
  #connectable(stream) {
    const context = new AudioContext({ sampleRate: RATE });
    try {
      this.#source = context.createMediaStreamSource(stream);
      return context;
    } catch {
      context.close();
      const own = new AudioContext();
      this.#source = own.createMediaStreamSource(stream);
      return own;
    }
  }
}
