// Mouse, pen and fingers on the canvas: each pointer draws a line of its own.

/** Connects the canvas's pointers to the page's tool. */
function connectPointers(page) {
  const canvas = byId("world"), lines = new Map();
  let stroke = null;

  /** Where an event is, as [x, y] in pixels of the swarm. */
  const placeOf = (event) => {
    const box = canvas.getBoundingClientRect(), { width, height } = page.swarm;
    return [((event.clientX - box.left) / box.width) * width - 0.5,
      ((event.clientY - box.top) / box.height) * height - 0.5];
  };

  const ring = (event) => {
    const [x, y] = placeOf(event);
    page.view.pen = event.pointerType === "touch" ? null : { x, y, radius: page.brushes[page.tool] };
    if (!page.playing) page.draw();
  };

  const move = (event) => {
    const line = lines.get(event.pointerId);
    if (line) {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const one of events.length ? events : [event]) {
        const at = placeOf(one);
        cover(stroke.covered, page.swarm.width, page.swarm.height, line.at, at, page.brushes[line.tool]);
        line.at = at;
      }
      applyStroke(page, stroke, line.tool);
    }
    ring(event);
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (page.view.kind === "messages" && page.view.channel < 0) {
      const box = canvas.getBoundingClientRect();
      page.showChannel(page.view.tileAt((event.clientX - box.left) / box.width,
        (event.clientY - box.top) / box.height));
      return;
    }
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const tool = event.button === 2 ? "erase" : page.tool;
    // All pointers that are down together make one stroke.
    if (!lines.size) page.history.note();
    stroke = lines.size ? stroke : newStroke(page.swarm);
    lines.set(event.pointerId, { tool, at: placeOf(event) });
    move(event);
    page.draw();
  });
  canvas.addEventListener("pointermove", move);
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, (event) => {
      if (lines.delete(event.pointerId) && !lines.size) page.changed();
    });
  }
  canvas.addEventListener("pointerleave", () => {
    page.view.pen = null;
    page.draw();
  });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
}

/** A stroke begins: the grey before it, and how much of each pixel it has covered so far. */
function newStroke(swarm) {
  return { before: swarm.grey.slice(), covered: new Float32Array(swarm.pixels) };
}

/** Applies a stroke to the swarm. */
function applyStroke(page, { before, covered }, tool) {
  const { swarm, rule } = page;
  if (tool === "wound") {
    swarm.setStates(covered, null);
    return;
  }
  for (let i = 0; i < covered.length; i++) {
    if (!covered[i]) continue;
    swarm.grey[i] = stepped(tool === "draw" ? before[i] + covered[i] : before[i] * (1 - covered[i]));
  }
  swarm.pictureChanged();
  if (!page.ink) swarm.setStates(covered, tool === "draw" ? rule.sprout : null);
}
