/* What reading and writing of safetensors files share, and the parts of their header.
 *   scan.c     the little JSON there is: strings and sizes
 *   header.c   the table of a header
 *   read.c     files that are read
 *   write.c    files that are written */
#ifndef NGI_TENSORS_HEADER_H
#define NGI_TENSORS_HEADER_H

#include <natgrad/tensors.h>

enum { NGI_MAX_HEADER = 100000000 }; /* as safetensors has it */
static const char ngi_metadata_key[] = "__metadata__";

/* A name from a file as errors may show it: control characters replaced, cut short between two
 * characters. ngi_label_of(name).text lives to the end of the expression. */
typedef struct {
    char text[80];
} ngi_label;
ngi_label ngi_label_of(const char *name);

/* RFC 3629: no overlong forms, no surrogates, nothing above 10ffff. */
int ngi_is_utf8(const char *text);

/* Elements and bytes of a shape. NG_ERANGE: too large, zeros left out; NG_ESHAPE: a broken byte. */
ng_status ngi_tensor_size(ng_tensor *tensor, ng_error *error);

/* Type and shape (sizes of one left out) are the view's? NG_EDTYPE, NG_ESHAPE. */
ng_status ngi_tensor_fits(const ng_tensor *tensor, ng_mat mat, ng_error *error);

/* NG_EUNSUPPORTED where numbers are not little-endian. */
ng_status ngi_tensors_check_machine(ng_error *error);

/* ---- Scanning ------------------------------------------------------------------------------- */

typedef struct {
    char *at, *end;
} ngi_scanner;

/* Past white space, is there this character? Then it is taken. */
int ngi_scan(ngi_scanner *s, char c);

/* A string, decoded where it stands and ended with NUL; NULL if there is none. */
char *ngi_scan_string(ngi_scanner *s);

/* A whole number; 0 if there is none that fits. */
int ngi_scan_size(ngi_scanner *s, size_t *size);

/* Nothing but white space is left. */
int ngi_scan_end(ngi_scanner *s);

/* ---- Header --------------------------------------------------------------------------------- */

typedef struct {
    const char *key, *text;
} ngi_text_pair;

typedef struct {
    ng_tensor *tensors; /* by place */
    const ng_tensor **by_name;
    ngi_text_pair *pairs; /* by key */
    size_t *sizes;        /* of all shapes */
    size_t count, capacity, pair_count, pair_capacity, size_count, size_capacity;
    int metadata; /* __metadata__ was there */
} ngi_tensor_table;

/* Reads the header's text, which is decoded in place and must live as long as the table; the
 * tensors begin at `begin` of the file and have `bytes` altogether. */
ng_status ngi_table_read(ngi_tensor_table *table, char *text, size_t size, size_t begin,
                         size_t bytes, ng_error *error);
void ngi_table_free(ngi_tensor_table *table);

#endif
