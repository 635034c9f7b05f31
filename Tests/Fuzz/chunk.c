/* SPDX-License-Identifier: Apache-2.0
 * The reply of a worker that ran a chunk of a map. */
#include "fuzz.h"
#include "chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pb_chunk_result result;
    size_t at = 0, count = 0, bytes = 0;
    while (pb_chunk_result(data, size, &at, &result)) {
        must(at <= size && (result.data != NULL) == (result.length > 0));
        if (result.length) must(memchr(result.data, 0, result.length) || true);
        bytes += result.length;
        count++;
    }
    must(bytes <= size && count <= size / 16 + 1);
    return 0;
}
