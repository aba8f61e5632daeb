/* A GPT as public C programs write it: one flat buffer of parameters, the layers
 * of a kind stacked along a leading axis, fused qkv, embedding tied to the head,
 * activations and their derivatives in flat buffers as well, gradients and moments
 * allocated when they are first wanted, AdamW of its own. before.c is the program
 * as it was; after.c is the same file with natgrad plugged in, kfac.c with K-FAC. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <natgrad.h>

enum { V = 27, T = 32, C = 32, HEADS = 4, D = C / HEADS, L = 2, BATCH = 4, N = BATCH * T };
enum { F = 4 * C, QKV = 3 * C };
enum { STEPS = 250, LENGTH = 65536, HELD = 4096, WORDS = 100, FOLLOW = 4 };

/* W of a linear layer is outputs x inputs; the outputs of qkv are q, k and v */
typedef struct {
    float *wte, *wpe, *lnfw;     /* (V, C), (T, C), (C) */
    float *ln1w, *qkvw, *projw;  /* (L, C), (L, QKV, C), (L, C, C) */
    float *ln2w, *fcw, *fcprojw; /* (L, C), (L, F, C), (L, C, F) */
} parameters;
static const size_t parameter_sizes[] = {V * C,   T *C, C,       L *C,   L *QKV *C,
                                         L *C *C, L *C, L *F *C, L *C *F};

/* a row a character; x has the inputs of each layer and, behind them, the last outputs */
typedef struct {
    float *x, *ln1, *qkv, *att, *y, *x2, *ln2, *fc, *relu, *lnf, *p;
} activations;
static const size_t activation_sizes[] = {(L + 1) * N * C, L *N *C, L *N *QKV, L *N *HEADS *T,
                                          L *N *C,         L *N *C, L *N *C,   L *N *F,
                                          L *N *F,         N *C,    N *V};

typedef struct {
    parameters at, dat;
    activations a, d;
    float *w, *dw, *mean, *square, *acts, *dacts;
    size_t n, act_n;
} model_state;

static const ng_policy_entry net[] = {{"wte", {V, C}}, {"wpe", {T, C}}, {"lnfw", {C}},
    {"ln1w", {L, C}, NG_ENTRY_STACK}, {"qkvw", {L, QKV, C}, NG_ENTRY_STACK | NG_ENTRY_SHARED, 3},
    {"projw", {L, C, C}, NG_ENTRY_STACK}, {"ln2w", {L, C}, NG_ENTRY_STACK},
    {"fcw", {L, F, C}, NG_ENTRY_STACK}, {"fcprojw", {L, C, F}, NG_ENTRY_STACK}};
static unsigned char text[LENGTH];
static unsigned long long state = 1;

static void check(const char *error)
{
    if (*error != '\0')
        exit(fprintf(stderr, "%s\n", error) > 0 ? 1 : 2);
}

static float uniform(float range)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return range * ((float)(state >> 40) / (float)(1 << 24));
}

/* words of 2 to 6 letters and the space, 0; every word has a few that may follow */
static void write_text(void)
{
    static unsigned char word[WORDS][8];
    for (int i = 0; i < WORDS; i++)
        for (int j = 0, letters = 2 + (int)uniform(5); j < letters; j++)
            word[i][j] = (unsigned char)(1 + uniform(V - 1));
    for (int i = 0, j = 0, w = 0; i < LENGTH; i++) {
        text[i] = word[w][j++];
        if (text[i] == 0)
            j = 0, w = (w * FOLLOW + (int)uniform(FOLLOW)) % WORDS;
    }
}

/* ---- Buffers ----------------------------------------------------------------- */

static float *zeros(size_t count)
{
    float *a = calloc(count, sizeof *a);
    check(a == NULL ? "no memory" : "");
    return a;
}

/* One buffer for all; its parts go to the pointers, one behind the other. */
static float *allocate(float **parts, const size_t *sizes, size_t parts_count, size_t *total)
{
    *total = 0;
    for (size_t i = 0; i < parts_count; i++)
        *total += sizes[i];
    float *all = zeros(*total), *next = all;
    for (size_t i = 0; i < parts_count; next += sizes[i++])
        parts[i] = next;
    return all;
}

