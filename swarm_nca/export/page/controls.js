// The page's controls: tools, buttons, sliders, legend and verdict, around one swarm.

/** Steps in a second that the speed slider offers; the last one means as many as possible. */
const SPEEDS = [1, 2, 5, 10, 20, 30, 60, 120, Infinity];

/** Milliseconds of one frame that steps may take. */
const FRAME_TIME = 13;

/** Names on buttons, and what the buttons do. */
const TOOLS = {
  draw: ["Draw", "Draw ink: dark pixels become cells (D)"],
  erase: ["Erase", "Take ink away; the right mouse button does so too (E)"],
  wound: ["Wound", "Set the memory of cells to zero (W)"],
};
const VIEW_TITLES = {
  shown: "What each cell shows",
  messages: "All numbers that cells hold and send: red above 0, blue below 0; click one to enlarge it",
  change: "How much each cell changed since the last picture: light is much",
};

const byId = (id) => document.getElementById(id);

class Page {
  constructor(rule) {
    this.rule = rule;
    this.ink = rule.sprout === null;
    this.tool = "draw";
    this.playing = true;
    this.brushes = { draw: this.ink ? 1.3 : 0.6, erase: this.ink ? 2 : 1.5, wound: 3 };
    this.tiles = 0;
    this.owed = 0;
    this.verdict = "";
    const [width, height] = this.sizes()[1];
    this.swarm = new Swarm(rule, width, height);
    this.view = new View(byId("world"), this.swarm);
    this.history = new EditHistory(this);
    this.speed = rule.table ? 10 : 20;
    this.fillPage();
    this.connect();
    this.open(readFragment(location.hash));
    requestAnimationFrame((now) => this.frame(now, now));
  }

  /** The canvases on offer, as [width, height]. */
  sizes() {
    return this.ink ? [[28, 28], [56, 56], [84, 56], [84, 84], [140, 140]]
      : [[40, 40], [72, 72], [96, 96], [140, 140], [200, 140]];
  }

  // ------------------------------------------------------------------ the page's texts

  fillPage() {
    const { rule } = this, { readout } = rule;
    const cells = this.ink ? "Every dark pixel that you draw is a cell" : "Every pixel is a cell";
    const near = { 3: "three", 4: "four", 6: "six", 8: "eight" }[rule.hears[0].length - 1];
    byId("lead").textContent = `${cells} with a small memory. It hears only its ${near} neighbours, ` +
      "and all cells obey one rule.";
    byId("restart").textContent = this.ink ? "Reset memory" : "Start again";
    byId("hint").textContent = rule.samples.length ? "Draw here, or choose a picture" : "Draw here";
    const shown = { classes: "Classes", rgba: "Colours", bit: "Cells" }[readout.kind];
    const tools = Object.entries(TOOLS).filter(([tool]) => this.ink || tool !== "wound");
    this.choices("tools", tools.map(([tool, texts]) => [tool, ...texts]), () => this.tool, (tool) => this.useTool(tool));
    const views = rule.table ? [["shown", shown]]
      : [["shown", shown], ["messages", "Messages"], ["change", "Change"]];
    this.choices("views", views.map(([view, label]) => [view, label, VIEW_TITLES[view]]), () => this.view.kind, (kind) => this.useView(kind));
    byId("views").hidden = views.length < 2;
    byId("noise-dial").hidden = Boolean(rule.table);
    byId("legend-title").textContent = readout.title;
    this.fillLegend();
    this.fillSamples();
    byId("channel").replaceChildren(...[["-1", "all channels"], ...Array.from(
      { length: rule.channels }, (_, c) => [`${c}`, channelName(rule, c)])].map(option));
    byId("engine").replaceChildren(...Object.entries(ENGINE_NAMES).map(option));
    const size = rule.parameters ? `${rule.parameters.toLocaleString("en")} parameters in ${rule.precision}, ` : "";
    byId("about").textContent = `Rule ${rule.name}: ${size}${rule.channels} ` +
      `${rule.channels === 1 ? "channel" : "channels"}, hash ${rule.hash}. Made by swarm-nca; this page ` +
      "works without a network.";
  }

