// Pictures: the pen, codes for links, connected pieces of ink.

/** The soft rim of the pen, in pixels, as in the Python package. */
const SOFTNESS = 1.1;

/**
 * Raises `covered` to how much of each pixel a round brush covers that is drawn from one point to
 * another; points are [x, y] in pixels, pixel centres at whole numbers.
 */
function cover(covered, width, height, from, to, radius) {
  const reach = radius + SOFTNESS / 2, dx = to[0] - from[0], dy = to[1] - from[1];
  const length = dx * dx + dy * dy;
  const low = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - reach));
  const high = (a, b, most) => Math.min(most - 1, Math.ceil(Math.max(a, b) + reach));
  for (let y = low(from[1], to[1]); y <= high(from[1], to[1], height); y++) {
    for (let x = low(from[0], to[0]); x <= high(from[0], to[0], width); x++) {
      const along = length ? ((x - from[0]) * dx + (y - from[1]) * dy) / length : 0;
      const part = Math.min(1, Math.max(0, along));
      const away = Math.hypot(x - from[0] - part * dx, y - from[1] - part * dy);
      const share = Math.min(1, Math.max(0, (radius - away) / SOFTNESS + 0.5));
      covered[y * width + x] = Math.max(covered[y * width + x], share);
    }
  }
}

/** Grey in steps of 1/255, so that a link holds exactly the picture that was drawn. */
const stepped = (grey) => Math.round(Math.min(1, Math.max(0, grey)) * 255) / 255;

/** The code of a picture {width, height, grey}: see picture_code.py. */
function encodePicture({ width, height, grey }) {
  const bytes = [height >> 8, height & 255, width >> 8, width & 255];
  const values = Array.from(grey, (value) => Math.round(value * 255));
  let end = values.length;
  while (end && !values[end - 1]) end--;
  for (let at = 0; at < end;) {
    let stop = at;
    while (stop < end && stop - at < 128 && !values[stop] === !values[at]) stop++;
    if (values[at]) bytes.push(127 + stop - at, ...values.slice(at, stop));
    else bytes.push(stop - at - 1);
    at = stop;
  }
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The picture of a code; null for a text that is no code, or a picture beyond `most` pixels. */
function decodePicture(code, most) {
  let bytes;
  try {
    bytes = bytesOf(code.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return null;
  }
  const height = (bytes[0] << 8) | bytes[1], width = (bytes[2] << 8) | bytes[3];
  if (!(width > 0 && height > 0 && width * height <= most)) return null;
  const grey = new Float32Array(width * height);
  for (let at = 4, pixel = 0; at < bytes.length && pixel < grey.length;) {
    const run = bytes[at++], count = (run & 127) + 1;
    for (let i = 0; run > 127 && i < count; i++) grey[pixel + i] = (bytes[at++] || 0) / 255;
    pixel += count;
  }
  return { width, height, grey };
}

/** The connected pieces of the sites where `alive`, each an array of sites; corners connect. */
function piecesOf(alive, width, height) {
  const seen = new Uint8Array(alive.length), pieces = [];
  for (let start = 0; start < alive.length; start++) {
    if (!alive[start] || seen[start]) continue;
    const piece = [start];
    seen[start] = 1;
    for (let i = 0; i < piece.length; i++) {
      const row = Math.floor(piece[i] / width), column = piece[i] % width;
      for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++) {
        for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) {
          const site = y * width + x;
          if (alive[site] && !seen[site]) {
            seen[site] = 1;
            piece.push(site);
          }
        }
      }
    }
    pieces.push(piece);
  }
  return pieces;
}
