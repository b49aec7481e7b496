// Runs on the audio thread: microphone sound of any rate in, pieces of 16-bit 16 kHz sound out.

const RATE = 16000;
const PIECE = 512;
const ZEROS = 8; // zero crossings of the low-pass filter on each side

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ratio = sampleRate / RATE;
    this.past = new Float32Array(0);
    this.at = 0; // where the next output sample lies in `past`
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
  }

  process([input]) {
    const sound = input[0];
    if (sound) this.ratio === 1 ? sound.forEach((sample) => this.put(sample)) : this.resample(sound);
    return true;
  }

  // Band-limited interpolation: a sinc under a Hann window, cut off at the new half rate.
  resample(sound) {
    const joined = new Float32Array(this.past.length + sound.length);
    joined.set(this.past);
    joined.set(sound, this.past.length);
    const scale = Math.max(1, this.ratio);
    const reach = ZEROS * scale;
    while (this.at + reach < joined.length) {
      let sum = 0;
      for (let k = Math.max(0, Math.ceil(this.at - reach)); k <= this.at + reach; k++) {
        const t = (k - this.at) / scale;
        const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
        sum += joined[k] * sinc * (0.5 + 0.5 * Math.cos((Math.PI * t) / ZEROS));
      }
      this.put(sum / scale);
      this.at += this.ratio;
    }
    const done = Math.max(0, Math.floor(this.at - reach));
    this.past = joined.slice(done);
    this.at -= done;
  }

  put(sample) {
    this.piece[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32767)));
    if (this.filled === PIECE) {
      let power = 0;
      for (const value of this.piece) power += value * value;
      const pcm = this.piece.slice();
      this.port.postMessage({ pcm, level: Math.sqrt(power / PIECE) / 32768 }, [pcm.buffer]);
      this.filled = 0;
    }
  }
}

registerProcessor("capture", Capture);