enum { TENSORS = sizeof parameter_sizes / sizeof parameter_sizes[0] };
enum { ACTS = sizeof activation_sizes / sizeof activation_sizes[0] };

static void build(model_state *m)
{
    static const float scale[TENSORS] = {0.17f, 0.17f, 0, 0, 1, 1, 0, 1, 0.5f};
    float *parts[TENSORS];
    m->w = allocate(parts, parameter_sizes, TENSORS, &m->n);
    m->acts = NULL, m->dw = NULL, m->mean = NULL;
    memcpy(&m->at, parts, sizeof m->at);
    for (int i = 0; i < TENSORS; i++)
        for (size_t k = 0; k < parameter_sizes[i]; k++) {
            float range = i < 2 ? scale[i] : scale[i] * sqrtf(3.0f / C);
            parts[i][k] = uniform(2 * range) - range;
        }
    float *gains[] = {m->at.ln1w, m->at.ln2w, m->at.lnfw};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < (i < 2 ? L * C : C); k++)
            gains[i][k] = 1;
}

static void discard(model_state *m)
{
    free(m->w), free(m->dw), free(m->mean), free(m->square);
    free(m->acts), free(m->dacts);
}

/* ---- Layers ------------------------------------------------------------------ */

/* lengths are multiples of 8, for the compiler to see vectors */
static float dot(const float *a, const float *b, int n)
{
    float sum[8] = {0};
    for (int i = 0; i < n; i += 8)
        for (int k = 0; k < 8; k++)
            sum[k] += a[i + k] * b[i + k];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]) + (sum[4] + sum[5]) + (sum[6] + sum[7]);
}

static void add(float *restrict out, float factor, const float *restrict in, int n)
{
    for (int i = 0; i < n; i += 8)
        for (int k = 0; k < 8; k++)
            out[i + k] += factor * in[i + k];
}

static void linear(float *out, const float *w, const float *in, int rows, int cols)
{
    for (int s = 0; s < N; s++)
        for (int i = 0; i < rows; i++)
            out[s * rows + i] += dot(w + i * cols, in + s * cols, cols);
}

static void linear_back(float *back, float *dw, const float *w, const float *d, const float *in,
                        int rows, int cols)
{
    for (int s = 0; s < N; s++)
        for (int i = 0; i < rows; i++) {
            add(dw + i * cols, d[s * rows + i], in + s * cols, cols);
            add(back + s * cols, d[s * rows + i], w + i * cols, cols);
        }
}

static float rms(const float *x)
{
    return sqrtf(dot(x, x, C) / C + 1e-6f);
}

static void norm(float *n, const float *gain, const float *x)
{
    for (int s = 0; s < N; s++, n += C, x += C)
        for (int i = 0; i < C; i++)
            n[i] = gain[i] * x[i] / rms(x);
}

static void norm_back(float *back, float *dgain, const float *gain, const float *d, const float *x)
{
    for (int s = 0; s < N; s++, back += C, d += C, x += C) {
        float scale = 1 / rms(x), along = 0;
        for (int i = 0; i < C; i++) {
            dgain[i] += d[i] * x[i] * scale;
            along += gain[i] * d[i] * x[i] * scale / C;
        }
        for (int i = 0; i < C; i++)
            back[i] += scale * (gain[i] * d[i] - along * x[i] * scale);
    }
}

static void softmax(float *z, int n)
{
    float top = z[0], sum = 0;
    for (int i = 1; i < n; i++)
        top = fmaxf(top, z[i]);
    for (int i = 0; i < n; i++)
        sum += z[i] = expf(z[i] - top);
    for (int i = 0; i < n; i++)
        z[i] /= sum;
}

