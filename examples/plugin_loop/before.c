/* A training loop as one finds them: plain arrays, its own update. A net
 * 2-64-64-3 learns to tell three interleaved spirals apart. before.c is the
 * loop as it was; after.c is the same file with natgrad plugged in. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 900, IN = 2, H = 64, CLASSES = 3, BATCH = 60, STEPS = 1500 };

static float x[N][IN], w1[H][IN], b1[H], w2[H][H], b2[H], w3[CLASSES][H], b3[CLASSES];
static float dw1[H][IN], db1[H], dw2[H][H], db2[H], dw3[CLASSES][H], db3[CLASSES];
static int label[N];

static unsigned long long state = 42;

static float uniform(void)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (float)(state >> 40) / (float)(1 << 24);
}

static void fill(float *w, int n, float scale)
{
    for (int i = 0; i < n; i++)
        w[i] = scale * (2 * uniform() - 1);
}

static void make_spirals(void)
{
    for (int i = 0; i < N; i++) {
        float t = uniform(), angle = 7 * t + 2.0943951f * (float)(i % CLASSES);
        label[i] = i % CLASSES;
        x[i][0] = t * cosf(angle) + 0.04f * (uniform() - 0.5f);
        x[i][1] = t * sinf(angle) + 0.04f * (uniform() - 0.5f);
    }
}

/* out = tanh(w in + b), or without the tanh */
static void layer(float *out, const float *w, const float *b, const float *in, int rows, int cols,
                  int squash)
{
    for (int i = 0; i < rows; i++) {
        float z = b[i];
        for (int j = 0; j < cols; j++)
            z += w[i * cols + j] * in[j];
        out[i] = squash ? tanhf(z) : z;
    }
}

/* dw += d in^T, db += d, and back = w^T d (1 - in^2) if wanted */
static void layer_back(float *dw, float *db, float *back, const float *w, const float *d,
                       const float *in, int rows, int cols)
{
    for (int j = 0; back != NULL && j < cols; j++)
        back[j] = 0;
    for (int i = 0; i < rows; i++) {
        db[i] += d[i];
        for (int j = 0; j < cols; j++) {
            dw[i * cols + j] += d[i] * in[j];
            if (back != NULL)
                back[j] += d[i] * w[i * cols + j] * (1 - in[j] * in[j]);
        }
    }
}

/* Loss of one sample; adds its gradient, divided by the batch size. */
static float sample(int s)
{
    float h1[H], h2[H], z[CLASSES], d[CLASSES], d2[H], d1[H], sum = 0;
    layer(h1, &w1[0][0], b1, x[s], H, IN, 1);
    layer(h2, &w2[0][0], b2, h1, H, H, 1);
    layer(z, &w3[0][0], b3, h2, CLASSES, H, 0);
    for (int k = 0; k < CLASSES; k++)
        sum += expf(z[k]);
    for (int k = 0; k < CLASSES; k++)
        d[k] = (expf(z[k]) / sum - (float)(k == label[s])) / BATCH;
    layer_back(&dw3[0][0], db3, d2, &w3[0][0], d, h2, CLASSES, H);
    layer_back(&dw2[0][0], db2, d1, &w2[0][0], d2, h1, H, H);
    layer_back(&dw1[0][0], db1, NULL, &w1[0][0], d1, x[s], H, IN);
    return logf(sum) - z[label[s]];
}

static void clear(float *d, int n)
{
    for (int i = 0; i < n; i++)
        d[i] = 0;
}

static void update(float *w, const float *d, int n)
{
    for (int i = 0; i < n; i++)
        w[i] -= 0.3f * d[i];
}

int main(void)
{
    float loss = 0;
    make_spirals();
    fill(&w1[0][0], H * IN, 1.0f);
    fill(&w2[0][0], H * H, 0.2f);
    fill(&w3[0][0], CLASSES * H, 0.2f);
    for (int step = 1; step <= STEPS; step++) {
        clear(&dw1[0][0], H * IN), clear(db1, H), clear(&dw2[0][0], H * H), clear(db2, H);
        clear(&dw3[0][0], CLASSES * H), clear(db3, CLASSES);
        float batch_loss = 0;
        for (int i = 0; i < BATCH; i++)
            batch_loss += sample((int)(uniform() * N)) / BATCH;
        update(&w1[0][0], &dw1[0][0], H * IN);
        update(&w2[0][0], &dw2[0][0], H * H);
        update(&w3[0][0], &dw3[0][0], CLASSES * H);
        update(b1, db1, H), update(b2, db2, H), update(b3, db3, CLASSES);
        loss = step == 1 ? batch_loss : 0.98f * loss + 0.02f * batch_loss;
        if (step % 250 == 0)
            printf("step %4d  loss %.4f\n", step, (double)loss);
    }
    return 0;
}
