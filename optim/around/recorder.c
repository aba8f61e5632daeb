/* Events as lines of CSV (natgrad/recorder.h). */
#include <natgrad/recorder.h>

#include <stdio.h>

#include <natgrad/number.h>

#include "lib/core/try.h"
#include "optim/front/front.h"

static const char names[] = "step,name,method,lr,gradient_norm,update_norm,seconds,route,rank,"
                            "orthogonality_error,condition,stale,clip_factor\n";

enum { LONGEST_NAME = 200 };

ng_status ng_recorder_init_sized(ng_recorder *recorder, size_t size)
{
    ng_recorder defaults = {.size = sizeof defaults, .every = 1};
    TRY(ngi_check_struct(recorder, size, sizeof defaults));
    *recorder = defaults;
    return NG_OK;
}

/* A field in quotes, those inside doubled. out has room for twice the name and three more. */
static void quote(char *out, const char *name)
{
    *out++ = '"';
    for (size_t i = 0; name[i] != '\0' && i < LONGEST_NAME; i++) {
        if (name[i] == '"')
            *out++ = '"';
        *out++ = name[i];
    }
    *out++ = '"';
    *out = '\0';
}

static size_t number(char *out, size_t room, double value)
{
    return (size_t)ng_number_format(out, room, ",%.9g", value);
}

int ng_recorder_monitor(const ng_event *event, void *data)
{
    ng_recorder *r = data;
    char name[2 * LONGEST_NAME + 3] = "", line[1024];
    const size_t room = sizeof line;
    if (event == NULL || r == NULL || r->size != sizeof *r || r->write == NULL)
        return 0;
    if (r->every == 0 || event->step % r->every != 0 ||
        (r->steps_only && event->kind == NG_EVENT_PARAMETER))
        return 0;
    if (!r->begun && r->write(names, sizeof names - 1, r->data) != 0)
        return 1;
    r->begun = 1;
    if (event->kind == NG_EVENT_PARAMETER)
        quote(name, event->name);
    size_t n = (size_t)snprintf(line, room, "%llu,%s,%s", event->step, name, event->method);
    n += number(line + n, room - n, event->lr);
    n += number(line + n, room - n, event->gradient_norm);
    n += number(line + n, room - n, event->update_norm);
    n += number(line + n, room - n, event->seconds);
    n += (size_t)snprintf(line + n, room - n, ",%s,%zu", event->route, event->rank);
    n += number(line + n, room - n, event->orthogonality_error);
    n += number(line + n, room - n, event->condition);
    n += (size_t)snprintf(line + n, room - n, ",%d", event->stale);
    n += number(line + n, room - n, event->clip_factor);
    n += (size_t)snprintf(line + n, room - n, "\n");
    return r->write(line, n, r->data) != 0;
}
