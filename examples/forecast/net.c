/* The graph GRU, forward and backward. Rows are samples times nodes. */
#include <math.h>
#include <string.h>

#include "examples/forecast/forecast.h"

enum { WIDE = INPUTS + HIDDEN, ORDER = 3, HEAD = HIDDEN + QUERY };

static const struct {
    const char *name;
    size_t rows, cols;
} shapes[PARAMETERS] = {{"gates.weight", ORDER *WIDE, 2 * HIDDEN},
                        {"gates.bias", 1, 2 * HIDDEN},
                        {"candidate.weight", ORDER *WIDE, HIDDEN},
                        {"candidate.bias", 1, HIDDEN},
                        {"query.weight", HIDDEN, QUERY},
                        {"prototypes", PROTOTYPES, QUERY},
                        {"head.weight", HEAD, AHEAD},
                        {"head.bias", 1, AHEAD}};

/* What an hour leaves for the way back. */
typedef struct {
    ng_mat before, s, s2, gates, candidate; /* h; convolved [x, h] and [x, r h]; (z, r); c */
} hour;

struct net {
    ng_mat w[PARAMETERS], dw[PARAMETERS];
    hour hours[WINDOW];
    ng_mat h, joint, query, anchor_query, weights, head,
        out; /* of the last hour, and the forecasts */
    ng_mat dout, dh, dgates, dcandidate, ds, djoint, dhead, dquery, dweights;
};

ng_mat net_parameter(net *n, int i)
{
    return n->w[i];
}

ng_mat net_gradient(net *n, int i)
{
    return n->dw[i];
}

const char *net_name(int i)
{
    return shapes[i].name;
}

net *net_create(const ng_random *random)
{
    net *n = paper_mat(sizeof(net) / sizeof(double) + 1, 1).data;
    for (int i = 0; i < PARAMETERS; i++) {
        n->w[i] = paper_mat(shapes[i].rows, shapes[i].cols);
        n->dw[i] = paper_mat(shapes[i].rows, shapes[i].cols);
        if (shapes[i].rows > 1) {
            paper_normal(n->w[i], random);
            ng_scale(n->w[i],
                     i == PROTO ? 0.5 : sqrt(2.0 / (double)(shapes[i].rows + shapes[i].cols)));
        }
    }
    for (size_t t = 0; t < WINDOW; t++)
        n->hours[t] = (hour){paper_mat(ROWS, HIDDEN), paper_mat(ROWS, ORDER * WIDE),
                             paper_mat(ROWS, ORDER * WIDE), paper_mat(ROWS, 2 * HIDDEN),
                             paper_mat(ROWS, HIDDEN)};
    struct {
        ng_mat *mat;
        size_t cols;
    } rest[] = {{&n->h, HIDDEN},           {&n->joint, WIDE},         {&n->query, QUERY},
                {&n->anchor_query, QUERY}, {&n->weights, PROTOTYPES}, {&n->head, HEAD},
                {&n->out, AHEAD},          {&n->dh, HIDDEN},          {&n->dgates, 2 * HIDDEN},
                {&n->dcandidate, HIDDEN},  {&n->ds, ORDER * WIDE},    {&n->djoint, WIDE},
                {&n->dout, AHEAD},         {&n->dhead, HEAD},         {&n->dquery, QUERY},
                {&n->dweights, PROTOTYPES}};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        *rest[i].mat = paper_mat(ROWS, rest[i].cols);
    return n;
}

static double *at(ng_mat m, size_t row)
{
    return (double *)m.data + row * m.stride;
}

/* ---- Chebyshev polynomials of the ring's Laplacian, scaled: L = -(left + right)/2
 * ----------------- */

/* to <- to + factor L from, blocks of WIDE columns */
static void add_ring(ng_mat to, size_t to_col, ng_mat from, size_t from_col, double factor)
{
    for (size_t row = 0; row < ROWS; row++) {
        size_t sample = row / NODES * NODES, i = row % NODES;
        const double *left = at(from, sample + (i + NODES - 1) % NODES) + from_col,
                     *right = at(from, sample + (i + 1) % NODES) + from_col;
        double *out = at(to, row) + to_col;
        for (size_t j = 0; j < WIDE; j++)
            out[j] -= factor * 0.5 * (left[j] + right[j]);
    }
}

