/* How the harness tells what was measured. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "tests/bench/bench.h"
#include "tests/bench/internal.h"

extern char *openblas_get_config(void) __attribute__((weak));

/* "model name : X" of Linux, else the architecture. */
static void cpu_name(char *name, size_t size)
{
    char line[256];
    struct utsname host;
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(name, size, "%s", uname(&host) >= 0 ? host.machine : "unknown CPU");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || value == NULL)
            continue;
        value[strcspn(value, "\n")] = '\0';
        snprintf(name, size, "%s", value + 1 + strspn(value + 1, " "));
        break;
    }
    if (file != NULL)
        fclose(file);
}

void bench_print_machine(const char *name, int threads)
{
    char cpu[256];
    cpu_name(cpu, sizeof cpu);
    printf("bench %s: cpu %s; blas %s; threads %d; clock %s\n", name, cpu,
           openblas_get_config != NULL ? openblas_get_config() : "unknown", threads,
           getenv("NG_BENCH_CLOCK"));
}

/* Lines of the table are "claim case goal"; # begins a comment. */
double bench_goal(const char *claim, const char *label)
{
    char line[256], found_claim[64], found_label[64];
    double goal = -1, value;
    FILE *file = fopen(BENCH_SRCDIR "/goals", "r");
    if (file == NULL)
        bench_fail(BENCH_SRCDIR "/goals", "cannot be read");
    while (goal < 0 && fgets(line, sizeof line, file) != NULL)
        if (line[0] != '#' &&
            sscanf(line, "%63s %63s %lf", found_claim, found_label, &value) == 3 &&
            strcmp(found_claim, claim) == 0 && strcmp(found_label, label) == 0)
            goal = value;
    fclose(file);
    return goal;
}

void bench_print_heading(void)
{
    printf("\n%-40s %-10s %-20s %10s  %-20s %10s  %7s  %s\n", "comparison", "case", "ours", "ms",
           "peer", "ms", "ratio", "lowest ... highest of pairs");
}

void bench_print_row(const bench_result *result)
{
    if (result->stated) {
        printf("%-40s %-10s %62s %7.3f\n", result->claim, result->label, "", result->value);
        return;
    }
    printf("%-40s %-10s %-20s ", result->claim, result->label, result->ours_name);
    if (result->pairs == 0) {
        printf("%10s  %-20s\n", "", "absent");
        return;
    }
    printf("%10.4g  %-20s %10.4g  %7.3f  %.3f ... %.3f of %zu\n",
           1e3 * bench_median(result->ours, result->pairs), result->peer_name,
           1e3 * bench_median(result->peer, result->pairs), result->value, result->low,
           result->high, result->pairs);
}

static void print_claim(const bench_result *result, double goal)
{
    printf("claim name=%s case=%s ", result->claim, result->label);
    if (result->pairs == 0 && !result->stated)
        printf("value=absent goal=%.3g ok=absent\n", goal);
    else
        printf("value=%.3g goal=%.3g ok=%s\n", result->value, goal,
               result->value <= goal ? "yes" : "no");
}

void bench_print_claims(const bench_result *results, size_t count)
{
    printf("\n");
    for (size_t i = 0; i < count; i++) {
        double goal = bench_goal(results[i].claim, results[i].label);
        if (goal >= 0)
            print_claim(&results[i], goal);
    }
}
