/* A learning rate, found by walking. */
#ifndef EXAMPLES_WALK_H
#define EXAMPLES_WALK_H

enum { WALK_TRIALS = 16 };

/* *loss <- the validation loss of a training with this rate, infinite if it left the numbers.
 * 0, or 1 after reporting. What a trial interrupted by ^C says is not looked at. */
typedef int walk_try(void *data, double lr, double *loss);

/* *lr, where the walk begins, becomes the rate of the lowest loss: down by factors of two as long
 * as that helps, else up; the same for every optimizer. 0, or 1 after reporting. */
int walk_rates(double *lr, const char *name, walk_try *try, void *data);

#endif
