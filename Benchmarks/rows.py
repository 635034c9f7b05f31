# SPDX-License-Identifier: Apache-2.0
"""What is measured: the rows of the table, and who takes part in each."""
import collections
import os
import shutil
import subprocess
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(FOLDER, "..", "build", "bench")
SWIFT = os.path.join(FOLDER, ".build", "release", "swiftbench")
RESULTS = os.path.join(BUILD, "results.jsonl")

# A row: its title; the metric that it is about, and of which others there are; whether more is better; who takes part,
# the baseline of the target first; the targets, as (who, "<=" or ">=", factor, baseline) or (..., number, None), of the
# first metric, or of one that is named behind that.
Row = collections.namedtuple("Row", "name title metrics unit more peers targets")

C, BLOCKING, ASYNC = "C", "Swift, blocking", "Swift, async"
WHEEL, TASK, UV, PYTHON, ORIGINAL = "Pebble's wheel", "Task.detached", "libuv", "multiprocessing.Pool", "pebble for Python"


def program(name, *arguments):
    return [os.path.join(BUILD, name), *arguments]


def ours(row, *peers):
    commands = {C: program("jobs", "processes", row), BLOCKING: [SWIFT, "blocking", row], ASYNC: [SWIFT, "async", row]}
    return {peer: commands[peer] for peer in peers}


def python_peer(peer, row):
    return [PYTHON_PROGRAM, os.path.join(FOLDER, "peers.py"), peer, row]


def has_module(name):
    return subprocess.run([PYTHON_PROGRAM, "-c", "import " + name], stderr=subprocess.DEVNULL).returncode == 0


PYTHON_PROGRAM = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
HAS_UV = os.path.exists(os.path.join(BUILD, "uv"))
HAS_ORIGINAL = has_module("pebble")


def python_peers(row):
    peers = {PYTHON: python_peer("pool", row)}
    if HAS_ORIGINAL:
        peers[ORIGINAL] = python_peer("pebble", row)
    return peers


def trip(name, title, peers, factor_async):
    raw = {kind: program("raw", kind, name) for kind in ("socketpair", "pipe", "futex", "thread")}
    return Row(name, title, ["p50", "p99"], "us", False,
               {**raw, **ours(name, C, BLOCKING, ASYNC), "C, threads": program("jobs", "threads", name),
                TASK: [SWIFT, "task", name], **peers},
               [(C, "<=", 1.0, "socketpair"), (BLOCKING, "<=", 1.3, "socketpair"), (ASYNC, "<=", factor_async, TASK)])


def uv(row):
    return {UV: program("uv", row)} if HAS_UV else {}


