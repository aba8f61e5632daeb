/* Drawn digits: control points -> Catmull-Rom curves -> a smooth random bend
 * -> a random affine map -> distance to the curve -> ink.
 *
 * Glyphs live in the unit square, y downwards. */
#include <math.h>

#include "lib/core/try.h"
#include "lib/train/data/generated.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, VARIANTS = 3, POINTS = 20, PIECES = 6 };

typedef struct {
    double x, y;
} point;

/* The pen is lifted; a stroke from the point before gives a sharp corner. */
#define UP {-1, -1}

/* Ways to write each digit. A list ends at the first (0, 0); a way that is not
 * there is empty. */
static const point glyphs[10][VARIANTS][POINTS] = {
    {{{.55, .06}, {.28, .18}, {.19, .5}, {.27, .82}, {.5, .95}, {.74, .82}, {.82, .5}, {.74, .2},
      {.55, .06}, {.42, .1}},
     {{.66, .12}, {.42, .08}, {.26, .34}, {.23, .65}, {.38, .92}, {.6, .88}, {.76, .6}, {.75, .3},
      {.6, .1}, {.46, .13}}},
    {{{.52, .05}, {.5, .5}, {.48, .95}},
     {{.33, .25}, {.53, .06}, UP, {.53, .06}, {.5, .5}, {.49, .95}},
     {{.34, .24}, {.52, .06}, UP, {.52, .06}, {.51, .94}, UP, {.3, .95}, {.72, .93}}},
    {{{.22, .25}, {.36, .08}, {.6, .07}, {.75, .25}, {.65, .5}, {.42, .74}, {.2, .93}, UP,
      {.2, .93}, {.5, .9}, {.84, .92}},
     {{.22, .22}, {.42, .06}, {.68, .1}, {.74, .32}, {.58, .6}, {.32, .88}, {.17, .88}, {.24, .75},
      {.42, .8}, {.62, .93}, {.86, .86}}},
    {{{.22, .15}, {.45, .05}, {.7, .13}, {.69, .33}, {.4, .46}, UP, {.4, .46}, {.7, .54},
      {.78, .76}, {.55, .95}, {.2, .86}},
     {{.22, .08}, {.75, .07}, UP, {.75, .07}, {.42, .42}, UP, {.42, .42}, {.73, .52}, {.77, .78},
      {.52, .95}, {.2, .86}}},
    {{{.28, .08}, {.24, .32}, {.19, .56}, UP, {.19, .56}, {.5, .56}, {.85, .52}, UP, {.68, .06},
      {.66, .5}, {.63, .95}},
     {{.64, .06}, {.18, .64}, UP, {.18, .64}, {.86, .62}, UP, {.64, .06}, {.62, .95}},
     {{.25, .08}, {.2, .36}, {.36, .54}, {.6, .48}, {.73, .3}, UP, {.75, .06}, {.7, .5},
      {.62, .95}}},
    {{{.76, .07}, {.31, .08}, UP, {.31, .08}, {.27, .45}, UP, {.27, .45}, {.52, .38}, {.76, .54},
      {.73, .8}, {.5, .95}, {.2, .86}},
     {{.8, .06}, {.5, .1}, {.36, .1}, UP, {.36, .1}, {.3, .42}, UP, {.3, .42}, {.58, .44},
      {.75, .64}, {.62, .9}, {.36, .95}, {.18, .85}}},
    {{{.68, .06}, {.4, .25}, {.23, .6}, {.3, .87}, {.54, .95}, {.76, .78}, {.68, .56}, {.45, .54},
      {.27, .72}},
     {{.52, .04}, {.33, .35}, {.25, .7}, {.4, .94}, {.64, .9}, {.69, .7}, {.51, .6}, {.3, .74}}},
    {{{.2, .09}, {.8, .07}, UP, {.8, .07}, {.58, .45}, {.43, .95}},
     {{.2, .09}, {.8, .07}, UP, {.8, .07}, {.58, .45}, {.43, .95}, UP, {.35, .52}, {.76, .48}},
     {{.2, .22}, {.24, .09}, UP, {.24, .09}, {.5, .11}, {.78, .07}, UP, {.78, .07}, {.58, .42},
      {.5, .95}}},
    {{{.72, .2}, {.5, .05}, {.28, .16}, {.34, .36}, {.55, .5}, {.74, .68}, {.67, .9}, {.45, .95},
      {.25, .82}, {.33, .6}, {.54, .46}, {.7, .32}, {.7, .14}},
     {{.52, .06}, {.3, .14}, {.3, .36}, {.5, .46}, {.7, .35}, {.69, .14}, {.5, .06}, UP, {.5, .46},
      {.26, .6}, {.25, .83}, {.5, .95}, {.75, .83}, {.74, .6}, {.5, .46}}},
    {{{.72, .2}, {.5, .06}, {.28, .2}, {.3, .42}, {.52, .48}, {.7, .3}, {.74, .14}, UP, {.74, .14},
      {.72, .5}, {.64, .95}},
     {{.7, .12}, {.42, .08}, {.25, .28}, {.4, .48}, {.64, .38}, {.73, .12}, UP, {.73, .12},
      {.74, .6}, {.6, .88}, {.33, .94}}},
};

