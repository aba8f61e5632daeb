/* natgrad/tensors.h: named arrays in a file, the safetensors format.
 *
 *   ng_tensors *file;
 *   ng_tensors_open(&file, "model.safetensors", &error);
 *   const ng_tensor *t = ng_tensors_find(file, "fc1.weight");
 *   if (t != NULL)
 *       ng_tensors_read_mat(file, ng_f32(w1, 256, 784), t, &error);
 *   ng_tensors_close(file);
 *
 *   ng_tensors_writer *out;
 *   ng_tensors_writer_create(&out, "model.safetensors", &error);
 *   ng_tensors_writer_add(out, "fc1.weight", NG_TENSOR_F32, (size_t[]){256, 784}, 2, &error);
 *   ng_tensors_writer_write_mat(out, ng_f32(w1, 256, 784), &error);
 *   ng_tensors_writer_commit(out, &error);
 *
 * The file is 8 bytes (little-endian) with the length of a JSON header, the header
 * (dtype, shape and place of every tensor, and pairs of text), then the tensors'
 * elements, row-major, little-endian, side by side. Neither side holds the file in
 * memory: a reader keeps the header, a writer what was added.
 *
 * Errors, unless said otherwise: NG_EIO with the path and the system's reason,
 * NG_EARG, NG_ENOMEM; NG_EUNSUPPORTED on a machine that is not little-endian. */
#ifndef NATGRAD_TENSORS_H
#define NATGRAD_TENSORS_H

#include <stdint.h>
#include <natgrad/mat.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types of elements ------------------------------------------------------ */

/* Their names, and the bits of an element. F8_..., F6_..., F4: floats of that many bits (exponent
 * and mantissa follow; FNUZ without infinities and -0, E8M0 a power of two); BF16: the upper half
 * of F32; C64: two F32. */
#define NG_TENSOR_DTYPE_LIST(X)                                                                    \
    X(F64, 64)                                                                                     \
    X(F32, 32)                                                                                     \
    X(F16, 16)                                                                                     \
    X(BF16, 16)                                                                                    \
    X(F8_E4M3, 8)                                                                                  \
    X(F8_E5M2, 8)                                                                                  \
    X(F8_E8M0, 8)                                                                                  \
    X(F8_E4M3FNUZ, 8)                                                                              \
    X(F8_E5M2FNUZ, 8)                                                                              \
    X(F6_E2M3, 6)                                                                                  \
    X(F6_E3M2, 6)                                                                                  \
    X(F4, 4)                                                                                       \
    X(C64, 64)                                                                                     \
    X(I64, 64)                                                                                     \
    X(I32, 32)                                                                                     \
    X(I16, 16)                                                                                     \
    X(I8, 8)                                                                                       \
    X(U64, 64)                                                                                     \
    X(U32, 32)                                                                                     \
    X(U16, 16)                                                                                     \
    X(U8, 8)                                                                                       \
    X(BOOL, 8)

typedef enum {
#define NG_TENSOR_DTYPE_ENUM(name, bits) NG_TENSOR_##name,
    NG_TENSOR_DTYPE_LIST(NG_TENSOR_DTYPE_ENUM)
#undef NG_TENSOR_DTYPE_ENUM
        NG_TENSOR_DTYPES /* how many there are */
} ng_tensor_dtype;

/* "F32" for NG_TENSOR_F32; "unknown" for anything else. Static strings. */
NG_API const char *ng_tensor_dtype_name(ng_tensor_dtype dtype);

/* Bits of an element; 0 for an unknown type. */
NG_API size_t ng_tensor_dtype_bits(ng_tensor_dtype dtype);

/* NG_EDTYPE if no type has that name. */
NG_API ng_status ng_tensor_dtype_find(ng_tensor_dtype *dtype, const char *name, ng_error *error);

/* ---- Reading ------------------------------------------------------------------ */

typedef struct {
    const char *name; /* UTF-8; may hold control characters */
    ng_tensor_dtype dtype;
    size_t rank;
    const size_t *shape; /* rank sizes */
    size_t count;        /* elements: their product */
    size_t bytes;
    size_t begin; /* place of the first byte in the file */
} ng_tensor;

typedef struct ng_tensors ng_tensors;

/* Opens a file and reads its header. NG_EFORMAT with the reason for anything that is not as the
 * format has it: truncated, a header that is longer than the file or 100 MB, not JSON, not UTF-8,
 * with a name twice or a NUL, an unknown dtype, sizes whose product (zeros left out) is too large,
 * places that do not fit the shape, overlap, leave holes or do not end with the file. Memory is a
 * few times the header's length at most, and nothing else in the file decides on any. */
