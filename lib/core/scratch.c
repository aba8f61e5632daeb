#include "lib/core/scratch.h"

#include "lib/core/try.h"

ng_status ngi_scratch_open(ngi_scratch *s, ng_work *work, size_t size, ng_error *error)
{
    void *bytes;
    s->own = ng_work_on(NULL, 0);
    s->work = work != NULL ? work : &s->own;
    if (work == NULL)
        TRY(ng_work_create(&s->own, size, error));
    s->mark = s->work->used;
    ng_status status = ng_work_bytes(s->work, &bytes, size, error);
    s->work->used = s->mark;
    return status;
}

ng_status ngi_scratch_close(ngi_scratch *s, ng_status status)
{
    s->work->used = s->mark;
    ng_work_destroy(&s->own);
    return status;
}
