/* The layers of a rule for many cells, forward or backward; library.py compiles it.

   The compiler gets SENSED, the numbers of a stimulus, SLOTS and CHANNELS of what a cell hears,
   SUMS, into how many weighted sums it adds its messages (0: none), HIDDEN, the number of hidden
   layers, WIDEST, the outputs of the widest layer, SINK_SLOTS, SINK_SUMS and SINK_CHANNELS of an
   answer that is sent back, and LAYERS: FIRST(outputs, kind), then NEXT(i, inputs, outputs, kind)
   for each further layer. All sizes are constants, so that the sums of a block of cells stay in
   registers.
   With BFLOAT16 the factors of the products are bfloat16 numbers, two of which one lane multiplies
   at once; sums are floats. */

#include <stdint.h>
#include <string.h>

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif
#if defined(__AMX_BF16__) && defined(__linux__)
#define AMX
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(AMX) && defined(BFLOAT16)
#define TILES /* registers of 16 × 16 sums; one instruction adds 32 products to each */
#endif

#ifdef TILES
#define LANES 16
#define BLOCK 16
#define TILE 5
#elif defined(__AVX512F__) /* 32 registers: 6 · 5 sums, and one row of weights */
#define LANES 16
#define BLOCK 6
#define TILE 5
#elif defined(__AVX__) /* 16 registers: 4 · 3 sums, one row of weights, and one factor */
#define LANES 8
#define BLOCK 4
#define TILE 3
#define KEEP(vector) __asm__("" : "+x"(vector)) /* or GCC reads it again for each of the block */
#else
#define LANES 4
#define BLOCK 4
#define TILE 3
#endif

#ifndef KEEP
#define KEEP(vector)
#endif

#define PADDED(n) (((n) + LANES - 1) / LANES * LANES)
#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t bits __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#ifdef BFLOAT16
#define PAIR 2
typedef uint16_t number; /* a factor */
typedef __m512bh factors;
typedef __m512i read_factors __attribute__((aligned(4), may_alias));
#else
#define PAIR 1
typedef float number;
typedef vec factors, read_factors;
#endif

/* ANSWER: the sums. RECTIFIED: max(0, sum), factors of the next layer. PASSED: the sum where the
   unit of the forward pass was above 0, else 0; factors too. */
enum kind { ANSWER, RECTIFIED, PASSED };

/* What a layer writes: factors of the next one, or the answer. */
typedef struct {
    number next[PADDED(WIDEST) + 32];
    float answer[PADDED(WIDEST)];
} outputs_of_a_cell;

/* Lanes of a padded row of n: biases have such a row of floats; weights have one row for each
   input, or for each pair of inputs. */
int64_t padded(int64_t n) { return PADDED(n); }

/* Whether this processor multiplies bfloat16 numbers, and the system lets this process do so. */
int bfloat16_units(void)
{
#ifdef AMX
    return syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18 /* tiles */) == 0;
#elif defined(__AVX512BF16__)
    return 1;
#else
    return 0;
#endif
}

/* A vector of factors. As a vector, not by memcpy: GCC 12 copies 32 bytes by halves through the
   stack, and each product then waits for both. */
INLINE factors load(const number *from)
{
    factors vector = (factors)*(const read_factors *)from;
    KEEP(vector);
    return vector;
}

INLINE vec multiply_add(vec sum, const number *factor, factors weight)
{
#ifdef BFLOAT16
    int32_t pair;
    memcpy(&pair, factor, 4);
    return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(pair), weight);
#else
    return sum + *factor * weight;
#endif
}

/* Write a vector of sums; `units` are those of the forward pass, for PASSED. */
INLINE void store(outputs_of_a_cell *out, int from, vec values, enum kind kind, const number *units)
{
    if (kind == ANSWER) {
        *(vec *)(out->answer + from) = values;
        return;
    }
    vec deciding = values;
    if (kind == PASSED) {
#ifdef BFLOAT16
        __m256i short_units;
        memcpy(&short_units, units + from, 2 * LANES);
        deciding = (vec)_mm512_slli_epi32(_mm512_cvtepu16_epi32(short_units), 16);
#else
        deciding = *(const vec *)(units + from);
#endif
    }
    /* NaN stays NaN. */
    bits kept = kind == PASSED ? deciding > (vec){0} : ~(deciding < (vec){0});
    values = (vec)((bits)values & kept);
#ifdef BFLOAT16
    __m256bh rounded = _mm512_cvtneps_pbh((__m512)values);
    memcpy(out->next + from, &rounded, 2 * LANES);
#else
    *(vec *)(out->next + from) = values;
#endif
}

