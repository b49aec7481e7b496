// The connection to the device's server: comes back by itself, with growing pauses.

const FIRST = 500;
const LONGEST = 8000;

/** Connects for ever. `handlers`: `message(object)`, `sound(bytes)`, `open()`, `lost(seconds until the next try)`. */
export class Link {
  #socket = null;
  #pause = FIRST;
  #handlers;

  constructor(handlers) {
    this.#handlers = handlers;
    this.#connect();
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends an order; false if nobody is there to take it. */
  send(order) {
    if (this.open) this.#socket.send(JSON.stringify(order));
    return this.open;
  }

  sendSound(pcm) {
    if (this.open && this.#socket.bufferedAmount < 32000) this.#socket.send(pcm.buffer);
  }

  #connect() {
    const url = new URL("socket", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.#socket = new WebSocket(url));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#pause = FIRST;
      this.#handlers.open();
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.#handlers.message(JSON.parse(data));
      else this.#handlers.sound(data);
    };
    socket.onclose = () => {
      const pause = this.#pause;
      this.#pause = Math.min(2 * pause, LONGEST);
      this.#handlers.lost(pause / 1000);
      setTimeout(() => this.#connect(), pause);
    };
  }
}
