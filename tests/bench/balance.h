/* How evenly the parameters of GPT-2 124M go to so many ranks. */
#ifndef BENCH_BALANCE_H
#define BENCH_BALANCE_H

/* The largest load of a rank, over the least that any division could have: the mean, or the
 * costliest parameter. Muon for matrices, AdamW for the rest. */
double balance_gpt2(int ranks);

#endif