  /** A row of buttons of which one is chosen. */
  choices(id, entries, chosen, choose) {
    const group = byId(id);
    group.replaceChildren(...entries.map(([value, label, title]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: label, title });
      button.setAttribute("role", "radio");
      button.dataset.value = value;
      button.addEventListener("click", () => choose(value));
      return button;
    }));
    group.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      const at = entries.findIndex(([value]) => value === chosen());
      choose(entries[(at + by + entries.length) % entries.length][0]);
      group.querySelector("[aria-checked=true]").focus();
    });
    this.mark(id, chosen());
  }

  mark(id, value) {
    for (const button of byId(id).children) {
      const chosen = button.dataset.value === value;
      button.setAttribute("aria-checked", chosen);
      button.tabIndex = chosen ? 0 : -1;
    }
  }

  fillLegend() {
    const { readout } = this.rule, names = [...readout.names, readout.silent];
    const colors = [...readout.colors, readout.kind === "classes" ? SILENT : PAPER];
    byId("legend-card").hidden = readout.kind !== "classes";
    byId("legend").classList.toggle("long", names.slice(0, -1).some((name) => name.length > 3));
    this.rows = names.map((name, i) => {
      const row = document.createElement("li");
      const [swatch, label, track, count] = ["swatch", "name", "track", "count"].map((kind) =>
        row.appendChild(Object.assign(document.createElement("span"), { className: kind })));
      swatch.style.background = css(colors[i]);
      label.textContent = label.title = name;
      const bar = track.appendChild(document.createElement("i"));
      bar.style.background = css(colors[i]);
      return { row, bar, count };
    });
    byId("legend").replaceChildren(...this.rows.map(({ row }) => row));
  }

  fillSamples() {
    const { rule } = this;
    byId("samples-card").hidden = !rule.samples.length;
    byId("samples").classList.toggle("named", !this.ink);
    byId("samples").replaceChildren(...rule.samples.map(({ name, code }) => {
      const button = Object.assign(document.createElement("button"), { type: "button", title: name });
      const picture = decodePicture(code, MOST_PIXELS);
      button.setAttribute("aria-label", `Put ${name} on the canvas`);
      if (this.ink) button.append(thumbnail(picture));
      else button.textContent = name;
      button.addEventListener("click", () => this.placeSample(picture));
      return button;
    }));
  }

  // ------------------------------------------------------------------ what controls do

  connect() {
    const on = (id, kind, act) => byId(id).addEventListener(kind, act);
    on("play", "click", () => this.play(!this.playing));
    on("step", "click", () => { this.play(false); this.swarm.step(); this.draw(); });
    on("restart", "click", () => this.restart());
    on("clear", "click", () => this.clear());
    on("undo", "click", () => this.history.undo());
    on("redo", "click", () => this.history.redo());
    on("share", "click", () => this.share());
    on("brush", "input", () => { this.brushes[this.tool] = Number(byId("brush").value); });
    on("speed", "input", () => { this.speed = SPEEDS[byId("speed").value]; this.show(); });
    on("fire", "input", () => { this.swarm.fireRate = Number(byId("fire").value); this.show(); });
    on("noise", "input", () => { this.swarm.noise = Number(byId("noise").value); this.show(); });
    on("channel", "change", () => this.showChannel(Number(byId("channel").value)));
    on("size", "change", () => this.resize(...byId("size").value.split(" × ").map(Number)));
    on("seed", "change", () => this.reseed());
    on("engine", "change", () => this.useEngine(byId("engine").value));
    on("wrap", "change", () => this.resize(this.swarm.width, this.swarm.height));
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => this.open(readFragment(location.hash)));
    window.addEventListener("resize", () => this.draw());
    for (const id of ["fire", "noise", "seed", "wrap"]) on(id, "change", () => this.remember());
    connectPointers(this);
    this.useTool(this.tool);
  }

  key(event) {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "z" &&
      !event.target.matches("input[type=text]")) {
      event.preventDefault();
      if (event.shiftKey) this.history.redo();
      else this.history.undo();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, button")) return;
    const keys = { " ": () => this.play(!this.playing), ".": () => byId("step").click(),
      d: () => this.useTool("draw"), e: () => this.useTool("erase"), w: () => this.ink && this.useTool("wound") };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  play(playing) {
    this.playing = playing;
    this.owed = 0;
    this.show();
  }

  useTool(tool) {
    this.tool = tool;
    byId("brush").value = this.brushes[tool];
    this.mark("tools", tool);
  }

  useView(kind) {
    this.view.kind = kind;
    this.mark("views", kind);
    this.remember();
    this.draw();
  }

  /** One channel alone; all of them for -1. */
  showChannel(channel) {
    this.view.channel = channel;
    this.useView("messages");
  }

  useEngine(name) {
    this.swarm.useEngine(name);
    this.remember();
    this.draw();
  }

  reseed() {
    const given = byId("seed").value.trim();
    if (isSeed(given)) this.swarm.seed = given;
    this.show();
  }

  restart() {
    this.history.note();
    this.swarm.restart();
    this.show();
    this.draw();
  }

  clear() {
    this.history.note();
    this.swarm.grey.fill(0);
    this.swarm.pictureChanged();
    this.swarm.restart();
    this.tiles = 0;
    this.changed();
  }

  /** Another canvas: the picture stays, cut or with new borders; the run starts again. */
  resize(width, height) {
    this.history.note();
    const { swarm } = this, old = { width: swarm.width, height: swarm.height, grey: swarm.grey };
    swarm.resize(width, height, byId("wrap").checked);
    paste(swarm, old, Math.round((width - old.width) / 2), Math.round((height - old.height) / 2));
    swarm.pictureChanged();
    swarm.restart();
    this.changed();
  }

  /** Starts the scenario of a link. */
  open({ picture, seed, fireRate, noise, wrap, view, engine, paused }) {
    const { swarm, rule } = this;
    if (location.hash.slice(1) === this.written) return;
    const { width, height } = picture ?? swarm;
    if (engine) swarm.preferred = engine;
    Object.assign(swarm, { seed: seed ?? "0", fireRate: fireRate ?? rule.fireRate, noise: noise ?? rule.noise });
    this.history.reset();
    swarm.resize(width, height, wrap);
    if (picture) swarm.grey.set(picture.grey);
    else if (!this.ink) this.paintFirst();
    swarm.pictureChanged();
    swarm.restart();
    if (view && !(rule.table && view !== "shown")) this.view.kind = view;
    this.mark("views", this.view.kind);
    this.playing = !paused;
    this.show();
    this.draw();
  }

  /** A canvas whose pixels are all cells begins with the first picture in the middle. */
  paintFirst() {
    const { swarm, rule } = this, picture = decodePicture(rule.samples[0].code, MOST_PIXELS);
    paste(swarm, picture, Math.round((swarm.width - picture.width) / 2),
      Math.round((swarm.height - picture.height) / 2));
  }

  /** Writes the scenario into the address. */
  remember() {
    this.written = writeFragment(this.swarm, { view: this.view.kind, engine: this.swarm.preferred });
    history.replaceState(null, "", `#${this.written}`);
    this.show();
  }

  async share() {
    this.remember();
    const button = byId("share"), label = button.textContent;
    let done = true;
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      done = false;  // the browser refused; the address bar holds the link
    }
    button.textContent = done ? "Copied" : "Copy it from the address bar";
    setTimeout(() => { button.textContent = label; }, 1800);
  }

  /** After an edit: the address follows, and the canvas. */
  changed() {
    this.remember();
    this.draw();
  }

  /** Puts a picture on the next free place of the canvas, or on the next place if none is free. */
  placeSample(picture) {
    const { swarm } = this, width = Math.min(picture.width, swarm.width);
    const height = Math.min(picture.height, swarm.height);
    const columns = Math.max(1, Math.floor(swarm.width / Math.max(28, width)));
    const rows = Math.max(1, Math.floor(swarm.height / Math.max(28, height)));
    const places = Array.from({ length: columns * rows }, (_, i) => ({
      left: Math.round(((i % columns) + 0.5) * swarm.width / columns - picture.width / 2),
      top: Math.round((Math.floor(i / columns) + 0.5) * swarm.height / rows - picture.height / 2),
    }));
    if (!this.ink) {
      places.unshift({ left: Math.round((swarm.width - picture.width) / 2),
        top: Math.round((swarm.height - picture.height) / 2) });
    }
    this.history.note();
    const free = places.find((place) => !inked(swarm, picture, place));
    const { left, top } = free ?? places[this.tiles++ % places.length];
    paste(swarm, picture, left, top);
    swarm.pictureChanged();
    if (!this.ink) {
      const shares = new Float32Array(swarm.pixels);
      paste({ width: swarm.width, height: swarm.height, grey: shares }, picture, left, top);
      swarm.setStates(shares, this.rule.sprout);
    }
    this.changed();
  }

  // ------------------------------------------------------------------ time

  frame(now, before) {
    const due = Math.min(100, now - before) / 1000;
    if (this.playing && !document.hidden) {
      this.owed = Math.min(this.owed + due * this.speed, Number.isFinite(this.speed) ? 30 : Infinity);
      const start = performance.now();
      let steps = 0;
      while (this.owed >= 1 && performance.now() - start < FRAME_TIME) {
        this.swarm.step();
        this.owed--;
        steps++;
        // WebGL runs commands later: reading the states waits for their end.
        if (this.speed > 60) this.swarm.sync();
      }
      if (steps) this.outdated = true;
    }
    if (this.outdated) this.draw();
    requestAnimationFrame((next) => this.frame(next, now));
  }

  draw() {
    this.outdated = false;
    const summary = summarize(this.swarm);
    this.view.draw(summary);
    byId("clock").textContent = `Step ${this.swarm.stepsDone.toLocaleString("en")}`;
    byId("hint").hidden = this.ink ? this.swarm.sites.length > 0 : summary.counts[0] > 0;
    this.showSummary(summary);
  }

  /** Writes counts and verdict. */
  showSummary({ counts, pieces }) {
    const { readout } = this.rule, all = counts.reduce((a, b) => a + b, 0);
    const largest = Math.max(1, ...counts);
    this.rows.forEach(({ bar, count }, i) => {
      bar.style.width = `${(100 * counts[i]) / largest}%`;
      count.textContent = counts[i].toLocaleString("en");
    });
    const [verdict, detail] = verdictOf(readout, counts, pieces, all);
    byId("detail").textContent = detail;
    if (verdict !== this.verdict) {
      byId("verdict").textContent = this.verdict = verdict;
      byId("world").setAttribute("aria-label", `The swarm: ${verdict}`);
    }
  }

  /** Brings the controls up to date. */
  show() {
    const { swarm } = this;
    byId("play").textContent = this.playing ? "Pause" : "Play";
    byId("undo").disabled = !this.history.past.length;
    byId("redo").disabled = !this.history.future.length;
    byId("speed").value = SPEEDS.indexOf(this.speed);
    byId("speed-value").textContent = Number.isFinite(this.speed) ? `${this.speed} steps/s` : "as fast as possible";
    byId("fire").value = swarm.fireRate;
    byId("fire-value").textContent = `${Math.round(100 * swarm.fireRate)} %`;
    byId("noise").value = swarm.noise;
    byId("noise-value").textContent = `${+swarm.noise.toFixed(3)}`;
    byId("seed").value = swarm.seed;
    byId("wrap").checked = swarm.wrap;
    byId("channel").value = this.view.channel;
    byId("channel-dial").hidden = this.view.kind !== "messages";
    byId("engine").value = swarm.preferred;
    byId("engine").title = swarm.trouble;
    byId("engine").options[0].textContent = `automatic (${swarm.engine.name})`;
    const sizes = this.sizes(), here = [swarm.width, swarm.height];
    if (!sizes.some((size) => `${size}` === `${here}`)) sizes.push(here);
    byId("size").replaceChildren(...sizes.map((size) => size.join(" × ")).map((text) => option([text, text])));
    byId("size").value = here.join(" × ");
  }
}