static void attend(float *y, float *att, const float *qkv)
{
    for (int s = 0; s < N; s++)
        for (int h = 0; h < HEADS; h++) {
            float *a = att + (s * HEADS + h) * T;
            const float *q = qkv + s * QKV + h * D, *first = q - s % T * QKV;
            for (int u = 0; u <= s % T; u++)
                a[u] = dot(q, first + u * QKV + C, D) / sqrtf(D);
            softmax(a, s % T + 1);
            for (int u = 0; u <= s % T; u++)
                add(y + s * C + h * D, a[u], first + u * QKV + 2 * C, D);
        }
}

static void attend_back(float *dqkv, const float *dy, const float *att, const float *qkv)
{
    for (int s = 0; s < N; s++)
        for (int h = 0; h < HEADS; h++) {
            int row = s * QKV + h * D, first = row - s % T * QKV;
            const float *a = att + (s * HEADS + h) * T, *d = dy + s * C + h * D;
            float da[T], along = 0;
            for (int u = 0, v = first + 2 * C; u <= s % T; u++, v += QKV) {
                along += a[u] * (da[u] = dot(d, qkv + v, D));
                add(dqkv + v, a[u], d, D);
            }
            for (int u = 0, k = first + C; u <= s % T; u++, k += QKV) {
                float ds = a[u] * (da[u] - along) / sqrtf(D);
                add(dqkv + row, ds, qkv + k, D), add(dqkv + k, ds, qkv + row, D);
            }
        }
}

/* ---- The model --------------------------------------------------------------- */

/* Mean loss of the character after each of c[0..BATCH-1][0..T-1]. */
static float forward(model_state *m, const unsigned char **c)
{
    if (m->acts == NULL) {
        float *parts[ACTS];
        m->acts = allocate(parts, activation_sizes, ACTS, &m->act_n);
        memcpy(&m->a, parts, sizeof m->a);
    }
    memset(m->acts, 0, m->act_n * sizeof *m->acts);
    const parameters w = m->at;
    const activations a = m->a;
    float loss = 0;
    for (int s = 0; s < N; s++) {
        add(a.x + s * C, 1, w.wte + c[s / T][s % T] * C, C);
        add(a.x + s * C, 1, w.wpe + s % T * C, C);
    }
    for (int l = 0; l < L; l++) {
        size_t row = (size_t)l * N * C, mat = (size_t)l * C * C;
        float *fc = a.fc + 4 * row, *next = a.x + row + N * C;
        norm(a.ln1 + row, w.ln1w + l * C, a.x + row);
        linear(a.qkv + 3 * row, w.qkvw + 3 * mat, a.ln1 + row, QKV, C);
        attend(a.y + row, a.att + l * N * HEADS * T, a.qkv + 3 * row);
        memcpy(a.x2 + row, a.x + row, N * C * sizeof *next);
        linear(a.x2 + row, w.projw + mat, a.y + row, C, C);
        norm(a.ln2 + row, w.ln2w + l * C, a.x2 + row);
        linear(fc, w.fcw + 4 * mat, a.ln2 + row, F, C);
        for (int i = 0; i < N * F; i++)
            a.relu[4 * row + i] = fc[i] * fmaxf(fc[i], 0); /* squared ReLU */
        memcpy(next, a.x2 + row, N * C * sizeof *next);
        linear(next, w.fcprojw + 4 * mat, a.relu + 4 * row, C, F);
    }
    norm(a.lnf, w.lnfw, a.x + L * N * C), linear(a.p, w.wte, a.lnf, V, C);
    for (int s = 0; s < N; s++) {
        softmax(a.p + s * V, V);
        loss -= logf(a.p[s * V + c[s / T][s % T + 1]] + 1e-30f) / N;
    }
    return loss;
}

static void allocate_gradients(model_state *m)
{
    float *parts[TENSORS + ACTS];
    m->dw = allocate(parts, parameter_sizes, TENSORS, &m->n);
    memcpy(&m->dat, parts, sizeof m->dat);
    m->dacts = allocate(parts, activation_sizes, ACTS, &m->act_n);
    memcpy(&m->d, parts, sizeof m->d);
}

