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

NG_API void ng_policy_init(ng_policy *policy, ng_group *matrix, ng_group *rest);

/* 1 for what matrix methods are not meant for (Jordan 2024): vectors (one row or one column), and
 * matrices named as embeddings, output heads, norms or biases: *embed*, *wte*, *wpe*, *head*,
 * *norm*, *ln_*, *bias*. */
NG_API int ng_policy_elementwise(const char *name, ng_mat w);

/* ng_group_add to the group the policy chooses; *group and *index (either may be NULL) say where
 * it went. NG_EARG (NULL, a rule without a pattern or group) and the errors of ng_group_add. */
NG_API ng_status ng_policy_add(const ng_policy *policy, ng_group **group, size_t *index,
                               const char *name, ng_mat w, ng_mat dw);

/* The assignment as a table: name, shape, dtype, method, its metric and ball, lr; a line a
 * parameter. Writes at most size bytes, the 0 included, and returns the length of the whole text
 * without it, as snprintf does. text may be NULL when size is 0. */
NG_API size_t ng_optimizer_describe(const ng_optimizer *optimizer, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
