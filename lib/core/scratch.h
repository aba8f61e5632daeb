/* The workspace of a public call: the caller's, or one of its own for that
 * call. A function between open and close may fail with scratch taken: what it
 * took goes back when the owner closes. On success it gives back its own. */
#ifndef NGI_SCRATCH_H
#define NGI_SCRATCH_H

#include <natgrad/work.h>

typedef struct {
    ng_work own, *work;
    size_t mark;
} ngi_scratch;

/* s->work <- work or, for NULL, a new one, with at least size bytes left: asked
 * at the door, so that a short workspace fails every time and not only on the
 * way that needs most. NG_ENOMEM; then there is nothing to close. */
ng_status ngi_scratch_open(ngi_scratch *s, ng_work *work, size_t size, ng_error *error);

/* Leaves the caller's workspace as it was. Returns status, the outcome of what
 * was done between. */
ng_status ngi_scratch_close(ngi_scratch *s, ng_status status);

#endif
