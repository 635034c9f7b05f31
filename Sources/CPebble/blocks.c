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
    for (size_t i = 0; i < PB_BLOCKS; i++)
        free(blocks->kept[i]);
    pthread_mutex_destroy(&blocks->lock);
}

static bool fits(void *block, size_t length)
{
    size_t size = malloc_usable_size(block);
    return size >= length && size / WASTE <= length;
}

void *pb_blocks_take(struct pb_blocks *blocks, size_t length)
{
    if (!blocks || length < PB_BLOCK_MIN || length > PB_BLOCK_MAX) {
        void *own = malloc(length);
        if (own) pb_block_advise(own, length);
        return own;
    }
    void *block = NULL;
    pthread_mutex_lock(&blocks->lock);
    for (size_t i = 0; i < PB_BLOCKS && !block; i++)
        if (blocks->kept[i] && fits(blocks->kept[i], length)) {
            block = blocks->kept[i];
            blocks->kept[i] = NULL;
        }
    pthread_mutex_unlock(&blocks->lock);
    return block ? block : malloc(length);
}

void pb_blocks_give(struct pb_blocks *blocks, void *block)
{
    size_t size = block ? malloc_usable_size(block) : 0;
    if (size >= PB_BLOCK_MIN && size <= PB_BLOCK_MAX) {
        pthread_mutex_lock(&blocks->lock);
        for (size_t i = 0; i < PB_BLOCKS && block; i++)
            if (!blocks->kept[i]) {
                blocks->kept[i] = block;
                block = NULL;
            }
        pthread_mutex_unlock(&blocks->lock);
    }
    free(block);
}

/* With what malloc has in the same pages: of a mapping of two kinds realloc could not move the pages, but had to copy. */
void pb_block_advise(void *block, size_t length)
{
    if (length < HUGE) return;
    uintptr_t first = (uintptr_t)block & ~(PAGE - 1), end = ((uintptr_t)block + length + PAGE - 1) & ~(PAGE - 1);
    madvise((void *)first, end - first, MADV_HUGEPAGE);
}
