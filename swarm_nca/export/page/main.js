// The page begins here.

const rule = readRule(JSON.parse(document.getElementById("rule").textContent));
const page = new Page(rule);

/** The swarm, for tests and for the browser's console. */
window.swarm = {
  rule,
  /** Takes one step; `mask` [pixels] chooses the cells that fire. */
  step: (mask) => { page.swarm.step(mask); page.outdated = true; },
  draw: () => page.draw(),
  /** The states [pixels × channels]. */
  state: () => { page.swarm.sync(); return page.swarm.state.slice(); },
  /** Sets the states [pixels × channels]. */
  setState: (state) => { page.swarm.sync(); page.swarm.state.set(state); page.swarm.edited = true; },
  grey: () => page.swarm.grey.slice(),
  size: () => [page.swarm.width, page.swarm.height],
  engine: () => page.swarm.engine.name,
  trouble: () => page.swarm.trouble,
  /** Counts by name, and the pieces of ink; see `summarize`. */
  summary: () => summarize(page.swarm),
  /** "auto", "webgl" or "javascript". */
  useEngine: (name) => page.useEngine(name),
  play: (playing = true) => page.play(playing),
  philox: (counter, key) => { const out = [0, 0, 0, 0]; philox(out, ...counter, ...key); return out; },
};
