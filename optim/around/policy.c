/* Which group a parameter goes to. */
#include <natgrad/policy.h>

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/memory.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "optim/around/names.h"
#include "optim/front/front.h"

static int same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Goes back to the last '*' where what follows it does not fit. */
static int matches(const char *pattern, const char *name)
{
    const char *star = NULL, *resume = NULL;
    while (*name != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            resume = name;
        } else if (*pattern != '\0' && (*pattern == '?' || same(*pattern, *name))) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star + 1;
            name = ++resume;
        } else
            return 0;
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* By its shape, then by its name. */
static ngi_name_verdict judge(const char *name, ng_mat w)
{
    return w.rows <= 1 || w.cols <= 1 ? NGI_NAME_ELEMENTWISE
           : name != NULL             ? ngi_name_judge(name)
                                      : NGI_NAME_UNKNOWN;
}

int ng_policy_elementwise(const char *name, ng_mat w)
{
    return judge(name, w) == NGI_NAME_ELEMENTWISE;
}

ng_status ng_policy_init_sized(ng_policy *policy, size_t size, ng_group *matrix, ng_group *rest)
{
    ng_policy defaults = {.size = sizeof defaults, .matrix = matrix, .rest = rest};
    TRY(ngi_check_struct(policy, size, sizeof defaults));
    *policy = defaults;
    return NG_OK;
}

/* ---- Groups by text ----------------------------------------------------------------------- */

static const char blanks[] = " \t\r\n";

/* A group by "PRESET name=value ..." */
static ng_status add_group(ng_optimizer *optimizer, ng_group **group, const char *text)
{
    ng_error *error = ngi_begin(optimizer);
    char name[64];
    void *options;
    if (text == NULL)
        return ng_error_set(error, NG_EARG, "policy: a group's text is NULL");
    text += strspn(text, blanks);
    size_t length = strcspn(text, blanks);
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), text);
    TRY(ng_options_new(&options, name, error));
    ng_status status = ng_options_set_all(options, text + length, NULL, 0, error);
    if (status == NG_OK)
        status = ng_optimizer_add_group(optimizer, group, options);
    ng_options_free(options);
    return status;
}

ng_status ng_policy_init_presets_sized(ng_policy *policy, size_t size, ng_optimizer *optimizer,
                                       const char *matrix, const char *rest)
{
    ng_group *groups[2];
    TRY(ngi_check_struct(policy, size, sizeof *policy));
    memset(policy, 0, size);
    if (optimizer == NULL)
        return NG_EARG;
    TRY(add_group(optimizer, &groups[0], matrix));
    ng_status status = add_group(optimizer, &groups[1], rest);
    if (status == NG_OK)
        return ng_policy_init_sized(policy, size, groups[0], groups[1]);
    ngi_group_destroy(groups[0]);
    optimizer->group_count--;
    return status;
}

/* The group of the first rule that matches; *group NULL: none does. */
static ng_status follow_rules(ng_group **group, const ng_policy *policy, const char *name,
                              ng_error *error)
{
    *group = NULL;
    for (size_t i = 0; i < policy->rule_count && *group == NULL; i++) {
        const ng_policy_rule *rule = &policy->rules[i];
        if (rule->pattern == NULL || rule->group == NULL)
            return ng_error_set(error, NG_EARG, "policy: rule %zu lacks a pattern or a group", i);
        if (matches(rule->pattern, name))
            *group = rule->group;
    }
    return NG_OK;
}

static void tell(const ng_optimizer *optimizer, const char *name, ng_mat w)
{
    ng_error note;
    if (optimizer->message == NULL)
        return;
    ng_error_set(&note, NG_OK,
                 "policy: parameter '%.60s' goes to the matrix method by its shape (%zu x %zu) "
                 "alone: no word of its name is known",
                 name, w.rows, w.cols);
    optimizer->message(note.text, optimizer->message_data);
}

/* ---- One parameter, or one stack --------------------------------------------------------- */

static ng_status check_policy(const ng_policy *policy)
{
    return policy == NULL || policy->size != sizeof *policy || policy->matrix == NULL ||
                   policy->rest == NULL
               ? NG_EARG
               : NG_OK;
}

/* What is added, as a policy sees it; told: how sure it is of the group. */
static ng_status choose(ng_group **group, ngi_name_verdict *told, const ng_policy *policy,
                        const char *name, ng_mat w, ng_error *error)
{
    if (name == NULL)
        return ng_error_set(error, NG_EARG, "a parameter needs a name");
    TRY(follow_rules(group, policy, name, error));
    *told = *group == NULL ? judge(name, w) : NGI_NAME_MATRIX;
    if (*group == NULL)
        *group = *told == NGI_NAME_ELEMENTWISE ? policy->rest : policy->matrix;
    return NG_OK;
}

