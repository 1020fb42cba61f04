// Undo and redo: what the canvas was before each edit, and before each undo.

/** Bytes and number of the moments that are kept; the oldest are dropped first. */
const MOST_HISTORY = 64 << 20, MOST_MOMENTS = 100;

class EditHistory {
  constructor(page) {
    this.page = page;
    this.reset();
  }

  reset() {
    this.past = [];
    this.future = [];
  }

  /** Call before an edit: keeps the present moment. */
  note() {
    this.past.push(this.moment());
    this.future = [];
    const size = ({ grey, state }) => grey.byteLength + state.byteLength;
    let bytes = this.past.reduce((sum, one) => sum + size(one), 0);
    while (this.past.length > 1 && (bytes > MOST_HISTORY || this.past.length > MOST_MOMENTS)) {
      bytes -= size(this.past.shift());
    }
  }

  /** Back to the moment before the last edit: picture, states and step. */
  undo() { this.move(this.past, this.future); }

  /** To the moment that the last undo left. */
  redo() { this.move(this.future, this.past); }

  move(from, to) {
    if (!from.length) return;
    to.push(this.moment());
    this.restore(from.pop());
    this.page.changed();
  }

  moment() {
    const { swarm, tiles } = this.page, { width, height, wrap, stepsDone } = swarm;
    swarm.sync();
    return { width, height, wrap, stepsDone, tiles, grey: swarm.grey.slice(), state: swarm.state.slice() };
  }

  restore({ width, height, wrap, stepsDone, tiles, grey, state }) {
    const { swarm } = this.page;
    if (swarm.width !== width || swarm.height !== height || swarm.wrap !== wrap) swarm.resize(width, height, wrap);
    swarm.grey.set(grey);
    swarm.pictureChanged();
    swarm.state.set(state);
    Object.assign(swarm, { stepsDone, edited: true });
    this.page.tiles = tiles;
  }
}
