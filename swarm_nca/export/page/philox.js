// Philox-4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011). Draws are pure functions of the seed, the
// site, the step and the stream, and firing takes the same words as the Python package: one seed
// makes the same cells fire.

const STREAM = { fire: 0, start: 2, noise: 0x8000 };

/** The upper 32 bits of the product of two words. */
function highWord(a, b) {
  const aLow = a & 0xffff, aHigh = a >>> 16, bLow = b & 0xffff, bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  return (aHigh * bHigh + (middle >>> 16) + ((aLow * bHigh + (middle & 0xffff)) >>> 16)) >>> 0;
}

/** Writes the four words of a counter [c0, c1, c2, c3] under a key [k0, k1] into `out`. */
function philox(out, c0, c1, c2, c3, k0, k1) {
  for (let round = 0; round < 10; round++) {
    const high0 = highWord(c0, 0xd2511f53), low0 = Math.imul(c0, 0xd2511f53) >>> 0;
    const high1 = highWord(c2, 0xcd9e8d57), low1 = Math.imul(c2, 0xcd9e8d57) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  out[0] = c0; out[1] = c1; out[2] = c2; out[3] = c3;
}

/** The two words of a seed from 0 to 2^64 - 1, given as a decimal text. */
function seedWords(seed) {
  const number = BigInt(seed);
  return [Number(number & 0xffffffffn), Number((number >> 32n) & 0xffffffffn)];
}

/** Four standard normal deviates from four words (Box-Muller), as the shader makes them. */
function normals(out, words) {
  for (let pair = 0; pair < 4; pair += 2) {
    const radius = Math.sqrt(-2 * Math.log(((words[pair] >>> 8) + 0.5) / 16777216));
    const angle = 2 * Math.PI * (((words[pair + 1] >>> 8) + 0.5) / 16777216);
    out[pair] = radius * Math.cos(angle);
    out[pair + 1] = radius * Math.sin(angle);
  }
}
