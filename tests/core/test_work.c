/* The scratch stack. */
#include <natgrad/work.h>

#include <stdint.h>

#include "tests/support/support.h"

enum { ALIGN = 64 };

/* What a test takes off the stack: a matrix, or plain bytes if rows is 0. */
typedef struct {
    size_t rows, cols, bytes;
    ng_dtype dtype;
} piece;

static const piece pieces[] = {
    {0, 0, 1, NG_F32}, {7, 13, 0, NG_F32}, {3, 5, 0, NG_F64},  {0, 0, 64, NG_F32},
    {0, 0, 0, NG_F32}, {1, 1, 0, NG_F32},  {16, 4, 0, NG_F64}, {0, 0, 100, NG_F32},
};
enum { N_PIECES = sizeof pieces / sizeof *pieces };

static size_t piece_size(piece p)
{
    return p.rows != 0 ? ng_work_mat_size(p.rows, p.cols, p.dtype) : ng_work_bytes_size(p.bytes);
}

static size_t piece_bytes(piece p)
{
    return p.rows != 0 ? p.rows * p.cols * ng_dtype_size(p.dtype) : p.bytes;
}

static ng_status take(ng_work *work, piece p, void **data, ng_error *error)
{
    ng_mat m;
    if (p.rows == 0)
        return ng_work_bytes(work, data, p.bytes, error);
    ng_status status = ng_work_mat(work, &m, p.rows, p.cols, p.dtype, error);
    *data = m.data;
    if (status == NG_OK) {
        ck_assert_uint_eq(m.rows, p.rows);
        ck_assert_uint_eq(m.cols, p.cols);
        ck_assert_uint_eq(m.stride, p.cols);
        ck_assert_int_eq(m.dtype, p.dtype);
    }
    return status;
}

static size_t total_size(void)
{
    size_t total = 0;
    for (int i = 0; i < N_PIECES; i++)
        total += piece_size(pieces[i]);
    return total;
}

