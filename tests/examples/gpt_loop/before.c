/* A training loop as one finds them: a character GPT, parameters in one flat
 * buffer, fused qkv, embedding tied to the head, AdamW of its own. before.c is
 * the loop as it was; after.c is the same file with natgrad plugged in (the
 * build says of what preset INIT_HIDDEN is). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { V = 27, T = 32, C = 32, HEADS = 4, D = C / HEADS, LAYERS = 2, BATCH = 4, N = BATCH * T };
enum { STEPS = 300, LENGTH = 65536, HELD = 4096, WORDS = 100, FOLLOW = 4 };
enum { EMBED = V * C + T * C, PARAMS = EMBED + LAYERS * 12 * C * C, TENSORS = 2 + 4 * LAYERS };

/* a matrix in the flat buffers; rows are outputs, the 3 C of qkv are q, k, v */
struct tensor {
    char name[16];
    float *w, *g;
    size_t rows, cols;
};

/* what the forward pass leaves for the backward pass, a row a character */
struct layer {
    float x[N * C], n[N * C], qkv[N * 3 * C], a[N * HEADS * T], y[N * C];
    float x2[N * C], n2[N * C], h[N * 4 * C], r[N * 4 * C];
};

static float params[PARAMS], grads[PARAMS], mean[PARAMS], square[PARAMS];
static struct tensor tensors[TENSORS];
static struct layer layers[LAYERS];
static float last[N * C], final[N * C], p[N * V];
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

static void place(int i, const char *kind, int l, size_t rows, size_t cols)
{
    struct tensor *t = &tensors[i];
    snprintf(t->name, sizeof t->name, "%d.%s", l, kind);
    t->w = i == 0 ? params : t[-1].w + t[-1].rows * t[-1].cols;
    t->g = grads + (t->w - params);
    t->rows = rows, t->cols = cols;
    float scale = i < 2 ? 0.17f : sqrtf(3.0f / (float)cols);
    for (size_t k = 0; k < rows * cols; k++)
        t->w[k] = uniform(2 * scale) - scale;
}

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

static void linear(float *out, const struct tensor *t, const float *in)
{
    int rows = (int)t->rows, cols = (int)t->cols;
    for (int s = 0; s < N; s++)
        for (int i = 0; i < rows; i++)
            out[s * rows + i] += dot(t->w + i * cols, in + s * cols, cols);
}

static void linear_back(float *back, const struct tensor *t, const float *d, const float *in)
{
    int rows = (int)t->rows, cols = (int)t->cols;
    memset(back, 0, (size_t)N * t->cols * sizeof *back);
    for (int s = 0; s < N; s++)
        for (int i = 0; i < rows; i++) {
            add(t->g + i * cols, d[s * rows + i], in + s * cols, cols);
            add(back + s * cols, d[s * rows + i], t->w + i * cols, cols);
        }
}

static void norm(float *n, const float *x)
{
    for (int s = 0; s < N; s++, n += C, x += C)
        add(n, 1 / sqrtf(dot(x, x, C) / C + 1e-6f), x, C);
}

