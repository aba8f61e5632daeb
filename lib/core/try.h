/* Where a function owns nothing, TRY(call) hands on the status of a call that
 * failed (or stopped). Where something must be released, an owner creates it,
 * calls a worker written with TRY, and releases it. A macro and nothing else,
 * so train and the lab may use it too. */
#ifndef NGI_TRY_H
#define NGI_TRY_H

#include <natgrad/status.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        ng_status try_status_ = (call);                                                            \
        if (try_status_ != NG_OK)                                                                  \
            return try_status_;                                                                    \
    } while (0)

#endif
