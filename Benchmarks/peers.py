# SPDX-License-Identifier: Apache-2.0
"""Rows for process pools in Python: peers.py pool|pebble ROW."""
import json
import multiprocessing
import os
import sys
import time

QUICK = os.environ.get("BENCH_QUICK") == "1"


def count(full, quick):
    return quick if QUICK else full


def emit(metric, value, unit):
    print(json.dumps({"metric": metric, "value": value, "unit": unit}), flush=True)


def nothing():
    pass


def same(value):
    return value


class Pool:
    """multiprocessing.Pool"""

    def __init__(self, workers, tasks=None):
        self.pool = multiprocessing.Pool(workers, maxtasksperchild=tasks)

    def schedule(self, function, *arguments):
        return self.pool.apply_async(function, arguments)

    def result(self, future):
        return future.get()

    def map(self, function, values, chunk_size):
        return self.pool.imap(function, values, chunk_size)


class Pebble:
    """The pebble of Python."""

    def __init__(self, workers, tasks=0):
        import pebble
        self.pool = pebble.ProcessPool(max_workers=workers, max_tasks=tasks)

    def schedule(self, function, *arguments):
        return self.pool.schedule(function, args=arguments)

    def result(self, future):
        return future.result()

    def map(self, function, values, chunk_size):
        return self.pool.map(function, values, chunksize=chunk_size).result()


def trips(make):
    pool = make(2)
    times = []
    for n in range(count(1000, 200) + 20):
        start = time.perf_counter()
        pool.result(pool.schedule(nothing))
        if n >= 20:
            times.append((time.perf_counter() - start) * 1e6)
    times.sort()
    emit("p50", times[len(times) // 2], "us")
    emit("p99", times[len(times) * 99 // 100], "us")


def throughput(make):
    pool = make(2)
    pool.result(pool.schedule(nothing))
    n = count(20000, 5000)
    start = time.perf_counter()
    for future in [pool.schedule(nothing) for _ in range(n)]:
        pool.result(future)
    emit("rate", n / (time.perf_counter() - start), "jobs/s")


def chunks(make):
    pool = make(2)
    pool.result(pool.schedule(nothing))
    n = count(1000000, 100000)
    start = time.perf_counter()
    assert sum(pool.map(same, range(n), n // 8)) == n * (n - 1) // 2
    emit("time", (time.perf_counter() - start) * 1000 * (1000000 / n), "ms")


def echo(make):
    pool = make(2)
    data = bytes(1 << 20)
    pool.result(pool.schedule(same, data))
    n = count(50, 10)
    start = time.perf_counter()
    for _ in range(n):
        pool.result(pool.schedule(same, data))
    emit("rate", n * len(data) / 1e6 / (time.perf_counter() - start), "MB/s")


def calls(make):
    pool = make(1, 1)
    pool.result(pool.schedule(nothing))
    n = count(30, 5)
    start = time.perf_counter()
    for _ in range(n):
        pool.result(pool.schedule(nothing))
    emit("rate", n / (time.perf_counter() - start), "calls/s")


if __name__ == "__main__":
    rows = {"trip": trips, "throughput": throughput, "map": chunks, "echo": echo, "per-call": calls}
    rows[sys.argv[2]](Pebble if sys.argv[1] == "pebble" else Pool)
    sys.stdout.flush()
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(0)
