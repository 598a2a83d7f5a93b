// What is drawn flat: the sound with its beats, and the histogram of the ticks.

import { COLUMNS_A_SECOND } from "./stream.js";

const PAST = 3.5, AHEAD = 1.5; // seconds
const COLOURS = { sound: "#5cc8ff", beat: "#ffb454", faint: "#333b4e", text: "#98a1b3", late: "#ff6b6b" };

/** A canvas' context in its own pixels, cleared. */
function sheet(canvas) {
  const ratio = Math.min(devicePixelRatio, 2), width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return [context, width, height];
}

function upright(context, x, height, colour, wide = 1) {
  context.fillStyle = colour;
  context.fillRect(Math.round(x) - wide / 2, 0, wide, height);
}

/** The sound up to now, the beats that came in it, and those that are expected. */
export function drawStrip(canvas, outline, frame) {
  const [context, width, height] = sheet(canvas);
  const now = (width * PAST) / (PAST + AHEAD), step = now / (PAST * COLUMNS_A_SECOND), middle = height / 2;
  for (const beat of outline.beats) {
    upright(context, now - (outline.count - beat.at) * step, height, beat.first ? COLOURS.beat : COLOURS.faint, beat.first ? 2 : 1);
  }
  context.fillStyle = COLOURS.sound;
  const kept = outline.low.length;
  for (let n = Math.max(0, outline.count - Math.floor(PAST * COLUMNS_A_SECOND)); n < outline.count; n++) {
    const low = outline.low[n % kept] / 127, high = outline.high[n % kept] / 127;
    context.fillRect(now - (outline.count - n) * step, middle - high * middle, Math.max(step, 1), Math.max((high - low) * middle, 1));
  }
  upright(context, now, height, COLOURS.text);
  if (frame.bpm <= 0) return;
  const period = 60 / frame.bpm, scale = (width - now) / AHEAD;
  context.globalAlpha = 0.25 + 0.75 * frame.confidence;
  for (let at = (1 - frame.phase) * period, n = 0; at < AHEAD; at += period, n++) {
    upright(context, now + at * scale, height, COLOURS.beat, n === 0 ? 3 : 1);
  }
  context.globalAlpha = 1;
}

/** Bars over `edges` (ms, logarithmic), and the deadline. */
export function drawHistogram(canvas, told, deadline) {
  const [context, width, height] = sheet(canvas);
  const { histogram, edges } = told;
  if (!histogram?.length) return;
  const low = Math.log(edges[1] / 1.2), span = Math.log(edges[edges.length - 1]) - low;
  const place = (ms) => (width * (Math.log(Math.max(ms, edges[1] / 1.2)) - low)) / span;
  const most = Math.max(...histogram), floor = height - 16;
  histogram.forEach((count, n) => {
    const from = place(edges[n]), to = place(edges[n + 1]), tall = count && Math.max(2, (floor * count) / most);
    context.fillStyle = edges[n + 1] > deadline ? COLOURS.late : COLOURS.sound;
    context.fillRect(from, floor - tall, Math.max(to - from - 1, 1), tall);
  });
  context.fillStyle = COLOURS.text;
  context.font = "11px system-ui, sans-serif";
  for (const ms of [0.1, 0.3, 1, 3, 10, 30]) {
    context.fillText(`${ms}`, place(ms) - 6, height - 3);
    context.fillRect(place(ms), floor, 1, 4);
  }
  context.fillText("ms", width - 18, height - 3);
  upright(context, place(deadline), floor, COLOURS.late);
}
