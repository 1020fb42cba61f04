// The engine in WebGL2: gather, products, scatter, as fragment shaders over floating-point textures.
// Only rows of cells that fire are computed. The states are one texture array of the canvas's size.

class WebGLEngine {
  /** Throws an Error where WebGL2 or something that the rule needs is missing. */
  constructor(rule, width, height, wrap) {
    this.name = "WebGL2";
    Object.assign(this, { rule, width, height, wrap, pixels: width * height });
    this.canvas = document.createElement("canvas");
    const gl = this.canvas.getContext("webgl2", { antialias: false, depth: false, alpha: false });
    if (!gl || !gl.getExtension("EXT_color_buffer_float")) {
      throw new Error("this browser has no WebGL2 with floating-point textures");
    }
    this.gl = gl;
    this.layers = texels(rule.channels);
    this.rowCount = Math.ceil(this.pixels / ROW_WIDTH);
    this.checkLimits();
    gl.bindVertexArray(gl.createVertexArray());
    this.programs = new Map();
    this.makeTextures();
    if (!rule.table) this.weights = rule.layers.map((_, n) => this.weightBuffers(n));
    this.current = 0;
    this.words = new Int32Array(this.pixels).fill(-1);
    this.rowWords = new Int32Array(this.rowCount * ROW_WIDTH);
    this.buffer = new Float32Array(this.pixels * 4);
  }

  checkLimits() {
    const { gl, rule } = this, limit = (name) => gl.getParameter(gl[name]);
    const deepest = Math.max(perceived(rule), ...rule.layers.map((layer) => texels(layer.outputs)));
    if (Math.max(this.width, this.height, this.rowCount) > limit("MAX_TEXTURE_SIZE") ||
        deepest > limit("MAX_ARRAY_TEXTURE_LAYERS")) {
      throw new Error("the canvas or the rule is too large for this browser's WebGL2");
    }
    const block = limit("MAX_UNIFORM_BLOCK_SIZE"), most = Math.min(4, limit("MAX_DRAW_BUFFERS"));
    // Texels of output computed by one draw: as many as the weights of one block serve.
    this.together = rule.layers.map((_, n) =>
      Math.min(most, Math.floor(block / (16 * weightRows(rule, n)))));
    if (this.together.some((count) => count < 1)) {
      throw new Error("the rule hears too many numbers for this browser's WebGL2");
    }
    this.drawn = most;
  }

  makeTextures() {
    const { gl, rule, width, height, rowCount } = this;
    this.state = Array.from({ length: rule.mortal ? 3 : 2 }, () =>
      this.vectorTexture(width, height, this.layers));
    this.vectors = rule.layers.map((layer) =>
      this.vectorTexture(ROW_WIDTH, rowCount, texels(layer.outputs)));
    if (!rule.table) this.perception = this.vectorTexture(ROW_WIDTH, rowCount, perceived(rule));
    this.grey = this.flatTexture(gl.R32F, width, height);
    this.rows = this.flatTexture(gl.R32I, ROW_WIDTH, rowCount);
    this.rowOf = this.flatTexture(gl.R32I, width, height);
  }

