// The show as it comes over the WebSocket: the newest frame, the sound's outline and the tellings.
//
// A frame is asked for when the last one was drawn, so a page that is slow or hidden makes nobody wait.

const HEAD = ["sequence", "time", "presence", "phase", "bpm", "confidence", "barPhase", "barConfidence", "beats",
  "level", "dancers", "columns", "heard", "lag"];
const BONES = 22;
export const COLUMNS_A_SECOND = 120;
const KEPT = 480;
const MOST_PASSED = 8; // beats between two frames that are still drawn

/** One frame: `HEAD` by name; joints [dancers][22][3] (m), rotations [dancers][22][4] as flat arrays; contacts. */
export function frameOf(buffer) {
  const head = new Float64Array(buffer, 0, HEAD.length);
  const frame = Object.fromEntries(HEAD.map((name, n) => [name, head[n]]));
  let at = HEAD.length * 8;
  const take = (count) => {
    const part = new Float32Array(buffer, at, count);
    at += 4 * count;
    return part;
  };
  frame.joints = take(frame.dancers * BONES * 3);
  frame.rotations = take(frame.dancers * BONES * 4);
  frame.contacts = take(frame.dancers * 2);
  frame.outline = new Int8Array(buffer, at, frame.columns * 2);
  return frame;
}

/** The newest columns of the sound's outline, [low, high] in -127..127, and the columns at which a beat came. */
export class Outline {
  constructor() {
    this.low = new Int8Array(KEPT);
    this.high = new Int8Array(KEPT);
    this.count = 0;
    this.beats = [];
    this.metre = 4;
    this.seen = 0;
  }

  add(frame) {
    let at = frame.heard - frame.columns;
    for (let n = 0; n < frame.columns; n++, at++) {
      this.low[at % KEPT] = frame.outline[2 * n];
      this.high[at % KEPT] = frame.outline[2 * n + 1];
    }
    this.count = frame.heard;
    const passed = frame.bpm > 0 ? Math.min(frame.beats - this.seen, MOST_PASSED) : 0;
    const place = Math.floor(frame.barPhase * this.metre + 0.01);
    for (let back = Math.max(passed, 0) - 1; back >= 0; back--) { // those too that no frame was shown at
      const at = frame.heard - (((back + frame.phase) * 60) / frame.bpm) * COLUMNS_A_SECOND;
      this.beats.push({ at, first: frame.barConfidence > 0 && (place - back) % this.metre === 0 });
    }
    this.beats = this.beats.filter((beat) => beat.at > frame.heard - KEPT).slice(-64);
    this.seen = frame.beats;
  }
}

export class Stream {
  constructor(on) {
    this.on = on;
    this.outline = new Outline();
    this.frame = null;
    this.frames = 0;
    this.waiting = 0;
    this.connect();
  }

  connect() {
    const url = new URL("show" + location.search, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = (event) => this.hear(event.data);
    this.socket.onopen = () => { this.waiting = 0; this.outline = new Outline(); this.on.state("live"); };
    this.socket.onclose = () => { this.on.state("gone"); setTimeout(() => this.connect(), 1500); };
  }

  hear(data) {
    if (typeof data !== "string") {
      this.frame = frameOf(data);
      this.outline.add(this.frame);
      this.frames++;
      this.waiting++;
      return;
    }
    const told = JSON.parse(data);
    if (told.hello) this.on.hello(told.hello);
    else if (told.refused) this.on.refused(told.refused);
    else this.on.told(told);
  }

  /** What came has been drawn: ask for as many more. */
  drawn() {
    for (; this.waiting > 0; this.waiting--) this.send("next");
  }

  order(name, value) {
    this.send(JSON.stringify(value === undefined ? { order: name } : { order: name, value }));
  }

  send(text) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
  }
}