ROWS = [
    trip("trip-one-cpu", "round trip of a no-op, on one CPU", uv("trip-one-cpu"), 1.0),
    trip("trip-two-cpus", "the same, worker on another CPU", {}, 1.0),
    trip("trip-free", "the same, where the kernel likes", {**uv("trip-free"), **python_peers("trip")}, 1.0),
    Row("throughput", "no-ops, a future each, 2 workers", ["rate"], "jobs/s", True,
        {"ring": program("raw", "ring", "throughput"), "batched socketpairs": program("raw", "batches", "throughput"),
         **ours("throughput", C, BLOCKING, ASYNC), "C, threads": program("jobs", "threads", "throughput"),
         TASK: [SWIFT, "task", "throughput"], **uv("throughput"), **python_peers("throughput")},
        [(C, ">=", 2e6, None), (BLOCKING, ">=", 7e5, None), (ASYNC, ">=", 7e5, None)]),
    Row("map-1m", "map of 1,000,000 numbers, 8 chunks", ["time"], "ms", False,
        {"socketpairs": program("raw", "socketpair", "map-1m"), **ours("map-1m", C, ASYNC), **python_peers("map")},
        [(ASYNC, "<=", 2.0, "socketpairs")]),
    Row("map-50k", "map of 50,000 numbers, chunks of 1", ["time"], "ms", False,
        {"socketpairs": program("raw", "socketpair", "map-50k"), **ours("map-50k", C, ASYNC)},
        [(ASYNC, "<=", 0.4, "socketpairs")]),
    Row("echo-1m", "echo of 1 MiB", ["rate"], "MB/s", True,
        {"shared memory": program("raw", "shared", "echo-1m"), "socketpair": program("raw", "socketpair", "echo-1m"),
         **ours("echo-1m", C, BLOCKING, ASYNC), **python_peers("echo")},
        [(C, ">=", 0.7, "shared memory"), (BLOCKING, ">=", 0.7, "shared memory")]),
    Row("echo-64m", "echo of 64 MiB", ["rate"], "MB/s", True,
        {"shared memory": program("raw", "shared", "echo-64m"), "socketpair": program("raw", "socketpair", "echo-64m"),
         **ours("echo-64m", C, BLOCKING)},
        [(C, ">=", 0.7, "shared memory"), (BLOCKING, ">=", 0.7, "shared memory")]),
    Row("per-call", "a process per call, one after the other", ["rate"], "calls/s", True,
        {"fork": program("rawproc", "fork", "per-call"), "vfork and exec": program("rawproc", "vfork", "per-call"),
         **ours("per-call", C, BLOCKING, ASYNC), **python_peers("per-call")},
        [(C, ">=", 0.8, "fork"), (BLOCKING, ">=", 0.8, "fork")]),
    Row("per-call-256m", "the same, from a host with 256 MB", ["rate"], "calls/s", True,
        {"fork": program("rawproc", "fork", "per-call-256m"), **ours("per-call-256m", C)},
        [(C, ">=", 0.8, "fork")]),
    Row("max-tasks-1", "a process per job, 2 workers", ["rate"], "calls/s", True,
        {"fork": program("rawproc", "fork", "max-tasks-1"), **ours("max-tasks-1", C, BLOCKING)},
        [(C, ">=", 0.5, "fork"), (BLOCKING, ">=", 0.5, "fork")]),
    Row("timeout", "time over the limit of a job", ["p50", "p99"], "ms", False,
        {"timer, kill, wait": program("rawproc", "fork", "timeout"), **ours("timeout", C, ASYNC)},
        [(C, "<=", 0.3, None), (C, "<=", 1.0, "timer, kill, wait", "p99")]),
    Row("cancel", "cancel to next result, one worker", ["p50", "p99"], "ms", False,
        {"kill, wait, fork": program("rawproc", "fork", "cancel"),
         "kill, fork": program("rawproc", "fork", "cancel-overlapped"), **ours("cancel", C, BLOCKING)},
        [(C, "<=", 0.25, None), (BLOCKING, "<=", 0.25, None)]),
    Row("crashes", "crashes survived, 2 workers", ["rate"], "calls/s", True,
        {"fork": program("rawproc", "fork", "crashes"), **ours("crashes", C, BLOCKING)},
        [(C, ">=", 4000, None)]),
    Row("crash-cost", "a fault, to its outcome; the names of its backtrace; the recorder, in each worker",
        ["to the outcome", "names", "recorder"], "us", False,
        {"fork": program("crash", "fork"), C: program("crash", "pebble"), ASYNC: [SWIFT, "async", "crash-cost"]}, []),
    Row("throw", "an error thrown and caught in a job, again and again, and elsewhere each time; thrown to the host",
        ["again", "elsewhere", "to the host"], "ns; ns; us", False,
        {"without backtraces": [SWIFT, "blocking", "throw-plain"], BLOCKING: [SWIFT, "blocking", "throw"]}, []),
    Row("memory", "memory of an idle worker; of a queued job", ["worker", "queued"], "kB; B", False,
        {"fork": program("rawproc", "fork", "memory"), **ours("memory", C, BLOCKING)},
        [(C, "<=", 100, None), (BLOCKING, "<=", 300, None), (C, "<=", 256, None, "queued")]),
    Row("idle", "wake-ups, idle; with 10,000 limits armed", ["idle", "limits armed"], "/s", False,
        {"a timer": program("rawproc", "fork", "idle"), **ours("idle", C, BLOCKING)},
        [(C, "<=", 0, None), (BLOCKING, "<=", 0, None)]),
    Row("wheel", "1,000,000 timers: insert; churn; cancel; expire", ["insert", "churn", "cancel", "expire"], "ns", False,
        {WHEEL: program("wheel", "1000000"), **({"libuv's heap": program("uv", "wheel")} if HAS_UV else {})},
        [(WHEEL, "<=", 78, None), (WHEEL, "<=", 139, None, "churn"), (WHEEL, "<=", 30, None, "cancel"),
         (WHEEL, "<=", 445, None, "expire")]),
]
BUSY = ["trip-one-cpu", "trip-free", "throughput", "map-50k", "echo-1m", "per-call", "cancel"]
COSTS = ["trip-one-cpu", "trip-free", "throughput", "map-1m", "map-50k", "echo-1m", "per-call", "crashes"]
CURVES = ["workers", "queued", "timers", "payload", "submitters", "length"]
