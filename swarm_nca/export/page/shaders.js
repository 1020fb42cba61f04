// The shaders of a rule, written from its layers. A vector of n numbers lies in ⌈n/4⌉ texels, one
// above another in a texture array. Rows (cells that fire) lie in textures 256 texels wide.

const ROW_WIDTH = 256;

const SHADER_HEAD = `#version 300 es
precision highp float; precision highp int;
precision highp sampler2D; precision highp sampler2DArray; precision highp isampler2D;
uniform ivec2 size;
uniform bool wrap;
// Moves a place on a torus to where it is; false where there is no pixel.
bool placed(inout ivec2 at) {
  bvec2 less = lessThan(at, ivec2(0)), more = greaterThanEqual(at, size);
  if (!any(less) && !any(more)) return true;
  if (!wrap || (size.x == 1 && (less.x || more.x)) || (size.y == 1 && (less.y || more.y))) {
    return false;
  }
  at = (at + size) % size;
  return true;
}
`;

const VERTEX_SHADER = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(4.0 * corner - 1.0, 0.0, 1.0);
}`;

const texels = (numbers) => Math.ceil(numbers / 4);

const outputs = (count) =>
  Array.from({ length: count }, (_, j) => `layout(location = ${j}) out vec4 out${j};\n`).join("");

/** A literal of GLSL. */
const literal = (number) => (Number.isInteger(number) ? `${number}.0` : `${number}`);

/** Statements that add a vec4 `v`, times its four rows of weights from `row` on, to the sums. */
function products(count, row) {
  const parts = Array.from({ length: count }, (_, j) =>
    `sum${j} += v.x * w[at + ${j}] + v.y * w[at + ${count + j}] + ` +
    `v.z * w[at + ${2 * count + j}] + v.w * w[at + ${3 * count + j}];`);
  return `{ int at = (${row}) * ${count}; ${parts.join(" ")} }`;
}

/** The rows of weights of a layer: its inputs, padded, then the bias. */
function weightRows(rule, n) {
  if (n > 0) return 4 * texels(rule.layers[n].inputs) + 1;
  const sums = rule.filters ? rule.filters.length : 9;
  return (rule.senses ? 12 : 0) + sums * 4 * texels(rule.channels) + 1;
}

/** The row of weights of input `i` of a layer, among its padded rows. */
function weightRow(rule, n, i) {
  if (n > 0) return i;
  const sensed = rule.senses ? 9 : 0;
  if (i < sensed) return i;
  const heard = i - sensed, padded = 4 * texels(rule.channels);
  return (sensed ? 12 : 0) + Math.floor(heard / rule.channels) * padded + heard % rule.channels;
}

/** The shader of `count` texels of one layer's output, for every row. */
function layerShader(rule, n, count) {
  const rows = weightRows(rule, n), last = n === rule.layers.length - 1;
  const start = Array.from({ length: count }, (_, j) =>
    `vec4 sum${j} = w[${(rows - 1) * count + j}];`).join("\n  ");
  const end = Array.from({ length: count }, (_, j) =>
    `out${j} = ${last ? `sum${j}` : `max(sum${j}, 0.0)`};`).join("\n  ");
  return `${SHADER_HEAD}
