# SPDX-License-Identifier: Apache-2.0
"""Makes tables of build/bench/results.jsonl: in RESULTS.md, between the marks, or with --stdout there."""
import collections
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys

import rows
import why

BEGIN, END = "<!-- from here to the end: table.py -->", ""
PAGE = os.path.join(rows.FOLDER, "RESULTS.md")


def load():
    values = collections.defaultdict(list)
    units, curves = {}, collections.defaultdict(dict)
    lines = map(json.loads, open(rows.RESULTS))
    head = next(lines)
    for line in lines:
        if "x" in line and line["load"] == "curve":
            curves[line["metric"]][line["x"]] = line["value"]
            continue
        values[line["load"], line["row"], line["peer"], line["metric"]].append(line["value"])
        units[line["row"], line["metric"]] = line["unit"]
    return head, values, units, curves


HEAD, VALUES, UNITS, CURVES = load()


def median(load, row, peer, metric):
    found = VALUES.get((load, row, peer, metric))
    return statistics.median(found) if found else None


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 1e5:
        return "%.2f M" % (value / 1e6) if abs(value) >= 1e6 else "%.0f k" % (value / 1e3)
    return "%.0f" % value if abs(value) >= 1000 else "%.3g" % value


def table(head, lines):
    return "\n".join(["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
                     + ["| " + " | ".join(line) + " |" for line in lines]) + "\n"


def target(row, target, load):
    """(what it says, what was reached as a factor of it, whether that is enough)"""
    who, relation, limit, baseline = target[:4]
    metric = target[4] if len(target) > 4 else row.metrics[0]
    value = median(load, row.name, who, metric)
    if value is None:
        return None
    bound = limit * (median(load, row.name, baseline, metric) or 0) if baseline else limit
    if baseline:
        text = "%s %g x %s" % (relation, limit, baseline)
    else:
        text = "%s %s" % (relation, number(limit))
    met = value <= bound if relation == "<=" else value >= bound
    share = "%.2f x the target" % (value / bound) if bound else number(value)
    return who, metric, value, text, share, met


def targets_table():
    lines, missed = [], collections.defaultdict(list)
    for row in rows.ROWS:
        for one in row.targets:
            reached = target(row, one, "quiet")
            if reached:
                who, metric, value, text, share, met = reached
                title = row.title if len(row.metrics) == 1 else "%s: %s" % (row.title, metric)
                lines.append([title, who, text, "%s %s" % (number(value), UNITS[row.name, metric]), share,
                              "met" if met else "**missed**"])
                if not met:
                    missed[why.why(row.name, who)].append("%s, %s" % (title, who))
    reasons = "".join("- %s.\n  %s\n" % ("; ".join(rows_of), reason) for reason, rows_of in missed.items())
    return table(["what", "who", "target", "measured", "ratio", ""], lines) + "\n## What is missed, and why\n\n" + reasons


def spread(load, row, peer, metric):
    found = VALUES.get((load, row, peer, metric), [])
    return "%s (%s to %s)" % (number(statistics.median(found)), number(min(found)), number(max(found)))


def row_table(row):
    lines = []
    for peer in row.peers:
        metrics = [m for m in row.metrics if ("quiet", row.name, peer, m) in VALUES]
        if not metrics:
            continue
        line = [peer] + [spread("quiet", row.name, peer, m) if m in metrics else "-" for m in row.metrics]
        lines.append(line + [number(median("busy", row.name, peer, row.metrics[0]))]
                     + [number(median("cost", row.name, peer, count)) for count in ("cpu", "switches", "syscalls")])
    head = ["%s, %s" % (m, UNITS.get((row.name, m), "")) for m in row.metrics]
    keep = [i for i in range(len(head) + 5) if i <= len(head) or any(line[i] != "-" for line in lines)]
    head = ["who"] + head + ["%s, CPUs busy" % row.metrics[0], "CPU, us", "switches", "system calls"]
    return "### %s\n\n" % row.title + table([head[i] for i in keep if i < len(head)],
                                            [[line[i] for i in keep if i < len(line)] for line in lines])


def single_table(row, title):
    metrics = [key[3] for key in VALUES if key[:3] == ("quiet", row, rows.C)]
    return "### %s\n\n" % title + table(["what", "median"],
                                       [[m, number(median("quiet", row, rows.C, m)) + " " + UNITS[row, m]] for m in metrics])


def curve_table():
    lines = []
    for curve, points in CURVES.items():
        xs = sorted(points)
        lines.append([curve] + ["%s: %s" % (number(x), number(points[x])) for x in (xs[0], xs[len(xs) // 2], xs[-1])])
    return "### Curves (plots/)\n\n" + table(["against", "first", "middle", "last"], lines)


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "none"


def machine():
    cpu = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    memory = int(re.search(r"MemTotal:\s*(\d+)", open("/proc/meminfo").read()).group(1)) / 1e6
    kernel = re.match(r"\d+\.\d+", platform.release()).group(0)
    virtual = "virtual machine" if "hypervisor" in open("/proc/cpuinfo").read() else "bare machine"
    kind = "A short run" if HEAD["quick"] else "A whole run"
    return ("%s, on a machine whose load was %.1f before: %d CPUs (%s, %s, %s), %.0f GB, Linux %s, %s, %s, %s; %s.\n" % (
        kind, HEAD["average"],
        os.cpu_count(), platform.machine(), cpu.group(1) if cpu else "?", virtual, memory, kernel,
        " ".join(platform.libc_ver()), first_line("gcc", "--version"),
        re.sub(r" \(.*", "", first_line("swift", "--version")), datetime.date.today().isoformat()))


def page():
    parts = ["\n## Machine\n", machine(), "## Targets\n", targets_table(), "## All rows\n"]
    parts += [row_table(row) for row in rows.ROWS]
    parts.append(single_table("mixed", "100,000 jobs of 1 us to 100 ms with limits and cancels, 64 workers"))
    parts.append(single_table("start", "Starting"))
    if CURVES:
        parts.append(curve_table())
    return "\n".join(parts)


if "--stdout" in sys.argv:
    print(page())
else:
    prose = open(PAGE).read().split(BEGIN)[0]
    open(PAGE, "w").write(prose + BEGIN + "\n" + page())
