#!/usr/bin/env python3
"""Everything that is measured, in one session: a table of target, figure and ratio.

    make bench-all

Runs each bench with the peer or the floor that it is held against, so that both sides of a ratio
come from the same machine in the same minutes, and prints a table in Markdown as it goes; what a
bench said itself goes to target/bench-all.log. A bench whose peer is not on this machine has its
row, and says so. Targets are met or missed by the figure of this one session.
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "target/release/skyhaul"
LOG = ROOT / "target/bench-all.log"
MILLION = ROOT / "scenarios/capacity/million-drones.toml"
SECONDS = {"ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0}
RATES = {"elem/s": 1.0, "Kelem/s": 1e3, "Melem/s": 1e6, "Gelem/s": 1e9}


def say(command):
    """What it prints; also into the log."""
    began = time.monotonic()
    done = subprocess.run(
        [str(word) for word in command], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    with LOG.open("a") as log:
        print("$", *command, file=log)
        print(done.stdout, f"# {time.monotonic() - began:.0f} s, exit {done.returncode}\n", file=log)
    return done.stdout


def bench(name, *arguments):
    return say(["cargo", "bench", "--locked", "--bench", name, "--", *arguments])


def find(pattern, text):
    """The numbers of the first match, or none."""
    found = re.search(pattern, text, re.DOTALL)
    return [float(number) for number in found.groups()] if found else None


def criterion(text, name):
    """Median time in seconds, and throughput a second where it has one."""
    part = re.search(rf"{re.escape(name)}\s+time:\s+\[(.*?)\]\s*(?:thrpt:\s+\[(.*?)\])?", text, re.DOTALL)
    if not part:
        return None, None
    _, _, amount, unit, *_ = part[1].split()
    rate = None
    if part[2]:
        words = part[2].split()
        rate = float(words[2]) * RATES[words[3]]
    return float(amount) * SECONDS[unit], rate


def accept():
    text = bench("accept", "sustained")
    for connections in (64, 256):
        part = text.partition(f"{connections} connections, medians")[2]
        ours = find(r"skyhaul: (\d+) durable requests/s, p99 ([\d.]+) ms", part)
        ratio = find(r"ratio: (\d+) %", part)
        name = f"durable requests accepted, {connections} connections"
        yield name, "30,000/s", ours and ours[0], "{:,.0f}/s", lambda v: v >= 30_000
        yield "their p99", "25 ms", ours and ours[1], "{:.1f} ms", lambda v: v <= 25
        yield "beside a bare axum and SQLite", "75 %", ratio and ratio[0], "{:.0f} %", lambda v: v >= 75
    text = bench("accept", "spike")
    lost = find(r"(\d+) refused, (\d+) without an answer", text)
    p99 = find(r"p99 (\d+) ms", text)
    name = "of a spike, 50,000/s for 5 s: refused or lost"
    yield name, "0", lost and sum(lost), "{:.0f}", lambda v: v == 0
    yield "its p99 from when each was due", "2 s", p99 and p99[0] / 1e3, "{:.1f} s", lambda v: v <= 2


def workflow():
    text = bench("workflow")
    text = text.partition("with commit to the disk and publication:")[2]
    rate = find(r"under way: \d+, (\d+)/s", text)
    name = "deliveries through five steps over a million drones, committed"
    yield name, "20,000/s", rate and rate[0], "{:,.0f}/s", lambda v: v >= 20_000


def sky():
    text = bench("sky", "sky/step")
    for drones in (1_000, 10_000, 100_000, 1_000_000):
        _, rate = criterion(text, f"sky/step/{drones}")
        name = f"drone steps on a core, {drones:,} in the air"
        yield name, "100 million/s", rate and rate / 1e6, "{:.0f} million/s", lambda v: v >= 100


def separation():
    text = bench("separation", "100000")
    for tick in ("100ms", "1s"):
        took, _ = criterion(text, f"separation/tick of {tick}, 2 threads/100000")
        name = f"losses and conflicts at 100,000 in the air, a tick of {tick}, two threads"
        yield name, "15 ms", took and took * 1e3, "{:.1f} ms", lambda v: v <= 15


def million():
    text = bench("memory")
    bytes_each = find(r"parked drones: (\d+) bytes each", text)
    yield "a drone, all told, of a million", "1.5 KB", bytes_each and bytes_each[0], "{:,.0f} B", lambda v: v <= 1536
    run = headless(MILLION, "--until", "2m") if MILLION.exists() else None
    factor = run and run["realTimeFactor"]
    yield "a million drones, 5 % in the air, 1 Hz", "×1", factor, "×{:.1f}", lambda v: v >= 1


def headless(scenario, *arguments):
    text = say([PROGRAM, "run", scenario, "--json", *arguments])
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    return None


def day():
    run = headless("scenarios/ten-thousand.toml", "--threads", "1")
    wall = run and run["wallSeconds"]
    yield "a day of 10,000 drones, one thread", "60 s", wall, "{:.0f} s", lambda v: v <= 60


def fanout():
    text = bench("fanout", "2000", "10000")
    rows = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) > 6 and words[0].isdigit():
            rows[int(words[0]), words[1]] = words
    ours = rows.get((2_000, "skyhaul"))
    yield (
        "CPU of a delivered frame, 2,000 watchers, beside nats-server", "0.50",
        ours and ours[6] != "-" and float(ours[6]), "{:.2f}", lambda v: v <= 0.5,
    )
    idle = ours and float(ours[11])
    yield "an idle watcher", "12 KiB", idle, "{:.1f} KiB", lambda v: v <= 12
    many = rows.get((10_000, "skyhaul"))
    yield "frames, 10,000 watchers", "100,000/s", many and float(many[7]), "{:,.0f}/s", lambda v: v >= 100_000
    yield "their p99", "100 ms", many and float(many[10]), "{:.0f} ms", lambda v: v <= 100


def peers():
    text = bench("peers")
    line = r"{aircraft} aircraft, ticks of +1s, conflicts +{conflicts}: skyhaul +[\d.]+ +.*?([\d.]+) times"
    for aircraft, conflicts in ((10_000, "off"), (1_000, "on")):
        times = find(line.format(aircraft=aircraft, conflicts=conflicts), text)
        name = f"times as many steps as BlueSky, {aircraft:,} aircraft, 1 s, conflicts {conflicts}"
        yield name, "", times and times[0], "{:.0f}", None


def agree():
    text = say([sys.executable, "benches/peers/agree.py", "1000"])
    ratios = find(r"ratio \| × ([\d.]+) \| × [\d.]+ \| × [\d.]+ \| × ([\d.]+)", text)
    for place, quantile in enumerate(("p50", "p99")):
        name = f"{quantile} that `skyhaul load` finds at 1,000/s, beside h2load"
        yield name, "1", ratios and ratios[place], "× {:.2f}", lambda v: 0.5 <= v <= 2


PARTS = [accept, workflow, sky, separation, million, day, fanout, peers, agree]


def main():
    asked = sys.argv[1:]
    LOG.parent.mkdir(exist_ok=True)
    LOG.write_text("")
    print("| what | target | figure | |\n| --- | --- | --- | --- |", flush=True)
    for part in PARTS:
        if asked and part.__name__ not in asked:
            continue
        for name, target, figure, form, meets in part():
            # Neither a missing figure nor a 0 is the other.
            known = figure is not None and figure is not False
            shown = form.format(figure) if known else "not measured"
            verdict = ("met" if meets(figure) else "**missed**") if known and meets else ""
            print(f"| {name} | {target} | {shown} | {verdict} |", flush=True)


if __name__ == "__main__":
    main()
