/* Steps over threads: the bits, the errors and the events of one thread. */
#include "tests/optim/threads_world.h"

static const int counts[] = {1, 2, 3, 8, PARAMS - 1, PARAMS, PARAMS + 1, 256};
enum { COUNTS = sizeof counts / sizeof counts[0] };

/* ---- Bits ------------------------------------------------------------------------------------ */

START_TEST(same_bits)
{
    world alone, many;
    open_world(&alone, 0);
    open_world(&many, counts[_i]);
    for (unsigned i = 0; i < 6; i++) {
        step(&alone, i);
        ck_assert_int_eq(had, 0); /* threads = 0 makes none */
        step(&many, i);
        /* the halves of a step may each have their helpers; the caller works too */
        ck_assert_int_le(had, 2 * (counts[_i] - 1));
        ck_assert_int_eq(counts[_i] > 1, had > 0);
        had = 0;
        assert_same(&alone, &many);
    }
    for (int p = 0; p < PARAMS; p++) { /* events come in the order of adding */
        char name[32];
        sprintf(name, "layer%02d", p);
        ck_assert_str_eq(many.notes[p].name, name);
        ck_assert_uint_eq(many.notes[p].index, (size_t)(p % EACH));
    }
    ck_assert_str_eq(many.notes[PARAMS].name, "");
    ck_assert_uint_eq(ng_optimizer_steps(many.opt), 6);
    close_world(&alone), close_world(&many);
}
END_TEST

/* Fewer threads than wished for, down to none: the same step. */
START_TEST(hands_are_short)
{
    world alone, many;
    open_world(&alone, 0);
    open_world(&many, 8);
    for (int i = 0; i < 9; i++) {
        step(&alone, (unsigned)i);
        had = 0;
        hands = i;
        step(&many, (unsigned)i);
        hands = INT_MAX;
        had = 0;
        assert_same(&alone, &many);
    }
    close_world(&alone), close_world(&many);
}
END_TEST

/* The same error and text whatever thread met it first; states keep no trace. */
START_TEST(several_failures)
{
    world well, alone, many; /* the first never fails */
    open_world(&well, 0);
    open_world(&alone, 0);
    open_world(&many, counts[_i]);
    for (int f = 0; f < FAILURES; f++) {
        char text[2][256];
        bad_step(&alone, f, text[0], sizeof text[0]);
        bad_step(&many, f, text[1], sizeof text[1]);
        ck_assert_str_eq(text[0], text[1]);
        step(&well, (unsigned)f);
        step(&many, (unsigned)f);
        step(&alone, (unsigned)f);
        assert_same(&well, &many);
        assert_same(&well, &alone);
    }
    close_world(&well), close_world(&alone), close_world(&many);
}
END_TEST

TEST_SUITE(threads)
{
    TCase *tcase = tcase_create("steps");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, reset, unhook);
    tcase_add_loop_test(tcase, same_bits, 0, COUNTS);
    tcase_add_test(tcase, hands_are_short);
    tcase_add_loop_test(tcase, several_failures, 0, COUNTS);
    suite_add_tcase(suite, tcase);
}
