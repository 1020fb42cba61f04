// The swarm: picture, states and step, over one of the two engines.

/** The engines that a reader can choose; `auto` takes WebGL2 where a graphics card draws it. */
const ENGINE_NAMES = { auto: "automatic", webgl: "WebGL2", javascript: "JavaScript" };

class Swarm {
  constructor(rule, width, height, wrap = false) {
    this.rule = rule;
    this.seed = "0";
    this.fireRate = rule.fireRate;
    this.noise = rule.noise;
    this.preferred = "auto";
    this.resize(width, height, wrap);
  }

  /** An empty canvas of another size. */
  resize(width, height, wrap = this.wrap) {
    // The rows (and columns) of these grids differ in turn, also across a border.
    const even = { hexagonal: height % 2 === 0, triangular: height % 2 + width % 2 === 0 };
    wrap &&= even[this.rule.neighborhood] ?? true;
    Object.assign(this, { width, height, wrap, pixels: width * height });
    this.grey = new Float32Array(this.pixels);
    this.state = new Float32Array(this.pixels * this.rule.channels);
    this.stepsDone = 0;
    this.makeEngine();
    this.pictureChanged();
  }

  /** Changes the engine to one of `ENGINE_NAMES`; the states stay. */
  useEngine(name) {
    this.sync();
    this.preferred = name;
    this.makeEngine();
  }

  makeEngine() {
    this.engine?.close();
    this.trouble = "";
    const given = [this.rule, this.width, this.height, this.wrap];
    const plain = this.preferred === "javascript" ||
      (this.preferred === "auto" && softwareRendering());
    try {
      this.engine = plain ? new JavaScriptEngine(...given) : new WebGLEngine(...given);
    } catch (error) {
      this.trouble = error.message;
      this.engine = new JavaScriptEngine(...given);
    }
    this.edited = this.redrawn = true;
    this.stale = false;
  }

  /** Takes over the picture: which sites are cells, and states of 0 where none is. */
  pictureChanged() {
    const { rule, grey, state } = this;
    const everywhere = rule.sprout !== null, sites = [];
    this.sync();
    for (let i = 0; i < this.pixels; i++) {
      if (everywhere || grey[i] > Math.fround(rule.aliveAbove)) sites.push(i);
      else state.fill(0, i * rule.channels, (i + 1) * rule.channels);
    }
    this.sites = Int32Array.from(sites);
    this.edited = this.redrawn = true;
    this.pieces = null;
  }

  /** Sets all states to the start of a run: zeros, or sprouts where the grey is ½ or more. */
  restart() {
    const { rule, state } = this;
    state.fill(0);
    for (let i = 0; rule.sprout && i < this.pixels; i++) {
      if (this.grey[i] >= 0.5) state.set(rule.sprout, i * rule.channels);
    }
    this.stepsDone = 0;
    this.stale = false;
    this.edited = true;
  }

  /** Sets the states of sites, in place of which `shares` are ½ or more, to 0, or to the sprout. */
  setStates(shares, sprout) {
    const { rule, state } = this;
    this.sync();
    shares.forEach((share, i) => {
      if (share < 0.5) return;
      if (sprout) state.set(sprout, i * rule.channels);
      else state.fill(0, i * rule.channels, (i + 1) * rule.channels);
    });
    this.edited = true;
  }

  /** The sites that fire in the next step, ascending. */
  fired() {
    if (this.fireRate >= 1) return this.sites;
    const limit = Math.round(this.fireRate * 4294967296), [k0, k1] = seedWords(this.seed);
    const words = [0, 0, 0, 0], block = Math.floor(this.stepsDone / 4), lane = this.stepsDone % 4;
    return this.sites.filter((site) => {
      philox(words, site, 0, block, STREAM.fire, k0, k1);
      return words[lane] < limit;
    });
  }

  /** Takes one step; `mask` [pixels] chooses the cells that fire, in place of the fire rate. */
  step(mask) {
    const fired = mask ? this.sites.filter((site) => mask[site]) : this.fired();
    const draw = { seed: seedWords(this.seed), step: this.stepsDone };
    if (this.edited) this.engine.load(this.state);
    if (this.redrawn) this.engine.sense(this.grey);
    this.edited = this.redrawn = false;
    try {
      this.engine.step(fired, this.noise, draw);
    } catch (error) {
      // The states of the last frame go on in JavaScript.
      this.preferred = "javascript";
      this.makeEngine();
      this.trouble = error.message;
      return;
    }
    this.stepsDone++;
    this.stale = true;
  }

  /** Brings `state` up to date with the engine. */
  sync() {
    if (this.stale) this.engine.read(this.state);
    this.stale = false;
  }

  /** For each site what its cell shows: a number of `readout.names`, -1 for nothing, -2 for no cell. */
  shown() {
    this.sync();
    const { rule, state, pixels } = this, { channels, readout } = rule, { first } = readout;
    const shown = new Int16Array(pixels).fill(-2);
    for (const site of this.sites) {
      const at = site * channels;
      if (readout.kind === "rgba") shown[site] = state[at + 3] > 0.1 ? 0 : -1;
      else if (readout.kind === "bit") shown[site] = state[at + first] > 0.5 ? 0 : -1;
      else {
        let best = first;
        for (let c = first + 1; c < channels; c++) if (state[at + c] > state[at + best]) best = c;
        shown[site] = state[at + best] > readout.shownAbove ? best - first : -1;
      }
    }
    return shown;
  }

  /** The connected pieces of ink, each an array of sites. */
  inkPieces() {
    if (!this.pieces) {
      const alive = new Uint8Array(this.pixels);
      for (const site of this.sites) alive[site] = 1;
      this.pieces = piecesOf(alive, this.width, this.height);
    }
    return this.pieces;
  }
}
