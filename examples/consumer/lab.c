/* The same for libnatgrad-lab: draws and shuffles numbers. C and C++. */
#include <natgrad-lab.h>
#include <stdio.h>

int main(void)
{
    ng_error error;
    ng_random random;
    size_t index[10], sum = 0;
    if (ng_rng_create(&random, 1, &error) < 0)
        return fprintf(stderr, "%s\n", error.text), 1;
    for (size_t i = 0; i < 10; i++)
        index[i] = i;
    ng_rng_shuffle(&random, index, 10);
    for (size_t i = 0; i < 10; i++)
        sum += index[i];
    ng_rng_destroy(&random);
    printf("natgrad-lab with natgrad %s: %d\n", ng_version(), (int)sum);
    return sum != 45;
}
