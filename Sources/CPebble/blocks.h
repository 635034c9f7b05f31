/* SPDX-License-Identifier: Apache-2.0
 * Large blocks of memory, a few of which are kept for the next use: malloc(3)
 * gives large ones back to the kernel, and to get pages from there, cleared,
 * costs more than to copy what they are for. */
#ifndef PB_BLOCKS_H
#define PB_BLOCKS_H

#include "compat.h"

#include <pthread.h>

#define PB_BLOCK_MIN ((size_t)64 * 1024)   /* smaller ones are left to malloc */
#define PB_BLOCK_MAX ((size_t)2304 * 1024) /* larger ones are kept only while that is wanted */
#define PB_BLOCKS 4                        /* are kept, of either size */
#define PB_BLOCKS_LARGE ((size_t)256 * 1024 * 1024) /* bytes of large ones */

/* From any thread. Every block is one of malloc, and may be freed as well. */
struct pb_blocks {
    pthread_mutex_t lock;
    void *kept[PB_BLOCKS];
    void *large[PB_BLOCKS];
    size_t large_size; /* of those that are kept */
    bool keeps_large;
};

PB_HIDDEN_BEGIN

void pb_blocks_init(struct pb_blocks *blocks);

/* Frees those that are kept. */
void pb_blocks_done(struct pb_blocks *blocks);

/* A block of at least `length` (> 0) bytes, or NULL. `blocks` may be NULL. */
void *pb_blocks_take(struct pb_blocks *blocks, size_t length);

/* Keeps a block, or frees it. NULL is ignored. */
void pb_blocks_give(struct pb_blocks *blocks, void *block);

/* Whether large ones are to be kept from now on. If not, those that are kept are freed. */
void pb_blocks_keep_large(struct pb_blocks *blocks, bool keeps);

/* Asks for huge pages under a block that is large: to get and clear small ones costs several
 * times what the copy into them does. Where there are none, nothing comes of it. */
void pb_block_advise(void *block, size_t length);

PB_HIDDEN_END
#endif