/* s <- (X, L X, 2 L L X - X) */
static void convolve(ng_mat s, ng_mat x)
{
    ng_fill(s, 0);
    ng_copy(ng_mat_block(s, 0, 0, ROWS, WIDE), x, NULL);
    add_ring(s, WIDE, s, 0, 1);
    add_ring(s, 2 * WIDE, s, WIDE, 2);
    ng_axpby(ng_mat_block(s, 0, 2 * WIDE, ROWS, WIDE), x, -1, 1, NULL);
}

/* dx <- the derivative by X; spoils ds */
static void convolve_back(ng_mat dx, ng_mat ds)
{
    add_ring(ds, WIDE, ds, 2 * WIDE, 2);
    ng_lincomb(dx, 1, ng_mat_block(ds, 0, 0, ROWS, WIDE), -1,
               ng_mat_block(ds, 0, 2 * WIDE, ROWS, WIDE), NULL);
    add_ring(dx, 0, ds, WIDE, 1);
}

/* ---- Forward
 * ------------------------------------------------------------------------------------------ */

/* out <- x w + b */
static void dense(ng_mat out, ng_mat x, ng_mat w, ng_mat b)
{
    for (size_t row = 0; row < out.rows; row++)
        memcpy(at(out, row), b.data, out.cols * sizeof(double));
    ng_gemm(out, x, NG_NOTRANS, w, NG_NOTRANS, 1, 1, NULL);
}

/* joint <- [x, a, h] at an hour; anchor: the average in place of x */
static void read_hour(net *n, const waves *data, const waves *train, const size_t *first, size_t t,
                      int anchor)
{
    for (size_t row = 0; row < ROWS; row++) {
        size_t when = first[row / NODES] + t, node = row % NODES;
        double average = ng_mat_get(train->average, when % DAY, node), *to = at(n->joint, row);
        to[0] = anchor ? average : ng_mat_get(data->x, when, node);
        to[1] = average;
        memcpy(to + INPUTS, at(n->h, row), HIDDEN * sizeof(double));
    }
}

static void step(net *n, hour *o)
{
    ng_copy(o->before, n->h, NULL);
    convolve(o->s, n->joint);
    dense(o->gates, o->s, n->w[WZR], n->w[BZR]);
    for (size_t row = 0; row < ROWS; row++) {
        double *g = at(o->gates, row);
        for (size_t j = 0; j < 2 * HIDDEN; j++)
            g[j] = 1 / (1 + exp(-g[j]));
        for (size_t j = 0; j < HIDDEN; j++)
            at(n->joint, row)[INPUTS + j] *= g[HIDDEN + j];
    }
    convolve(o->s2, n->joint);
    dense(o->candidate, o->s2, n->w[WC], n->w[BC]);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t j = 0; j < HIDDEN; j++) {
            double z = at(o->gates, row)[j], *c = at(o->candidate, row) + j, *h = at(n->h, row) + j;
            *c = tanh(*c);
            *h = z * *h + (1 - z) * *c;
        }
}

static void encode(net *n, const waves *data, const waves *train, const size_t *first, int anchor)
{
    ng_fill(n->h, 0);
    for (size_t t = 0; t < WINDOW; t++) {
        read_hour(n, data, train, first, t, anchor);
        step(n, &n->hours[t]);
    }
}

/* weights <- softmax(q P^T) */
static void attend(net *n)
{
    ng_gemm(n->weights, n->query, NG_NOTRANS, n->w[PROTO], NG_TRANS, 1, 0, NULL);
    for (size_t row = 0; row < ROWS; row++) {
        double *w = at(n->weights, row), most = w[0], sum = 0;
        for (size_t k = 1; k < PROTOTYPES; k++)
            most = fmax(most, w[k]);
        for (size_t k = 0; k < PROTOTYPES; k++)
            sum += w[k] = exp(w[k] - most);
        for (size_t k = 0; k < PROTOTYPES; k++)
            w[k] /= sum;
    }
}