#ifdef TILES
#define ADD(at)                                                                          \
    if (wide > at) {                                                                     \
        _tile_loadd(7, weights + (i / 2 * apart + from + at * LANES) * PAIR, apart * 4); \
        _tile_dpbf16ps(at, 6, 7);                                                        \
    }
#define STORE(at) \
    if (wide > at) _tile_stored(at, &sum[0][at], sizeof sum[0]);

/* `wide` vectors of outputs: out = start + the sum over i < parts · n of in[i] · weights. A cell's
   inputs lie in one piece, with zeros up to a multiple of 32. */
INLINE void tile(int wide, int sensed, const number *const *stimulus, int parts, int n,
                 const number *const (*in)[BLOCK], const number *weights, int apart,
                 const float *start, outputs_of_a_cell *out, int from, enum kind kind,
                 const number *const *units)
{
    (void)sensed, (void)stimulus; /* part of the one piece */
    vec sum[BLOCK][TILE];
    const long stride = (const char *)in[0][1] - (const char *)in[0][0];
    __asm__ volatile("" ::: "memory"); /* the loads below name no memory: all is written before */
    _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3); _tile_zero(4);
    for (int i = 0; i < parts * n; i += 32) {
        _tile_loadd(6, in[0][0] + i, stride);
        ADD(0) ADD(1) ADD(2) ADD(3) ADD(4)
    }
    STORE(0) STORE(1) STORE(2) STORE(3) STORE(4)
    for (int r = 0; r < BLOCK; r++)
        for (int v = 0; v < wide; v++) {
            vec values = sum[r][v] + *(const vec *)(start + from + v * LANES);
            store(&out[r], from + v * LANES, values, kind, units[r]);
        }
}
#else
/* sum += the sum over i < n of in[i] · weights, for `wide` vectors; `apart` lanes lie between two
   rows of weights. */
INLINE void add_inputs(vec (*sum)[TILE], int wide, int n, const number *const *in,
                       const number *weights, int apart)
{
    for (int i = 0; i < n; i += PAIR, weights += apart * PAIR) {
        factors weight[TILE];
        for (int v = 0; v < wide; v++) weight[v] = load(weights + v * LANES * PAIR);
        for (int r = 0; r < BLOCK; r++)
            for (int v = 0; v < wide; v++)
                sum[r][v] = multiply_add(sum[r][v], in[r] + i, weight[v]);
    }
}

/* `wide` vectors of outputs: out = start + the sum over i < sensed of stimulus[i] · weights, and
   that over parts and i < n of in[part][i] · weights. */
INLINE void tile(int wide, int sensed, const number *const *stimulus, int parts, int n,
                 const number *const (*in)[BLOCK], const number *weights, int apart,
                 const float *start, outputs_of_a_cell *out, int from, enum kind kind,
                 const number *const *units)
{
    vec sum[BLOCK][TILE];
    for (int r = 0; r < BLOCK; r++)
        for (int v = 0; v < wide; v++) sum[r][v] = *(const vec *)(start + from + v * LANES);
    weights += from * PAIR;
    add_inputs(sum, wide, sensed, stimulus, weights, apart);
    weights += sensed * apart;
    for (int part = 0; part < parts; part++, weights += n * apart)
        add_inputs(sum, wide, n, in[part], weights, apart);
    for (int r = 0; r < BLOCK; r++)
        for (int v = 0; v < wide; v++)
            store(&out[r], from + v * LANES, sum[r][v], kind, units[r]);
}
#endif

INLINE void layer(int sensed, const number *const *stimulus, int parts, int n, int outputs,
                  const number *const (*in)[BLOCK], const number *weights, const float *start,
                  outputs_of_a_cell *out, enum kind kind, const number *const *units)
{
    const int apart = PADDED(outputs), whole = apart / LANES / TILE, rest = apart / LANES % TILE;
    for (int t = 0; t < whole; t++)
        tile(TILE, sensed, stimulus, parts, n, in, weights, apart, start, out, t * TILE * LANES,
             kind, units);
    if (rest)
        tile(rest, sensed, stimulus, parts, n, in, weights, apart, start, out,
             whole * TILE * LANES, kind, units);
}