static void backward(model_state *m, const unsigned char **c)
{
    if (m->dw == NULL)
        allocate_gradients(m);
    memset(m->dw, 0, m->n * sizeof *m->dw);
    memset(m->dacts, 0, m->act_n * sizeof *m->dacts);
    const parameters w = m->at, dw = m->dat;
    const activations a = m->a, d = m->d;
    for (int i = 0; i < N * V; i++)
        d.p[i] = (a.p[i] - (i % V == c[i / V / T][i / V % T + 1])) / N;
    linear_back(d.lnf, dw.wte, w.wte, d.p, a.lnf, V, C);
    norm_back(d.x + L * N * C, dw.lnfw, w.lnfw, d.lnf, a.x + L * N * C);
    for (int l = L - 1; l >= 0; l--) {
        size_t row = (size_t)l * N * C, mat = (size_t)l * C * C;
        const float *dx = d.x + row + N * C, *fc = a.fc + 4 * row;
        add(d.x2 + row, 1, dx, N * C);
        linear_back(d.relu + 4 * row, dw.fcprojw + 4 * mat, w.fcprojw + 4 * mat, dx,
                    a.relu + 4 * row, C, F);
        for (int i = 0; i < N * F; i++)
            d.fc[4 * row + i] = 2 * fmaxf(fc[i], 0) * d.relu[4 * row + i];
        linear_back(d.ln2 + row, dw.fcw + 4 * mat, w.fcw + 4 * mat, d.fc + 4 * row, a.ln2 + row, F,
                    C);
        norm_back(d.x2 + row, dw.ln2w + l * C, w.ln2w + l * C, d.ln2 + row, a.x2 + row);
        add(d.x + row, 1, d.x2 + row, N * C);
        linear_back(d.y + row, dw.projw + mat, w.projw + mat, d.x2 + row, a.y + row, C, C);
        attend_back(d.qkv + 3 * row, d.y + row, a.att + l * N * HEADS * T, a.qkv + 3 * row);
        linear_back(d.ln1 + row, dw.qkvw + 3 * mat, w.qkvw + 3 * mat, d.qkv + 3 * row, a.ln1 + row,
                    QKV, C);
        norm_back(d.x + row, dw.ln1w + l * C, w.ln1w + l * C, d.ln1 + row, a.x + row);
    }
    for (int s = 0; s < N; s++) {
        add(dw.wte + c[s / T][s % T] * C, 1, d.x + s * C, C);
        add(dw.wpe + s % T * C, 1, d.x + s * C, C);
    }
}

int main(int argc, char **argv)
{
    check(argc < 3 ? "usage: before SEED LR" : "");
    static model_state m;
    float loss = 0, validation = 0;
    write_text();
    state = strtoull(argv[1], NULL, 10);
    build(&m);
    ng_optimizer *opt;
    ng_policy plan;
    ng_optimizer_create(&opt, NULL), ng_policy_init_presets(&plan, opt, argv[2], argv[3]);
    const unsigned char *c[BATCH];
    for (int step = 1; step <= STEPS; step++) {
        for (int b = 0; b < BATCH; b++)
            c[b] = text + (int)uniform(LENGTH - HELD - T);
        loss = forward(&m, c), backward(&m, c);
        if (step == 1)
            ng_policy_add_all(&plan, NULL, net, TENSORS, ng_f32(m.w, 1, m.n), ng_f32(m.dw, 1, m.n));
        check(ng_optimizer_error(opt)), ng_optimizer_step(opt), check(ng_optimizer_error(opt));
    }
    for (int i = 0; i < HELD / N; i++) {
        for (int b = 0; b < BATCH; b++)
            c[b] = text + LENGTH - HELD + (i * BATCH + b) * T - 1;
        validation += forward(&m, c) / (HELD / N);
    }
    printf("step %d  train %.4f  validation %.4f\n", STEPS, (double)loss, (double)validation);
    ng_optimizer_destroy(opt);
    discard(&m);
    return 0;
}
