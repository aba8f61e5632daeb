/* Decimal numbers at the speed of a disk. */
#ifndef NGI_TRAIN_DECIMAL_H
#define NGI_TRAIN_DECIMAL_H

/* 1 if all of at ... end - 1 is a decimal number, finite as a double; *value
 * <- it, correctly rounded. Digits with `point` among, before or behind them,
 * a sign before, an exponent behind; of any length; no hexadecimal, no nan, no
 * blanks. Else 0. */
int ngi_decimal(double *value, const char *at, const char *end, char point);

#endif
