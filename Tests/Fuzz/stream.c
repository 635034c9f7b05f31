/* SPDX-License-Identifier: Apache-2.0
 * What comes over the stream of a link, in pieces of any size. */
#include "fuzz.h"
#include "stream.h"

#include <sys/socket.h>
#include <unistd.h>

#define BOUND 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {data, size};
    struct pb_stream stream;
    struct pb_message message;
    int ends[2], rc = 0;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    pb_stream_init(&stream, ends[0], BOUND);
    while (bytes.left && rc >= 0) {
        size_t piece = 1 + take_byte(&bytes);
        if (piece > bytes.left) piece = bytes.left;
        must(piece == 0 || write(ends[1], bytes.at, piece) == (ssize_t)piece);
        bytes.at += piece;
        bytes.left -= piece;
        while ((rc = pb_stream_receive(&stream, &message)) > 0) {
            must(message.head.length <= BOUND && (message.payload != NULL) == (message.head.length > 0));
            if (message.head.length) must(memchr(message.payload, 0, message.head.length) || true);
            free(message.payload);
        }
        must(rc == 0 || rc == -EPROTO || rc == -EFBIG);
    }
    pb_stream_done(&stream);
    close(ends[1]);
    return 0;
}
