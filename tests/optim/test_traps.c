/* Hosts that trap: no operation of an ordinary step raises a floating-point exception. */
#ifdef __linux__
#define _GNU_SOURCE /* feenableexcept */
#endif
#include "tests/optim/finite_world.h"

#include <fenv.h>

#ifdef __GLIBC__
/* All presets, and a length that is 0 where the gradient is.
 *
 * Ordinary, zero and then again ordinary gradients and captures: a trap would end the test. */
START_TEST(traps)
{
    const char *preset = _i < PRESETS ? presets[_i] : "kfac_muon";
    const char *settings = _i < PRESETS ? "" : "length=dual";
    for (int dtype = 0; dtype < 2; dtype++)
        for (int zeros = 0; zeros < 4; zeros++) {
            world x;
            test_rng rng = {12};
            open_world(&x, preset, settings, (ng_dtype)dtype);
            fill(x.w, 1, &rng);
            for (int t = 0; t < 6; t++) {
                /* everything zero from the first step on, after two, or never; or captures alone */
                int zero = zeros == 0 ? 0 : zeros == 1 ? 1 : t >= 2;
                fill(x.dw, zero && zeros < 3 ? 0 : 0.1, &rng);
                feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
                ng_status taken = feed(&x, zero ? 0 : 1, zero ? 0 : 0.1, 6, &rng);
                ng_status status = ng_optimizer_step(x.opt);
                fedisableexcept(FE_ALL_EXCEPT);
                ck_assert_int_eq(taken, NG_OK);
                ck_assert_msg(status == NG_OK, "%s: %s", preset, ng_optimizer_error(x.opt));
            }
            ck_assert(all_finite(x.w));
            close_world(&x);
        }
}
END_TEST
#endif

TEST_SUITE(traps)
{
    TCase *tcase = tcase_create("traps");
#ifdef __GLIBC__
    tcase_add_loop_test(tcase, traps, 0, PRESETS + 1);
#endif
    suite_add_tcase(suite, tcase);
}
