/* --log: a line an epoch, on the disk when it is written. */
#include "examples/train/train.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static int failed(const record *log)
{
    return program_error("--log: %.200s: %s", log->path, strerror(errno));
}

int record_open(record *log, const char *path, const source *s)
{
    const char *end = strrchr(path, '.');
    *log = (record){.path = path, .json = end != NULL && strcmp(end, ".jsonl") == 0};
    log->to = fopen(program_hushed() ? "/dev/null" : path, "w");
    if (log->to == NULL)
        return failed(log);
    if (!log->json)
        fprintf(log->to, "optimizer,seed,epoch,lr,seconds,train_loss,%s_loss,%s_%s\n",
                s->held_out_name, s->held_out_name, s->score);
    return 0;
}

/* JSON has no NaN. */
static void put(record *log, const char *name, double value)
{
    if (log->json)
        fprintf(log->to, isfinite(value) ? ", \"%s\": %.17g" : ", \"%s\": null", name, value);
    else
        fprintf(log->to, ",%.17g", value);
}

int record_write(record *log, const run *r, const point *points, size_t first, size_t count)
{
    for (size_t i = first; i < count; i++) {
        fprintf(log->to,
                log->json ? "{\"optimizer\": \"%s\", \"seed\": %lu, \"epoch\": %zu" : "%s,%lu,%zu",
                r->method->name, r->seed, i + 1);
        put(log, "lr", points[i].lr);
        put(log, "seconds", points[i].seconds);
        put(log, "train_loss", points[i].train_loss);
        put(log, "loss", points[i].loss);
        put(log, "score", points[i].score);
        fputs(log->json ? "}\n" : "\n", log->to);
    }
    return fflush(log->to) == 0 ? 0 : failed(log);
}

int record_close(record *log, int status)
{
    if (log->to == NULL || fclose(log->to) == 0)
        return status;
    return status != 0 ? status : failed(log);
}
