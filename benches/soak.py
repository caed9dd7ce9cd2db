#!/usr/bin/env python3
"""Two simulated weeks, as fast as they go: nothing may grow.

Starts the program with a store of its own, samples `/metrics` every simulated six hours, prints
the samples, and compares the last quarter with the second: memory, open files, actors, records
in memory, how long a tick takes. Exit status 1 where something grew. The store's size is shown
and not judged: history is kept for good.

    make build && python3 benches/soak.py [--days 14] [--scenario scenarios/san-francisco.toml]
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
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
EVERY_S = 6 * 3600
# How much larger the last quarter's median may be than the second's, and by how much at least
# for it to count.
MAY_GROW = {
    "resident MB": (1.10, 20),
    "open files": (1.0, 3),
    "actors": (1.10, 50),
    "records": (1.10, 500),
    "tick µs": (1.25, 100),
}


def read(base, path):
    with urllib.request.urlopen(f"http://{base}{path}", timeout=30) as answer:
        return answer.read().decode()


def metric(page, name):
    """The sum over all labels."""
    lines = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", page, re.MULTILINE)
    return sum(map(float, lines))


def size_mb(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def sample(base, sim_s, folder, before):
    page = read(base, "/metrics")
    ticks = metric(page, "skyhaul_ticks_total")
    spent_s = metric(page, "skyhaul_tick_phase_seconds_sum")
    since = before or {"ticks": 0, "spent": 0}
    return {
        "day": sim_s / 86400,
        "resident MB": metric(page, "process_resident_memory_bytes") / 1e6,
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


def start(program, scenario, folder):
    server = subprocess.Popen(
        [program, "serve", "--scenario", scenario, "--data", folder / "data", "--speed", "max",
         "--listen", "127.0.0.1:0"],
        stderr=subprocess.PIPE, text=True,
    )
    for line in server.stderr:
        if found := re.search(r"http://([\d.:]+)", line):
            return server, found[1]
    sys.exit("the server did not start")


def soak(program, scenario, days):
    samples = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server, base = start(program, scenario, folder)
        try:
            began = sim_time(base)
            while len(samples) * EVERY_S < days * 86400:
                sim_s = (sim_time(base) - began).total_seconds()
                if sim_s < (len(samples) + 1) * EVERY_S:
                    time.sleep(0.2)
                    continue
                samples.append(sample(base, sim_s, folder, samples[-1] if samples else None))
                show(samples[-1], is_first=len(samples) == 1)
        finally:
            server.terminate()
            server.wait(timeout=30)
    return samples


def show(row, is_first):
    names = [name for name in row if name not in ("ticks", "spent")]
    if is_first:
        print("  ".join(f"{name:>11}" for name in names))
    print("  ".join(f"{row[name]:>11.2f}" for name in names), flush=True)


def grown(samples):
    quarter = len(samples) // 4
    early, late = samples[quarter:2 * quarter], samples[-quarter:]
    for name, (times, least) in MAY_GROW.items():
        before, after = (statistics.median(row[name] for row in part) for part in (early, late))
        if after > before * times and after - before > least:
            yield f"{name}: {before:.1f} in the second quarter, {after:.1f} in the last"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--days", type=float, default=14)
    arguments.add_argument("--scenario", default=HERE / "scenarios/san-francisco.toml")
    arguments.add_argument("--program", default=HERE / "target/release/skyhaul")
    given = arguments.parse_args()
    samples = soak(given.program, given.scenario, given.days)
    if len(samples) < 8:
        sys.exit("two days at least are wanted: eight samples are compared by quarters")
    growth = list(grown(samples))
    for line in growth:
        print(f"grew: {line}", file=sys.stderr)
    sys.exit(1 if growth else 0)


if __name__ == "__main__":
    main()