ng_mat net_forecast(net *n, const variant *v, const waves *data, const waves *train,
                    const size_t *first)
{
    if (v->deviation > 0) { /* before the window, whose hours are needed on the way back */
        encode(n, data, train, first, 1);
        ng_gemm(n->anchor_query, n->h, NG_NOTRANS, n->w[WQ], NG_NOTRANS, 1, 0, NULL);
    }
    encode(n, data, train, first, 0);
    ng_fill(n->head, 0);
    ng_copy(ng_mat_block(n->head, 0, 0, ROWS, HIDDEN), n->h, NULL);
    if (v->prototypes) {
        ng_gemm(n->query, n->h, NG_NOTRANS, n->w[WQ], NG_NOTRANS, 1, 0, NULL);
        attend(n);
        ng_gemm(ng_mat_block(n->head, 0, HIDDEN, ROWS, QUERY), n->weights, NG_NOTRANS, n->w[PROTO],
                NG_NOTRANS, 1, 0, NULL);
    }
    dense(n->out, n->head, n->w[WO], n->w[BO]);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t k = 0; k < AHEAD; k++)
            at(n->out, row)[k] +=
                ng_mat_get(train->average, (first[row / NODES] + WINDOW + k) % DAY, row % NODES);
    return n->out;
}

/* ---- Losses on the prototypes: queries are constants
 * ----------------------------------------------------- */

/* the nearest to q by inner product, but not `without` */
static size_t top(const net *n, const double *q, size_t without)
{
    size_t best = without == 0;
    double most = -HUGE_VAL;
    for (size_t k = 0; k < PROTOTYPES; k++) {
        double sum = 0;
        for (size_t j = 0; j < QUERY; j++)
            sum += q[j] * ng_mat_get(n->w[PROTO], k, j);
        if (k != without && sum > most) {
            most = sum;
            best = k;
        }
    }
    return best;
}

/* (|q - p1|^2 - |q - p2|^2 + 1/2)+ of the two nearest, on the mean */
static double contrast(net *n, double factor)
{
    double loss = 0;
    for (size_t row = 0; row < ROWS; row++) {
        const double *q = at(n->query, row);
        size_t one = top(n, q, PROTOTYPES), two = top(n, q, one);
        double *p1 = at(n->w[PROTO], one), *p2 = at(n->w[PROTO], two), sum = 0.5;
        for (size_t j = 0; j < QUERY; j++)
            sum += (q[j] - p1[j]) * (q[j] - p1[j]) - (q[j] - p2[j]) * (q[j] - p2[j]);
        if (sum <= 0)
            continue;
        loss += factor * sum / ROWS;
        for (size_t j = 0; j < QUERY; j++) {
            at(n->dw[PROTO], one)[j] -= 2 * factor * (q[j] - p1[j]) / ROWS;
            at(n->dw[PROTO], two)[j] += 2 * factor * (q[j] - p2[j]) / ROWS;
        }
    }
    return loss;
}

/* ||q - q_a|_1 - |p - p_a|_1| of the nearest prototypes of window and anchor, on the mean */
static double deviate(net *n, double factor)
{
    double loss = 0;
    for (size_t row = 0; row < ROWS; row++) {
        const double *q = at(n->query, row), *a = at(n->anchor_query, row);
        size_t here = top(n, q, PROTOTYPES), there = top(n, a, PROTOTYPES);
        double *p = at(n->w[PROTO], here), *o = at(n->w[PROTO], there), wide = 0, apart = 0;
        for (size_t j = 0; j < QUERY; j++) {
            wide += fabs(q[j] - a[j]);
            apart += fabs(p[j] - o[j]);
        }
        loss += factor * fabs(wide - apart) / ROWS;
        double sign = apart > wide ? factor / ROWS : -factor / ROWS;
        for (size_t j = 0; j < QUERY && here != there; j++) {
            double slope = p[j] > o[j] ? sign : -sign;
            at(n->dw[PROTO], here)[j] += slope;
            at(n->dw[PROTO], there)[j] -= slope;
        }
    }
    return loss;
}

/* ---- Backward
 * -------------------------------------------------------------------------------------------- */

/* dw += x^T g, db += column sums of g */
static void dense_back(ng_mat dw, ng_mat db, ng_mat x, ng_mat g)
{
    ng_gemm(dw, x, NG_TRANS, g, NG_NOTRANS, 1, 1, NULL);
    for (size_t row = 0; row < g.rows; row++)
        for (size_t j = 0; j < g.cols; j++)
            ((double *)db.data)[j] += at(g, row)[j];
}

