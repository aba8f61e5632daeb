/* natgrad-train: this process alone. */
#include "examples/train/crew.h"

const char crew_program[] = "natgrad-train";
const int crew_shards = 0;

void crew_begin(void)
{
}

int crew_start(int *argc, char ***argv, size_t shards)
{
    (void)argc, (void)argv, (void)shards;
    return 0;
}

int crew_agree(int status)
{
    return status;
}

ng_status crew_exchange(ng_exchange *exchange, size_t shards, int watched, ng_error *error)
{
    (void)shards, (void)watched, (void)error;
    *exchange = (ng_exchange){.size = 0};
    return NG_OK;
}

void crew_end(void)
{
}