layout(std140) uniform Weights { vec4 w[${rows * count}]; };
uniform int count;
${n ? "uniform sampler2DArray vector;" : `uniform isampler2D rows;
uniform sampler2DArray state;
uniform sampler2D grey;`}
${outputs(count)}
void main() {
  ivec2 place = ivec2(gl_FragCoord.xy);
  if (place.y * ${ROW_WIDTH} + place.x >= count) discard;
  ${start}
  ${n ? hiddenInput(rule, n, count) : perceptionInput(rule, count)}
  ${end}
}`;
}

function hiddenInput(rule, n, count) {
  return `for (int i = 0; i < ${texels(rule.layers[n].inputs)}; i++) {
    vec4 v = texelFetch(vector, ivec3(place, i), 0);
    ${products(count, "4 * i")}
  }`;
}

function perceptionInput(rule, count) {
  const layers = texels(rule.channels), sensed = rule.senses ? 12 : 0;
  const sense = `float seen[12];
  for (int i = 0; i < 12; i++) seen[i] = 0.0;
  for (int slot = 0; slot < 9; slot++) {
    ivec2 near = cell + ivec2(slot % 3 - 1, slot / 3 - 1);
    if (placed(near)) seen[slot] = texelFetch(grey, near, 0).r;
  }
  for (int i = 0; i < 3; i++) {
    vec4 v = vec4(seen[4 * i], seen[4 * i + 1], seen[4 * i + 2], seen[4 * i + 3]);
    ${products(count, "4 * i")}
  }`;
  return `int site = texelFetch(rows, place, 0).r;
  ivec2 cell = ivec2(site % size.x, site / size.x);
  ${rule.senses ? sense : ""}
  ${rule.filters ? filteredInput(rule, count, layers, sensed) : `for (int slot = 0; slot < 9; slot++) {
    ivec2 near = cell + ivec2(slot % 3 - 1, slot / 3 - 1);
    if (!placed(near)) continue;
    for (int layer = 0; layer < ${layers}; layer++) {
      vec4 v = texelFetch(state, ivec3(near, layer), 0);
      ${products(count, `${sensed} + 4 * (slot * ${layers} + layer)`)}
    }
  }`}`;
}

function filteredInput(rule, count, layers, sensed) {
  const sums = rule.filters.map((_, p) => `vec4 heard${p} = vec4(0.0);`).join(" ");
  const hear = Array.from({ length: 9 }, (_, slot) => {
    const adds = rule.filters.flatMap((filter, p) =>
      filter[slot] ? [`heard${p} += ${literal(filter[slot])} * v;`] : []);
    if (!adds.length) return "";
    return `near = cell + ivec2(${(slot % 3) - 1}, ${Math.floor(slot / 3) - 1});
    if (placed(near)) { vec4 v = texelFetch(state, ivec3(near, layer), 0); ${adds.join(" ")} }`;
  }).join("\n    ");
  const multiply = rule.filters.map((_, p) =>
    `{ vec4 v = heard${p}; ${products(count, `${sensed} + 4 * (${p * layers} + layer)`)} }`);
  return `for (int layer = 0; layer < ${layers}; layer++) {
    ${sums}
    ivec2 near;
    ${hear}
    ${multiply.join("\n    ")}
  }`;
}

const ALIVE = (rule) => `
bool living(sampler2DArray states, ivec2 place) {
  for (int slot = 0; slot < 9; slot++) {
    ivec2 near = place + ivec2(slot % 3 - 1, slot / 3 - 1);
    if (placed(near) && texelFetch(states, ivec3(near, 0), 0).a > ${literal(Math.fround(rule.aliveAbove))}) return true;
  }
  return false;
}
`;

/** Philox and normal deviates; see philox.js. */
const NOISE = `
uint highWord(uint a, uint b) {
  uint aLow = a & 0xffffu, aHigh = a >> 16, bLow = b & 0xffffu, bHigh = b >> 16;
  uint middle = aHigh * bLow + ((aLow * bLow) >> 16);
  return aHigh * bHigh + (middle >> 16) + ((aLow * bHigh + (middle & 0xffffu)) >> 16);
}
vec4 normals(uvec4 c, uvec2 key) {
  for (int i = 0; i < 10; i++) {
    uint high0 = highWord(c.x, 0xd2511f53u), high1 = highWord(c.z, 0xcd9e8d57u);
    c = uvec4(high1 ^ c.y ^ key.x, c.z * 0xcd9e8d57u, high0 ^ c.w ^ key.y, c.x * 0xd2511f53u);
    key += uvec2(0x9e3779b9u, 0xbb67ae85u);
  }
  vec4 uniforms = (vec4(c >> 8) + 0.5) / 16777216.0;
  vec2 radius = sqrt(-2.0 * log(uniforms.xz)), angle = 6.283185307179586 * uniforms.yw;
  return vec4(radius.x * cos(angle.x), radius.x * sin(angle.x),
              radius.y * cos(angle.y), radius.y * sin(angle.y));
}
`;

/** The shader that adds the changes of rows to `count` texels of the states, pixel by pixel. */
function addShader(rule, count) {
  const adds = Array.from({ length: count }, (_, j) => `{
    int layer = first + ${j};
    vec4 value = texelFetch(state, ivec3(place, layer), 0);
    if (row >= 0) {
      value += texelFetch(change, ivec3(row % ${ROW_WIDTH}, row / ${ROW_WIDTH}, layer), 0);
      if (noise > 0.0) {
        value += noise * normals(uvec4(uint(site), 0u, step, ${STREAM.noise}u + uint(layer)), seed);
      }
    }
    out${j} = value;
  }`).join("\n  ");
  return `${SHADER_HEAD}
uniform sampler2DArray state, change;
uniform isampler2D rowOf;
uniform int first;
uniform float noise;
uniform uint step;
uniform uvec2 seed;
${outputs(count)}
${NOISE}
${rule.mortal ? ALIVE(rule) : ""}
void main() {
  ivec2 place = ivec2(gl_FragCoord.xy);
  int site = place.y * size.x + place.x, row = texelFetch(rowOf, place, 0).r;
  ${rule.mortal ? "if (row >= 0 && !living(state, place)) row = -1;" : ""}
  ${adds}
}`;
}

/** The shader that sets dead cells to 0, of rules whose cells are born and die. */
function lifeShader(rule, count) {
  const keep = Array.from({ length: count }, (_, j) =>
    `out${j} = alive ? texelFetch(next, ivec3(place, first + ${j}), 0) : vec4(0.0);`).join("\n  ");
  return `${SHADER_HEAD}
uniform sampler2DArray state, next;
uniform int first;
${outputs(count)}
${ALIVE(rule)}
void main() {
  ivec2 place = ivec2(gl_FragCoord.xy);
  bool alive = living(state, place) && living(next, place);
  ${keep}
}`;
}

/** The shader of a rule that looks the next bit up. */
function tableShader(rule) {
  const { slots, next } = rule.table;
  return `${SHADER_HEAD}
uniform sampler2DArray state;
uniform isampler2D rowOf;
out vec4 out0;
void main() {
  ivec2 place = ivec2(gl_FragCoord.xy);
  int slots[9] = int[9](${slots.join(", ")});
  int next[${next.length}] = int[${next.length}](${next.join(", ")});
  int index = 0;
  for (int slot = 0; slot < 9; slot++) {
    ivec2 near = place + ivec2(slot % 3 - 1, slot / 3 - 1);
    if (placed(near) && texelFetch(state, ivec3(near, 0), 0).r > 0.5) index += slots[slot];
  }
  bool acts = texelFetch(rowOf, place, 0).r >= 0;
  out0 = acts ? vec4(float(next[index]), 0.0, 0.0, 0.0) : texelFetch(state, ivec3(place, 0), 0);
}`;
}
