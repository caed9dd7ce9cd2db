#!/usr/bin/env python3
"""Two simulated weeks as fast as they go, then a real hour with people looking on: nothing may grow.

Free running: starts the program with a store of its own, samples `/metrics` every simulated six
hours, prints the samples, and compares the last quarter with the second: memory, open files,
actors, records in memory, how long a tick takes.

Paced: plays `ordinary-hour.toml` against a program in real time, samples once a minute, compares
the same, and the load test's own times of the last stage with those of the first after the one
that fills memory with as many ended deliveries as are kept.

The store's size is shown and not judged: history is kept for good. Nor is SQLite's own memory, a
page cache that fills up to 32 MiB within a simulated week. Exit status 1 where something
grew, was missed or came late.

    make build && python3 benches/soak.py [--days 14] [--minutes 60]    (0 leaves one of them out)
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
EVERY_S = 6 * 3600
PACED_EVERY_S = 60
STAGES_MINUTES = 60
# How much larger the last quarter's median may be than the second's, and by how much at least
# for it to count.
MAY_GROW = {
    "resident MB": (1.10, 20),
    "own MB": (1.10, 10),
    "open files": (1.0, 3),
    "actors": (1.10, 50),
    "records": (1.10, 500),
    "tick µs": (1.25, 100),
}
# Who looks on loses connections at random, so a paced hour's files and sessions vary.
MAY_GROW_PACED = MAY_GROW | {"open files": (1.05, 50), "records": (1.30, 2000)}
# The same of a load test's times, in ms: the last stage beside the first.
MAY_SLOW = {"accept": (1.5, 10), "schedule": (1.5, 50), "frame": (1.5, 50)}


def read(base, path):
    with urllib.request.urlopen(f"http://{base}{path}", timeout=30) as answer:
        return answer.read().decode()


def metric(page, name):
    """The sum over all labels."""
    lines = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", page, re.MULTILINE)
    return sum(map(float, lines))


# An arena of the C library: so long and so aligned, whatever part of it is in use.
ARENA = 64 << 20


def memory_mb(pid):
    """Resident memory of the program's own, and of the C library's heap, which is SQLite's alone."""
    regions = []
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if found := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+\s*(.*)", line):
            regions.append({"from": int(found[1], 16), "to": int(found[2], 16), "name": found[4], "kb": 0})
        elif line.startswith("Rss:"):
            regions[-1]["kb"] = int(line.split()[1])
    own, sqlite = 0, 0
    for region, after in zip(regions, regions[1:]):
        is_whole = region["to"] - region["from"] == ARENA
        is_part = after["from"] == region["to"] and after["to"] - region["from"] == ARENA
        is_arena = region["from"] % ARENA == 0 and (is_whole or is_part)
        if region["name"] == "[heap]" or (not region["name"] and is_arena):
            sqlite += region["kb"]
        elif not region["name"]:
            own += region["kb"]
    return own / 1e3, sqlite / 1e3


