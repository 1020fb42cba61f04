/* The answers of a rule's layers for many cells; kernel.py compiles and calls it.

   The compiler gets SLOTS and CHANNELS of what a cell hears, WIDEST, the outputs of the widest
   layer, and LAYERS: FIRST(outputs, hidden), then NEXT(number, inputs, outputs, hidden) for each
   further layer, where hidden is 1 if max(0, x) follows. All sizes are constants, so that the sums
   of a block of cells stay in registers. */

#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__) /* 32 registers: 6 · 5 sums, and one row of weights */
#define LANES 16
#define BLOCK 6
#define TILE 5
#elif defined(__AVX__) /* 16 registers */
#define LANES 8
#define BLOCK 4
#define TILE 3
#else
#define LANES 4
#define BLOCK 4
#define TILE 3
#endif

#define PADDED(n) (((n) + LANES - 1) / LANES * LANES)
#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t bits __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* Floats of a padded row of n: weights, biases and prepared stimulus have such rows. */
int64_t padded(int64_t n) { return PADDED(n); }

/* `wide` outputs of a block: out = start + the sum over parts and i < n of in[part][i] · weights,
   with one padded row of weights for each input; `apart` floats lie between two such rows. */
INLINE void tile(int wide, int parts, int n, const float *const (*in)[BLOCK], const float *weights,
                 int apart, const float *const *start, float (*out)[PADDED(WIDEST)], int from,
                 int hidden)
{
    vec sum[BLOCK][TILE];
    for (int r = 0; r < BLOCK; r++)
        for (int v = 0; v < wide; v++) sum[r][v] = *(const vec *)(start[r] + from + v * LANES);
    weights += from;
    for (int part = 0; part < parts; part++)
        for (int i = 0; i < n; i++, weights += apart) {
            vec weight[TILE];
            for (int v = 0; v < wide; v++) weight[v] = *(const vec *)(weights + v * LANES);
            for (int r = 0; r < BLOCK; r++)
                for (int v = 0; v < wide; v++) sum[r][v] += in[part][r][i] * weight[v];
        }
    for (int r = 0; r < BLOCK; r++)
        for (int v = 0; v < wide; v++) {
            bits kept = hidden ? ~(sum[r][v] < (vec){0}) : (bits){0} == 0; /* NaN stays NaN */
            *(bits *)(out[r] + from + v * LANES) = (bits)sum[r][v] & kept;
        }
}

INLINE void layer(int parts, int n, int outputs, const float *const (*in)[BLOCK],
                  const float *weights, const float *const *start, float (*out)[PADDED(WIDEST)],
                  int hidden)
{
    const int apart = PADDED(outputs), whole = apart / LANES / TILE, rest = apart / LANES % TILE;
    for (int t = 0; t < whole; t++)
        tile(TILE, parts, n, in, weights, apart, start, out, t * TILE * LANES, hidden);
    if (rest) tile(rest, parts, n, in, weights, apart, start, out, whole * TILE * LANES, hidden);
}

#define FIRST(outputs, hidden) \
    layer(SLOTS, CHANNELS, outputs, heard, weights[0], start, held[0], hidden);

#define NEXT(number, inputs, outputs, hidden)                                              \
    for (int r = 0; r < BLOCK; r++) {                                                      \
        own[0][r] = held[(number + 1) % 2][r];                                             \
        start[r] = biases[number];                                                         \
    }                                                                                      \
    layer(1, inputs, outputs, own, weights[number], start, held[number % 2], hidden);      \
    last = number % 2;

/* change[m] = the answer of the cell in row rows[m], which hears the rows table[m] of the bank, or
   table[rows[m]] if the table is of all cells, plus noise times the deviates from offsets[m] on;
   m < cells. */
void answers(const float *bank, const int64_t *table, int of_all, const float *prepared,
             const int64_t *rows, int64_t cells, const float *const *weights, const float *const *biases, float noise,
             const float *deviates, const int64_t *offsets, float *change)
{
    float held[2][BLOCK][PADDED(WIDEST)] __attribute__((aligned(64)));
    for (int64_t first = 0; first < cells; first += BLOCK) {
        const float *heard[SLOTS][BLOCK], *own[1][BLOCK], *start[BLOCK];
        int last = 0;
        for (int r = 0; r < BLOCK; r++) {
            /* The last block repeats the last cell. */
            int64_t m = first + r < cells ? first + r : cells - 1;
            int64_t next = m + BLOCK < cells ? m + BLOCK : cells - 1;
            const int64_t *reads = table + (of_all ? rows[m] : m) * SLOTS;
            const int64_t *reads_next = table + (of_all ? rows[next] : next) * SLOTS;
            start[r] = prepared + rows[m] * PADDED(FIRST_OUTPUTS);
            for (int k = 0; k < SLOTS; k++) {
                heard[k][r] = bank + reads[k] * CHANNELS;
                const float *soon = bank + reads_next[k] * CHANNELS;
                __builtin_prefetch(soon);
                __builtin_prefetch(soon + CHANNELS - 1);
            }
            const float *soon = prepared + rows[next] * PADDED(FIRST_OUTPUTS);
            for (int i = 0; i < FIRST_OUTPUTS; i += 16) __builtin_prefetch(soon + i);
            if (noise != 0) {
                __builtin_prefetch(deviates + offsets[next]);
                __builtin_prefetch(deviates + offsets[next] + CHANNELS - 1);
            }
        }
        (void)own;
        LAYERS
        for (int r = 0; r < BLOCK && first + r < cells; r++) {
            float *out = change + (first + r) * CHANNELS;
            memcpy(out, held[last][r], 4 * CHANNELS);
            if (noise != 0)
                for (int c = 0; c < CHANNELS; c++) out[c] += noise * deviates[offsets[first + r] + c];
        }
    }
}

/* state[rows[m]] += change[m], or = change[m]. */
void write_rows(float *state, const int64_t *rows, int64_t cells, const float *change, int replaces)
{
    for (int64_t m = 0; m < cells; m++, change += CHANNELS) {
        float *cell = state + rows[m] * CHANNELS;
        for (int c = 0; c < CHANNELS; c++) cell[c] = (replaces ? 0 : cell[c]) + change[c];
    }
}