/** The verdict and the line below it: two texts. */
function verdictOf(readout, counts, pieces, all) {
  if (readout.kind !== "classes") {
    const unit = { rgba: "cells alive", bit: "cells on" }[readout.kind];
    return [`${counts[0].toLocaleString("en")} ${unit}`, `of ${all.toLocaleString("en")} cells`];
  }
  if (!all) return ["No cells yet", "Draw on the canvas."];
  const cells = `${all.toLocaleString("en")} ${all === 1 ? "cell" : "cells"}`;
  const best = counts.indexOf(Math.max(...counts.slice(0, -1)));
  if (!counts[best]) return ["All cells are silent", cells];
  if (pieces.length > 1) {
    const agree = pieces.filter((piece) => piece.share > 0.95).length;
    const said = pieces.slice(0, 8).map((piece) => (piece.winner < 0 ? "–" : readout.names[piece.winner]));
    return [said.join(", "), `${agree} of ${pieces.length} pieces agree; ${cells}`];
  }
  const share = counts[best] / all;
  const voters = share === 1 ? "All cells say" : `${percent(share)} say`;
  return [`${voters} ${readout.names[best]}`, cells];
}

function option([value, label]) {
  return Object.assign(document.createElement("option"), { value, textContent: label });
}

/** A small canvas that shows a picture as dark ink on white. */
function thumbnail({ width, height, grey }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const paint = canvas.getContext("2d"), image = paint.createImageData(width, height);
  grey.forEach((value, i) => image.data.set([24, 26, 30, 255 * value], 4 * i));
  paint.putImageData(image, 0, 0);
  return canvas;
}

/** Calls act(from, to) for each pixel of a picture that lies on a canvas. */
function overlap(canvas, picture, { left, top }, act) {
  for (let y = Math.max(0, -top); y < Math.min(picture.height, canvas.height - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(picture.width, canvas.width - left); x++) {
      act(y * picture.width + x, (top + y) * canvas.width + left + x);
    }
  }
}

/** Replaces the grey of a canvas by a picture's. */
function paste(canvas, picture, left, top) {
  overlap(canvas, picture, { left, top }, (from, to) => { canvas.grey[to] = picture.grey[from]; });
}

/** Whether there is ink where a picture would lie. */
function inked(swarm, picture, place) {
  let found = false;
  overlap(swarm, picture, place, (_, to) => { found ||= swarm.grey[to] > 0.1; });
  return found;
}