def size_mb(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def sample(server, at, folder, before):
    """What `/metrics` and the system say now; `at` is a name and a number for the row."""
    base, pid = server
    own_mb, sqlite_mb = memory_mb(pid)
    page = read(base, "/metrics")
    ticks = metric(page, "skyhaul_ticks_total")
    spent_s = metric(page, "skyhaul_tick_phase_seconds_sum")
    since = before or {"ticks": 0, "spent": 0}
    return {
        at[0]: at[1],
        "resident MB": metric(page, "process_resident_memory_bytes") / 1e6,
        "own MB": own_mb,
        "SQLite MB": sqlite_mb,
        "open files": metric(page, "process_open_fds"),
        "actors": metric(page, "skyhaul_actors"),
        "records": metric(page, "skyhaul_deliveries_in_memory"),
        "tick µs": 1e6 * (spent_s - since["spent"]) / max(ticks - since["ticks"], 1),
        "store MB": size_mb(folder),
        "ticks": ticks,
        "spent": spent_s,
    }


def sim_time(base):
    clock = json.loads(read(base, "/api/simulation"))
    return datetime.fromisoformat(clock["simTime"].replace("Z", "+00:00"))


@contextmanager
def serving(program, scenario, folder, *options):
    """A server with a store in the folder; yields its address and its process."""
    server = subprocess.Popen(
        [program, "serve", "--scenario", scenario, "--data", folder / "data", "--listen", "127.0.0.1:0", *options],
        stderr=subprocess.PIPE, text=True,
    )
    try:
        for line in server.stderr:
            if found := re.search(r"http://([\d.:]+)", line):
                break
        else:
            sys.exit("the server did not start")
        yield found[1], server.pid
    finally:
        server.terminate()
        server.wait(timeout=30)


def free_running(program, scenario, days):
    samples = []
    with tempfile.TemporaryDirectory() as name, serving(program, scenario, Path(name), "--speed", "max") as server:
        base, _ = server
        began = sim_time(base)
        while len(samples) * EVERY_S < days * 86400:
            sim_s = (sim_time(base) - began).total_seconds()
            if sim_s < (len(samples) + 1) * EVERY_S:
                time.sleep(0.2)
                continue
            at = ("day", sim_s / 86400)
            samples.append(sample(server, at, Path(name), samples[-1] if samples else None))
            show(samples[-1], is_first=len(samples) == 1)
    return samples


def shortened(scenario, minutes, folder):
    """The scenario with its stages in proportion, beside nothing that it would read."""
    text = scenario.read_text().replace('"../', f'"{scenario.parent.parent}/')
    text = re.sub(r'for = "(\d+)m"', lambda found: f'for = "{int(found[1]) * minutes * 60 // STAGES_MINUTES}s"', text)
    (folder / scenario.name).write_text(text)
    return folder / scenario.name


def paced(program, minutes):
    """The samples, and the load test's report."""
    samples = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenario = shortened(HERE / "scenarios/capacity/ordinary-hour.toml", minutes, folder)
        with serving(program, scenario, folder, "--no-demand") as server, open(folder / "report", "w+") as report:
            load = subprocess.Popen([program, "load", scenario, "--target", f"http://{server[0]}", "--json"], stdout=report)
            began = time.monotonic()
            while load.poll() is None:
                try:
                    load.wait(timeout=PACED_EVERY_S)
                except subprocess.TimeoutExpired:
                    at = ("minute", (time.monotonic() - began) / 60)
                    samples.append(sample(server, at, folder, samples[-1] if samples else None))
                    show(samples[-1], is_first=len(samples) == 1)
            report.seek(0)
            return samples, json.load(report)


def show(row, is_first):
    names = [name for name in row if name not in ("ticks", "spent")]
    if is_first:
        print("  ".join(f"{name:>11}" for name in names))
    print("  ".join(f"{row[name]:>11.2f}" for name in names), flush=True)


def grown(samples, may_grow):
    quarter = len(samples) // 4
    if quarter < 2:
        sys.exit("eight samples at least are compared, by quarters: two days, or ten minutes")
    early, late = samples[quarter:2 * quarter], samples[-quarter:]
    for name, (times, least) in may_grow.items():
        before, after = (statistics.median(row[name] for row in part) for part in (early, late))
        if after > before * times and after - before > least:
            yield f"{name}: {before:.1f} in the second quarter, {after:.1f} in the last"


def slowed(report):
    """What was later at the end than at the start, missed, or told twice."""
    _filling, first, *_, last = report["stages"]
    for op, (times, least) in MAY_SLOW.items():
        for quantile in ("p50Ms", "p99Ms"):
            before, after = first["ops"][op][quantile], last["ops"][op][quantile]
            print(f"{op} {quantile}: {before:.1f} in the first stage, {after:.1f} in the last")
            if after > before * times and after - before > least:
                yield f"{op} {quantile}: {before:.1f} in the first stage, {after:.1f} in the last"
    for name in ("missed", "repeated"):
        if report["watchers"][name]:
            yield f"events {name} by who looked on: {report['watchers'][name]}"
    for gate in report["slo"]:
        if not gate["met"]:
            yield f"objective missed: {gate}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--days", type=float, default=14)
    arguments.add_argument("--minutes", type=int, default=60)
    arguments.add_argument("--scenario", type=Path, default=HERE / "scenarios/san-francisco.toml")
    arguments.add_argument("--program", type=Path, default=HERE / "target/release/skyhaul")
    given = arguments.parse_args()
    wrong = []
    if given.days:
        wrong += grown(free_running(given.program, given.scenario, given.days), MAY_GROW)
    if given.minutes:
        samples, report = paced(given.program, given.minutes)
        wrong += grown(samples, MAY_GROW_PACED)
        wrong += slowed(report)
    for line in wrong:
        print(f"not as it was: {line}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
