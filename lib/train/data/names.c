#include "lib/train/data/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

ngi_span ngi_span_of(const char *text)
{
    return (ngi_span){text, strlen(text)};
}

static int compare(ngi_span a, ngi_span b)
{
    int order = memcmp(a.at, b.at, a.size < b.size ? a.size : b.size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* The place in `sorted` of the text, or where it would go. */
static size_t place(const ngi_names *names, ngi_span text, int *found)
{
    size_t low = 0, high = names->count;
    *found = 0;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = compare(text, ngi_span_of(names->text[names->sorted[middle]]));
        *found = order == 0;
        if (order <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

size_t ngi_names_find(const ngi_names *names, ngi_span text)
{
    int found;
    size_t at = place(names, text, &found);
    return found ? names->sorted[at] : names->count;
}

static ng_status make_room(ngi_names *names)
{
    size_t room = names->room > 0 ? 2 * names->room : 8;
    if (names->count < names->room)
        return NG_OK;
    char **text = realloc(names->text, room * sizeof *text);
    names->text = text != NULL ? text : names->text;
    size_t *sorted = realloc(names->sorted, room * sizeof *sorted);
    names->sorted = sorted != NULL ? sorted : names->sorted;
    if (text == NULL || sorted == NULL)
        return NG_ENOMEM;
    names->room = room;
    return NG_OK;
}

ng_status ngi_names_add(ngi_names *names, size_t *number, ngi_span text, size_t most)
{
    int found;
    size_t at = place(names, text, &found);
    *number = found ? names->sorted[at] : names->count;
    if (found)
        return NG_OK;
    if (names->count >= most)
        return NG_ERANGE;
    TRY(make_room(names));
    char *own = malloc(text.size + 1);
    if (own == NULL)
        return NG_ENOMEM;
    memcpy(own, text.at, text.size);
    own[text.size] = '\0';
    memmove(names->sorted + at + 1, names->sorted + at,
            (names->count - at) * sizeof *names->sorted);
    names->sorted[at] = names->count;
    names->text[names->count++] = own;
    return NG_OK;
}

/* ---- Order ----------------------------------------------------------------------- */

/* 0, or digits without a zero before them and perhaps a minus */
static int is_whole(const char *text)
{
    const char *digits = text + (*text == '-');
    size_t count = strspn(digits, "0123456789");
    return digits[count] == '\0' && count > 0 && (*digits != '0' || (count == 1 && digits == text));
}

static int by_value(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int minus = *x == '-';
    size_t n = strlen(x), m = strlen(y);
    if (minus != (*y == '-'))
        return minus ? -1 : 1;
    int order = n != m ? (n > m ? 1 : -1) : strcmp(x, y);
    return minus ? -order : order;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* `sorted` without those that are not used, numbered anew. */
static void renumber(ngi_names *names, const size_t *rank, size_t before)
{
    size_t n = 0;
    for (size_t i = 0; i < before; i++)
        if (rank[names->sorted[i]] != SIZE_MAX)
            names->sorted[n++] = rank[names->sorted[i]];
}

ng_status ngi_names_sort(ngi_names *names, size_t *rank)
{
    typedef struct {
        char *text; /* first: what the comparisons look at */
        size_t old;
    } named;
    const size_t before = names->count;
    size_t count = 0;
    int whole = 1;
    named *used = malloc((before + 1) * sizeof *used);
    if (used == NULL)
        return NG_ENOMEM;
    for (size_t i = 0; i < before; i++) {
        if (rank[i] == 0) {
            free(names->text[i]);
            rank[i] = SIZE_MAX;
            continue;
        }
        used[count++] = (named){names->text[i], i};
        whole = whole && is_whole(names->text[i]);
    }
    qsort(used, count, sizeof *used, whole ? by_value : by_bytes);
    for (size_t i = 0; i < count; i++) {
        names->text[i] = used[i].text;
        rank[used[i].old] = i;
    }
    names->count = count;
    renumber(names, rank, before);
    free(used);
    return NG_OK;
}

void ngi_names_free(ngi_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->text[i]);
    free(names->text);
    free(names->sorted);
    *names = (ngi_names){0};
}

ng_status ngi_names_copy(ngi_names *to, const ngi_names *from)
{
    size_t number;
    *to = (ngi_names){0};
    for (size_t i = 0; i < from->count; i++)
        TRY(ngi_names_add(to, &number, ngi_span_of(from->text[i]), NGI_NAMES));
    return NG_OK;
}