INLINE float wide(number factor)
{
#ifdef BFLOAT16
    uint32_t whole = (uint32_t)factor << 16;
    float value;
    memcpy(&value, &whole, 4);
    return value;
#else
    return factor;
#endif
}

INLINE number narrow(float value)
{
#ifdef BFLOAT16 /* to the nearest, ties to even */
    uint32_t whole;
    memcpy(&whole, &value, 4);
    return value == value ? (whole + 0x7FFF + (whole >> 16 & 1)) >> 16 : 0x7FC0;
#else
    return value;
#endif
}

#if SUMS /* a cell hears SUMS messages, made of those of its SLOTS neighbours */
#define MESSAGES SUMS
#else
#define MESSAGES SLOTS
#endif

#if SUMS || defined(BFLOAT16) /* one piece, so that pairs may have a factor of two messages */
#define PACKED
#define PARTS 1
#define INPUTS (SENSED + MESSAGES * CHANNELS)
#define IN_OWN_PIECE 0
#define HEARD own
#else
#define PARTS SLOTS
#define INPUTS CHANNELS
#define IN_OWN_PIECE SENSED /* numbers of the stimulus that are in another piece */
#define HEARD heard
#endif

#define LAYER(at, sensed, parts, inputs, outputs, in, kind)                                   \
    for (int r = 0; r < BLOCK; r++)                                                           \
        units[r] = kind == PASSED ? passes[at] + cell[r] * PADDED(outputs) : 0;               \
    layer(sensed, stimuli, parts, inputs, outputs, in, weights[at], biases[at], held[at % 2], \
          kind, units);                                                                       \
    if (kind != ANSWER)                                                                       \
        for (int r = 0; r < BLOCK; r++)                                                       \
            memset(held[at % 2][r].next + PADDED(outputs), 0, 16 * sizeof(number));           \
    if (kind != ANSWER && keeps[at])                                                          \
        for (int r = 0; r < BLOCK && first + r < cells; r++)                                  \
            memcpy(keeps[at] + cell[r] * PADDED(outputs), held[at % 2][r].next,               \
                   PADDED(outputs) * sizeof(number));                                         \
    last = at % 2;

#define FIRST(outputs, kind) LAYER(0, IN_OWN_PIECE, PARTS, INPUTS, outputs, HEARD, kind)

#define NEXT(at, inputs, outputs, kind)         \
    for (int r = 0; r < BLOCK; r++)             \
        own[0][r] = held[(at + 1) % 2][r].next; \
    LAYER(at, 0, 1, inputs, outputs, own, kind)

/* Add the parts of an answer to the rows of a sink that its SINK_SLOTS targets name. */
INLINE void send(float *sink, const float *answer, const float *filters, const int64_t *targets,
                 int64_t absent)
{
    for (int k = 0; k < SINK_SLOTS; k++) {
        if (targets[k] == absent) continue;
        float *row = sink + targets[k] * SINK_CHANNELS;
#if SINK_SUMS
        for (int s = 0; s < SINK_SUMS; s++) {
            const float weight = filters[k * SINK_SUMS + s];
            if (weight == 0) continue;
            for (int c = 0; c < SINK_CHANNELS; c++)
                row[c] += weight * answer[s * SINK_CHANNELS + c];
        }
#else
        (void)filters;
        for (int c = 0; c < SINK_CHANNELS; c++) row[c] += answer[k * SINK_CHANNELS + c];
#endif
    }
}

/* change[m] = the answer of the cell in row rows[m], which hears the rows table[m] of the bank, or
   table[rows[m]] if the table is of all cells, plus noise times the deviates from offsets[m] on;
   m < cells. `filters` are the weights of each slot in each sum, of the bank's messages or of the
   sink's. The cell in row rows[m] senses the SENSED numbers of this row of `stimulus`. Where they
   are not null: heard_by[m] becomes what it hears, keeps[i][m] the factors after layer i, in padded
   rows; passes[i][m] are such rows of the forward pass. With a sink, and no `change`, the answers
   are added to its rows targets[m], or targets[receivers[m]] if these are given, but for the row
   `absent`. */