ng_status ng_policy_add(const ng_policy *policy, ng_group **group, size_t *index, const char *name,
                        ng_mat w, ng_mat dw)
{
    ng_group *chosen;
    ngi_name_verdict told;
    TRY(check_policy(policy));
    TRY(choose(&chosen, &told, policy, name, w, ngi_begin(policy->matrix->optimizer)));
    TRY(ng_group_add(chosen, index, name, w, dw));
    if (told == NGI_NAME_UNKNOWN)
        tell(chosen->optimizer, name, w);
    if (group != NULL)
        *group = chosen;
    return NG_OK;
}

/* Blocks are for methods of matrices. */
static size_t blocks_for(const ng_group *group, size_t count)
{
    return group->method->elementwise ? 0 : count;
}

ng_status ng_policy_add_stack(const ng_policy *policy, ng_group **group, size_t *first,
                              const char *name, ng_stack w, ng_stack dw, const size_t *outputs,
                              size_t count, ng_layout layout)
{
    ng_group *chosen;
    ngi_name_verdict told;
    TRY(check_policy(policy));
    TRY(choose(&chosen, &told, policy, name, w.first, ngi_begin(policy->matrix->optimizer)));
    TRY(ng_group_add_stack(chosen, first, name, w, dw, outputs, blocks_for(chosen, count), layout));
    if (told == NGI_NAME_UNKNOWN)
        tell(chosen->optimizer, name, w.first);
    if (group != NULL)
        *group = chosen;
    return NG_OK;
}

/* ---- A table of them --------------------------------------------------------------------- */

enum { MOST_DIMS = 4, MOST_BLOCKS = 64 };

/* An entry's shape: a stack of matrices. */
typedef struct {
    size_t count, rows, cols;
} extent;

static ng_status measure(extent *x, const ng_policy_entry *entry, const char *name, ng_error *error)
{
    size_t d[MOST_DIMS] = {1, 1, 1, 1}, rank = 0, begin = entry->flags & NG_ENTRY_STACK ? 1 : 0;
    size_t product = 1;
    while (rank < MOST_DIMS && entry->dims[rank] > 0) {
        d[rank] = entry->dims[rank];
        product = ngi_size_mul(product, d[rank++]);
    }
    for (size_t i = rank; i < MOST_DIMS; i++)
        if (entry->dims[i] > 0)
            return ng_error_set(error, NG_ESHAPE, "'%.60s': a dimension of 0", name);
    if (rank < begin || product == SIZE_MAX)
        return ng_error_set(error, NG_ESHAPE,
                            "'%.60s': no stack has %zu dimensions or that many "
                            "elements",
                            name, rank);
    x->count = begin ? d[0] : 1;
    size_t each = product / x->count;
    x->rows = 1;
    if (rank - begin > 1)
        x->rows = entry->flags & NG_ENTRY_IN_OUT ? each / d[rank - 1] : d[begin];
    x->cols = each / x->rows;
    return NG_OK;
}

/* The entry's weights or gradients: its own, or the next of the flat ones. */
static ng_status view(ng_stack *s, const extent *x, void *own, ng_dtype dtype, ng_mat *flat,
                      const char *name, ng_error *error)
{
    ng_mat first = {own, x->rows, x->cols, x->cols, dtype};
    if (own == NULL && flat->data != NULL) {
        ng_mat taken = ng_mat_take(flat, x->count, x->rows * x->cols);
        if (taken.data == NULL)
            return ng_error_set(error, NG_ESHAPE, "'%.60s': the flat array ends within it", name);
        first.data = taken.data;
        first.dtype = taken.dtype;
    }
    *s = ng_stack_of(first, x->count, x->rows * x->cols);
    return NG_OK;
}

static ng_group *by_flag(const ng_policy *policy, unsigned flags)
{
    return flags & NG_ENTRY_REST ? policy->rest : flags & NG_ENTRY_MATRIX ? policy->matrix : NULL;
}

static ng_status add_views(ng_group *group, const char *name, ng_stack w, ng_stack dw,
                           const size_t *outputs, size_t blocks, unsigned flags)
{
    ng_layout layout = flags & NG_ENTRY_IN_OUT ? NG_IN_OUT : NG_OUT_IN;
    if (flags & NG_ENTRY_STACK)
        return ng_group_add_stack(group, NULL, name, w, dw, outputs, blocks, layout);
    return blocks > 0
               ? ng_group_add_blocks(group, NULL, name, w.first, dw.first, outputs, blocks, layout)
               : ngi_group_add_laid(group, name, w.first, dw.first, layout);
}

/* The blocks of each matrix, if that is asked for and of use. */
static ng_status share(ng_group *group, size_t first, size_t blocks, unsigned flags)
{
    if (!(flags & NG_ENTRY_SHARED) || blocks < 2 || !ng_options_want_capture(group->options))
        return NG_OK;
    for (; first < group->count; first += blocks)
        TRY(ng_group_share_inputs(group, first, blocks));
    return NG_OK;
}

