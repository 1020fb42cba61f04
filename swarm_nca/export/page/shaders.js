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

/** Where a slot's neighbour is, and whether the cell hears it; see `neighborTable`. */
function hearing(rule) {
  const shifted = rule.neighborhood === "hexagonal";
  const heard = rule.hears.flatMap((slots) => Array.from({ length: 9 }, (_, slot) => slots.includes(slot)));
  const some = `bool[18](${heard.join(", ")})[9 * ((cell.x + cell.y) % 2) + slot]`;
  return `
ivec2 beside(ivec2 cell, int slot) {
  ivec2 by = ivec2(slot % 3 - 1, slot / 3 - 1);
  ${shifted ? "if (by.x != 0 && by.y != 0) by.x += by.x > 0 ? cell.y % 2 - 1 : cell.y % 2;" : ""}
  return cell + by;
}
bool hears(ivec2 cell, int slot) { return ${heard.every(Boolean) ? "true" : some}; }
`;
}

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
    `sum${j} += v.x * w[${row * count + j}] + v.y * w[${(row + 1) * count + j}] + ` +
    `v.z * w[${(row + 2) * count + j}] + v.w * w[${(row + 3) * count + j}];`);
  return `{ ${parts.join(" ")} }`;
}

/** Texels of the vector that a cell perceives: what it senses, then each sum of what it hears. */
function perceived(rule) {
  return (rule.senses ? 3 : 0) + (rule.filters ? rule.filters.length : 9) * texels(rule.channels);
}

/** The rows of weights of a layer: its inputs, padded to whole texels, then the bias. */
function weightRows(rule, n) {
  return 4 * (n ? texels(rule.layers[n].inputs) : perceived(rule)) + 1;
}

/** The row of weights of input `i` of a layer, among its padded rows. */
function weightRow(rule, n, i) {
  if (n > 0) return i;
  const sensed = rule.senses ? 9 : 0;
  if (i < sensed) return i;
  const heard = i - sensed, padded = 4 * texels(rule.channels);
  return (sensed ? 12 : 0) + Math.floor(heard / rule.channels) * padded + heard % rule.channels;
}

/** Statements for 0 to `count` - 1. */
const repeated = (count, statement) =>
  Array.from({ length: count }, (_, i) => statement(i)).join("\n  ");

/** The shader of `count` texels of what cells perceive, for every row. */
function perceptionShader(rule, count) {
  const layers = texels(rule.channels), sensed = rule.senses ? 3 : 0;
  const hear = (slot) => `heard(cell, ${slot}, layer)`;
  const filters = rule.filters && repeated(9, (slot) => {
    const shares = rule.filters.map((filter) => literal(filter[slot]));
    return `v += float[${shares.length}](${shares.join(", ")})[sum] * ${hear(slot)};`;
  });
  const see = [0, 1, 2, 3].map((c) => `seen(cell, 4 * at + ${c})`).join(", ");
  return `${SHADER_HEAD}
uniform isampler2D rows;
uniform sampler2DArray state;
uniform sampler2D grey;
uniform int count, first;
${outputs(count)}
${hearing(rule)}
vec4 heard(ivec2 cell, int slot, int layer) {
  ivec2 near = beside(cell, slot);
  bool there = placed(near) && hears(cell, slot);
  vec4 value = texelFetch(state, ivec3(clamp(near, ivec2(0), size - 1), layer), 0);
  return there ? value : vec4(0.0);
}
float seen(ivec2 cell, int slot) {
  ivec2 near = beside(cell, min(slot, 8));
  bool there = placed(near)${rule.neighborhood === "hexagonal" ? " && hears(cell, min(slot, 8))" : ""};
  float value = texelFetch(grey, clamp(near, ivec2(0), size - 1), 0).r;
  return there && slot < 9 ? value : 0.0;
}
vec4 perceived(ivec2 cell, int at) {
  ${sensed ? `if (at < ${sensed}) return vec4(${see});` : ""}
  int sum = (at - ${sensed}) / ${layers}, layer = (at - ${sensed}) % ${layers};
  ${filters ? `vec4 v = vec4(0.0);\n  ${filters}\n  return v;` : `return ${hear("sum")};`}
}
void main() {
  ivec2 place = ivec2(gl_FragCoord.xy);
  if (place.y * ${ROW_WIDTH} + place.x >= count) discard;
  int site = texelFetch(rows, place, 0).r;
  ivec2 cell = ivec2(site % size.x, site / size.x);
  ${repeated(count, (j) => `out${j} = perceived(cell, first + ${j});`)}
}`;
}

/** The shader of `count` texels of one layer's output, for every row. */
function layerShader(rule, n, count) {
  const rows = weightRows(rule, n), last = n === rule.layers.length - 1;
  return `${SHADER_HEAD}
layout(std140) uniform Weights { vec4 w[${rows * count}]; };
uniform int count;
uniform sampler2DArray vector;
${outputs(count)}
void main() {
  ivec2 place = ivec2(gl_FragCoord.xy);
  if (place.y * ${ROW_WIDTH} + place.x >= count) discard;
  vec4 v;
  ${repeated(count, (j) => `vec4 sum${j} = w[${(rows - 1) * count + j}];`)}
  ${repeated((rows - 1) / 4, (i) => `v = texelFetch(vector, ivec3(place, ${i}), 0);
  ${products(count, 4 * i)}`)}
  ${repeated(count, (j) => `out${j} = ${last ? `sum${j}` : `max(sum${j}, 0.0)`};`)}
}`;
}

const ALIVE = (rule) => `${hearing(rule)}
bool living(sampler2DArray states, ivec2 place) {
  for (int slot = 0; slot < 9; slot++) {
    ivec2 near = beside(place, slot);
    if (placed(near) && hears(place, slot) && texelFetch(states, ivec3(near, 0), 0).a > ${literal(Math.fround(rule.aliveAbove))}) return true;
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
${hearing(rule)}
void main() {
  ivec2 place = ivec2(gl_FragCoord.xy);
  int slots[9] = int[9](${slots.join(", ")});
  int next[${next.length}] = int[${next.length}](${next.join(", ")});
  int index = 0;
  for (int slot = 0; slot < 9; slot++) {
    ivec2 near = beside(place, slot);
    bool there = placed(near) && hears(place, slot);
    if (there && texelFetch(state, ivec3(near, 0), 0).r > 0.5) index += slots[slot];
  }
  bool acts = texelFetch(rowOf, place, 0).r >= 0;
  out0 = acts ? vec4(float(next[index]), 0.0, 0.0, 0.0) : texelFetch(state, ivec3(place, 0), 0);
}`;
}
