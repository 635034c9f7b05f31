/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "hostannex.h"
#include "annex.h"

#include <string.h>

#define PIECE (UINT64_C(2) << 20) /* 0.2 ms, or a few times that where the pages are fresh */

/* The worker may be about to leave it, unless we are faster. */
static bool worker_has_it(struct pb_hostlink *link)
{
    uint32_t state = PB_ANNEX_UNWANTED;
    return atomic_compare_exchange_strong(&link->shared->annex, &state, PB_ANNEX_OPEN) || state == PB_ANNEX_OPEN;
}

bool pb_hostannex_open(struct pb_hostlink *link)
{
    if (!link->has_annex || !worker_has_it(link)) return false;
    if (link->annex) return true;
    link->annex = pb_annex_map(link->shared);
    link->has_annex = link->annex != NULL; /* for want of address space: it would be so again and again */
    if (link->annex) atomic_store(&link->shared->annex_replies, 1);
    return link->annex != NULL;
}

bool pb_hostannex_close(struct pb_hostlink *link)
{
    if (!link->annex) return false;
    atomic_store(&link->shared->annex_replies, 0);
    pb_annex_empty(link->annex);
    pb_annex_unmap(link->annex);
    link->annex = NULL;
    uint32_t open = PB_ANNEX_OPEN;
    return atomic_compare_exchange_strong(&link->shared->annex, &open, PB_ANNEX_UNWANTED);
}

bool pb_hostannex_copy(struct pb_copy *copy, bool all)
{
    uint64_t length = all || copy->left < PIECE ? copy->left : PIECE;
    memcpy(copy->to, copy->from, (size_t)length);
    copy->to += length;
    copy->from += length;
    copy->left -= length;
    return copy->left == 0;
}
