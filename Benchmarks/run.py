# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks, interleaved, and writes JSON lines to build/bench/results.jsonl:

    {"row", "peer", "metric", "value", "unit", "rep", "load"}

after a first one that says whether it was a quick run, and how busy the machine was before. `load` is what else went on: "quiet"; "busy", a busy loop on every CPU; "cost", counters that cost some time themselves,
so that of these runs nothing but the counts is kept; "curve" with an "x", of a row that is a curve.

usage: run.py [--quick] [--reps N] [--only ROW,ROW]"""
import argparse
import json
import os
import subprocess
import sys
import time

import rows

TIMES = {"quiet": 90, "busy": 120, "cost": 90, "curve": 240}  # s that one program may take
COUNTS = ("cpu", "switches", "syscalls")
SPIN = "import signal\nsignal.alarm(600)\nwhile True: pass"


def run(command, environment, limit):
    try:
        done = subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=limit, text=True)
    except subprocess.TimeoutExpired:
        return [], "took more than %d s" % limit
    error = done.stderr.strip() or "exit code %d" % done.returncode
    return [json.loads(line) for line in done.stdout.splitlines()], error if done.returncode else None


class Run:
    def __init__(self, arguments):
        self.quick = arguments.quick
        self.only = arguments.only.split(",") if arguments.only else None
        os.makedirs(rows.BUILD, exist_ok=True)
        self.results = open(rows.RESULTS, "w")
        self.started = time.monotonic()
        self.results.write(json.dumps({"quick": self.quick, "average": os.getloadavg()[0]}) + "\n")

    def wants(self, name):
        return not self.only or name in self.only

    def measure(self, row, peer, command, rep, load):
        environment = {"BENCH_QUICK": "1" if self.quick else "0", "BENCH_COST": "1" if load == "cost" else "0"}
        lines, error = run(command, environment, TIMES[load])
        if error:
            print("  %s, %s: %s" % (row, peer, error), file=sys.stderr)
        for line in lines:
            if (line["metric"] in COUNTS) == (load == "cost"):
                self.results.write(json.dumps({"row": row, "peer": peer, **line, "rep": rep, "load": load}) + "\n")
        self.results.flush()

    def repeat(self, names, reps, load, skip=()):
        for rep in range(1, reps + 1):
            for row in rows.ROWS:
                if row.name not in names or not self.wants(row.name):
                    continue
                peers = [peer for peer in row.peers.items() if peer[0] not in skip]
                for peer, command in peers if rep % 2 else reversed(peers):
                    self.measure(row.name, peer, command, rep, load)
            self.say("%s, repetition %d of %d" % (load, rep, reps))

    def say(self, what):
        print("%5.0f s  %s, load %s" % (time.monotonic() - self.started, what, os.getloadavg()[0]), flush=True)


def busy(body):
    spinners = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(os.cpu_count())]
    try:
        body()
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--reps", type=int)
    parser.add_argument("--only")
    arguments = parser.parse_args()
    run = Run(arguments)
    python = (rows.PYTHON, rows.ORIGINAL)
    reps = arguments.reps or (2 if arguments.quick else 5)
    run.repeat([row.name for row in rows.ROWS], reps, "quiet", skip=python if arguments.quick else ())
    run.repeat(rows.COSTS, 1, "cost", skip=python)
    busy(lambda: run.repeat(rows.BUSY, 1 if arguments.quick else 3, "busy", skip=python))
    if not arguments.quick:
        for curve in rows.CURVES:
            if run.wants(curve):
                run.measure(curve, rows.C, rows.program("scale", curve), 1, "curve")
        run.say("curves")
    if run.wants("mixed"):
        run.measure("mixed", rows.C, rows.program("mixed"), 1, "quiet")
    if run.wants("start"):
        for rep in range(1, (1 if arguments.quick else 3) + 1):
            run.measure("start", rows.C, rows.program("start", rows.BUILD), rep, "quiet")
    run.say("done")


main()
