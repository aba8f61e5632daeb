/* What several processes of one computation agree on. */
#include "lib/lab/lattice/lattice.h"

ng_status ngi_divide(ngi_division *division, const ng_exchange *exchange, ng_error *error)
{
    *division = (ngi_division){.exchange = exchange, .ranks = 1, .passes = 1};
    if (exchange == NULL)
        return NG_OK;
    if (exchange->size != sizeof *exchange || exchange->agree == NULL || exchange->share == NULL)
        return ng_error_set(error, NG_EOPTION, "exchange: size %zu, or no agree and share",
                            exchange->size);
    division->rank = (size_t)exchange->rank;
    division->ranks = (size_t)exchange->ranks;
    return NG_OK;
}

ng_status ngi_agree(const ngi_division *division, ng_status status, ng_error *error)
{
    const ng_exchange *e = division->exchange;
    ng_exchange_vote vote = {.error = {NG_OK, ""}, .mark = division->mark};
    if (e == NULL)
        return status;
    if (status != NG_OK)
        ng_error_set(&vote.error, status, "%s", error != NULL ? error->text : "");
    status = e->agree(e->data, &vote);
    return status == NG_OK ? NG_OK : ng_error_set(error, status, "%s", vote.error.text);
}

/* as splitmix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014) */
unsigned long long ngi_mark(unsigned long long mark, unsigned long long number)
{
    unsigned long long z = mark + number + 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
