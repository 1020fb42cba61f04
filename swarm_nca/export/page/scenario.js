// The scenario in the address's fragment: picture, seed, rates. A link with it starts the same run.

/** Canvases have at most so many pixels, and so many on one side. */
const MOST_PIXELS = 256 * 256, LONGEST_SIDE = 1024;

const VIEWS = ["shown", "messages", "change"];

/** The text after # of a scenario. */
function writeFragment(swarm, settings) {
  const parts = { picture: encodePicture(swarm), seed: swarm.seed };
  if (swarm.fireRate !== swarm.rule.fireRate) parts.fire = swarm.fireRate;
  if (swarm.noise !== swarm.rule.noise) parts.noise = swarm.noise;
  if (swarm.wrap) parts.wrap = 1;
  if (settings.view !== VIEWS[0]) parts.view = settings.view;
  if (settings.engine !== "auto") parts.engine = settings.engine;
  return new URLSearchParams(parts).toString();
}

/**
 * The scenario of a text after #: {picture, seed, fireRate, noise, wrap, view, engine, paused}, with
 * undefined for what is missing or wrong.
 */
function readFragment(text) {
  const parts = new URLSearchParams(text.replace(/^#/, ""));
  const real = (name, most) => {
    const given = parts.get(name), value = Number(given);
    return given !== null && given !== "" && value >= 0 && value <= most ? value : undefined;
  };
  const among = (name, known) => (known.includes(parts.get(name)) ? parts.get(name) : undefined);
  const picture = parts.has("picture") ? decodePicture(parts.get("picture"), MOST_PIXELS) : null;
  const fits = picture && Math.max(picture.width, picture.height) <= LONGEST_SIDE;
  return {
    picture: fits ? picture : undefined,
    seed: isSeed(parts.get("seed") ?? "") ? parts.get("seed") : undefined,
    fireRate: real("fire", 1),
    noise: real("noise", 10),
    wrap: parts.get("wrap") === "1",
    view: among("view", VIEWS),
    engine: among("engine", Object.keys(ENGINE_NAMES)),
    paused: parts.get("paused") === "1",
  };
}

/** Whether a text is a whole number from 0 to 2^64 - 1. */
function isSeed(text) {
  return /^\d{1,20}$/.test(text) && BigInt(text) < 1n << 64n;
}
