// What is drawn: the cells in their colours, all channels as tiles, or how much cells change.

const PAPER = [255, 255, 255], SILENT = [24, 26, 30];
/** Pieces of fewer cells get no label. */
const SMALLEST_PIECE = 8;

class View {
  constructor(canvas, swarm) {
    Object.assign(this, { canvas, swarm, kind: "shown", channel: -1, pen: null });
    this.context = canvas.getContext("2d");
    this.cells = document.createElement("canvas");
    this.before = null;
  }

  /** Fits the canvas's pixels to its place on the page. */
  fit() {
    const { canvas, swarm } = this, ratio = window.devicePixelRatio || 1;
    canvas.style.aspectRatio = `${swarm.width} / ${swarm.height}`;
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round((width * swarm.height) / swarm.width));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.ratio = ratio;
  }

  /** Draws the present moment. summary: see `summarize`. */
  draw(summary) {
    this.fit();
    if (this.kind === "messages" && this.channel < 0) this.drawTiles();
    else {
      const colors = { shown: this.shownColor, messages: this.channelColor, change: this.changeColor };
      const { swarm } = this;
      this.drawCells(colors[this.kind].call(this, summary), 0, 0, this.canvas.width);
      if (swarm.rule.sprout === null) this.drawGrid();
      if (this.kind === "shown") this.drawLabels(summary.pieces);
    }
    this.drawPen();
    this.before = this.swarm.state.slice();
  }

  /** Draws one square per pixel of the swarm. color(site) → [red, green, blue]. */
  drawCells(color, left, top, width) {
    const { swarm, cells, context } = this;
    if (cells.width !== swarm.width || cells.height !== swarm.height) {
      Object.assign(cells, { width: swarm.width, height: swarm.height });
    }
    const paint = cells.getContext("2d"), image = paint.createImageData(swarm.width, swarm.height);
    for (let site = 0, at = 0; site < swarm.pixels; site++) {
      const [red, green, blue] = color(site);
      image.data[at++] = red;
      image.data[at++] = green;
      image.data[at++] = blue;
      image.data[at++] = 255;
    }
    paint.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(cells, left, top, width, (width * swarm.height) / swarm.width);
  }

  /** Grey that is no cell, as faint ink on paper. */
  paper(site) {
    const tone = 255 - 90 * this.swarm.grey[site];
    return [tone, tone, tone];
  }

  shownColor({ shown }) {
    const { swarm } = this, { readout, channels } = swarm.rule;
    return (site) => {
      if (shown[site] === -2) return this.paper(site);
      if (readout.kind === "rgba") {
        const at = site * channels;
        const alpha = Math.min(1, Math.max(0, swarm.state[at + 3]));
        return [0, 1, 2].map((c) => 255 * (1 - alpha + swarm.state[at + c]));
      }
      if (shown[site] >= 0) return readout.colors[shown[site]];
      return readout.kind === "bit" ? PAPER : SILENT;
    };
  }

  /** Blue below 0, white at 0, red above, on the scale of tanh. */
  channelColor(_, channel = this.channel) {
    const { swarm } = this, { channels } = swarm.rule;
    const cell = this.cellMask();
    return (site) => {
      if (!cell[site]) return this.paper(site);
      const value = Math.tanh(swarm.state[site * channels + channel]);
      const other = 255 * (1 - Math.abs(value));
      return value < 0 ? [other * 0.95, other * 0.98, 240 - 40 * -value]
        : [245 - 25 * value, other * 0.96, other * 0.93];
    };
  }

  /** How much a cell's state changed since the last picture. */
  changeColor() {
    const { swarm, before } = this, { channels } = swarm.rule, cell = this.cellMask();
    return (site) => {
      if (!cell[site]) return this.paper(site);
      let sum = 0;
      for (let c = site * channels; before && c < (site + 1) * channels; c++) {
        sum += Math.abs(swarm.state[c] - before[c]);
      }
      const share = Math.min(1, (4 * sum) / channels);
      return [36 + 215 * share, 40 + 130 * share * share, 70 + 60 * share * (1 - share)];
    };
  }

  cellMask() {
    const { swarm } = this, mask = new Uint8Array(swarm.pixels), { channels, sprout } = swarm.rule;
    for (const site of swarm.sites) mask[site] = 1;
    if (sprout) {
      // Every pixel is a cell: cells that hold nothing are left as paper.
      for (let site = 0; site < mask.length; site++) {
        mask[site] = 0;
        for (let c = site * channels; c < (site + 1) * channels && !mask[site]; c++) {
          mask[site] = swarm.state[c] !== 0;
        }
      }
    }
    return mask;
  }

  /** Where the tile of a channel stands: {left, top, width, height}, in pixels of the canvas. */
  tile(channel) {
    const { canvas, swarm } = this, columns = Math.ceil(Math.sqrt(swarm.rule.channels));
    const rows = Math.ceil(swarm.rule.channels / columns);
    const width = canvas.width / columns, height = canvas.height / rows;
    return { left: (channel % columns) * width, top: Math.floor(channel / columns) * height, width, height };
  }

  /** The channel whose tile lies under a place given as shares of the canvas; -1 for none. */
  tileAt(x, y) {
    const { channels } = this.swarm.rule, columns = Math.ceil(Math.sqrt(channels));
    const channel = Math.floor(y * Math.ceil(channels / columns)) * columns + Math.floor(x * columns);
    return channel < channels ? channel : -1;
  }

  drawTiles() {
    const { canvas, context, swarm, ratio } = this, { rule } = swarm;
    context.fillStyle = "#e9e7e2";
    context.fillRect(0, 0, canvas.width, canvas.height);
    const size = Math.max(11, Math.min(13, canvas.width / ratio / 42)) * ratio, gap = 3 * ratio;
    context.font = `500 ${size}px system-ui, sans-serif`;
    context.textBaseline = "top";
    for (let channel = 0; channel < rule.channels; channel++) {
      const { left, top, width, height } = this.tile(channel);
      const inner = Math.min(width - gap, ((height - gap - size * 1.4) * swarm.width) / swarm.height);
      const at = left + (width - inner) / 2;
      this.drawCells(this.channelColor(null, channel), at, top + size * 1.4, inner);
      context.fillStyle = "#33383e";
      context.fillText(channelName(rule, channel), at, top + size * 0.3, inner);
    }
  }

  /** Thin lines between cells that are large enough. */
  drawGrid() {
    const { canvas, context, swarm, ratio } = this, side = canvas.width / swarm.width;
    if (side < 7 * ratio) return;
    context.fillStyle = "rgba(120, 124, 130, 0.16)";
    for (let x = 1; x < swarm.width; x++) context.fillRect(Math.round(x * side), 0, 1, canvas.height);
    for (let y = 1; y < swarm.height; y++) context.fillRect(0, Math.round(y * side), canvas.width, 1);
  }

  /** Above each piece of ink, what most of its cells say. */
  drawLabels(pieces) {
    const { canvas, context, swarm, ratio } = this, side = canvas.width / swarm.width;
    const size = 13 * ratio, high = size * 1.7;
    context.font = `650 ${size}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    for (const { winner, share, top, bottom, left, right } of pieces) {
      if (winner < 0) continue;
      const text = `${swarm.rule.readout.names[winner]} · ${percent(share)}`;
      const wide = context.measureText(text).width + size * 2.2;
      const x = clamp(((left + right + 1) / 2) * side - wide / 2, 2, canvas.width - wide - 2);
      const above = top * side - high - 4 * ratio, below = (bottom + 1) * side + 4 * ratio;
      const y = above >= 2 ? above : Math.min(below, canvas.height - high - 2);
      context.fillStyle = "rgba(27, 31, 36, 0.86)";
      context.beginPath();
      context.roundRect(x, y, wide, high, high / 2);
      context.fill();
      context.fillStyle = css(swarm.rule.readout.colors[winner]);
      context.beginPath();
      context.arc(x + size * 0.95, y + high / 2, size * 0.38, 0, 2 * Math.PI);
      context.fill();
      context.lineWidth = ratio;
      context.strokeStyle = "rgba(255, 255, 255, 0.8)";
      context.stroke();
      context.fillStyle = "#fff";
      context.fillText(text, x + size * 1.65, y + high / 2 + ratio * 0.5);
    }
  }

  /** A ring as large as the brush, under the mouse. */
  drawPen() {
    if (!this.pen || (this.kind === "messages" && this.channel < 0)) return;
    const { canvas, context, swarm, ratio, pen } = this, side = canvas.width / swarm.width;
    for (const [color, width] of [["rgba(255, 255, 255, 0.9)", 3], ["#33383e", 1.2]]) {
      context.strokeStyle = color;
      context.lineWidth = width * ratio;
      context.beginPath();
      context.arc((pen.x + 0.5) * side, (pen.y + 0.5) * side, (pen.radius + 0.25) * side, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const css = (color) => `rgb(${color.join(" ")})`;
const percent = (share) => `${Math.floor(100 * share)} %`;

/** The name of a channel: what the read-out calls it, or its number. */
function channelName(rule, channel) {
  const name = rule.readout.channelNames[channel - rule.readout.first];
  if (name === undefined) return `channel ${channel}`;
  return rule.readout.kind === "classes" && name.length < 3 ? `class ${name}` : name;
}

/**
 * What the cells show, in numbers: {shown, counts [names + 1], pieces}. The last count is of the
 * silent cells; a piece has its most frequent name (-1 where all cells are silent) and its share.
 */
function summarize(swarm) {
  const { readout } = swarm.rule, silent = readout.names.length, shown = swarm.shown();
  const counts = new Array(silent + 1).fill(0);
  for (const site of swarm.sites) counts[shown[site] < 0 ? silent : shown[site]]++;
  if (readout.kind !== "classes") return { shown, counts, pieces: [] };
  const pieces = swarm.inkPieces().filter((piece) => piece.length >= SMALLEST_PIECE).map((sites) => {
    const votes = new Array(silent + 1).fill(0), rows = [], columns = [];
    for (const site of sites) {
      votes[shown[site] < 0 ? silent : shown[site]]++;
      rows.push(Math.floor(site / swarm.width));
      columns.push(site % swarm.width);
    }
    const most = Math.max(...votes.slice(0, silent));
    const edge = (pick, values) => values.reduce((a, b) => pick(a, b));
    return {
      cells: sites.length, winner: most ? votes.indexOf(most) : -1, share: most / sites.length,
      top: edge(Math.min, rows), bottom: edge(Math.max, rows),
      left: edge(Math.min, columns), right: edge(Math.max, columns),
    };
  });
  return { shown, counts, pieces: inReadingOrder(pieces) };
}

/** Pieces line by line, from left to right: pieces whose rows overlap by half stand in one line. */
function inReadingOrder(pieces) {
  const lines = [];
  for (const piece of [...pieces].sort((a, b) => a.top + a.bottom - b.top - b.bottom)) {
    const line = lines.at(-1), middle = (piece.top + piece.bottom) / 2;
    if (line && middle <= line[0].bottom) line.push(piece);
    else lines.push([piece]);
  }
  return lines.flatMap((line) => line.sort((a, b) => a.left - b.left));
}
