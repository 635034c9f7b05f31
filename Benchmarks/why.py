# SPDX-License-Identifier: Apache-2.0
"""Why a target is missed where it is, and what would be tried next. A target that is missed without a reason is an error."""
from rows import ASYNC, BLOCKING, C

TRIP = ("Two wake-ups of sleeping CPUs are nearly all of it, as of the socketpair's; what comes on top is two or three "
        "microseconds: the lock, the limits' wheel, the clock. Next: nothing that does not spin.")
TRIP_BLOCKING = ("The call is encoded and decoded, and a worker that serves the main queue sleeps in poll(2), since nothing "
                 "can wait for a futex and a descriptor at once without io_uring. Next: a futex wait in io_uring, where "
                 "the kernel has it and it is allowed.")
TRIP_ASYNC = ("Another process has to be woken, and then a thread of the executor: three wake-ups and, on the main actor, "
              "one more hop in the runtime. A detached task that is awaited is mostly run by a thread that is awake. Next: "
              "an executor of our own would save a hop, to those who ask for it.")
THROUGHPUT = ("Host and workers share two CPUs. A job costs the host about half a microsecond, half of it fresh memory, "
              "since all of them wait at once here, and what it costs a worker is the same CPUs' time. Next: jobs from a "
              "pool's own memory, given back in batches.")
THROUGHPUT_SWIFT = ("As in C; and for each job Swift makes a future and its closures, looks up the metadata of their generic "
                    "types (a tenth of the host's time), encodes and decodes, and has the worker, which serves the main "
                    "queue, woken through a socket. Next: fewer generic types on the way of a call.")
MAP_1M = ("The raw row sums numbers where they lie. Here each element is asked for, is an argument of a call, and comes back "
          "with an outcome of its own, by a call that may suspend; the host does its part of that on one CPU. Next: to "
          "iterate chunks instead of elements, for those who ask for it.")
MAP_50K = ("A chunk of one element is a job: what is said above of no-ops in Swift, and two tasks' switches. Next: the same.")
ECHO = ("Four copies (into the job, into shared memory, the function's own, out) where the raw row makes three. Next: a job "
        "that is written straight into the shared memory of an idle worker, private to the worker, so that it can still be "
        "tried again elsewhere.")
ECHO_SWIFT = ("As in C; and the argument and the result are arrays made anew for each call, on fresh pages in both processes. "
              "Next: types that lend their bytes instead of owning them.")
PROCESS = ("Of a worker's life more than half is the fork and the faults after it, as of the raw one; but it has a link (a "
           "socket pair and a mapping), a channel for pools in jobs, handlers for crashes, a pidfd, and its end is told to "
           "the host: a hundred system calls instead of nine, on the server, the host's loop and the worker, which take "
           "turns on two CPUs. Next: links of workers that ended by themselves, made ready for the next ones; handlers "
           "that are inherited.")
PROCESS_SWIFT = ("As in C; and a forked worker of a Swift program has more pages to fault in, its runtime's among them. Next: "
                 "as in C.")
LIMITS = ("The 99th of a hundred jobs is what else the machine did at that moment, in either row: see how far they range. "
          "Next: many more of them.")
QUEUED = ("A third of it is the outcome, which is a public struct and there from the beginning, so that no job can lack "
          "memory for it. Next: settling outcomes into memory that is kept for as many as can be settled at once.")

REASONS = {
    "trip-one-cpu": TRIP, ("trip-one-cpu", BLOCKING): TRIP_BLOCKING, ("trip-one-cpu", ASYNC): TRIP_ASYNC,
    "trip-two-cpus": TRIP, ("trip-two-cpus", BLOCKING): TRIP_BLOCKING, ("trip-two-cpus", ASYNC): TRIP_ASYNC,
    "trip-free": TRIP, ("trip-free", BLOCKING): TRIP_BLOCKING, ("trip-free", ASYNC): TRIP_ASYNC,
    "throughput": THROUGHPUT_SWIFT, ("throughput", C): THROUGHPUT,
    "map-1m": MAP_1M, "map-50k": MAP_50K,
    "echo-1m": ECHO, "echo-64m": ECHO, ("echo-1m", BLOCKING): ECHO_SWIFT, ("echo-64m", BLOCKING): ECHO_SWIFT,
    "per-call": PROCESS_SWIFT, ("per-call", C): PROCESS, ("per-call-256m", C): PROCESS,
    "max-tasks-1": PROCESS_SWIFT, ("max-tasks-1", C): PROCESS,
    ("crashes", C): PROCESS,
    "timeout": LIMITS, "memory": QUEUED,
}


def why(row, who):
    return REASONS.get((row, who)) or REASONS[row]
