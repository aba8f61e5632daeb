/* Which group a parameter goes to. */
#include <natgrad/policy.h>

#include <ctype.h>

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

ng_status ng_policy_add(const ng_policy *policy, ng_group **group, size_t *index, const char *name,
                        ng_mat w, ng_mat dw)
{
    if (policy == NULL || policy->size != sizeof *policy || policy->matrix == NULL ||
        policy->rest == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(policy->matrix->optimizer);
    ng_group *chosen;
    if (name == NULL)
        return ng_error_set(error, NG_EARG, "a parameter needs a name");
    TRY(follow_rules(&chosen, policy, name, error));
    ngi_name_verdict verdict = chosen == NULL ? judge(name, w) : NGI_NAME_MATRIX;
    if (chosen == NULL)
        chosen = verdict == NGI_NAME_ELEMENTWISE ? policy->rest : policy->matrix;
    TRY(ng_group_add(chosen, index, name, w, dw));
    if (verdict == NGI_NAME_UNKNOWN)
        tell(chosen->optimizer, name, w);
    if (group != NULL)
        *group = chosen;
    return NG_OK;
}