void answers(const number *bank, const int64_t *table, int of_all, const float *filters,
             const number *stimulus, const int64_t *rows, int64_t cells,
             const number *const *weights, const float *const *biases, float noise,
             const float *deviates, const int64_t *offsets, float *change, number *heard_by,
             number *const *keeps, const number *const *passes, float *sink,
             const int64_t *targets, const int64_t *receivers, int64_t absent)
{
    outputs_of_a_cell held[2][BLOCK] __attribute__((aligned(64)));
#ifdef PACKED
    number packed[BLOCK][(INPUTS + 31) / 32 * 32] __attribute__((aligned(64)));
    memset(packed, 0, sizeof packed);
#endif
#ifdef BFLOAT16
    memset(held, 0, sizeof held);
#endif
#ifdef TILES
    uint8_t before[64], shapes[64] = {1}; /* eight registers of 16 rows and 64 bytes */
    for (int t = 0; t < 8; t++) shapes[16 + 2 * t] = 64, shapes[48 + t] = 16;
    _tile_storeconfig(before);
    __asm__ volatile("" ::: "memory");
    _tile_loadconfig(shapes);
#endif
    for (int64_t first = 0; first < cells; first += BLOCK) {
        const number *heard[SLOTS][BLOCK], *own[1][BLOCK];
        const number *stimuli[BLOCK], *units[BLOCK];
        int64_t cell[BLOCK];
        int last = 0;
        for (int r = 0; r < BLOCK; r++) {
            /* The last block repeats the last cell. */
            int64_t m = first + r < cells ? first + r : cells - 1;
            cell[r] = m;
            int64_t next = m + BLOCK < cells ? m + BLOCK : cells - 1;
            const int64_t *reads = table + (of_all ? rows[m] : m) * SLOTS;
            const int64_t *reads_next = table + (of_all ? rows[next] : next) * SLOTS;
            stimuli[r] = SENSED ? stimulus + rows[m] * SENSED : 0;
            for (int k = 0; k < SLOTS; k++) {
                heard[k][r] = bank + reads[k] * CHANNELS;
                const number *upcoming = bank + reads_next[k] * CHANNELS;
                __builtin_prefetch(upcoming);
                __builtin_prefetch(upcoming + CHANNELS - 1);
            }
            if (SENSED) __builtin_prefetch(stimulus + rows[next] * SENSED);
            if (noise != 0) {
                __builtin_prefetch(deviates + offsets[next]);
                __builtin_prefetch(deviates + offsets[next] + CHANNELS - 1);
            }
        }
        (void)own; /* a rule of one layer has no use for it */
#ifdef PACKED
        for (int r = 0; r < BLOCK; r++) {
            own[0][r] = packed[r];
            if (SENSED) memcpy(packed[r], stimuli[r], SENSED * sizeof(number));
            number *to = packed[r] + SENSED;
#if SUMS
            float sums[SUMS][CHANNELS] = {0};
            for (int k = 0; k < SLOTS; k++)
                for (int s = 0; s < SUMS; s++) {
                    const float weight = filters[k * SUMS + s];
                    if (weight == 0) continue;
                    for (int c = 0; c < CHANNELS; c++) sums[s][c] += weight * wide(heard[k][r][c]);
                }
            const float *sum = &sums[0][0];
            for (int i = 0; i < SUMS * CHANNELS; i++) to[i] = narrow(sum[i]);
#else
            for (int k = 0; k < SLOTS; k++)
                memcpy(to + k * CHANNELS, heard[k][r], CHANNELS * sizeof(number));
#endif
        }
#endif
        if (heard_by)
            for (int r = 0; r < BLOCK && first + r < cells; r++)
#ifdef PACKED
                memcpy(heard_by + cell[r] * (INPUTS - SENSED), packed[r] + SENSED,
                       (INPUTS - SENSED) * sizeof(number));
#else
                for (int k = 0; k < SLOTS; k++)
                    memcpy(heard_by + (cell[r] * SLOTS + k) * CHANNELS, heard[k][r],
                           CHANNELS * sizeof(number));
#endif
        LAYERS
        for (int r = 0; r < BLOCK && first + r < cells; r++) {
            const float *answer = held[last][r].answer;
            if (sink) {
                send(sink, answer, filters,
                     targets + (receivers ? receivers[cell[r]] : cell[r]) * SINK_SLOTS, absent);
                continue;
            }
            if (!change) continue;
            float *out = change + cell[r] * CHANNELS;
            memcpy(out, answer, 4 * CHANNELS);
            if (noise != 0)
                for (int c = 0; c < CHANNELS; c++) out[c] += noise * deviates[offsets[cell[r]] + c];
        }
    }
#ifdef TILES
    _tile_loadconfig(before);
#endif
}

