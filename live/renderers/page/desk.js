// Buttons, sliders and keys: orders to the show, and what was asked for by whomever, shown on them.

const KEYS = { f: "freeze", n: "neutral", t: "tempo/tap", 1: "tempo/downbeat", h: "tempo/half", d: "tempo/double",
  l: "tempo/lock", m: "mirror" };
const TOGGLES = ["freeze", "neutral", "mirror"];
const HELD = 700; // ms after a touch in which a slider does not follow the show
const byId = (id) => document.getElementById(id);

export class Desk {
  constructor(stream) {
    this.stream = stream;
    this.allowed = false;
    this.styles = [];
    this.cues = "";
    this.touched = 0;
    for (const button of document.querySelectorAll("[data-order]")) {
      // a tap counts from when it is struck, not from when the finger is lifted
      const event = button.dataset.order === "tempo/tap" ? "pointerdown" : "click";
      button.addEventListener(event, () => this.give(button));
    }
    document.querySelector('[data-order="tempo/tap"]').addEventListener("click", (event) => {
      if (event.detail === 0) this.stream.order("tempo/tap"); // by keyboard
    });
    for (const name of ["intensity", "temperature"]) {
      byId(name).addEventListener("input", () => this.slide(byId(name), () => this.stream.order(name, +byId(name).value)));
    }
    document.addEventListener("keydown", (event) => this.press(event));
  }

  give({ dataset }) {
    const value = dataset.value;
    this.stream.order(dataset.order, value === undefined || value === "toggle" ? value : +value);
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !this.allowed) return;
    const inside = event.target.closest?.("button, input, label");
    const key = event.key.toLowerCase();
    if (key === " " && !inside) {
      event.preventDefault();
      this.stream.order("cue", "next");
    } else if (key === "," || key === ".") {
      this.stream.order("tempo/nudge", key === "," ? -10 : 10);
    } else if (KEYS[key]) {
      this.stream.order(KEYS[key], TOGGLES.includes(KEYS[key]) ? "toggle" : undefined);
    }
  }

  slide(input, send) {
    this.touched = performance.now();
    input.closest("label").querySelector("output").textContent = (+input.value).toFixed(2);
    send();
  }

  hello(hello) {
    this.allowed = hello.orders;
    byId("orders").disabled = !hello.orders;
    byId("desk-note").hidden = hello.orders;
    byId("desk-note").textContent = "To look at only: start the show with --monitor-orders to give orders here.";
  }

  told(told) {
    const asked = told.asked;
    if (this.allowed) {
      byId("orders").disabled = !told.orders_at;
      byId("desk-note").hidden = Boolean(told.orders_at);
      byId("desk-note").textContent = "The show hears no orders: its control is off, or its port was taken.";
    }
    for (const name of TOGGLES) {
      document.querySelector(`[data-order="${name}"]`).setAttribute("aria-pressed", String(asked[name]));
    }
    this.offerStyles(asked.styles);
    this.offerCues(asked);
    if (performance.now() - this.touched < HELD) return;
    this.set(byId("intensity"), asked.intensity);
    this.set(byId("temperature"), asked.temperature);
    asked.style.forEach((weight, n) => this.set(this.styles[n], weight));
  }

  set(input, value) {
    input.value = value;
    input.closest("label").querySelector("output").textContent = value.toFixed(2);
  }

  offerStyles(names) {
    if (this.styles.length === names.length && this.styles.every((input, n) => input.dataset.name === names[n])) return;
    const rows = names.map((name) => {
      const row = byId("intensity").closest("label").cloneNode(true), input = row.querySelector("input");
      row.querySelector("span").textContent = name;
      row.querySelector("output").removeAttribute("for");
      input.id = "";
      input.max = 1;
      input.dataset.name = name;
      input.addEventListener("input", () => this.slide(input, () => this.mix()));
      return row;
    });
    byId("styles").replaceChildren(...rows);
    this.styles = rows.map((row) => row.querySelector("input"));
  }

  mix() {
    const parts = this.styles.filter((input) => +input.value > 0).map((input) => `${input.dataset.name}=${input.value}`);
    if (parts.length) this.stream.order("style", parts.join(","));
  }

  offerCues(asked) {
    const now = JSON.stringify([asked.cues, asked.setlist, asked.last, asked.waiting]);
    if (now === this.cues) return;
    this.cues = now;
    const button = (text, value) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = text;
      made.setAttribute("aria-pressed", String(value === asked.last && value !== ""));
      made.addEventListener("click", () => this.stream.order("cue", value));
      return made;
    };
    const next = asked.setlist.length ? [button(asked.waiting ? "Next (one waits)" : "Next", "next")] : [];
    next.forEach((made) => { made.dataset.next = ""; });
    byId("cues").replaceChildren(...next, ...asked.cues.map((cue) => button(cue, cue)));
  }
}
