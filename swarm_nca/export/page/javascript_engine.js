// The reference engine: one loop over the cells that fire, in plain JavaScript. It runs where WebGL2
// is missing.

class JavaScriptEngine {
  /** rule: see `readRule`. wrap: whether opposite borders touch. */
  constructor(rule, width, height, wrap) {
    this.name = "JavaScript";
    this.rule = rule;
    this.pixels = width * height;
    this.neighbors = neighborTable(rule, width, height, wrap, true);
    this.patch = neighborTable(rule, width, height, wrap, false);
    // One row of zeros after the last pixel: a neighbour that is not there.
    this.held = new Float32Array((this.pixels + 1) * rule.channels);
    this.grey = new Float32Array(this.pixels + 1);
    const widest = Math.max(1, ...rule.layers.flatMap((layer) => [layer.inputs, layer.outputs]));
    this.vectors = [new Float64Array(widest), new Float64Array(widest)];
    this.busy = new Int32Array(widest + 4);
    // In double precision, so that no number is converted in the loops.
    this.weights = rule.layers.map((layer) => Float64Array.from(layer.weight));
    this.change = new Float32Array(0);
  }

  /** Takes the states [pixels × channels]. */
  load(state) { this.held.set(state); }

  /** Takes the grey [pixels] that cells sense. */
  sense(grey) { this.grey.set(grey); }

  /** Writes the states into an array [pixels × channels]. */
  read(state) { state.set(this.held.subarray(0, state.length)); }

  /** Frees nothing. */
  close() {}

  /** One step in which the sites `fired` act. noise: standard deviation. draw: {seed, step}. */
  step(fired, noise, draw) {
    const { rule, held } = this, channels = rule.channels;
    const before = rule.mortal ? this.living() : null;
    const rows = before ? fired.filter((site) => before[site]) : fired;
    if (this.change.length < rows.length * channels) {
      this.change = new Float32Array(rows.length * channels);
    }
    for (let row = 0; row < rows.length; row++) {
      const into = this.change.subarray(row * channels, (row + 1) * channels);
      if (rule.table) into[0] = this.following(rows[row]);
      else this.changeOf(rows[row], into);
      if (noise && !rule.table) addNoise(into, rows[row], noise, draw);
    }
    for (let row = 0; row < rows.length; row++) {
      const to = rows[row] * channels, from = row * channels;
      for (let c = 0; c < channels; c++) {
        held[to + c] = (rule.table ? 0 : held[to + c]) + this.change[from + c];
      }
    }
    if (before) this.removeDead(before);
  }

  /** The next bit of a cell of a table rule. */
  following(site) {
    const { slots, next } = this.rule.table;
    let index = 0;
    for (let slot = 0; slot < 9; slot++) {
      if (this.held[this.neighbors[site * 9 + slot]] > 0.5) index += slots[slot];
    }
    return next[index];
  }

  /** Writes the change of one cell's state into an array [channels]. */
  changeOf(site, into) {
    const { layers } = this.rule;
    let [input, output] = this.vectors;
    this.perceive(site, input);
    for (let n = 0; n < layers.length; n++) {
      multiply(layers[n], this.weights[n], input, output, this.busy);
      if (n < layers.length - 1) {
        for (let j = 0; j < layers[n].outputs; j++) if (output[j] < 0) output[j] = 0;
      }
      [input, output] = [output, input];
    }
    for (let c = 0; c < into.length; c++) into[c] = input[c];
  }

  /** Writes what a cell senses, then what it hears, into an array. */
  perceive(site, input) {
    const { rule, held, neighbors, patch, grey } = this, { channels, filters } = rule;
    let at = 0;
    if (rule.senses) {
      for (let slot = 0; slot < 9; slot++) input[at++] = grey[patch[site * 9 + slot]];
    }
    const sums = filters ? filters.length : 9;
    for (let p = 0; p < sums; p++) {
      for (let c = 0; c < channels; c++) {
        if (!filters) {
          input[at++] = held[neighbors[site * 9 + p] * channels + c];
          continue;
        }
        let sum = 0;
        for (let slot = 0; slot < 9; slot++) {
          const share = filters[p][slot];
          if (share) sum += share * held[neighbors[site * 9 + slot] * channels + c];
        }
        input[at++] = sum;
      }
    }
  }