static void attend_back(net *n)
{
    ng_mat dv = ng_mat_block(n->dhead, 0, HIDDEN, ROWS, QUERY);
    ng_gemm(n->dw[PROTO], n->weights, NG_TRANS, dv, NG_NOTRANS, 1, 1, NULL);
    ng_gemm(n->dweights, dv, NG_NOTRANS, n->w[PROTO], NG_TRANS, 1, 0, NULL);
    for (size_t row = 0; row < ROWS; row++) {
        double *w = at(n->weights, row), *d = at(n->dweights, row), mean = 0;
        for (size_t k = 0; k < PROTOTYPES; k++)
            mean += w[k] * d[k];
        for (size_t k = 0; k < PROTOTYPES; k++)
            d[k] = w[k] * (d[k] - mean);
    }
    ng_gemm(n->dw[PROTO], n->dweights, NG_TRANS, n->query, NG_NOTRANS, 1, 1, NULL);
    ng_gemm(n->dquery, n->dweights, NG_NOTRANS, n->w[PROTO], NG_NOTRANS, 1, 0, NULL);
    ng_gemm(n->dw[WQ], n->h, NG_TRANS, n->dquery, NG_NOTRANS, 1, 1, NULL);
    ng_gemm(n->dh, n->dquery, NG_NOTRANS, n->w[WQ], NG_TRANS, 1, 1, NULL);
}

/* dh: by the state behind the hour on entry, by that before it on return */
static void step_back(net *n, hour *o)
{
    for (size_t row = 0; row < ROWS; row++)
        for (size_t j = 0; j < HIDDEN; j++) {
            double z = at(o->gates, row)[j], c = at(o->candidate, row)[j], d = at(n->dh, row)[j];
            at(n->dgates, row)[j] = d * (at(o->before, row)[j] - c) * z * (1 - z);
            at(n->dcandidate, row)[j] = d * (1 - z) * (1 - c * c);
            at(n->dh, row)[j] = d * z;
        }
    dense_back(n->dw[WC], n->dw[BC], o->s2, n->dcandidate);
    ng_gemm(n->ds, n->dcandidate, NG_NOTRANS, n->w[WC], NG_TRANS, 1, 0, NULL);
    convolve_back(n->djoint, n->ds);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t j = 0; j < HIDDEN; j++) {
            double r = at(o->gates, row)[HIDDEN + j], d = at(n->djoint, row)[INPUTS + j];
            at(n->dgates, row)[HIDDEN + j] = d * at(o->before, row)[j] * r * (1 - r);
            at(n->dh, row)[j] += d * r;
        }
    dense_back(n->dw[WZR], n->dw[BZR], o->s, n->dgates);
    ng_gemm(n->ds, n->dgates, NG_NOTRANS, n->w[WZR], NG_TRANS, 1, 0, NULL);
    convolve_back(n->djoint, n->ds);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t j = 0; j < HIDDEN; j++)
            at(n->dh, row)[j] += at(n->djoint, row)[INPUTS + j];
}

double net_loss(net *n, const variant *v, const waves *data, const size_t *first)
{
    ng_mat dout = n->dout;
    double loss = 0;
    for (int i = 0; i < PARAMETERS; i++)
        ng_fill(n->dw[i], 0);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t k = 0; k < AHEAD; k++) {
            double miss = at(n->out, row)[k] -
                          ng_mat_get(data->x, first[row / NODES] + WINDOW + k, row % NODES);
            loss += fabs(miss) / (ROWS * AHEAD);
            at(dout, row)[k] = (miss > 0 ? 1.0 : -1.0) / (ROWS * AHEAD);
        }
    dense_back(n->dw[WO], n->dw[BO], n->head, dout);
    ng_gemm(n->dhead, dout, NG_NOTRANS, n->w[WO], NG_TRANS, 1, 0, NULL);
    ng_copy(n->dh, ng_mat_block(n->dhead, 0, 0, ROWS, HIDDEN), NULL);
    if (v->prototypes)
        attend_back(n);
    if (v->contrast > 0)
        loss += contrast(n, v->contrast);
    if (v->deviation > 0)
        loss += deviate(n, v->deviation);
    for (size_t t = WINDOW; t-- > 0;)
        step_back(n, &n->hours[t]);
    return loss;
}
