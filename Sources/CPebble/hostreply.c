/* SPDX-License-Identifier: Apache-2.0 */
#include "compat.h"
#include "hostreply.h"
#include "hostannex.h"

#include <stdlib.h>
#include <string.h>

/* How many updates are still to come before the answer of the job that is next
 * to be collected; negative: more came than it says it sent. */
static int32_t updates_due(const struct pb_hostlink *link, const volatile struct pb_slot *slot)
{
    size_t index = link->collected % PB_SLOTS;
    return link->jobs[index].wants_updates ? (int32_t)(slot->updates - link->jobs[index].updates) : 0;
}

bool pb_hostlink_awaits_rest(struct pb_hostlink *link)
{
    size_t index = link->collected % PB_SLOTS;
    if (!pb_hostlink_due(link)) return false;
    if (link->reply_data) return true;
    const volatile struct pb_slot *slot = &link->shared->slots[index];
    return (!link->has_bulk && slot->answer == PB_ANSWER_BULK) || (link->jobs[index].tag && updates_due(link, slot) > 0);
}

/* Copies a reply out of memory of that size. Where there is none for the copy, the
 * answer is as if there had been none for the reply. 1 or -errno. */
static int take_reply(struct pb_hostlink *link, const char *memory, uint32_t size, uint32_t at, uint64_t length,
                      struct pb_collected *collected)
{
    if (length > size || at > size - length) return -EPROTO;
    if (length > link->max_payload) return -EFBIG;
    collected->data = length ? pb_blocks_take(link->blocks, length) : NULL;
    if (length && !collected->data) {
        collected->answer = PB_ANSWER_NO_MEMORY;
        return 1;
    }
    if (length) memcpy(collected->data, memory + at, length);
    collected->length = length;
    return 1;
}

/* 1: taken; 0: it is still on its way; -EPROTO: another came. */
static int take_bulk(struct pb_hostlink *link, struct pb_collected *collected)
{
    if (!link->has_bulk) return 0;
    if (link->bulk_job != link->collected) return -EPROTO;
    if (link->bulk_length > PB_LARGE_SIZE && link->bulk_length <= PB_ANNEX_HALF) pb_hostannex_open(link); /* for the next */
    collected->data = link->bulk;
    collected->length = link->bulk_length;
    link->bulk = NULL;
    link->has_bulk = false;
    return 1;
}

static int begin_annex(struct pb_hostlink *link, uint64_t length, struct pb_collected *collected)
{
    if (!link->annex || length == 0 || length > PB_ANNEX_HALF) return -EPROTO;
    if (length > link->max_payload) return -EFBIG;
    link->reply_data = pb_blocks_take(link->blocks, length);
    link->reply_length = length;
    link->reply = (struct pb_copy){link->annex + PB_ANNEX_REPLIES, link->reply_data, length};
    if (!link->reply_data) collected->answer = PB_ANSWER_NO_MEMORY;
    return 1;
}

/* What has begun to be copied, whatever the slot says meanwhile. 1: taken; 0: there is more of it. */
static int take_annex(struct pb_hostlink *link, struct pb_collected *collected)
{
    collected->answer = PB_ANSWER_REPLY;
    if (!pb_hostannex_copy(&link->reply, link->hurries)) return 0;
    collected->data = link->reply_data;
    collected->length = link->reply_length;
    link->reply_data = NULL;
    return 1;
}

/* Reads every field once: what was checked is what is used. */
int pb_hostreply_take(struct pb_hostlink *link, const volatile struct pb_slot *slot, struct pb_collected *collected)
{
    collected->code = slot->code;
    collected->started = atomic_load_explicit(&slot->started, memory_order_relaxed);
    collected->finished = slot->finished;
    if (link->reply_data) return take_annex(link, collected);
    if (atomic_load(&slot->claim) != PB_CLAIM_RUNNING) return -EPROTO; /* it never began this one */
    int32_t due = updates_due(link, slot);
    if (due) return due > 0 ? 0 : -EPROTO;
    uint32_t answer = slot->answer, at = slot->output_at;
    uint64_t length = slot->output_length;
    bool elsewhere = answer == PB_ANSWER_BULK || answer == PB_ANSWER_LARGE;
    collected->answer = elsewhere ? PB_ANSWER_REPLY : (enum pb_answer)answer;
    switch (answer) {
    case PB_ANSWER_REPLY: return take_reply(link, link->shared->outputs, PB_ARENA_SIZE, at, length, collected);
    case PB_ANSWER_LARGE: return take_reply(link, link->shared->large_output, PB_LARGE_SIZE, 0, length, collected);
    case PB_ANSWER_BULK: return take_bulk(link, collected);
    case PB_ANSWER_ANNEX: {
        int rc = begin_annex(link, length, collected);
        return link->reply_data ? take_annex(link, collected) : rc;
    }
    case PB_ANSWER_NO_FUNCTION:
    case PB_ANSWER_NO_MEMORY:
    case PB_ANSWER_TOO_LARGE: return 1;
    default: return -EPROTO;
    }
}

