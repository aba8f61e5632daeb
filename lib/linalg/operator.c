#include "lib/linalg/operator.h"

#include "lib/linalg/check.h"

ng_status ngi_check_operator(const ng_operator *a, const char *name, ng_error *error)
{
    if (a == NULL || a->apply == NULL)
        return ng_error_set(error, NG_EARG, "%s: there is no operator", name);
    return NG_OK;
}

ng_status ngi_apply(const ng_operator *a, const char *name, ng_mat y, ng_mat x, ng_error *error)
{
    ng_error theirs = {NG_OK, ""};
    ng_status status = a->apply(a->data, y, x, &theirs);
    if (status != NG_OK)
        return ng_error_set(error, status, "%s: %s", name,
                            theirs.text[0] != 0 ? theirs.text : ng_status_text(status));
    return ngi_check_finite(y, name, error);
}
