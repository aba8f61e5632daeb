/* Lines as the arguments of an example program, which is linked as a whole: read and checked, and
 * that is all. Where it would go on, to its folder or its threads, it fails or is left. */
#include "tests/fuzz/fuzz.h"

#include <setjmp.h>

enum { ARGUMENTS = 24 };

int program_main(int argc, char **argv);
int __wrap_arguments_folder(const char *path);
int __wrap_program_end(int status);
void __wrap_blas_set_threads(int threads);
_Noreturn void __wrap_exit(int status);
_Noreturn void __real_exit(int status);

static jmp_buf leave;
static int inside;

int __wrap_arguments_folder(const char *path)
{
    check(path != NULL && path[0] != '\0');
    return 1;
}

int __wrap_program_end(int status)
{
    return status;
}

void __wrap_blas_set_threads(int threads)
{
    check(inside && threads >= 1);
    longjmp(leave, 1);
}

void __wrap_exit(int status)
{
    if (inside)
        longjmp(leave, 1);
    __real_exit(status);
}

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    static const char *const lines[] = {
        "--help",
        "--version",
        "--help=data",
        "--quiet\n--out=x",
        "--out",
        "--\nrate",
        "--data=csv:x.csv\n--optimizer=all\n--epochs=3\n--batch=7\n--seed=1,2,5-9\n--threads=2",
        "--read=label=3\n--read=header=yes\n--model=cnn\n--dtype=f64\n--regimes",
        "--model=gpt\n--layers=2\n--width=64\n--heads=4\n--context=16",
        "--hidden=64,32\n--activation=tanh\n--set=fismo.lr=0.01\n--set\nadamw.beta2=0.9",
        "--sweep\n--validate\n--regimes=20",
        "--task=regression\n--lr=auto\n--schedule=wsd\n--warmup=0.1\n--early-stop\n--time=3\n--ema="
        "0.9",
        "--optimizer=sgd\n--save=x\n--resume=x\n--log=x.jsonl\n--lr=0.1",
        "model\ncsv:x.csv\n--batch=7\n--threads=2",
        "x.safetensors\n--least=12\n--plain\n--threads=3",
        "--optimizer=kfac_auto\n--fisher=exact\n--rest-lr=0.01\n--spectra=5",
        "band\n--epochs=20\n--seed=1-3\n--quiet",
        "--samples=3\n--seed=2\n--out=x\n--quiet",
        "--completion",
        "--samples=100\n--search-epochs=2\n--epochs=0",
        "language\n--layers=1\n--rates=x.csv\n--steps=20",
        "images\n--sweep\n--optimizer=sgd",
        "condition\n--seed=3",
        "--rows=4\n--cols=9",
        "--model=ising2d\n--J=0.4\n--exact=3-5",
        "--mc=4,6\n--samples=1000000\n--flips=2\n--checkpoint=x\n--memory=2G\n--no-controls",
        "--engine=transfer\n--exact=3..5\n--J=0.1e1",
        "survey\n--beta=0.5",
        "good_regulator\n--rule={{x,y}} -> {{x,y},{y,z}}\n--spins=5\n--samples=10",
        "signature\n--graph=K4\n--coupling=-0.5",
        "signature\n--graph=C5",
    };
    (void)room;
    return i < sizeof lines / sizeof *lines ? fuzz_say(out, 0, lines[i]) : 0;
}

/* Where leave comes back to: nothing here changes between. */
static void run(int argc, char **argv)
{
    int status = program_main(argc, argv);
    check(status == 1 || status == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char name[] = "fuzz", *volatile text;
    char *argv[ARGUMENTS + 2] = {name};
    volatile int argc = 1;
    fuzz_bytes b = {data, size};
    char *at = text = fuzz_text(&b);
    while (at != NULL && size > 0 && argc <= ARGUMENTS) {
        argv[argc++] = at;
        at = strchr(at, '\n');
        if (at != NULL)
            *at++ = '\0';
    }
    inside = 1;
    if (setjmp(leave) == 0)
        run(argc, argv);
    inside = 0;
    free(text);
    return 0;
}
