# SPDX-License-Identifier: Apache-2.0
"""Plots build/bench/results.jsonl as SVG in plots/, with matplotlib."""
import collections
import json
import os

import matplotlib
matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "pebble"  # the same data, the same file
matplotlib.rcParams["svg.fonttype"] = "none"
import matplotlib.pyplot as plt

import rows

PLOTS = os.path.join(rows.FOLDER, "plots")
QUANTILES = ("p10", "p50", "p90", "p99")


def load():
    curves, quantiles, rates = collections.defaultdict(dict), {}, collections.defaultdict(list)
    lines = map(json.loads, open(rows.RESULTS))
    next(lines)  # about the run
    for line in lines:
        key = line["row"], line["peer"]
        if line["load"] == "curve":
            curves[line["metric"]][line["x"]] = line["value"]
        elif line["load"] == "quiet" and line["metric"] in QUANTILES:
            quantiles.setdefault(key, collections.defaultdict(list))[line["metric"]].append(line["value"])
        elif line["load"] in ("quiet", "busy") and line["metric"] == "rate":
            rates[key + (line["load"],)].append(line["value"])
    return curves, quantiles, rates


def middle(values):
    return sorted(values)[len(values) // 2]


def save(figure, name):
    figure.tight_layout()
    figure.savefig(os.path.join(PLOTS, name + ".svg"), metadata={"Date": None})
    plt.close(figure)


def plot_curves(curves, name, title, label, unit):
    found = {metric: points for metric, points in curves.items() if metric.split(":")[0] == name}
    if not found:
        return
    figure, axes = plt.subplots(figsize=(6, 4))
    for metric, points in found.items():
        xs = sorted(points)
        axes.plot(xs, [points[x] for x in xs], marker="o", label=metric.split(": ")[-1])
    axes.set(xscale="log", yscale="log", title=title, xlabel=label, ylabel=unit)
    axes.set_ylim(bottom=min(min(p.values()) for p in found.values()) / 3,
                  top=max(max(p.values()) for p in found.values()) * 3)
    if len(found) > 1:
        axes.legend()
    axes.grid(True, alpha=0.3)
    save(figure, name)


def plot_latencies(quantiles, row):
    peers = [peer for (name, peer) in quantiles if name == row.name]
    if not peers:
        return
    figure, axes = plt.subplots(figsize=(7, 0.4 * len(peers) + 1.5))
    for place, peer in enumerate(reversed(peers)):
        low, half, high, most = (middle(quantiles[row.name, peer].get(q, [float("nan")])) for q in QUANTILES)
        axes.plot([low, high], [place, place], color="tab:blue", linewidth=5, alpha=0.4)
        axes.plot([half], [place], "o", color="tab:blue")
        axes.plot([most], [place], "|", color="tab:red", markersize=12)
    axes.set(xscale="log", yticks=range(len(peers)), yticklabels=list(reversed(peers)),
             xlabel="%s: 10 to 90 %%, half (dot), 99 %% (bar)" % row.unit, title=row.title)
    axes.grid(True, axis="x", alpha=0.3)
    save(figure, "latency-" + row.name)


def plot_rates(rates, row):
    peers = [peer for peer in row.peers if (row.name, peer, "quiet") in rates]
    if not peers:
        return
    figure, axes = plt.subplots(figsize=(7, 0.4 * len(peers) + 1.5))
    for place, peer in enumerate(reversed(peers)):
        for load, colour, height in (("quiet", "tab:blue", 0.2), ("busy", "tab:orange", -0.2)):
            if (row.name, peer, load) in rates:
                axes.barh(place + height, middle(rates[row.name, peer, load]), height=0.35, color=colour)
    axes.set(xscale="log", yticks=range(len(peers)), yticklabels=list(reversed(peers)),
             xlabel="%s (below: with all CPUs busy)" % row.unit, title=row.title)
    axes.grid(True, axis="x", alpha=0.3)
    save(figure, "rate-" + row.name)


def main():
    os.makedirs(PLOTS, exist_ok=True)
    curves, quantiles, rates = load()
    for row in rows.ROWS:
        plot_latencies(quantiles, row)
        plot_rates(rates, row)
    plot_curves(curves, "workers", "no-ops against the number of workers", "workers", "us for each job")
    plot_curves(curves, "queued", "no-ops against how many wait", "jobs", "us for each job")
    plot_curves(curves, "timers", "schedule with a limit, and cancel", "limits armed", "us for both")
    plot_curves(curves, "payload", "echo", "bytes", "us for each job")
    plot_curves(curves, "submitters", "no-ops against the threads that schedule", "threads", "us for each job")
    efficiency = {"efficiency": points for metric, points in curves.items() if metric == "length: efficiency"}
    plot_curves(efficiency, "efficiency", "what two workers get done", "us that a job computes", "% of two CPUs")


main()