START_TEST(sizes)
{
    static const size_t table[][2] = {{0, 0},
                                      {1, 64},
                                      {63, 64},
                                      {64, 64},
                                      {65, 128},
                                      {127, 128},
                                      {128, 128},
                                      {1000, 1024},
                                      {SIZE_MAX, SIZE_MAX},
                                      {SIZE_MAX - 1, SIZE_MAX}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        ck_assert_uint_eq(ng_work_bytes_size(table[i][0]), table[i][1]);
    ck_assert_uint_eq(ng_work_mat_size(3, 5, NG_F32), 64);
    ck_assert_uint_eq(ng_work_mat_size(3, 5, NG_F64), 128);
    ck_assert_uint_eq(ng_work_mat_size(0, SIZE_MAX, NG_F64), 0);
    ck_assert_uint_eq(ng_work_mat_size(SIZE_MAX, 0, NG_F64), 0);
}
END_TEST

START_TEST(sizes_overflow)
{
    size_t half = (size_t)1 << (sizeof(size_t) * 4);
    ck_assert_uint_eq(ng_work_mat_size(half, half, NG_F32), SIZE_MAX);
    ck_assert_uint_eq(ng_work_mat_size(half / 2, half / 2, NG_F32), SIZE_MAX);
    ck_assert_uint_eq(ng_work_mat_size(half / 2, half / 2, NG_F64), SIZE_MAX);
    ck_assert_uint_eq(ng_work_mat_size(1, SIZE_MAX / 4, NG_F64), SIZE_MAX);
    ck_assert_uint_eq(ng_work_mat_size(SIZE_MAX, SIZE_MAX, NG_F64), SIZE_MAX);
    ck_assert_uint_eq(ng_work_mat_size(1, SIZE_MAX / 4, NG_F32), SIZE_MAX);
}
END_TEST

/* The promised bytes are enough, whatever is asked for; the block is exactly
 * as long, so that a sanitizer sees an overrun. */
START_TEST(exact_size_suffices)
{
    size_t total = total_size(), sum = 0;
    unsigned char *block = aligned_alloc(ALIGN, total);
    ng_work work = ng_work_on(block, total);
    ng_error error = {NG_OK, ""};
    for (int i = 0; i < N_PIECES; i++) {
        void *data;
        ng_assert_ok(take(&work, pieces[i], &data, &error), &error);
        if (piece_bytes(pieces[i]) > 0)
            ck_assert_ptr_eq(data, block + sum);
        sum += piece_size(pieces[i]);
        ck_assert_uint_eq(work.used, sum);
        if (data != NULL)
            memset(data, i, piece_bytes(pieces[i]));
    }
    ck_assert_uint_eq(sum, total);
    free(block);
}
END_TEST

/* _i is the piece; a byte is missing for it. Nothing is taken then. */
START_TEST(one_byte_less)
{
    size_t size = piece_size(pieces[_i]);
    unsigned char *block = aligned_alloc(ALIGN, ALIGN + size);
    ng_work work = ng_work_on(block, ALIGN + (size > 0 ? size - 1 : 0));
    ng_error error = {NG_OK, ""};
    void *data;
    ng_assert_ok(ng_work_bytes(&work, &data, ALIGN, &error), &error);
    if (size == 0) {
        ng_assert_ok(take(&work, pieces[_i], &data, &error), &error);
    } else {
        ng_assert_fails(take(&work, pieces[_i], &data, &error), NG_ENOMEM, &error, "workspace");
        ck_assert_ptr_null(data);
        ck_assert_int_eq(take(&work, pieces[_i], &data, NULL), NG_ENOMEM);
    }
    ck_assert_uint_eq(work.used, ALIGN);
    work.size++;
    ng_assert_ok(take(&work, pieces[_i], &data, &error), &error);
    free(block);
}
END_TEST

/* _i is how far the block is from an aligned address */
START_TEST(unaligned_block)
{
    size_t total = total_size() + ALIGN;
    unsigned char *block = aligned_alloc(ALIGN, total + ALIGN), *end = block + _i + total;
    ng_work work = ng_work_on(block + _i, total);
    unsigned char *low = block + _i;
    ng_error error = {NG_OK, ""};
    for (int i = 0; i < N_PIECES; i++) {
        void *data;
        ng_assert_ok(take(&work, pieces[i], &data, &error), &error);
        if (piece_bytes(pieces[i]) == 0)
            continue;
        ck_assert_uint_eq((uintptr_t)data % ALIGN, 0);
        ck_assert((unsigned char *)data >= low); /* behind the piece before */
        low = (unsigned char *)data + piece_bytes(pieces[i]);
        ck_assert(low <= end);
        ck_assert_uint_le(work.used, work.size);
    }
    free(block);
}
END_TEST

START_TEST(stack_is_restored)
{
    ng_work work;
    ng_error error = {NG_OK, ""};
    void *first, *second, *again;
    ng_assert_ok(ng_work_create(&work, 1024, &error), &error);
    ng_assert_ok(ng_work_bytes(&work, &first, 100, &error), &error);
    size_t mark = work.used;
    ng_assert_ok(ng_work_bytes(&work, &second, 200, &error), &error);
    work.used = mark;
    ng_assert_ok(ng_work_bytes(&work, &again, 200, &error), &error);
    ck_assert_ptr_eq(second, again);
    ng_work_destroy(&work);
}
END_TEST

START_TEST(create_and_destroy)
{
    static const size_t sizes_[] = {0, 1, 63, 64, 65, 4096, 100001};
    for (size_t i = 0; i < sizeof sizes_ / sizeof *sizes_; i++) {
        ng_work work;
        ng_error error = {NG_OK, ""};
        ng_assert_ok(ng_work_create(&work, sizes_[i], &error), &error);
        ck_assert_uint_ge(work.size, sizes_[i]);
        ck_assert_uint_eq(work.used, 0);
        ck_assert_uint_eq((uintptr_t)work.data % ALIGN, 0);
        if (sizes_[i] > 0)
            memset(work.data, 1, work.size);
        ng_work_destroy(&work);
        ng_work_destroy(&work); /* nothing is freed twice */
    }
    ng_work_destroy(NULL);
}
END_TEST

START_TEST(create_too_much)
{
    static const size_t absurd[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 63, SIZE_MAX - 64};
    for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
        ng_work work;
        ng_error error = {NG_OK, ""};
        ng_assert_fails(ng_work_create(&work, absurd[i], &error), NG_ENOMEM, &error, "workspace");
        ck_assert_int_eq(ng_work_create(&work, absurd[i], NULL), NG_ENOMEM);
        ng_work_destroy(&work);
    }
}
END_TEST

START_TEST(borrowed_block_is_not_freed)
{
    unsigned char block[256];
    ng_work work = ng_work_on(block, sizeof block);
    ng_work_destroy(&work); /* a sanitizer would object to freeing the stack */
    block[0] = 1;
    ck_assert_int_eq(block[0], 1);
}
END_TEST

START_TEST(matrix_that_fits_no_memory)
{
    unsigned char block[256];
    ng_work work = ng_work_on(block, sizeof block);
    ng_error error = {NG_OK, ""};
    ng_mat m;
    ng_assert_fails(ng_work_mat(&work, &m, SIZE_MAX, 2, NG_F32, &error), NG_ENOMEM, &error,
                    "scratch");
    ck_assert_uint_eq(work.used, 0);
    void *data;
    ck_assert_int_eq(ng_work_bytes(&work, &data, SIZE_MAX, &error), NG_ENOMEM);
    ck_assert_int_eq(ng_work_bytes(&work, &data, SIZE_MAX - 3, &error), NG_ENOMEM);
    ck_assert_uint_eq(work.used, 0);
}
END_TEST

TEST_SUITE(work)
{
    TCase *tc = tcase_create("stack");
    tcase_add_test(tc, sizes);
    tcase_add_test(tc, sizes_overflow);
    tcase_add_test(tc, exact_size_suffices);
    tcase_add_loop_test(tc, one_byte_less, 0, N_PIECES);
    tcase_add_loop_test(tc, unaligned_block, 0, ALIGN);
    tcase_add_test(tc, stack_is_restored);
    tcase_add_test(tc, create_and_destroy);
    tcase_add_test(tc, create_too_much);
    tcase_add_test(tc, borrowed_block_is_not_freed);
    tcase_add_test(tc, matrix_that_fits_no_memory);
    suite_add_tcase(suite, tc);
}
