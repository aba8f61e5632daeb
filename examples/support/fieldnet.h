/* A small net that learns a field by least squares, in double precision: by the natural gradient
 * with its exact Fisher matrix, which for squared errors is the mean of J^T J, J the derivative of
 * the outputs by the parameters; or by AdamW. Errors end the program (paper.h). */
#ifndef EXAMPLES_FIELDNET_H
#define EXAMPLES_FIELDNET_H

#include "examples/support/paper.h"

typedef struct fieldnet fieldnet;

typedef enum { FIELDNET_NATURAL, FIELDNET_ADAMW } fieldnet_method;

typedef struct {
    size_t inputs, hidden, outputs; /* two hidden layers of as many tanh units */
    size_t batch;                   /* rows of a step, and at most so many of an answer at once */
    fieldnet_method method;
    double lr;      /* at the first step; falls to zero as a cosine over `steps` */
    double damping; /* of the natural gradient */
    size_t steps;
    size_t stream; /* of the random numbers for the weights at the start */
} fieldnet_options;

/* Lives until the end of the program. */
fieldnet *fieldnet_create(const paper *p, const fieldnet_options *options);

/* One step towards targets (batch x outputs) at the inputs (batch x inputs). Returns the loss
 * before it, 1/2 |output - target|^2 on the mean. */
double fieldnet_step(fieldnet *net, ng_mat inputs, ng_mat targets);

/* out (n x outputs) <- the field at the rows of inputs, any n */
void fieldnet_answer(fieldnet *net, ng_mat out, ng_mat inputs);

size_t fieldnet_parameters(const fieldnet *net);

/* Processor time spent in fieldnet_step, in seconds. */
double fieldnet_seconds(const fieldnet *net);

#endif
