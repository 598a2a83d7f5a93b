// Puts the page together: a frame is drawn when the browser draws, tellings are written into the page.

import { Desk } from "./desk.js";
import { drawHistogram, drawStrip } from "./strips.js";
import { Stage } from "./stage.js";
import { Stream } from "./stream.js";

const byId = (id) => document.getElementById(id);
const STATES = { live: "live", waiting: "waiting for a dance", gone: "not connected" };
const write = (id, text) => { if (byId(id).textContent !== text) byId(id).textContent = text; };

let stage = null, desk = null, hello = null, drawnFrame = null, last = performance.now(), connected = false;

function note(text) {
  byId("stage-note").textContent = text;
  byId("stage-note").hidden = !text;
}

try {
  stage = new Stage(byId("dancers"));
} catch {
  note("This browser cannot draw in three dimensions (WebGL); everything else works.");
}

const stream = new Stream({
  state(state) {
    connected = state === "live";
    if (!connected) show(state);
  },
  hello(said) {
    hello = said;
    stage?.hello(said);
    desk.hello(said);
  },
  refused(why) {
    write("refused", `Not carried out: ${why}.`);
    setTimeout(() => write("refused", ""), 4000);
  },
  told,
});
desk = new Desk(stream);

function show(state) {
  byId("line").dataset.state = state;
  write("line", STATES[state]);
}

function rows(values, className) {
  return values.map(([wrong, ...cells]) => {
    const row = document.createElement("tr");
    if (wrong) row.className = className;
    row.append(...cells.map((cell) => Object.assign(document.createElement("td"), { textContent: cell })));
    return row;
  });
}

function told(now) {
  stream.outline.metre = now.beats_per_bar;
  write("what", `${now.model} on ${now.backend} · ${now.input}`);
  write("clock", `${Math.floor(now.time / 60)}:${String(Math.floor(now.time % 60)).padStart(2, "0")}`);
  write("level", now.level_db.toFixed(1));
  write("rate", now.ticks_per_s.toFixed(1));
  for (const name of ["misses", "overflows", "dropped"]) write(name, String(now[name]));
  write("recovered", now.recoveries ? `(${now.recoveries})` : "– none");
  byId("recoveries").replaceChildren(...now.lines.toReversed().map((line) =>
    Object.assign(document.createElement("li"), { textContent: line })));
  write("notice", now.notice);
  byId("targets").replaceChildren(...rows(now.targets.map(([uri, sent, errors]) => [errors > 0, uri, sent, errors]), "wrong"));
  const stages = Object.entries(now.stages).map(([name, ms]) => [name === "total", name, ...ms.map((one) => one.toFixed(2))]);
  byId("stages").replaceChildren(...rows(stages, "sum"));
  drawHistogram(byId("histogram"), now, hello.deadline_ms);
  desk.told(now);
}

function beat(frame) {
  write("bpm", frame.bpm > 0 ? frame.bpm.toFixed(1) : "–");
  byId("confidence").value = frame.confidence;
  write("sure", frame.confidence.toFixed(2));
  write("next", frame.bpm > 0 ? String(Math.round(((1 - frame.phase) * 60000) / frame.bpm)).padStart(3, "\u2007") : "–");
  const { metre } = stream.outline, at = Math.floor(frame.barPhase * metre) % metre, dots = byId("count");
  if (dots.dataset.at !== `${at}/${metre}`) {
    dots.dataset.at = `${at}/${metre}`;
    dots.replaceChildren(...Array.from({ length: metre }, (_, n) =>
      Object.assign(document.createElement("span"), { textContent: "●", className: n === at && frame.bpm > 0 ? "on" : "" })));
  }
}

function draw(time) {
  requestAnimationFrame(draw);
  const frame = stream.frame, fresh = frame !== drawnFrame;
  if (fresh && hello) {
    stage?.show(frame);
    beat(frame);
    drawStrip(byId("strip"), stream.outline, frame);
    drawnFrame = frame;
  }
  if (connected) show(frame && frame.presence > 0 ? "live" : "waiting");
  if (fresh || time - last > 30) {
    stage?.draw(Math.min((time - last) / 1000, 0.1));
    last = time;
  }
  stream.drawn();
}
requestAnimationFrame(draw);

// ---- avatars -------------------------------------------------------------------------------------------------------

async function dress(file) {
  if (!stage || !hello) return;
  note(`reading ${file.name}`);
  try {
    const { avatarOf } = await import("./avatar.js");
    stage.dress(await avatarOf(file, hello));
    byId("skeleton").hidden = false;
    note("");
  } catch (error) {
    note(error.message);
  }
}

byId("avatar").addEventListener("change", (event) => event.target.files[0] && dress(event.target.files[0]));
byId("skeleton").addEventListener("click", () => { stage.dress(null); byId("skeleton").hidden = true; });
byId("front").addEventListener("click", () => stage?.front());
for (const name of ["dragover", "dragleave", "drop"]) {
  addEventListener(name, (event) => {
    event.preventDefault();
    byId("stage").classList.toggle("dropping", name === "dragover");
    if (name === "drop" && event.dataTransfer.files[0]) dress(event.dataTransfer.files[0]);
  });
}

/** For tests: what is drawn now. */
globalThis.monitor = {
  joints: (n) => stage.joints(n),
  get frame() { return drawnFrame; },
  get frames() { return stream.frames; },
};
