/* natgrad/policy.h: which parameters go to the matrix method and which to the
 * element-wise one, by their names and shapes, and a table to check it by.
 *
 *   ng_policy policy;
 *   ng_policy_init(&policy, hidden, rest);             two groups: fismo, adamw
 *   for (each parameter)
 *       ng_policy_add(&policy, NULL, NULL, name, w, dw);
 *   ng_optimizer_describe(opt, text, sizeof text);
 *   puts(text);                                        look at it once */
#ifndef NATGRAD_POLICY_H
#define NATGRAD_POLICY_H

#include <natgrad/optimizer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Parameters whose name matches the pattern ('*': any characters, '?': one; upper and lower case
 * alike) belong to the group. */
typedef struct {
    const char *pattern;
    ng_group *group;
} ng_policy_rule;

/* The first rule that matches decides; after the rules, what ng_policy_elementwise says. */
typedef struct {
    size_t size;                 /* set by ng_policy_init */
    ng_group *matrix;            /* hidden weight matrices */
    ng_group *rest;              /* everything else */
    const ng_policy_rule *rules; /* the caller's own; default NULL */
    size_t rule_count;
} ng_policy;

NG_API ng_status ng_policy_init_sized(ng_policy *policy, size_t size, ng_group *matrix,
                                      ng_group *rest);
static inline ng_status ng_policy_init(ng_policy *policy, ng_group *matrix, ng_group *rest)
{
    return ng_policy_init_sized(policy, sizeof *policy, matrix, rest);
}

/* The same with two new groups of the optimizer, each by a text as a command line has it: the name
 * of a preset, then options as ng_options_set_all takes them: "fismo lr=0.01", "adamw". NG_EARG,
 * NG_EOPTION, NG_ENOMEM; then no group was added, the policy is one that every call refuses, and
 * ng_optimizer_error says why. */
NG_API ng_status ng_policy_init_presets_sized(ng_policy *policy, size_t size,
                                              ng_optimizer *optimizer, const char *matrix,
                                              const char *rest);
static inline ng_status ng_policy_init_presets(ng_policy *policy, ng_optimizer *optimizer,
                                               const char *matrix, const char *rest)
{
    return ng_policy_init_presets_sized(policy, sizeof *policy, optimizer, matrix, rest);
}

/* 1 for what matrix methods are not meant for (Jordan 2024): vectors (one row or one column), and
 * matrices whose name says that they are an embedding, an output head, a norm or a bias; a stack of
 * those (layers x channels) included. Else 0. name may be NULL.
 *
 * Names are read as public models write them: GPT-2 (wte, h.0.ln_1), minGPT (tok_emb), nanoGPT
 * (lm_head), llm.c (ln1w, qkvb), llama.cpp (token_embd, output), T5 (shared,
 * relative_attention_bias), BERT, ViT, Flax, Keras, torchvision (fc, classifier). They are taken
 * apart at . / : _, at digits and before capitals into words, and whole words count: an "overhead"
 * has no head, the "heads" of an attention are none, "output.dense" within layer 3 is no output. */
NG_API int ng_policy_elementwise(const char *name, ng_mat w);

/* ng_group_add to the group the policy chooses; *group and *index (either may be NULL) say where
 * it went. A matrix without a known word in its name goes to the matrix group by its shape alone,
 * and the optimizer's message callback is told. NG_EARG (NULL, a rule without a pattern or group)
 * and the errors of ng_group_add. */
NG_API ng_status ng_policy_add(const ng_policy *policy, ng_group **group, size_t *index,
                               const char *name, ng_mat w, ng_mat dw);

/* ng_group_add_stack likewise. The policy sees a matrix of the stack, so that a stack of vectors is
 * element-wise. Blocks are for methods of matrices; an element-wise one is given whole matrices. */
NG_API ng_status ng_policy_add_stack(const ng_policy *policy, ng_group **group, size_t *first,
                                     const char *name, ng_stack w, ng_stack dw,
                                     const size_t *outputs, size_t count, ng_layout layout);

/* ---- A whole model in one table ---------------------------------------------------------------
 *
 *   static const ng_policy_entry model[] = {
 *       {.name = "wte", .dims = {V, C}},
 *       {.name = "qkvw", .dims = {L, 3 * C, C}, .flags = NG_ENTRY_STACK, .blocks = 3},
 *       {.name = "qkvb", .dims = {L, 3 * C}, .flags = NG_ENTRY_STACK},
 *       {.name = "conv", .dims = {64, 3, 5, 5}},
 *       {.name = "head", .dims = {V, C}, .flags = NG_ENTRY_TIED},
 *   };
 *   ng_policy_add_all(&policy, NULL, model, 5, ng_f32(params, 1, n), ng_f32(grads, 1, n)); */

enum {
    NG_ENTRY_STACK = 1,   /* the first dimension counts layers, each a parameter "name[0]", ... */
    NG_ENTRY_IN_OUT = 2,  /* outputs are the last dimension instead of the first */
    NG_ENTRY_REST = 4,    /* to policy->rest whatever its name and shape: heads, embeddings */
    NG_ENTRY_MATRIX = 8,  /* to policy->matrix likewise */
    NG_ENTRY_TIED = 16,   /* another entry's weights: has no place in flat arrays, is not added */
    NG_ENTRY_FROZEN = 32, /* has its place, is not added */
    NG_ENTRY_SHARED =
        64, /* ng_group_share_inputs for the blocks of each matrix, under a method that
               captures; not where ng_group_add_bias is to follow, which comes first */
};

typedef struct {
    const char *name; /* NULL: "#3", its place in the table from 0 on */
    /* up to the first 0; none: a number. One (behind that of NG_ENTRY_STACK) is a vector; of more
     * the first are outputs, all others together inputs: the weights of a convolution are
     * (out, in, kh, kw). With NG_ENTRY_IN_OUT the last are outputs. Row-major, dense. */
    size_t dims[4];
    unsigned flags;
    size_t blocks;  /* of equal outputs, a parameter each (for methods of matrices), at most 64;
                       0, 1: the matrix is whole */
    ng_dtype dtype; /* of data; default NG_F32 */
    void *data;     /* NULL: the next elements of the flat weights */
    void *gradient; /* NULL: the next of the flat gradients */
} ng_policy_entry;

/* Where an entry went: `count` parameters of the group from `first` on; group NULL: not added. */
typedef struct {
    ng_group *group;
    size_t first, count;
} ng_place;

/* Adds the model, all of it or nothing; places (count of them, or NULL) say where. weights and
 * gradients are 1 x n, flat arrays whose elements must all be somebody's, or ng_mat_none().
 * NG_EARG, NG_ESHAPE (dimensions, blocks, or flat arrays of another length), NG_ENOMEM, and what
 * ng_policy_add may say. */
NG_API ng_status ng_policy_add_all(const ng_policy *policy, ng_place *places,
                                   const ng_policy_entry *table, size_t count, ng_mat weights,
                                   ng_mat gradients);

/* ng_group_capture_stack for the layers and blocks of one entry: of each layer its inputs and the
 * derivatives of all its outputs. NG_EARG too where the entry was not added. */
NG_API ng_status ng_place_capture(ng_place place, ng_stack a, ng_stack g, double scale);

/* The assignment as a table: name, shape, dtype, method, its metric and ball, lr; a line a
 * parameter. Writes at most size bytes, the 0 included, and returns the length of the whole text
 * without it, as snprintf does. text may be NULL when size is 0. */
NG_API size_t ng_optimizer_describe(const ng_optimizer *optimizer, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
