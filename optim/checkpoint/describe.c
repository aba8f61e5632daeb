/* What is in a file, in lines for people (natgrad/checkpoint.h). */
#include "optim/checkpoint/checkpoint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/tensors/header.h"

enum { LINE = 512, MOST_RANK = 8 };

typedef struct {
    const ng_tensors *file;
    ng_message message;
    void *data;
} listener;

static void tell(const listener *to, const char *format, ...) NG_PRINTF(2, 3);

static void tell(const listener *to, const char *format, ...)
{
    char line[LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    to->message(line, to->data);
}

/* A fact of the parameter `prefix` (group.0.parameter.0): "" if the file has none. */
static ngi_label fact(const listener *to, const char *prefix, const char *what)
{
    char key[96];
    snprintf(key, sizeof key, "%.63s.%.15s", prefix, what);
    const char *text = ng_tensors_text(to->file, key);
    return ngi_label_of(text != NULL ? text : "");
}

/* Pairs come sorted: a parameter is told of at its name, in one line. */
static void tell_pair(const listener *to, const char *key, const char *text)
{
    char prefix[64];
    const char *point = strrchr(key, '.');
    if (strncmp(key, "group.", 6) != 0 || strstr(key, ".parameter.") == NULL) {
        tell(to, "%s = %s", ngi_label_of(key).text, ngi_label_of(text).text);
        return;
    }
    if (strcmp(point, ".name") != 0 || (size_t)(point - key) >= sizeof prefix)
        return;
    snprintf(prefix, sizeof prefix, "%.*s", (int)(point - key), key);
    ngi_label inputs = fact(to, prefix, "inputs");
    tell(to, "%s = '%s', %s, %s, %s, bias %s%s%s%s", ngi_label_of(prefix).text,
         ngi_label_of(text).text, fact(to, prefix, "shape").text, fact(to, prefix, "dtype").text,
         fact(to, prefix, "layout").text, fact(to, prefix, "bias").text,
         inputs.text[0] != '\0' ? ", inputs of '" : "", inputs.text,
         inputs.text[0] != '\0' ? "'" : "");
}

static void tell_tensor(const listener *to, const ng_tensor *t)
{
    char shape[MOST_RANK * 24] = "";
    for (size_t i = 0; i < t->rank && i < MOST_RANK; i++) {
        size_t length = strlen(shape);
        snprintf(shape + length, sizeof shape - length, "%s%zu", i > 0 ? ", " : "", t->shape[i]);
    }
    tell(to, "'%s' %s [%s%s]", ngi_label_of(t->name).text, ng_tensor_dtype_name(t->dtype), shape,
         t->rank > MOST_RANK ? ", ..." : "");
}

static ng_status describe(const listener *to, ng_error *error)
{
    const char *key, *text;
    TRY(ngi_model_format(to->file, error));
    TRY(ngi_check_sum(to->file, error));
    for (size_t i = 0; (text = ng_tensors_text_at(to->file, i, &key)) != NULL; i++)
        tell_pair(to, key, text);
    for (size_t i = 0; i < ng_tensors_count(to->file); i++)
        tell_tensor(to, ng_tensors_get(to->file, i));
    return NG_OK;
}

ng_status ng_checkpoint_describe(const char *path, ng_message message, void *data, ng_error *error)
{
    ng_tensors *file;
    if (path == NULL || path[0] == '\0' || message == NULL)
        return ng_error_set(error, NG_EARG, "a checkpoint's path, or who hears of it");
    TRY(ng_tensors_open(&file, path, error));
    listener to = {file, message, data};
    ng_status status = describe(&to, error);
    ng_tensors_close(file);
    return status;
}
