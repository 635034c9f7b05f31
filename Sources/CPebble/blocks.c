/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "blocks.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE ((size_t)4 << 20) /* so large that huge pages are worth it */
#define PAGE ((uintptr_t)4096) /* at least; a larger one is refused, harmlessly */
#define WASTE 4 /* of a block at least one part in so many is used */

void pb_blocks_init(struct pb_blocks *blocks)
{
    *blocks = (struct pb_blocks){0};
    pthread_mutex_init(&blocks->lock, NULL);
}

void pb_blocks_done(struct pb_blocks *blocks)
{
    for (size_t i = 0; i < PB_BLOCKS; i++) {
        free(blocks->kept[i]);
        free(blocks->large[i]);
    }
    pthread_mutex_destroy(&blocks->lock);
}

static bool fits(void *block, size_t length)
{
    size_t size = malloc_usable_size(block);
    return size >= length && size / WASTE <= length;
}

/* With the lock: a block that is kept and fits, or NULL. */
static void *take(void *kept[PB_BLOCKS], size_t length)
{
    for (size_t i = 0; i < PB_BLOCKS; i++) {
        void *block = kept[i];
        if (!block || !fits(block, length)) continue;
        kept[i] = NULL;
        return block;
    }
    return NULL;
}

void *pb_blocks_take(struct pb_blocks *blocks, size_t length)
{
    void *block = NULL;
    if (blocks && length >= PB_BLOCK_MIN && length <= PB_BLOCKS_LARGE) {
        pthread_mutex_lock(&blocks->lock);
        if (length <= PB_BLOCK_MAX)
            block = take(blocks->kept, length);
        else if ((block = take(blocks->large, length))) blocks->large_size -= malloc_usable_size(block);
        pthread_mutex_unlock(&blocks->lock);
    }
    if (block) return block;
    if ((block = malloc(length))) pb_block_advise(block, length);
    return block;
}

/* With the lock. False: there is no room for it. */
static bool keep(void *kept[PB_BLOCKS], void *block)
{
    for (size_t i = 0; i < PB_BLOCKS; i++) {
        if (kept[i]) continue;
        kept[i] = block;
        return true;
    }
    return false;
}

void pb_blocks_give(struct pb_blocks *blocks, void *block)
{
    size_t size = block ? malloc_usable_size(block) : 0;
    bool kept = false;
    if (size >= PB_BLOCK_MIN && size <= PB_BLOCKS_LARGE) {
        pthread_mutex_lock(&blocks->lock);
        if (size <= PB_BLOCK_MAX)
            kept = keep(blocks->kept, block);
        else if (blocks->keeps_large && size <= PB_BLOCKS_LARGE - blocks->large_size &&
                 (kept = keep(blocks->large, block)))
            blocks->large_size += size;
        pthread_mutex_unlock(&blocks->lock);
    }
    if (!kept) free(block);
}

void pb_blocks_keep_large(struct pb_blocks *blocks, bool keeps)
{
    void *freed[PB_BLOCKS] = {0};
    pthread_mutex_lock(&blocks->lock);
    blocks->keeps_large = keeps;
    for (size_t i = 0; i < PB_BLOCKS && !keeps; i++) {
        freed[i] = blocks->large[i];
        blocks->large[i] = NULL;
        blocks->large_size = 0;
    }
    pthread_mutex_unlock(&blocks->lock);
    for (size_t i = 0; i < PB_BLOCKS; i++)
        free(freed[i]);
}

/* With what malloc has in the same pages: of a mapping of two kinds realloc could not move the pages, but had to copy. */
void pb_block_advise(void *block, size_t length)
{
    if (length < HUGE) return;
    uintptr_t first = (uintptr_t)block & ~(PAGE - 1), end = ((uintptr_t)block + length + PAGE - 1) & ~(PAGE - 1);
    madvise((void *)first, end - first, MADV_HUGEPAGE);
}
