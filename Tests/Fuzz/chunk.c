/* SPDX-License-Identifier: Apache-2.0
 * The reply of a worker that ran a chunk of a map. */
#include "fuzz.h"
#include "chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pb_pieces pieces = pb_chunk_results(data, size);
    struct pb_piece result;
    size_t bytes = 0;
    /* A run of empty results may say that there are any number of them: whoever reads knows how many are to come. */
    for (size_t count = 0; count < 2 * size + 2 && pb_pieces_next(&pieces, &result); count++) {
        must((result.data != NULL) == (result.length > 0));
        if (result.length) must(memchr(result.data, 0, result.length) || true);
        bytes += result.length;
        must(bytes <= size);
    }
    return 0;
}
