#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Dispatch on clusters that are larger than any at hand: 10,000 nodes and 1,000,000 jobs.

A discrete simulation of what `dispatch.c`, `nodes.c` and an agent do: the pool's turns are one server, since they go on
under one lock; it sends a job to a node that has a free slot (`send`), and takes its outcome (`receive`). Beats take
their share of it. What is in between costs time, and nobody's processor. The costs are those of CLUSTER.md.

With --groups the same with a level in between: the program sends chunks of jobs to group heads, each of which is a pool
over its part of the nodes.

    simulate.py                          the table: lengths of jobs, without and with groups
    simulate.py --nodes 1000 --length 1  one row
"""
import argparse
import heapq
import random
from collections import deque


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--slots", type=int, default=1, help="jobs that a node runs at once")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--length", type=float, help="mean seconds of a job; they are exponentially distributed")
    parser.add_argument("--groups", type=int, help="group heads; 0: none")
    parser.add_argument("--chunk", type=int, default=50, help="jobs of a chunk")
    parser.add_argument("--send", type=float, default=SEND, help="us of the pool's time to send a job")
    parser.add_argument("--receive", type=float, default=RECEIVE, help="us to take an outcome")
    parser.add_argument("--beat", type=float, default=BEAT, help="us for a beat that comes and one that goes")
    parser.add_argument("--every", type=float, default=2, help="seconds between the beats of an idle node")
    parser.add_argument("--way", type=float, default=WAY, help="us from the pool to a worker, or back")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


# Measured (CLUSTER.md): half of what a job costs the program each, and half a round trip.
SEND = RECEIVE = 4.5
BEAT = 14.0
WAY = 50.0


class Pool:
    """One server with a queue of things to do. `work` are the jobs that wait; what is done goes to `on_done`."""

    def __init__(self, events, options, slots, nodes, on_done=lambda now, job: None):
        # A node says a beat only when it has said nothing else for so long; at worst all do.
        share = min(0.95, nodes * options.beat * 1e-6 / options.every)
        self.send = options.send * 1e-6 / (1 - share)
        self.receive = options.receive * 1e-6 / (1 - share)
        self.way = options.way * 1e-6
        self.events, self.free, self.on_done = events, slots, on_done
        self.answers, self.work = deque(), deque()
        self.busy = False
        self.busy_time = 0.0

    def turn(self, now):
        """Whatever is next: an outcome that has come, else a job for a free slot."""
        if self.busy:
            return
        if self.answers:
            cost, action, subject = self.receive, self.take, self.answers.popleft()
        elif self.work and self.free:
            self.free -= 1
            cost, action, subject = self.send, self.ship, self.work.popleft()
        else:
            return
        self.busy = True
        self.busy_time += cost
        self.events.at(now + cost, action, subject)

    def ship(self, now, job):
        self.busy = False
        self.start(now, job)
        self.turn(now)

    def start(self, now, job):
        self.events.at(now + self.way + job + self.way, self.answer, job)

    def answer(self, now, job):
        self.answers.append(job)
        self.turn(now)

    def take(self, now, job):
        self.busy = False
        self.free += 1
        self.on_done(now, job)
        self.turn(now)

    def give(self, now, jobs):
        self.work.extend(jobs)
        self.turn(now)


class Root(Pool):
    """A pool whose nodes are pools. It sends them chunks of jobs, and they answer for as many at once; it keeps twice
    as many jobs with each as that has slots."""

    def __init__(self, events, options, groups):
        size = options.nodes // groups
        ahead = max(2, 2 * size * options.slots // options.chunk)
        super().__init__(events, options, groups * ahead, groups)
        self.heads = []
        for _ in range(groups):
            head = Pool(events, options, size * options.slots, size)
            head.chunks = head.done = 0  # chunks that it has; jobs that it has not answered for
            head.on_done = lambda now, job, head=head: self.finished(now, head)
            self.heads.append(head)
        self.chunk = options.chunk

    def start(self, now, chunk):
        head = min(self.heads, key=lambda head: head.chunks)
        head.chunks += 1
        self.events.at(now + self.way, head.give, chunk)

    def finished(self, now, head):
        head.done += 1
        if head.done == self.chunk:
            head.done = 0
            head.chunks -= 1
            self.events.at(now + self.way, self.answer, None)


class Events:
    def __init__(self):
        self.heap, self.number = [], 0

    def at(self, time, action, subject):
        self.number += 1
        heapq.heappush(self.heap, (time, self.number, action, subject))

    def run(self):
        now = 0.0
        while self.heap:
            now, _, action, subject = heapq.heappop(self.heap)
            action(now, subject)
        return now


def simulate(options, mean, groups):
    chance = random.Random(options.seed)
    lengths = [chance.expovariate(1 / mean) for _ in range(options.jobs)]
    events = Events()
    if groups:
        pool = Root(events, options, groups)
        work = [lengths[i : i + options.chunk] for i in range(0, len(lengths), options.chunk)]
    else:
        pool = Pool(events, options, options.nodes * options.slots, options.nodes)
        work = lengths
    pool.give(0.0, work)
    took = events.run()
    used = sum(lengths) / (took * options.nodes * options.slots)
    print(
        f"| {mean:g} s | {groups or '-'} | {took:.1f} s | {options.jobs / took:,.0f} | {used:.0%} "
        f"| {pool.busy_time / took:.0%} |",
        flush=True,
    )


def main():
    options = arguments()
    saturated = 1e6 / (options.send + options.receive)
    beats = options.nodes / options.every * options.beat * 1e-6
    print(f"{options.nodes:,} nodes of {options.slots} slots, {options.jobs:,} jobs")
    print(f"one pool: {saturated:,.0f} jobs/s at most; beats of idle nodes take {beats:.0%} of it")
    print("| a job, mean | group heads | all done after | jobs/s | slots in use | the pool is busy |")
    print("|---|---|---|---|---|---|")
    for mean in [options.length] if options.length else [0.01, 0.1, 1, 10]:
        for groups in [0, 100] if options.groups is None else [options.groups]:
            simulate(options, mean, groups)


if __name__ == "__main__":
    main()