static void norm_back(float *back, const float *d, const float *n, const float *x)
{
    for (int s = 0; s < N; s++, back += C, d += C, n += C, x += C) {
        float scale = 1 / sqrtf(dot(x, x, C) / C + 1e-6f);
        add(back, scale, d, C), add(back, -scale * dot(d, n, C) / C, n, C);
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

static void attend(struct layer *b)
{
    for (int s = 0; s < N; s++)
        for (int h = 0; h < HEADS; h++) {
            float *a = b->a + (s * HEADS + h) * T, *q = b->qkv + s * 3 * C + h * D;
            const float *first = q - s % T * 3 * C; /* of this sequence */
            for (int u = 0; u <= s % T; u++)
                a[u] = dot(q, first + u * 3 * C + C, D) / sqrtf(D);
            softmax(a, s % T + 1);
            for (int u = 0; u <= s % T; u++)
                add(b->y + s * C + h * D, a[u], first + u * 3 * C + 2 * C, D);
        }
}

static void attend_back(float *dqkv, const float *dy, const struct layer *b)
{
    memset(dqkv, 0, N * 3 * C * sizeof *dqkv);
    for (int s = 0; s < N; s++)
        for (int h = 0; h < HEADS; h++) {
            int row = s * 3 * C + h * D, first = row - s % T * 3 * C;
            const float *a = b->a + (s * HEADS + h) * T, *d = dy + s * C + h * D;
            float da[T], along = 0;
            for (int u = 0, v = first + 2 * C; u <= s % T; u++, v += 3 * C) {
                along += a[u] * (da[u] = dot(d, b->qkv + v, D));
                add(dqkv + v, a[u], d, D);
            }
            for (int u = 0, k = first + C; u <= s % T; u++, k += 3 * C) {
                float ds = a[u] * (da[u] - along) / sqrtf(D);
                add(dqkv + row, ds, b->qkv + k, D), add(dqkv + k, ds, b->qkv + row, D);
            }
        }
}

/* Mean loss of the character after each of c[0..BATCH-1][0..T-1]; p becomes probabilities. */
static float forward(const unsigned char **c)
{
    float loss = 0;
    memset(layers, 0, sizeof layers), memset(final, 0, sizeof final), memset(p, 0, sizeof p);
    for (int s = 0; s < N; s++) {
        add(layers->x + s * C, 1, tensors[0].w + c[s / T][s % T] * C, C);
        add(layers->x + s * C, 1, tensors[1].w + s % T * C, C);
    }
    for (int l = 0; l < LAYERS; l++) {
        struct layer *b = &layers[l];
        const struct tensor *t = tensors + 2 + 4 * l;
        float *next = l + 1 < LAYERS ? b[1].x : last;
        norm(b->n, b->x), linear(b->qkv, t, b->n), attend(b);
        memcpy(b->x2, b->x, sizeof b->x), linear(b->x2, t + 1, b->y);
        norm(b->n2, b->x2), linear(b->h, t + 2, b->n2);
        for (int i = 0; i < N * 4 * C; i++)
            b->r[i] = b->h[i] * fmaxf(b->h[i], 0); /* squared ReLU */
        memcpy(next, b->x2, sizeof b->x2), linear(next, t + 3, b->r);
    }
    norm(final, last), linear(p, tensors, final);
    for (int s = 0; s < N; s++) {
        softmax(p + s * V, V);
        loss -= logf(p[s * V + c[s / T][s % T + 1]] + 1e-30f) / N;
    }
    return loss;
}

static void backward(const unsigned char **c)
{
    static float dx[N * C], dn[N * C], dy[N * C], dqkv[N * 3 * C], dh[N * 4 * C];
    memset(grads, 0, sizeof grads), memset(dx, 0, sizeof dx);
    for (int s = 0; s < N; s++)
        p[s * V + c[s / T][s % T + 1]] -= 1;
    for (int i = 0; i < N * V; i++)
        p[i] /= N;
    linear_back(dn, tensors, p, final), norm_back(dx, dn, final, last);
    for (int l = LAYERS - 1; l >= 0; l--) {
        struct layer *b = &layers[l];
        const struct tensor *t = tensors + 2 + 4 * l;
        linear_back(dh, t + 3, dx, b->r);
        for (int i = 0; i < N * 4 * C; i++)
            dh[i] *= 2 * fmaxf(b->h[i], 0);
        linear_back(dn, t + 2, dh, b->n2), norm_back(dx, dn, b->n2, b->x2);
        linear_back(dy, t + 1, dx, b->y), attend_back(dqkv, dy, b);
        linear_back(dn, t, dqkv, b->n), norm_back(dx, dn, b->n, b->x);
    }
    for (int s = 0; s < N; s++) {
        add(tensors[0].g + c[s / T][s % T] * C, 1, dx + s * C, C);
        add(tensors[1].g + s % T * C, 1, dx + s * C, C);
    }
}

static void adamw(int n, int step, float lr)
{
    float correct1 = 1 - powf(0.9f, (float)step), correct2 = 1 - powf(0.99f, (float)step);
    for (int i = 0; i < n; i++) {
        mean[i] += 0.1f * (grads[i] - mean[i]);
        square[i] += 0.01f * (grads[i] * grads[i] - square[i]);
        float d = mean[i] / correct1 / (sqrtf(square[i] / correct2) + 1e-8f);
        params[i] -= lr * (d + 0.01f * params[i]);
    }
}

int main(int argc, char **argv)
{
    check(argc < 3 ? "usage: before LR SEED" : "");
    float lr = strtof(argv[1], NULL), loss = 0, validation = 0;
    write_text();
    state = strtoull(argv[2], NULL, 10);
    place(0, "wte", 0, V, C), place(1, "wpe", 0, T, C);
    for (int l = 0, i = 2; l < LAYERS; l++, i += 4) {
        place(i, "qkv", l, 3 * C, C), place(i + 1, "proj", l, C, C);
        place(i + 2, "up", l, 4 * C, C), place(i + 3, "down", l, C, 4 * C);
    }
    const unsigned char *c[BATCH];
    for (int step = 1; step <= STEPS; step++) {
        for (int b = 0; b < BATCH; b++)
            c[b] = text + (int)uniform(LENGTH - HELD - T);
        loss = forward(c), backward(c);
        adamw(PARAMS, step, lr);
    }
    for (int i = 0; i < HELD / N; i++) {
        for (int b = 0; b < BATCH; b++)
            c[b] = text + LENGTH - HELD + (i * BATCH + b) * T - 1;
        validation += forward(c) / (HELD / N);
    }
    printf("step %d  train %.4f  validation %.4f\n", STEPS, (double)loss, (double)validation);
    return 0;
}
