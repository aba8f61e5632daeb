/* The one place that reads a clock. */
#ifndef NGI_CLOCK_H
#define NGI_CLOCK_H

/* Seconds from some fixed moment; only differences mean anything. */
double ngi_clock(void);

#endif