/* How one digit is drawn, in pixels but for the bend. */
typedef struct {
    double map[2][3];              /* glyph -> picture */
    double bend[2], wave[2], turn; /* displacement bend * sin(wave . p + turn) */
    double radius, blur, ink;      /* of the pen; brightness */
} hand;

typedef struct {
    double squares[PIXELS]; /* squared distance to the nearest piece */
    hand hand;
} drawing;

static double between(double u, double low, double high)
{
    return low + u * (high - low);
}

/* u: 16 independent uniform numbers */
static hand draw_hand(const double *u)
{
    hand h;
    double angle = between(u[0], -0.3, 0.3), slant = between(u[1], -0.25, 0.4);
    double high = between(u[2], 15, 21), wide = high * between(u[3], 0.65, 1.15);
    double c = cos(angle), s = sin(angle);
    /* turn * shear * scale, about the middle of the glyph */
    h.map[0][0] = c * wide;
    h.map[0][1] = -s * high - c * slant * high;
    h.map[1][0] = s * wide;
    h.map[1][1] = c * high - s * slant * high;
    for (int i = 0; i < 2; i++) {
        h.map[i][2] = between(u[4 + i], SIDE / 2.0 - 2.5, SIDE / 2.0 + 1.5) -
                      0.5 * (h.map[i][0] + h.map[i][1]);
        h.bend[i] = between(u[6 + i], -0.07, 0.07);
        h.wave[i] = between(u[8 + i], -6, 6);
    }
    h.turn = between(u[10], 0, 6.283185307179586);
    h.radius = between(u[11] * u[11], 0.7, 1.9);
    h.blur = between(u[12], 0.9, 1.7);
    h.ink = between(u[13], 0.8, 1.0);
    return h;
}

static point placed(const hand *h, point p)
{
    double sway = sin(h->wave[0] * p.x + h->wave[1] * p.y + h->turn);
    double x = p.x + h->bend[0] * sway, y = p.y + h->bend[1] * sway;
    return (point){h->map[0][0] * x + h->map[0][1] * y + h->map[0][2],
                   h->map[1][0] * x + h->map[1][1] * y + h->map[1][2]};
}

static int pixel(double x)
{
    return x < 0 ? 0 : x > SIDE - 1 ? SIDE - 1 : (int)x;
}

/* Lowers the distances around one straight piece. */
static void mark(drawing *canvas, point a, point b)
{
    const double reach = canvas->hand.radius + canvas->hand.blur + 1;
    double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    int left = pixel(fmin(a.x, b.x) - reach), right = pixel(fmax(a.x, b.x) + reach);
    int top = pixel(fmin(a.y, b.y) - reach), bottom = pixel(fmax(a.y, b.y) + reach);
    for (int row = top; row <= bottom; row++)
        for (int col = left; col <= right; col++) {
            double px = col - a.x, py = row - a.y;
            double t = length > 0 ? (px * dx + py * dy) / length : 0;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            px -= t * dx;
            py -= t * dy;
            double *square = &canvas->squares[row * SIDE + col];
            *square = fmin(*square, px * px + py * py);
        }
}

