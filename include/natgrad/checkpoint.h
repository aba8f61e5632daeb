/* natgrad/checkpoint.h: stop, and resume as if never stopped.
 *
 *   ng_optimizer_save(opt, "run/last.safetensors", NULL);
 *   ...
 *   the same groups and parameters in the same order, then
 *   ng_optimizer_load(opt, "run/last.safetensors", NULL);
 *
 * The steps that follow give the bits they would have given without the stop, on
 * the same machine, whatever the number of threads of either optimizer.
 *
 * The file is of the safetensors format (natgrad/tensors.h). It holds
 *   "NAME/momentum", ...  F64 or F32, [rows, cols]: every state tensor of parameter
 *                         NAME, sums of ng_group_capture and ng_optimizer_accumulate
 *                         included where a step is still to use them
 *   "counts"              F64: what ng_optimizer_counts gives
 *   "NAME/master"         F32: of weights of sixteen bits the copy, [W b] as one matrix
 *   "NAME/weights", "NAME/bias"    if options->weights, in their own dtype: F32, F64, F16 or BF16
 *   "NAME/average", "NAME/bias_average", and "average", F64: its count and decay
 *                         if options->average
 *   "random"              U8: the state of options->random
 *   "crc32"               U8, the last four bytes, little-endian: CRC-32 (as in
 *                         zlib) of the file before them
 * and in __metadata__, all text, numbers as in the C locale:
 *   natgrad_format        "2"; files of format 1 (natgrad 0.1) are refused
 *   shape_scale, momentum, vec, eigenvectors       the conventions behind the numbers
 *   library, steps        who wrote it, after how many steps
 *   clip_value, clip_norm, groups                  of the optimizer
 *   group.0.method, group.0.parameters             and so on for every group
 *   group.0.option.lr, ...                         its options in force
 *   group.0.parameter.0.name, .shape, .dtype, .layout, .bias, and .inputs where they are shared
 *
 * A parameter of another dtype than the file's is refused (NG_EDTYPE), sixteen bits for f32 or the
 * other way round as well. With stochastic rounding the optimizer has the seed it was created with.
 *
 * A load takes sizes of one as they come: [n], [1, n] and [n, 1] are the same bias.
 *
 * Not in the file: the Fisher matrix of a natural group and anything else that is
 * borrowed, monitors, the number of threads.
 *
 * Of an optimizer in several processes (natgrad/exchange.h) all of them call: rank 0 writes the
 * file one process would write, byte for byte, with its own random numbers, and every rank reads
 * it, on any number of ranks. Their status is the same on all.
 *
 * Both calls are NG_EUNSUPPORTED on a machine that is not little-endian. */
#ifndef NATGRAD_CHECKPOINT_H
#define NATGRAD_CHECKPOINT_H

#include <natgrad/average.h>
#include <natgrad/optimizer.h>
#include <natgrad/random.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t size; /* set by ng_checkpoint_init */
    /* 1: the weights and biases too; load writes them into the caller's arrays. Default 0. */
    int weights;
    /* load, 1: groups keep their options, and the optimizer its clipping, for instance to go on
     * with another lr. Default 0: those of the file. Options that cannot change once there are
     * parameters must agree either way. */
    int keep_options;
    /* borrowed; its state is saved (by its save) or restored (by its load, which must change
     * nothing when it refuses). Default NULL: none. */
    const ng_random *random;
    /* borrowed; an average of this optimizer, saved, or restored with its count and (but for
     * keep_options) its decay. Not swapped in. Default NULL: none; one in the file is left there.
     */
    ng_average *average;
    /* load, 1: from the file of another model, whatever it has of this one: weights (if asked for),
     * state and count of steps of every parameter whose name, shape, dtype, layout, bias, sharing,
     * method and options that cannot change are those of the file. All others stay as they are,
     * options and clipping too; a parameter that is new begins at its step 0. Not with average, nor
     * from a file of a half-made step (captures, sums of gradients): NG_EUNSUPPORTED; sums and
     * captures here are gone. NG_ENODATA if nothing matches. Default 0: all or nothing. */
    int partial;
    /* of a partial load that is done, with report_data: a line for each parameter: taken, left and
     * why, or in the file alone. Default NULL. */
    ng_message report;
    void *report_data;
} ng_checkpoint_options;