  flatTexture(format, width, height) {
    const { gl } = this, texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, format, width, height);
    this.nearest(gl.TEXTURE_2D);
    return texture;
  }

  /** A texture array of vectors, with its frame buffers by first layer and count. */
  vectorTexture(width, height, layers) {
    const { gl } = this, texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, texture);
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.RGBA32F, width, height, layers);
    this.nearest(gl.TEXTURE_2D_ARRAY);
    return { texture, layers, frames: new Map() };
  }

  nearest(target) {
    const { gl } = this;
    for (const name of ["TEXTURE_MIN_FILTER", "TEXTURE_MAG_FILTER"]) {
      gl.texParameteri(target, gl[name], gl.NEAREST);
    }
  }

  /** Draws into `count` layers of a vector texture from layer `first` on. */
  into(vector, first, count) {
    const { gl } = this, key = first * 8 + count;
    if (vector.frames.has(key)) {
      gl.bindFramebuffer(gl.FRAMEBUFFER, vector.frames.get(key));
      return;
    }
    const frame = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    const attached = Array.from({ length: count }, (_, j) => gl.COLOR_ATTACHMENT0 + j);
    attached.forEach((place, j) =>
      gl.framebufferTextureLayer(gl.FRAMEBUFFER, place, vector.texture, 0, first + j));
    gl.drawBuffers(attached);
    if (gl.checkFramebufferStatus(gl.FRAMEBUFFER) !== gl.FRAMEBUFFER_COMPLETE) {
      throw new Error("this browser cannot draw into floating-point textures");
    }
    vector.frames.set(key, frame);
  }

  /** For each draw of a layer, the buffer of its weights: rows of `count` texels. */
  weightBuffers(n) {
    const { gl, rule } = this, { inputs, outputs, weight, bias } = rule.layers[n];
    return this.groups(texels(outputs), this.together[n]).map(({ first, count }) => {
      const rows = weightRows(rule, n), packed = new Float32Array(rows * count * 4);
      for (let j = 0; j < 4 * count; j++) {
        const output = 4 * first + j;
        if (output >= outputs) continue;
        for (let i = 0; i < inputs; i++) {
          packed[weightRow(rule, n, i) * count * 4 + j] = weight[i * outputs + output];
        }
        packed[(rows - 1) * count * 4 + j] = bias[output];
      }
      const buffer = gl.createBuffer();
      gl.bindBuffer(gl.UNIFORM_BUFFER, buffer);
      gl.bufferData(gl.UNIFORM_BUFFER, packed, gl.STATIC_DRAW);
      return { first, count, buffer };
    });
  }

  /** Layers 0 to `total` - 1 in groups of at most `most`. */
  groups(total, most) {
    return Array.from({ length: Math.ceil(total / most) }, (_, i) =>
      ({ first: i * most, count: Math.min(most, total - i * most) }));
  }

  /** Uses the program of a fragment shader, made the first time. */
  use(key, source) {
    const { gl } = this;
    let program = this.programs.get(key);
    if (!program) {
      program = { handle: link(gl, source()), places: new Map() };
      this.programs.set(key, program);
      gl.useProgram(program.handle);
      this.program = program;
      gl.uniform2i(this.place("size"), this.width, this.height);
      gl.uniform1i(this.place("wrap"), this.wrap ? 1 : 0);
    }
    gl.useProgram(program.handle);
    this.program = program;
  }

  place(name) {
    const { gl, program } = this;
    if (!program.places.has(name)) {
      program.places.set(name, gl.getUniformLocation(program.handle, name));
    }
    return program.places.get(name);
  }

  /** Binds textures to samplers by name; an array of layers is given as its vector. */
  bind(samplers) {
    const { gl } = this;
    Object.entries(samplers).forEach(([name, what], unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      if (what.frames) gl.bindTexture(gl.TEXTURE_2D_ARRAY, what.texture);
      else gl.bindTexture(gl.TEXTURE_2D, what);
      gl.uniform1i(this.place(name), unit);
    });
  }

  draw(width, height) {
    this.gl.viewport(0, 0, width, height);
    this.gl.drawArrays(this.gl.TRIANGLES, 0, 3);
  }

  load(state) {
    const { gl, rule, pixels, buffer } = this;
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.state[this.current].texture);
    for (let layer = 0; layer < this.layers; layer++) {
      const width = Math.min(4, rule.channels - 4 * layer);
      buffer.fill(0);
      for (let i = 0; i < pixels; i++) {
        for (let c = 0; c < width; c++) buffer[4 * i + c] = state[i * rule.channels + 4 * layer + c];
      }
      gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, layer, this.width, this.height, 1, gl.RGBA,
        gl.FLOAT, buffer);
    }
  }

  sense(grey) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.grey);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, this.width, this.height, gl.RED, gl.FLOAT, grey);
  }

  read(state) {
    const { gl, rule, pixels, buffer } = this;
    if (gl.isContextLost()) return;
    for (let layer = 0; layer < this.layers; layer++) {
      this.into(this.state[this.current], layer, 1);
      gl.readPixels(0, 0, this.width, this.height, gl.RGBA, gl.FLOAT, buffer);
      const width = Math.min(4, rule.channels - 4 * layer);
      for (let i = 0; i < pixels; i++) {
        for (let c = 0; c < width; c++) state[i * rule.channels + 4 * layer + c] = buffer[4 * i + c];
      }
    }
  }

  step(fired, noise, draw) {
    if (this.gl.isContextLost()) throw new Error("WebGL2 was lost");
    this.placeRows(fired);
    if (this.rule.table) this.lookUp();
    else this.stepLayers(fired.length, noise, draw);
  }

  /** Uploads which cells fire: their sites, row by row, and the row of each site. */
  placeRows(fired) {
    const { gl, words, rowWords } = this;
    words.fill(-1);
    fired.forEach((site, row) => { words[site] = row; });
    gl.bindTexture(gl.TEXTURE_2D, this.rowOf);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, this.width, this.height, gl.RED_INTEGER, gl.INT, words);
    rowWords.set(fired);
    const used = Math.max(1, Math.ceil(fired.length / ROW_WIDTH));
    gl.bindTexture(gl.TEXTURE_2D, this.rows);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, ROW_WIDTH, used, gl.RED_INTEGER, gl.INT, rowWords);
  }

  lookUp() {
    const { state, current } = this, next = 1 - current;
    this.use("table", () => tableShader(this.rule));
    this.into(state[next], 0, 1);
    this.bind({ state: state[current], rowOf: this.rowOf });
    this.draw(this.width, this.height);
    this.current = next;
  }

  stepLayers(count, noise, draw) {
    if (count) {
      this.perceive(count);
      this.rule.layers.forEach((_, n) => this.layer(n, count));
    }
    const { state, current, rule } = this, next = (current + 1) % state.length;
    this.add(state[current], state[next], noise, draw);
    this.current = next;
    if (!rule.mortal) return;
    const last = (next + 1) % state.length;
    for (const { first, count: layers } of this.groups(this.layers, this.drawn)) {
      this.use(`life ${layers}`, () => lifeShader(rule, layers));
      this.into(state[last], first, layers);
      this.bind({ state: state[current], next: state[next] });
      this.gl.uniform1i(this.place("first"), first);
      this.draw(this.width, this.height);
    }
    this.current = last;
  }

  /** Computes what the cells of `rows` rows perceive. */
  perceive(rows) {
    const { gl, rule } = this;
    for (const { first, count } of this.groups(perceived(rule), this.drawn)) {
      this.use(`perceive ${count}`, () => perceptionShader(rule, count));
      this.into(this.perception, first, count);
      this.bind({ rows: this.rows, state: this.state[this.current], ...(rule.senses ? { grey: this.grey } : {}) });
      gl.uniform1i(this.place("count"), rows);
      gl.uniform1i(this.place("first"), first);
      this.draw(ROW_WIDTH, Math.ceil(rows / ROW_WIDTH));
    }
  }

  /** Computes one layer's output for `rows` rows. */
  layer(n, rows) {
    const { gl, rule } = this;
    for (const { first, count, buffer } of this.weights[n]) {
      this.use(`layer ${n} ${count}`, () => layerShader(rule, n, count));
      this.into(this.vectors[n], first, count);
      this.bind({ vector: n ? this.vectors[n - 1] : this.perception });
      gl.bindBufferBase(gl.UNIFORM_BUFFER, 0, buffer);
      gl.uniform1i(this.place("count"), rows);
      this.draw(ROW_WIDTH, Math.ceil(rows / ROW_WIDTH));
    }
  }

  /** Adds the changes to the states, with noise, from one state texture into another. */
  add(from, to, noise, { seed, step }) {
    const { gl, rule } = this;
    for (const { first, count } of this.groups(this.layers, this.drawn)) {
      this.use(`add ${count}`, () => addShader(rule, count));
      this.into(to, first, count);
      this.bind({ state: from, change: this.vectors[this.vectors.length - 1], rowOf: this.rowOf });
      gl.uniform1i(this.place("first"), first);
      gl.uniform1f(this.place("noise"), noise);
      gl.uniform1ui(this.place("step"), step);
      gl.uniform2ui(this.place("seed"), seed[0], seed[1]);
      this.draw(this.width, this.height);
    }
  }

  /** Frees what the browser holds for this engine. */
  close() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

/** Whether WebGL2 is drawn by the processor, where plain JavaScript is faster. */
function softwareRendering() {
  if (softwareRendering.known === undefined) {
    const gl = document.createElement("canvas").getContext("webgl2");
    const names = gl?.getExtension("WEBGL_debug_renderer_info");
    const renderer = names ? gl.getParameter(names.UNMASKED_RENDERER_WEBGL) : "";
    softwareRendering.known = /swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
    gl?.getExtension("WEBGL_lose_context")?.loseContext();
  }
  return softwareRendering.known;
}

/** A linked program; throws an Error with the compiler's message. */
function link(gl, fragment) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX_SHADER], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) {
      throw new Error(`a shader was refused: ${gl.getShaderInfoLog(shader)}`);
    }
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(`a program was refused: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}
