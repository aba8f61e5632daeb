/* What the names of public models mean (GPT-2, llama.cpp, llm.c, T5, BERT, ViT, Flax, Keras,
 * torchvision). A name is parts, divided by '.', '/' and ':', of words, divided by every other
 * sign, by a change from lower to upper case and by digits: "encoder/LayerNorm_0/scale" is
 * (encoder) (layer norm 0) (scale). Words are compared whole, so that "overhead" has no head. */
#include "optim/around/names.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { WORDS = 48, LENGTH = 20 };

typedef struct {
    char text[LENGTH]; /* lower case; longer ones are cut, and then not known */
    int part, number;
} word;

typedef struct {
    word words[WORDS];
    int count;
    int module; /* the part that names the layer: the last that says more than "weight" */
} sentence;

#define LIST(name, ...) static const char *const name[] = {__VA_ARGS__, NULL}

LIST(leaves, "weight", "weights", "kernel", "w", "b", "bias", "scale", "gamma", "beta", "g");
LIST(wrappers, "module", "model", "params", "transformer", "orig", "mod");
LIST(embeddings, "embed", "embeds", "embedding", "embeddings", "embedder", "emb", "embs", "embd",
     "wte", "wpe", "posembed", "ppe", "ptew", "unembed", "codebook");
LIST(layers_within, "mlp", "linear", "dense", "fc");
LIST(norms, "norm", "norms", "layernorm", "rmsnorm", "batchnorm", "groupnorm", "instancenorm", "ln",
     "lnf", "lnfw", "lnfb", "bn", "gn", "rms", "normalization", "layernormalization",
     "batchnormalization");
LIST(biases, "bias", "biases", "qkvb", "attprojb", "fcb", "fcprojb", "ptewb");
LIST(positions, "pos", "position", "positions", "positional");
LIST(heads, "head", "heads", "lmhead", "wlmhead", "classifier", "classifierw", "logits", "score",
     "wcls", "readout", "predictions", "pred", "generator", "qa", "seq");
LIST(attentions, "attn", "attention", "sa", "mha", "mhsa", "multi", "multihead", "cross", "query",
     "key", "value", "qkv", "q", "k", "v");
LIST(insides, "attn", "attention", "mha", "sa", "query", "key", "value", "qkv", "qkvw", "q", "k",
     "v", "o", "wq", "wk", "wv", "wo", "wi", "proj", "projection", "attproj", "attprojw", "mlp",
     "ffn", "ffwd", "ff", "fc", "fcw", "fcprojw", "feed", "feedforward", "dense", "linear", "lin",
     "conv", "convs", "gate", "up", "down", "intermediate", "hidden", "kernel", "experts", "lora",
     "modulation", "downsample");

static int among(const char *text, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(text, *list) == 0)
            return 1;
    return 0;
}

/* ---- Words ------------------------------------------------------------------------------- */

/* Does a word begin at s[i], when s[i - 1] belongs to one? */
static int begins(const char *s, size_t i)
{
    unsigned char before = (unsigned char)s[i - 1], here = (unsigned char)s[i];
    if (!isdigit(before) != !isdigit(here))
        return 1;
    return isupper(here) && (islower(before) || islower((unsigned char)s[i + 1]));
}

static void split(sentence *s, const char *name)
{
    size_t length = 0;
    int part = 0;
    s->count = 0;
    for (size_t i = 0; name[i] != '\0'; i++) {
        unsigned char c = (unsigned char)name[i];
        if (!isalnum(c)) {
            part += c == '.' || c == '/' || c == ':';
            length = 0;
            continue;
        }
        if (length == 0 || begins(name, i)) {
            if (s->count == WORDS)
                return;
            memset(&s->words[s->count], 0, sizeof s->words[0]);
            s->words[s->count].part = part;
            s->words[s->count++].number = isdigit(c) != 0;
            length = 0;
        }
        if (length < LENGTH - 1)
            s->words[s->count - 1].text[length] = (char)tolower(c);
        length++;
    }
}

/* Number of the last part before `part` with a word that is no number and, if told so, no leaf; or
 * -1. */
static int part_before(const sentence *s, int part, int skip_leaves)
{
    for (int i = s->count - 1; i >= 0; i--) {
        const word *w = &s->words[i];
        if (w->part < part && !w->number && !(skip_leaves && among(w->text, leaves)))
            return w->part;
    }
    return -1;
}