static ng_status add(const ng_policy *policy, ng_place *place, const ng_policy_entry *entry,
                     const char *name, ng_stack w, ng_stack dw, ng_error *error)
{
    size_t outputs[MOST_BLOCKS], blocks = entry->blocks > 1 ? entry->blocks : 0;
    size_t all = entry->flags & NG_ENTRY_IN_OUT ? w.first.cols : w.first.rows;
    ngi_name_verdict told = NGI_NAME_MATRIX;
    ng_group *group = by_flag(policy, entry->flags);
    if (group == NULL)
        TRY(choose(&group, &told, policy, name, w.first, error));
    if (blocks > MOST_BLOCKS || (blocks > 0 && all % blocks != 0))
        return ng_error_set(error, NG_ESHAPE, "'%.60s': %zu outputs in %zu blocks (%d at most)",
                            name, all, blocks, MOST_BLOCKS);
    for (size_t i = 0; i < blocks; i++)
        outputs[i] = all / blocks;
    size_t before = group->count;
    TRY(add_views(group, name, w, dw, outputs, blocks_for(group, blocks), entry->flags));
    TRY(share(group, before, blocks, entry->flags));
    if (told == NGI_NAME_UNKNOWN)
        tell(group->optimizer, name, w.first);
    place->group = group;
    place->first = before;
    place->count = group->count - before;
    return NG_OK;
}

static ng_status add_entry(const ng_policy *policy, ng_place *place, const ng_policy_entry *entry,
                           size_t number, ng_mat *weights, ng_mat *gradients, ng_error *error)
{
    const ng_place nowhere = {NULL, 0, 0};
    char own[32];
    const char *name = entry->name;
    extent x;
    ng_stack w, dw;
    snprintf(own, sizeof own, "#%zu", number);
    name = name != NULL ? name : own;
    *place = nowhere;
    TRY(measure(&x, entry, name, error));
    if (entry->flags & NG_ENTRY_TIED)
        return NG_OK;
    TRY(view(&w, &x, entry->data, entry->dtype, weights, name, error));
    TRY(view(&dw, &x, entry->gradient, entry->dtype, gradients, name, error));
    if (entry->flags & NG_ENTRY_FROZEN)
        return NG_OK;
    return add(policy, place, entry, name, w, dw, error);
}

static ng_status add_entries(const ng_policy *policy, ng_place *places,
                             const ng_policy_entry *table, size_t count, ng_mat weights,
                             ng_mat gradients, ng_error *error)
{
    ng_place place;
    for (size_t i = 0; i < count; i++)
        TRY(add_entry(policy, places != NULL ? &places[i] : &place, &table[i], i, &weights,
                      &gradients, error));
    if (weights.cols > 0 || gradients.cols > 0)
        return ng_error_set(error, NG_ESHAPE,
                            "%zu weights and %zu gradients of the flat arrays are nobody's",
                            weights.cols, gradients.cols);
    return NG_OK;
}

/* Every group a policy may choose, i < 2 + rule_count; NULL: a rule without one. */
static ng_group *choice(const ng_policy *policy, size_t i)
{
    return i == 0 ? policy->matrix : i == 1 ? policy->rest : policy->rules[i - 2].group;
}

static ng_status check_flat(ng_mat flat, const char *what, ng_error *error)
{
    if (flat.data == NULL)
        return NG_OK;
    TRY(ng_mat_check(flat, what, error));
    return flat.rows == 1
               ? NG_OK
               : ng_error_set(error, NG_ESHAPE, "%s: %zu rows instead of one", what, flat.rows);
}

ng_status ng_policy_add_all(const ng_policy *policy, ng_place *places, const ng_policy_entry *table,
                            size_t count, ng_mat weights, ng_mat gradients)
{
    TRY(check_policy(policy));
    ng_error *error = ngi_begin(policy->matrix->optimizer), inner;
    size_t groups = 2 + policy->rule_count, *before;
    if (table == NULL && count > 0)
        return ng_error_set(error, NG_EARG, "a policy's table is NULL");
    TRY(check_flat(weights, "flat weights", error));
    TRY(check_flat(gradients, "flat gradients", error));
    TRY(ngi_array_create(&before, groups, sizeof *before, "groups", error));
    for (size_t i = 0; i < groups; i++)
        before[i] = choice(policy, i) != NULL ? choice(policy, i)->count : 0;
    ng_status status = add_entries(policy, places, table, count, weights, gradients, error);
    inner = *error;
    for (size_t i = 0; i < groups && status != NG_OK; i++)
        if (choice(policy, i) != NULL)
            ngi_group_truncate(choice(policy, i), before[i]);
    *error = inner;
    free(before);
    return status;
}

ng_status ng_place_capture(ng_place place, ng_stack a, ng_stack g, double scale)
{
    return ng_group_capture_stack(place.group, place.first, a, g, scale);
}