NG_API ng_status ng_tensors_open(ng_tensors **tensors, const char *path, ng_error *error);

/* NULL is allowed. Everything below that came from it is gone. */
NG_API void ng_tensors_close(ng_tensors *tensors);

NG_API size_t ng_tensors_count(const ng_tensors *tensors);

/* Tensor `index` in the order of their places; NULL past the last. */
NG_API const ng_tensor *ng_tensors_get(const ng_tensors *tensors, size_t index);

/* The tensor of that name, or NULL; binary search. */
NG_API const ng_tensor *ng_tensors_find(const ng_tensors *tensors, const char *name);

/* The text of that key in the header's __metadata__, or NULL; binary search. */
NG_API const char *ng_tensors_text(const ng_tensors *tensors, const char *key);

/* Pair `index` of __metadata__, ascending by key: its text, or NULL past the last. */
NG_API const char *ng_tensors_text_at(const ng_tensors *tensors, size_t index, const char **key);

/* Reads `size` bytes of the tensor from its byte `begin` on. May be called from several threads.
 * NG_EFORMAT: the file has become shorter. */
NG_API ng_status ng_tensors_read(const ng_tensors *tensors, void *bytes, const ng_tensor *tensor,
                                 size_t begin, size_t size, ng_error *error);

/* The type of a view's elements. */
NG_API ng_tensor_dtype ng_tensor_dtype_of(ng_dtype dtype);

/* Reads all of an F32, F64, F16 or BF16 tensor into a view of the same type and, sizes of one left
 * out, the same shape (else NG_ESHAPE): [n], [1, n] and [n, 1] all fit a 1 x n view. A tensor of
 * sixteen bits may be read into an F32 view as well, which holds its numbers exactly, by pieces
 * that need no memory. Any other pair of types is NG_EDTYPE. */
NG_API ng_status ng_tensors_read_mat(const ng_tensors *tensors, ng_mat mat, const ng_tensor *tensor,
                                     ng_error *error);

/* *crc <- CRC-32 (as in zlib) of all bytes of the file before the tensor's first. */
NG_API ng_status ng_tensors_crc(const ng_tensors *tensors, uint32_t *crc, const ng_tensor *tensor,
                                ng_error *error);

/* ---- Writing ------------------------------------------------------------------ */

typedef struct ng_tensors_writer ng_tensors_writer;

/* Begins a file that is to be PATH, by natgrad/file.h: whole or not at all. */
NG_API ng_status ng_tensors_writer_create(ng_tensors_writer **writer, const char *path,
                                          ng_error *error);

/* Announces the next tensor: all of them before the first write. Their elements begin at multiples
 * of their own size if larger ones are added first. The name is copied. NG_EARG: not UTF-8, there
 * already (said by the first write or commit), "__metadata__", or after a write; NG_EDTYPE;
 * NG_ESHAPE: not a whole number of bytes; NG_ERANGE: too large. */
NG_API ng_status ng_tensors_writer_add(ng_tensors_writer *writer, const char *name,
                                       ng_tensor_dtype dtype, const size_t *shape, size_t rank,
                                       ng_error *error);

/* A pair for the header's __metadata__, under the same conditions. */
NG_API ng_status ng_tensors_writer_add_text(ng_tensors_writer *writer, const char *key,
                                            const char *text, ng_error *error);

/* The next bytes of the tensors in the order of adding, in pieces of any size that do not reach
 * beyond the tensor they begin in (else NG_EARG). NG_ERANGE: the header exceeds 100 MB. */
NG_API ng_status ng_tensors_writer_write(ng_tensors_writer *writer, const void *bytes, size_t size,
                                         ng_error *error);

/* A whole tensor from a view, of any ng_dtype, of its type (else NG_EDTYPE) and number of elements
 * (else NG_ESHAPE). */
NG_API ng_status ng_tensors_writer_write_mat(ng_tensors_writer *writer, ng_mat mat,
                                             ng_error *error);

/* *crc <- CRC-32 (as in zlib) of all bytes of the file so far, the header's among them: a last
 * tensor of four bytes may hold it. */
NG_API ng_status ng_tensors_writer_crc(ng_tensors_writer *writer, uint32_t *crc, ng_error *error);

/* Puts the file in its place and frees the handle, whatever the outcome; on an error (NG_ENODATA:
 * a tensor was not written to its end) PATH is as before. */
NG_API ng_status ng_tensors_writer_commit(ng_tensors_writer *writer, ng_error *error);

/* Removes what was written and frees the handle. NULL is allowed. */
NG_API void ng_tensors_writer_discard(ng_tensors_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
