/* SPDX-License-Identifier: Apache-2.0
 * Packets between a host, the fork server and workers, with descriptors. */
#include "fuzz.h"
#include "control.h"
#include "fd.h"

#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {data, size};
    struct pb_control packet, received;
    int ends[2], fds[PB_CONTROL_FDS], gifts[PB_CONTROL_FDS] = {0, 0, 0};
    must(pb_control_pair(ends) == 0);
    while (bytes.left) {
        uint8_t form = take_byte(&bytes);
        size_t length = form % 4 ? sizeof packet : take_byte(&bytes) % sizeof packet;
        take(&bytes, &packet, length);
        if (form % 4 == 1)
            pb_control_send_all(ends[1], &packet, gifts, form / 4 % (PB_CONTROL_FDS + 1)); /* with the right magic */
        else
            send(ends[1], &packet, length ? length : 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        int rc = pb_control_receive(ends[0], &received, fds);
        must(rc == 1 || rc == -EPROTO || rc == -EPIPE);
        if (rc == 1) {
            must(received.kind > 0 && received.kind < PB_CONTROL_KINDS);
            must(memchr(received.pool, 0, sizeof received.pool));
            pb_control_is_complete(&received, fds);
            pb_control_close(fds);
        }
        if (rc == -EPIPE) break;
    }
    int lowest = dup(ends[0]); /* nothing was left open */
    must(lowest <= ends[1] + 1);
    close(lowest);
    close(ends[0]);
    close(ends[1]);
    return 0;
}
