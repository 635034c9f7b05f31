#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client of the server: sends good and hostile documents mixed, over several connections, and checks every answer.

usage: client.py SERVER DOCUMENTS [ROUNDS]

Starts the server, sends every document ROUNDS times in random order, and ends the server with SIGTERM. Fails if a good
document was not accepted, a hostile one was, a connection broke, or the server did not live to the end and end well.
"""
import collections
import http.client
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

CONNECTIONS = 8
# What the names of hostile documents say; the others are good.
HOSTILE = re.compile(r"order-\d+-")


def start(program):
    server = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
    line = server.stdout.readline()
    found = re.fullmatch(r"listening on port (\d+)\n", line)
    if not found:
        server.kill()
        sys.exit(f"client: the server said {line!r}")
    return server, int(found[1])


class Client:
    def __init__(self, port, documents):
        self.port = port
        self.lock = threading.Lock()
        self.waiting = documents
        self.statuses = {"good": collections.Counter(), "hostile": collections.Counter()}
        self.times = []
        self.problems = []

    def work(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while True:
            with self.lock:
                if not self.waiting:
                    return connection.close()
                name, content = self.waiting.pop()
            begin = time.monotonic()
            try:
                connection.request("POST", "/orders", content)
                answer = connection.getresponse()
                text = answer.read().decode()
            except (OSError, http.client.HTTPException) as problem:
                with self.lock:
                    self.problems.append(f"{name}: {problem!r}")
                return
            passed = time.monotonic() - begin
            kind = "hostile" if HOSTILE.match(name) else "good"
            with self.lock:
                self.statuses[kind][answer.status] += 1
                if kind == "good":
                    self.times.append(passed)
                if (answer.status == 200) != (kind == "good"):
                    self.problems.append(f"{name}: {answer.status} {text.strip()}")


def main():
    program, folder = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    documents = [(path.name, path.read_bytes()) for path in sorted(pathlib.Path(folder).glob("*.json"))] * rounds
    random.Random(1).shuffle(documents)
    count = len(documents)
    server, port = start(program)
    client = Client(port, documents)
    threads = [threading.Thread(target=client.work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alive = server.poll() is None
    server.send_signal(signal.SIGTERM)
    status = server.wait(60)

    times = sorted(client.times)
    for kind, statuses in client.statuses.items():
        print(f"{kind}: " + ", ".join(f"{n} x {status}" for status, n in sorted(statuses.items())))
    if times:
        print(
            "good ones took: median {:.1f} ms, 99 % below {:.1f} ms, longest {:.1f} ms".format(
                *(1000 * times[int(share * (len(times) - 1))] for share in (0.5, 0.99, 1))
            ),
            file=sys.stderr,
        )
    if not alive or status != 0:
        client.problems.append(f"the server ended with {status}" + ("" if alive else " before it was told to"))
    if sum(sum(statuses.values()) for statuses in client.statuses.values()) != count:
        client.problems.append("not every document was answered")
    for problem in client.problems:
        print(f"client: {problem}", file=sys.stderr)
    return 1 if client.problems else 0


if __name__ == "__main__":
    sys.exit(main())