/* state[rows[m]] += change[m], or = change[m]. */
void write_rows(float *state, const int64_t *rows, int64_t cells, const float *change, int replaces)
{
    for (int64_t m = 0; m < cells; m++, change += CHANNELS) {
        float *cell = state + rows[m] * CHANNELS;
        for (int c = 0; c < CHANNELS; c++) cell[c] = (replaces ? 0 : cell[c]) + change[c];
    }
}

/* Take steps one after the other: add the answers of the cells in rows[t] to the state. They hear
   the bank: the state itself, or a copy of it in bfloat16, which follows it if `follows`. Arguments
   with an element for each step t, or HIDDEN for `keeps`, hold what `answers` takes in that step. */
void roll_out(int64_t steps, float *state, number *bank, int follows, const int64_t *const *tables,
              int of_all, const float *filters, const number *stimulus,
              const int64_t *const *rows, const int64_t *cells, const number *const *weights,
              const float *const *biases, float noise, const float *deviates,
              const int64_t *const *offsets, float *change, number *const *heard,
              number *const *keeps)
{
    static const number *const no_passes[HIDDEN + 1] = {0};
    for (int64_t t = 0; t < steps; t++) {
        answers(bank, tables[t], of_all, filters, stimulus, rows[t], cells[t], weights, biases,
                noise, deviates, offsets[t], change, heard[t], keeps + t * HIDDEN,
                no_passes, 0, 0, 0, -1);
        write_rows(state, rows[t], cells[t], change, 0);
        for (int64_t m = 0; follows && m < cells[t]; m++)
            for (int64_t c = 0, at = rows[t][m] * CHANNELS; c < CHANNELS; c++)
                bank[at + c] = narrow(state[at + c]);
    }
}

#ifdef __AVX512F__
#define AT_ONCE 5 /* inputs whose products with TILE vectors of gradients stay in registers */
#else
#define AT_ONCE 4
#endif
#define ROWS 128 /* cells whose inputs and gradients stay in the cache */

/* Rows of a total for `inputs`; numbers in the room for its factors. */
int64_t filled(int64_t inputs) { return (inputs + AT_ONCE - 1) / AT_ONCE * AT_ONCE; }
int64_t room_for(int64_t inputs, int64_t outputs) { return ROWS * (filled(inputs) + PADDED(outputs)); }

/* Rows a and b, pair by pair; b may be null. */
INLINE void pair_up(number *to, const number *a, const number *b, int64_t n)
{
#ifdef BFLOAT16
    typedef uint32_t __attribute__((may_alias)) pair;
    pair *both = (pair *)to;
    for (int64_t i = 0; b && i < n; i++) both[i] = a[i] | (uint32_t)b[i] << 16;
    for (int64_t i = 0; !b && i < n; i++) both[i] = a[i];
#else
    (void)b;
    memcpy(to, a, n * sizeof(number));
#endif
}

INLINE void add_tile(int wide, float *total, int64_t apart, const number *x, int64_t x_apart,
                     const number *y, int64_t pairs)
{
    vec sum[AT_ONCE][TILE];
    for (int i = 0; i < AT_ONCE; i++)
        for (int v = 0; v < wide; v++) sum[i][v] = *(vec *)(total + i * apart + v * LANES);
    for (int64_t p = 0; p < pairs; p++, x += x_apart * PAIR, y += apart * PAIR) {
        factors gradient[TILE];
        for (int v = 0; v < wide; v++) gradient[v] = load(y + v * LANES * PAIR);
        for (int i = 0; i < AT_ONCE; i++)
            for (int v = 0; v < wide; v++)
                sum[i][v] = multiply_add(sum[i][v], x + i * PAIR, gradient[v]);
    }
    for (int i = 0; i < AT_ONCE; i++)
        for (int v = 0; v < wide; v++) *(vec *)(total + i * apart + v * LANES) = sum[i][v];
}

/* The inputs and the gradients of one layer in one step: `taken` of a cell in inputs[m], then
   `sensed` of its stimulus, and a 1 for the bias; `given` gradients. Rows are `apart` numbers apart. */
typedef struct {
    const number *inputs, *stimulus, *grads;
    int64_t taken, inputs_apart, sensed, given, grads_apart;
} factors_of_a_layer;

/* Add the sums over cells of inputs times gradients to the rows of a total, PADDED(given) apart.
   `room` has the size `room_for(taken + sensed + 1, given)`. */
