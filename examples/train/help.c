/* --help: written from the preset and option tables, so that it cannot go stale. */
#include "examples/train/train.h"

#include <stdio.h>

#include "examples/support/reading.h"

const char default_optimizers[] = "adamw,muon,fismo";

void help_print(void)
{
    printf("Usage: %s [OPTION]...\n"
           "Train a small model%s, with one optimizer or several to compare, and keep it.%s\n\n",
           crew_program, crew_shards ? " on all ranks of MPI" : "",
           crew_shards
               ? "\nmpirun -n 4 natgrad-train-mpi --data=text computes what every number of "
                 "ranks computes."
               : "");
    printf(
        "  --data=KIND:WHAT     listed below; mnist alone is $NATGRAD_DATA/mnist-t10k, text "
        "(default) the GPL\n"
        "  --read NAME=X        how they are read and divided, listed below; repeatable\n"
        "  --optimizer=NAMES    comma-separated, or all (default: %s)\n"
        "  --model=KIND         mlp (default), cnn (pictures: 3 x 3 convolutions), gpt (text)\n"
        "  --hidden=WIDTHS      hidden layers (default: 128); of cnn: filters (default: 8,16)\n"
        "  --layers=N, --width=N, --heads=N  of gpt: its blocks (default: 2, 64, 4)\n"
        "  --activation=NAME    linear, relu, tanh, sigmoid, gelu (default: relu)\n"
        "  --task=NAME          classification (default), or regression of columns of numbers\n"
        "  --epochs=N           passes over the training set (default: 3)\n"
        "  --batch=N            samples a step (default: 64)\n"
        "  --lr=X               learning rate of all; auto: a walk on an eighth of the training "
        "set\n"
        "  --rest-lr=X          adamw's for biases, norms, embeddings, the last layer (default: "
        "0.001)\n"
        "  --schedule=NAME      constant (default), linear, cosine, inverse_sqrt, wsd\n"
        "  --warmup=SHARE       of the run, 0 ... 1, in which the rate grows from nothing\n"
        "  --early-stop[=N]     after N epochs (5) without a lower loss on an eighth of the "
        "training "
        "set\n"
        "  --time=SECONDS       of training, of each run\n"
        "  --fisher=NAME        of kfac and its like: empirical (default), sampled, exact\n"
        "  --ema=D              judge and keep an average of the weights of that decay\n"
        "  --save=FILE          the model and where its training is, after every epoch; of "
        "several\n"
        "                       runs the one of the lowest held-out loss\n"
        "  --resume=FILE        go on where that was saved; only --epochs and ends may differ\n"
        "  --uncertainty[=last|kron]  error bars of the last layer, refitted to the prior, or of "
        "all\n"
        "                       into the file of --save, which can then not be resumed\n"
        "  --log=FILE           FILE.jsonl or FILE.csv: a line an epoch, as it goes\n"
        "  --context=N          characters before the next, text only (default: 8, of gpt: 64)\n"
        "  --seed=LIST          of initialisation and order: 1 or 1,2,7 or 1-5 (default: 1)\n"
        "  --dtype=f32|f64, --threads=N  of the BLAS (default: f32, 1)\n"
        "  --set NAME.OPTION=X  an option of one optimizer, listed below; repeatable, in this "
        "order\n"
        "  --validate           judge by the last eighth of the training set, not by the test set\n"
        "  --sweep              a grid of settings for each optimizer, judged as by --validate: "
        "DIR/sweep.csv\n"
        "  --regimes[=N]        every N steps (50) the regimes of each layer's Kronecker factors, "
        "eigenvalues\n"
        "                       above 1e-6 of the largest: DIR/regimes.csv, a picture; not with "
        "--sweep\n"
        "  --spectra[=N]        every N steps (100) the tail of each layer's spectrum: "
        "DIR/spectra.csv, .svg\n"
        "%s"
        "\nMatrix methods (all but sgd, adamw, ivon) step the hidden weights, and adamw the "
        "rest, as --rest-lr\n"
        "and --set adamw.OPTION say. kfac and its like step whole layers, the last one "
        "included.\n\n",
        default_optimizers,
        crew_shards
            ? "  --shards=N           parts of a batch, as many as there are ranks at least "
              "(default: 8):\n"
              "                       results depend on them and not on the number of "
              "ranks; all leaves kfac_auto out, which is of one process\n"
            : "");
    arguments_help();
    printf("\nSources (--data):\n");
    reading_help_sources();
    printf("\nHow they are read and divided (--read NAME=X, repeatable):\n");
    reading_help_options();
    methods_print();
}