/* The Catmull-Rom curve from p[1] to p[2]. */
static point curve(const point *p, double t)
{
    double w[4] = {0.5 * t * (t * (2 - t) - 1), 0.5 * (t * t * (3 * t - 5) + 2),
                   0.5 * t * (t * (4 - 3 * t) + 1), 0.5 * t * t * (t - 1)};
    return (point){w[0] * p[0].x + w[1] * p[1].x + w[2] * p[2].x + w[3] * p[3].x,
                   w[0] * p[0].y + w[1] * p[1].y + w[2] * p[2].y + w[3] * p[3].y};
}

/* One stroke of n >= 2 points; the outer neighbours of its ends are the ends. */
static void draw_stroke(drawing *canvas, const point *stroke, size_t n)
{
    point last = placed(&canvas->hand, stroke[0]);
    for (size_t i = 0; i + 1 < n; i++) {
        point p[4] = {stroke[i > 0 ? i - 1 : 0], stroke[i], stroke[i + 1],
                      stroke[i + 2 < n ? i + 2 : n - 1]};
        for (int k = 1; k <= PIECES; k++) {
            point next = placed(&canvas->hand, curve(p, (double)k / PIECES));
            mark(canvas, last, next);
            last = next;
        }
    }
}

static void draw_glyph(drawing *canvas, const point *glyph)
{
    size_t start = 0, i = 0;
    for (size_t k = 0; k < PIXELS; k++)
        canvas->squares[k] = 1e9;
    for (; i < POINTS && glyph[i].x != 0; i++)
        if (glyph[i].x < 0) {
            draw_stroke(canvas, glyph + start, i - start);
            start = i + 1;
        }
    draw_stroke(canvas, glyph + start, i - start);
}

/* Ink falls off over `blur` pixels at the pen's edge; noise of the scanner. */
static void develop(unsigned char *picture, const drawing *canvas, const double *noise)
{
    const hand *h = &canvas->hand;
    for (size_t k = 0; k < PIXELS; k++) {
        double edge = (h->radius - sqrt(canvas->squares[k])) / h->blur + 0.5;
        double ink = edge <= 0 ? 0 : edge >= 1 ? 1 : edge * edge * (3 - 2 * edge);
        double value = 255 * h->ink * ink + 10 * noise[k];
        picture[k] = (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

/* Its label. */
static int draw_digit(unsigned char *picture, const ng_random *random)
{
    drawing canvas;
    double u[16], noise[PIXELS];
    int variants = 0;
    random->fill_uniform(random->data, u, 16);
    random->fill_normal(random->data, noise, PIXELS);
    int digit = (int)(10 * u[14]);
    while (variants < VARIANTS && glyphs[digit][variants][0].x != 0)
        variants++;
    canvas.hand = draw_hand(u);
    draw_glyph(&canvas, glyphs[digit][(int)(variants * u[15])]);
    develop(picture, &canvas, noise);
    return digit;
}

static ng_status draw_digits(ngi_opening *o, size_t count, const ng_random *random)
{
    ngi_store *store = o->store;
    TRY(ngi_store_allocate(store, count, PIXELS, o->error));
    if (o->model == NULL)
        o->schema->features = PIXELS;
    else if (o->model->features != PIXELS || o->model->labels.count != 10)
        return ng_error_set(o->error, NG_EFORMAT,
                            "digits: %d pixels and 10 classes, the model has %zu and %zu", PIXELS,
                            o->model->features, o->model->labels.count);
    for (size_t i = 0; i < count; i++)
        store->labels[i] = draw_digit(store->values + i * PIXELS, random);
    return o->model == NULL ? ngi_schema_number_labels(o->schema, 10, o->error) : NG_OK;
}

static ng_status read_digits(ngi_opening *o)
{
    return ngi_generate(o, draw_digits);
}

const ngi_kind ngi_kind_digits = {
    .shown = {"digits", "[COUNT]", "drawn digits, 28 x 28 (default: 10000)"},
    .layout = &ngi_bytes,
    .read = read_digits,
    .ordered = 1,
    .generated = 1,
};

ng_status ng_dataset_digits(ng_dataset **dataset, size_t count, const ng_random *random,
                            ng_error *error)
{
    return ngi_generated(dataset, &ngi_kind_digits, count, NULL, random, error);
}
