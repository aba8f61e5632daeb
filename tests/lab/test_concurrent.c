/* Families, lattices, chains, hypergraphs and a shared mixture in several threads of the host's at
 * once: what one that is alone gets. To be run under ThreadSanitizer, too. */
#include <string.h>

#include <natgrad-lab.h>

#include "lib/core/try.h"
#include "tests/support/support.h"

enum { HANDS = 3, TURNS = 5 };

typedef struct {
    double value[8];
} finding;

/* A triangle of spins fitted to moments, and samples of it. */
static ng_status explore(ng_family *f, ng_random *random, finding *found)
{
    static const double theta[3] = {0.2, -0.1, 0.4}, zero[3] = {0};
    double moments[3], x[60];
    ng_mat samples = ng_f64(x, 20, 3), fisher = ng_f64(found->value, 2, 2);
    TRY(ng_family_set(f, theta, NULL));
    memcpy(moments, ng_family_mean(f), sizeof moments);
    TRY(ng_family_set(f, zero, NULL));
    TRY(ng_family_fit(f, NULL, moments, NULL, NULL));
    TRY(ng_family_sample(f, samples, random, NULL));
    double whole[9];
    TRY(ng_family_fisher(f, ng_f64(whole, 3, 3), NULL));
    TRY(ng_copy(fisher, ng_f64_strided(whole, 2, 2, 3), NULL));
    found->value[4] = ng_family_theta(f)[2];
    found->value[5] = ng_max_abs(samples) + ng_dot(samples, samples);
    return NG_OK;
}

static ng_status family(finding *found)
{
    static const uint32_t edges[3] = {3, 5, 6};
    ng_family *f;
    ng_random random = {NULL};
    TRY(ng_family_create_ising(&f, 3, edges, 3, NULL));
    ng_status status = ng_rng_create(&random, 9, NULL);
    if (status == NG_OK)
        status = explore(f, &random, found);
    ng_rng_destroy(&random);
    ng_family_destroy(f);
    return status;
}

static ng_status lattice(finding *found)
{
    ng_lattice l = {NG_LATTICE_ISING2D, 3, ng_lattice_critical(NG_LATTICE_ISING2D)};
    ng_lattice_curvature r = {0};
    ng_cumulants c;
    TRY(ng_lattice_transfer(&c, &l, (size_t)1 << 30, NULL));
    ng_status status = ng_cumulants_curvature(&r, &c, NULL);
    ng_cumulants_destroy(&c);
    found->value[0] = r.curvature;
    return status;
}

/* over two threads of its own */
static ng_status chains(finding *found)
{
    ng_wolff_options o;
    ng_wolff_result r;
    ng_wolff_init(&o);
    o.lattice.model = NG_LATTICE_ISING2D;
    o.lattice.length = 3;
    o.lattice.coupling = ng_lattice_critical(NG_LATTICE_ISING2D);
    o.samples = 2000;
    o.threads = 2;
    TRY(ng_wolff_run(&r, &o, NULL));
    found->value[0] = r.plain;
    found->value[1] = r.sigma;
    return NG_OK;
}

static ng_status hypergraph(finding *found)
{
    ng_rules *rules = NULL;
    ng_joinability report;
    TRY(ng_rules_parse(&rules, "{{x,y},{y,z}} -> {{x,z}}", NULL));
    ng_status status = ng_rules_joinability(&report, rules, 1, NULL, NULL, NULL);
    ng_rules_destroy(rules);
    found->value[0] = (double)report.pairs;
    return status;
}

/* one mixture for all threads, made before them */
static ng_mixture *shared;

static ng_status mixture(finding *found)
{
    double x[6] = {0.3, -1, 2, 0.5, 0, 0}, score[6];
    const ng_mixture_fields f = {.score = ng_f64(score, 3, 2), .mean = ng_f64(found->value, 3, 2)};
    TRY(ng_mixture_evaluate(shared, &f, ng_f64(x, 3, 2), 0.6, 0.8, NG_MIXTURE_ALL, NULL));
    found->value[6] = ng_dot(f.score, f.score);
    return NG_OK;
}

static void share_mixture(void)
{
    static double means[4] = {1, 0, -1, 0.5}, covariances[8] = {1, 0, 0.2, 0.5, 0.4, 0, -0.1, 0.3};
    ng_assert_ok(ng_mixture_create(&shared, ng_f64(means, 2, 2), ng_f64(covariances, 4, 2), NULL,
                                   NULL, NULL),
                 NULL);
}

static void drop_mixture(void)
{
    ng_mixture_destroy(shared);
    shared = NULL;
}

static ng_status (*const works[])(finding *found) = {family, lattice, chains, hypergraph, mixture};
static ng_status (*work)(finding *found);

static ng_status often(void *data)
{
    for (int i = 0; i < TURNS; i++)
        TRY(work(data));
    return NG_OK;
}

START_TEST(at_once)
{
    finding found[HANDS] = {{{0}}}, alone = {{0}};
    work = works[_i];
    test_together(often, found, sizeof *found, HANDS);
    ng_assert_ok(work(&alone), NULL);
    ck_assert(alone.value[0] != 0);
    for (int i = 0; i < HANDS; i++)
        ck_assert(memcmp(&found[i], &alone, sizeof alone) == 0);
}
END_TEST

TEST_SUITE(concurrent)
{
    TCase *tcase = tcase_create("lab");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, share_mixture, drop_mixture);
    tcase_add_loop_test(tcase, at_once, 0, sizeof works / sizeof *works);
    suite_add_tcase(suite, tcase);
}
