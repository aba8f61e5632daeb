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
 * The file is of the safetensors format: 8 bytes (little-endian) with the length
 * of a JSON header, the header, the tensors row by row without gaps. It holds
 *   "NAME/momentum", ...  F32 or F64: every state tensor of parameter NAME, sums
 *                         of ng_group_capture and ng_optimizer_accumulate
 *                         included where a step is still to use them
 *   "counts"              F64: what ng_optimizer_counts gives
 *   "NAME/weights", "NAME/bias"    if options->weights
 *   "random"              U8: the state of options->random
 * and in __metadata__ (text): natgrad_format (the version, "1"), library, steps;
 * the conventions shape_scale, momentum, vec, eigenvectors; model, a JSON text with
 * the options and parameters of every group; crc32 (8 hexadecimal digits) of that
 * text and the tensors after it.
 *
 * Not in the file: the Fisher matrix of a natural group and anything else that is
 * borrowed, monitors, an ng_average, the number of threads.
 *
 * Both calls are NG_EUNSUPPORTED in a library built without jansson, and on a
 * machine that is not little-endian. */
#ifndef NATGRAD_CHECKPOINT_H
#define NATGRAD_CHECKPOINT_H

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
} ng_checkpoint_options;

NG_API void ng_checkpoint_init(ng_checkpoint_options *options);

/* Writes PATH.tmp, has it on the disk (fsync), renames it to PATH and has the folder
 * on the disk: after a crash at any moment PATH is the old file or the new one. On an
 * error PATH is as before and PATH.tmp removed. One process at a time saves to a
 * path. options NULL means defaults.
 *
 * NG_EIO (with the system's reason; if the last fsync, that of the folder, is what
 * fails, PATH is the new file already), NG_ENONFINITE (a tensor holds NaN or
 * infinity: the old checkpoint is worth more), NG_EARG (a parameter's name is not
 * UTF-8, a random without save), NG_ENODATA (a parameter was added after gradients
 * were accumulated), NG_EOPTION, NG_ENOMEM. */
NG_API ng_status ng_optimizer_save(ng_optimizer *optimizer, const char *path,
                                   const ng_checkpoint_options *options);

/* Checks the whole file before anything changes; needs memory for its tensors.
 *
 * NG_EIO; NG_EFORMAT (truncated, damaged, of another version; or jansson lacked memory: the text
 * says where); of another model, the first difference named: NG_EARG (groups or parameters, by
 * number, name or layout), NG_ESHAPE, NG_EDTYPE, NG_EOPTION (a method, or an option that cannot
 * change); NG_ENODATA (no weights or no random in the file, and wanted), NG_ENONFINITE, NG_ENOMEM.
 * Then nothing has changed. */
NG_API ng_status ng_optimizer_load(ng_optimizer *optimizer, const char *path,
                                   const ng_checkpoint_options *options);

/* ---- For hosts with a file format of their own ------------------------------
 *
 * All state is counts and tensors. To restore: the same groups, parameters and
 * options, then ng_optimizer_set_counts, then write into the tensors. */

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