/* Fills the defaults; NG_EOPTION, and nothing written, for a struct of another size than the
 * library's. */
NG_API ng_status ng_checkpoint_init_sized(ng_checkpoint_options *options, size_t size);
static inline ng_status ng_checkpoint_init(ng_checkpoint_options *options)
{
    return ng_checkpoint_init_sized(options, sizeof *options);
}

/* Writes a new file and puts it in the place of PATH (natgrad/file.h: what PATH may be, its mode,
 * links, what a killed process leaves): after a crash at any moment PATH is the old file or the
 * new one, and after an error as before. Of two that save at once the last wins. options NULL
 * means defaults.
 *
 * NG_EIO (with the path and the system's reason; if the last fsync, that of the folder, is what
 * fails, PATH is the new file already), NG_ENONFINITE (a tensor holds NaN or infinity: the old
 * checkpoint is worth more), NG_ERANGE (or what no step leaves there), NG_EARG (a parameter's name
 * is not UTF-8, a random without save, an average that is swapped in or not of all this optimizer's
 * parameters), NG_ENODATA (a parameter was added after gradients were
 * accumulated), NG_EOPTION, NG_ENOMEM. */
NG_API ng_status ng_optimizer_save(ng_optimizer *optimizer, const char *path,
                                   const ng_checkpoint_options *options);

/* Checks the whole file before anything changes; needs memory for its tensors.
 *
 * NG_EIO; NG_EFORMAT (truncated, damaged, of another version); of another model, the first
 * difference named: NG_EARG (groups or parameters, by number, name or layout), NG_ESHAPE,
 * NG_EDTYPE, NG_EOPTION (a method, an option that cannot change, or options out of range);
 * NG_ENODATA (no weights, random or average in the file, and wanted); NG_ENONFINITE, NG_ERANGE (a
 * tensor holds what no step leaves there, such as a negative second moment); NG_EARG (counts that
 * no optimizer has: fractions, negative, beyond 2^53); NG_ENOMEM. Then nothing has changed. */
NG_API ng_status ng_optimizer_load(ng_optimizer *optimizer, const char *path,
                                   const ng_checkpoint_options *options);

/* Hands over what is in a checkpoint, a line of text at a time and without any optimizer: "KEY =
 * TEXT" for what the header says, a line a parameter, then "'NAME' DTYPE [SHAPE]" for each tensor.
 * Control characters are replaced, and names and texts cut after 79 bytes. NG_EARG, NG_EIO,
 * NG_EFORMAT (no checkpoint, of another format, damaged: before the first line), NG_ENOMEM. */
NG_API ng_status ng_checkpoint_describe(const char *path, ng_message message, void *data,
                                        ng_error *error);

/* ---- For hosts with a file format of their own ------------------------------
 *
 * All state is counts and tensors. To restore: the same groups, parameters and
 * options, then ng_optimizer_set_counts, then write into the tensors. The next step
 * looks at them: NG_ENONFINITE, NG_ERANGE as in a load, and nothing has changed. */

/* Tensor `index` = 0, 1, ... of the state: the parameter's name, its own name, and a
 * view that may be read and written until the next call that steps, accumulates or
 * adds. NG_ENODATA past the last, NG_EARG. */
NG_API ng_status ng_optimizer_tensor(ng_optimizer *optimizer, const char **parameter,
                                     const char **name, ng_mat *view, size_t index);

/* The counts: steps, accumulated micro-batches, two numbers a group, two a parameter;
 * exact as doubles. Writes the first `size` of them and returns how many there are. */
NG_API size_t ng_optimizer_counts(const ng_optimizer *optimizer, double *counts, size_t size);

/* NG_EARG (another number of them, or values that no optimizer has), NG_ENOMEM; then
 * nothing has changed. */
NG_API ng_status ng_optimizer_set_counts(ng_optimizer *optimizer, const double *counts,
                                         size_t size);

#ifdef __cplusplus
}
#endif
#endif
