// The rule that the page carries: settings as they are, weights decoded to float32.

/** The bytes of a base64 text. */
function bytesOf(text) {
  const binary = atob(text);
  return Uint8Array.from({ length: binary.length }, (_, i) => binary.charCodeAt(i));
}

/** Half-precision numbers as float32. */
function fromHalf(halves) {
  return Float32Array.from(halves, (bits) => {
    const sign = bits >> 15 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
  });
}

/** The rule, with `layers`: [{inputs, outputs, weight [inputs × outputs], bias [outputs]}]. */
function readRule(data) {
  const bytes = bytesOf(data.weights).buffer;
  const numbers = data.precision === "float16"
    ? fromHalf(new Uint16Array(bytes)) : new Float32Array(bytes);
  const layers = [];
  let at = 0;
  for (let i = 0; i + 1 < data.sizes.length; i++) {
    const inputs = data.sizes[i], outputs = data.sizes[i + 1];
    const weight = numbers.subarray(at, at + inputs * outputs);
    at += inputs * outputs;
    layers.push({ inputs, outputs, weight, bias: numbers.subarray(at, at + outputs) });
    at += outputs;
  }
  return { ...data, layers, weights: null };
}