  /** For each pixel, whether alpha exceeds the threshold somewhere in its 3×3 patch. */
  living() {
    const { rule, held, neighbors } = this, alive = new Uint8Array(this.pixels);
    for (let i = 0; i < alive.length; i++) {
      for (let slot = 0; slot < 9 && !alive[i]; slot++) {
        alive[i] = held[neighbors[i * 9 + slot] * rule.channels + 3] > rule.aliveAbove;
      }
    }
    return alive;
  }

  /** Sets the states of cells to 0 that are dead now or were dead before the step. */
  removeDead(before) {
    const after = this.living(), { channels } = this.rule;
    for (let i = 0; i < after.length; i++) {
      if (!(before[i] && after[i])) this.held.fill(0, i * channels, (i + 1) * channels);
    }
  }
}

/** Writes bias + input · weight into `output`. busy: room for the numbers of the inputs that count. */
function multiply({ inputs, outputs, bias }, weight, input, output, busy) {
  let count = 0;
  // After ReLU many inputs are 0.
  for (let i = 0; i < inputs; i++) if (input[i] !== 0) busy[count++] = i;
  for (let j = 0; j < outputs; j++) output[j] = bias[j];
  let next = 0;
  // Four inputs at a time: a sum is then read and written a quarter as often.
  for (; next + 3 < count; next += 4) {
    const i = busy[next], k = busy[next + 1], l = busy[next + 2], m = busy[next + 3];
    const p = input[i], q = input[k], r = input[l], s = input[m];
    let a = i * outputs, b = k * outputs, c = l * outputs, d = m * outputs;
    for (let j = 0; j < outputs; j++) {
      output[j] += p * weight[a++] + q * weight[b++] + r * weight[c++] + s * weight[d++];
    }
  }
  for (; next < count; next++) {
    const value = input[busy[next]];
    for (let j = 0, at = busy[next] * outputs; j < outputs; j++) output[j] += value * weight[at++];
  }
}

/** Adds normal noise to the change of one cell. */
function addNoise(change, site, noise, { seed, step }) {
  const words = [0, 0, 0, 0], deviates = [0, 0, 0, 0];
  for (let c = 0; c < change.length; c++) {
    if (c % 4 === 0) {
      philox(words, site, 0, step, STREAM.noise + c / 4, seed[0], seed[1]);
      normals(deviates, words);
    }
    change[c] += noise * deviates[c % 4];
  }
}

/**
 * For each pixel the sites of its 3×3 patch, row by row; `pixels` where there is none. heard: without
 * those that the cell does not hear. On a hexagonal grid odd rows lie half a pixel to the right, and
 * the patch is the cell and its six neighbours.
 */
function neighborTable(rule, width, height, wrap, heard) {
  const table = new Int32Array(width * height * 9);
  // A torus of one row is a ring, which has no rows above and below; so for one column.
  const place = (at, length) =>
    at >= 0 && at < length ? at : wrap && length > 1 ? (at + length) % length : -1;
  const shifted = rule.neighborhood === "hexagonal";
  for (let site = 0, at = 0; site < width * height; site++) {
    const row = Math.floor(site / width), column = site % width;
    const hears = rule.hears[(row + column) % 2];
    for (let slot = 0; slot < 9; slot++) {
      const down = Math.floor(slot / 3) - 1;
      let across = (slot % 3) - 1;
      if (shifted && down && across) across += across > 0 ? (row % 2) - 1 : row % 2;
      const y = place(row + down, height), x = place(column + across, width);
      const absent = y < 0 || x < 0 || ((heard || shifted) && !hears.includes(slot));
      table[at++] = absent ? width * height : y * width + x;
    }
  }
  return table;
}