static int part_has(const sentence *s, int part, const char *const *list)
{
    for (int i = 0; i < s->count; i++)
        if (s->words[i].part == part && among(s->words[i].text, list))
            return 1;
    return 0;
}

static int has(const sentence *s, const char *const *list)
{
    for (int i = 0; i < s->count; i++)
        if (among(s->words[i].text, list))
            return 1;
    return 0;
}

/* Is the part these words, leaves left out ("fc", "proj out"), without a number? */
static int part_is(const sentence *s, int part, const char *first, const char *second)
{
    const char *const wanted[] = {first, second, NULL};
    int found = 0, expected = 1 + (second != NULL);
    for (int i = 0; i < s->count; i++) {
        const word *w = &s->words[i];
        if (w->part != part || among(w->text, leaves))
            continue;
        if (w->number || found == expected || strcmp(w->text, wanted[found]) != 0)
            return 0;
        found++;
    }
    return found == expected;
}

static const word *first_of(const sentence *s, int part)
{
    for (int i = 0; i < s->count; i++)
        if (s->words[i].part == part)
            return &s->words[i];
    return NULL;
}

/* Nothing but wrappers (module, model, ...) before the part. */
static int at_top(const sentence *s, int part)
{
    for (int i = 0; i < s->count && s->words[i].part < part; i++)
        if (!among(s->words[i].text, wrappers))
            return 0;
    return 1;
}

static int numbered_before(const sentence *s, int part)
{
    for (int i = 0; i < s->count && s->words[i].part < part; i++)
        if (s->words[i].number)
            return 1;
    return 0;
}

/* ---- What they mean ----------------------------------------------------------------------------
 */

static int is_bias(const sentence *s)
{
    LIST(last, "b", "beta", "gamma");
    LIST(lora, "lora");
    int i = s->count - 1;
    while (i > 0 && s->words[i].number)
        i--;
    return has(s, biases) || (i >= 0 && among(s->words[i].text, last) && !has(s, lora));
}

static int is_norm(const sentence *s)
{
    LIST(modulation, "modulation");
    return part_has(s, s->module, norms) && !part_has(s, s->module, modulation);
}

/* An embedding table; not the layers that work on one, nor those that make one of the time. */
static int is_embedding(const sentence *s)
{
    LIST(time, "time", "timestep");
    LIST(tokens, "token", "tokens");
    int i = 0, last = s->count - 1;
    while (i < s->count && !among(s->words[i].text, embeddings))
        i++;
    if (i < s->count)
        return !has(s, time) &&
               !(s->words[i].part < s->module && part_has(s, s->module, layers_within));
    while (last > 0 && s->words[last].part != s->module)
        last--;
    return part_has(s, s->module, positions) || part_is(s, s->module, "shared", NULL) ||
           part_is(s, s->module, "token", "types") || part_is(s, s->module, "a", "log") ||
           (last >= 0 && among(s->words[last].text, tokens));
}

/* The last layer of something called a head. */
static int ends_head(const sentence *s, int part)
{
    return part_is(s, part, "fc", NULL) || part_is(s, part, "decoder", NULL) ||
           part_is(s, part, "proj", NULL) || part_is(s, part, "out", "proj") ||
           part_is(s, part, "linear", NULL);
}

/* The layer that makes the model's outputs. */
static int is_head(const sentence *s)
{
    LIST(pre, "pre");
    LIST(output, "output", "outputs");
    int part = s->module;
    const word *first = first_of(s, part);
    if (first == NULL || has(s, attentions))
        return 0;
    if (part_has(s, part, heads))
        return !part_has(s, part, pre);
    if (part_has(s, part_before(s, part, 0), heads) && ends_head(s, part))
        return 1;
    if (among(first->text, output))
        return !numbered_before(s, part);
    return at_top(s, part) && !numbered_before(s, part + 2) &&
           (part_is(s, part, "out", NULL) || part_is(s, part, "fc", NULL) ||
            part_is(s, part, "proj", "out"));
}

ngi_name_verdict ngi_name_judge(const char *name)
{
    sentence s;
    split(&s, name);
    int last = s.count > 0 ? s.words[s.count - 1].part + 1 : 0;
    s.module = part_before(&s, last, 1);
    if (s.module < 0)
        s.module = part_before(&s, last, 0);
    if (is_bias(&s) || is_norm(&s) || is_embedding(&s) || is_head(&s))
        return NGI_NAME_ELEMENTWISE;
    return has(&s, insides) ? NGI_NAME_MATRIX : NGI_NAME_UNKNOWN;
}