static void add_products(float *total, factors_of_a_layer of, const int64_t *rows, int64_t cells,
                         number *room)
{
    const int64_t all = of.taken + of.sensed + 1, wide = filled(all), apart = PADDED(of.given);
    const number ones = narrow(1);
    number *x = room, *y = room + ROWS * wide;
    for (int64_t p = 0; p < ROWS / PAIR; p++) {
        memset(x + (p * wide + all) * PAIR, 0, (wide - all) * PAIR * sizeof(number));
        memset(y + (p * apart + of.given) * PAIR, 0, (apart - of.given) * PAIR * sizeof(number));
    }
    for (int64_t first = 0; first < cells; first += ROWS) {
        int64_t pairs = 0;
        for (int64_t m = first; m < cells && m < first + ROWS; m += PAIR, pairs++) {
            const int two = PAIR == 2 && m + 1 < cells;
            const number *in = of.inputs + m * of.inputs_apart, *out = of.grads + m * of.grads_apart;
            number *to = x + pairs * wide * PAIR;
            pair_up(to, in, two ? in + of.inputs_apart : 0, of.taken);
            to += of.taken * PAIR;
            if (of.sensed) {
                const number *other = two ? of.stimulus + rows[m + 1] * of.sensed : 0;
                pair_up(to, of.stimulus + rows[m] * of.sensed, other, of.sensed);
            }
            pair_up(to + of.sensed * PAIR, &ones, two ? &ones : 0, 1);
            pair_up(y + pairs * apart * PAIR, out, two ? out + of.grads_apart : 0, of.given);
        }
        for (int64_t i = 0; i < wide; i += AT_ONCE)
            for (int64_t o = 0; o < apart; o += TILE * LANES) {
                float *at = total + i * apart + o;
                const number *left = x + i * PAIR, *right = y + o * PAIR;
                switch (apart - o < TILE * LANES ? (apart - o) / LANES : TILE) {
#define WIDE(n) case n: add_tile(n, at, apart, left, wide, right, pairs); break;
                WIDE(1) WIDE(2) WIDE(TILE)
#if TILE > 3
                WIDE(3) WIDE(4)
#endif
                }
            }
    }
}

/* The way back of steps, the last first: the gradients of the states in rows[t] become tops[t],
   those of the answers; those of the messages are added to the gradients of the states, but not in
   step 0 if `last`; those of the weights, to totals[i] of each layer, with `outputs` of each.
   `identity` counts from 0. heard[t] are messages, `taken` for a cell; `stimulus` has `sensed`
   numbers for each. `keeps` and `passes` have HIDDEN elements for each step, the last layer first.
   For `room` see `add_products`. */
void roll_back(int64_t steps, float *grads, int last, const int64_t *const *tables, int of_all,
               const float *filters, const int64_t *identity,
               const int64_t *const *rows, const int64_t *cells, const number *const *weights,
               const float *const *biases, number *const *tops, number *const *keeps,
               const number *const *passes, const number *const *heard, int64_t taken,
               const number *stimulus, int64_t sensed, const int64_t *outputs,
               float *const *totals, number *room, int64_t absent)
{
    for (int64_t t = steps - 1; t >= 0; t--) {
        number *top = tops[t], *const *below = keeps + t * HIDDEN;
        const number *const *units = passes + t * HIDDEN;
        for (int64_t m = 0; m < cells[t]; m++)
            for (int c = 0; c < CHANNELS; c++)
                top[m * CHANNELS + c] = narrow(grads[rows[t][m] * CHANNELS + c]);
        answers(top, identity, 0, filters, 0, rows[t], cells[t], weights, biases, 0, 0, 0, 0, 0,
                below, units, last && t == 0 ? 0 : grads, tables[t], of_all ? rows[t] : 0,
                absent);
        for (int i = 0; i <= HIDDEN; i++) {
            factors_of_a_layer of = {heard[t], stimulus, top, taken, taken, sensed, CHANNELS, CHANNELS};
            if (i > 0) {
                of.inputs = units[HIDDEN - i], of.sensed = 0;
                of.taken = outputs[i - 1], of.inputs_apart = PADDED(outputs[i - 1]);
            }
            if (i < HIDDEN) {
                of.grads = below[HIDDEN - 1 - i];
                of.given = outputs[i], of.grads_apart = PADDED(outputs[i]);
            }
            add_products(totals[i], of, rows[t], cells[t], room);
        }
    }
}
