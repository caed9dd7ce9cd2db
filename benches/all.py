#!/usr/bin/env python3
"""Everything that is measured, in one session: a table of target, figure and ratio.

    make bench-all                                        # some 25 minutes, on a machine with nothing else to do
    python3 benches/all.py [--short] [--readme] [PART…]   # less of everything, to see that all of it works

Runs each bench with the peer or the floor that it is held against, so that both sides of a ratio
come from the same machine in the same minutes, and prints a table in Markdown as it goes, under a
line that says where, when and how busy the machine was by others; what a bench said itself goes to
target/bench-all.log. A bench whose peer is not on this machine has its row, and says so. Targets
are met or missed by the figure of this one session; figures of `--short` are no figures. With
`--readme` the table takes the place of the one in README.md.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "target/release/skyhaul"
LOG = ROOT / "target/bench-all.log"
README = ROOT / "README.md"
MARKS = ("<!-- bench-all -->\n", "<!-- /bench-all -->\n")
DAY = ROOT / "scenarios/ten-thousand.toml"
MILLION = ROOT / "scenarios/capacity/million-drones.toml"
SECONDS = {"ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0}
RATES = {"elem/s": 1.0, "Kelem/s": 1e3, "Melem/s": 1e6, "Gelem/s": 1e9}
# Programs of peers that were unpacked, and not installed.
UNPACKED = [ROOT / "target/nats/usr/sbin", ROOT / "target/h2load/usr/bin"]
IS_SHORT = False


@dataclass
class Row:
    name: str
    target: str
    value: Optional[float]
    form: str
    meets: Optional[Callable[[float], bool]] = None
    # The same of a peer or a floor, or the ratio to it.
    beside: str = ""

    def cells(self):
        # Neither a missing figure nor a 0 is the other.
        is_known = self.value is not None and self.value is not False
        shown = self.form.format(self.value) if is_known else "not measured"
        verdict = ("met" if self.meets(self.value) else "**missed**") if is_known and self.meets else ""
        return f"| {self.name} | {self.target} | {shown} | {verdict} | {self.beside} |"


def say(command):
    """What it prints; also into the log."""
    began = time.monotonic()
    path = os.pathsep.join([*map(str, UNPACKED), os.environ.get("PATH", "")])
    done = subprocess.run(
        [str(word) for word in command], cwd=ROOT, text=True, env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    with LOG.open("a") as log:
        print("$", *command, file=log)
        print(done.stdout, f"# {time.monotonic() - began:.0f} s, exit {done.returncode}\n", file=log)
    return done.stdout


def bench(name, *arguments):
    return say(["cargo", "bench", "--locked", "--bench", name, "--", *arguments])


def quick():
    """Criterion's own way of hurrying."""
    return ["--quick"] if IS_SHORT else []


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
        bare = find(r"bare axum \+ SQLite: (\d+) durable requests/s, p99 ([\d.]+) ms", part)
        floor = f"bare axum and SQLite: {bare[0]:,.0f}/s, {bare[1]:.1f} ms" if bare else ""
        ratio = ours and bare and 100 * ours[0] / bare[0]
        name = f"durable requests accepted, {connections} connections"
        yield Row(name, "30,000/s", ours and ours[0], "{:,.0f}/s", lambda v: v >= 30_000, floor)
        yield Row("their p99", "25 ms", ours and ours[1], "{:.1f} ms", lambda v: v <= 25)
        yield Row("beside the floor", "75 %", ratio, "{:.0f} %", lambda v: v >= 75)
    text = bench("accept", "spike")
    lost = find(r"(\d+) refused, (\d+) without an answer", text)
    p99 = find(r"p99 (\d+) ms", text)
    name = "of a spike, 50,000/s for 5 s: refused or lost"
    yield Row(name, "0", lost and sum(lost), "{:.0f}", lambda v: v == 0)
    yield Row("its p99 from when each was due", "2 s", p99 and p99[0] / 1e3, "{:.1f} s", lambda v: v <= 2)


def workflow():
    text = bench("workflow")
    alone, _, text = text.partition("with commit to the disk and publication:")
    rate, engine = (find(r"under way: \d+, (\d+)/s", part) for part in (text, alone))
    name = "deliveries through five steps over a million drones, committed"
    beside = f"without store and read side: {engine[0]:,.0f}/s" if engine else ""
    yield Row(name, "20,000/s", rate and rate[0], "{:,.0f}/s", lambda v: v >= 20_000, beside)


def sky():
    text = bench("sky", *quick(), "sky/step")
    for drones in (1_000, 10_000, 100_000, 1_000_000):
        _, rate = criterion(text, f"sky/step/{drones}")
        name = f"drone steps on a core, {drones:,} in the air"
        # A million is more than any target speaks of.
        meets = (lambda v: v >= 100) if drones < 1_000_000 else None
        target = "100 million/s" if meets else ""
        yield Row(name, target, rate and rate / 1e6, "{:.0f} million/s", meets)


def separation():
    text = bench("separation", *quick(), "100000")
    for tick in ("100ms", "1s"):
        took, _ = criterion(text, f"separation/tick of {tick}, 2 threads/100000")
        name = f"losses and conflicts at 100,000 in the air, a tick of {tick}, two threads"
        yield Row(name, "15 ms", took and took * 1e3, "{:.1f} ms", lambda v: v <= 15)


def million():
    text = bench("memory")
    each = find(r"parked drones: (\d+) bytes each", text)
    beside = "actix: 930 B an actor alone (public measurement, not this run)"
    yield Row("a drone, all told, of a million", "1.5 KB", each and each[0], "{:,.0f} B", lambda v: v <= 1536, beside)
    run = headless(MILLION, "--until", "20s" if IS_SHORT else "2m")
    factor = run and run["realTimeFactor"]
    yield Row("a million drones, 5 % in the air, 1 Hz", "×1", factor, "×{:.1f}", lambda v: v >= 1)


def headless(scenario, *arguments):
    text = say([PROGRAM, "run", scenario, "--json", *arguments])
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    return None


# The two means of keeping apart that the day's own file leaves out.
ALL_MEANS = """
[separation]
tactical = ["level", "slow", "hold"]
strategic = "ground_delay"
"""


def day():
    until = ["--until", "1h"] if IS_SHORT else []
    text = DAY.read_text().replace('"maps/', f'"{DAY.parent}/maps/')
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as all_means:
        all_means.write(text + ALL_MEANS)
        all_means.flush()
        days = {"losses and conflicts counted": DAY, "tactical resolution and ground delay on": all_means.name}
        for what, scenario in days.items():
            run = headless(scenario, "--threads", "1", *until)
            wall = run and run["wallSeconds"]
            yield Row(f"a day of 10,000 drones, one thread, {what}", "60 s", wall, "{:.0f} s", lambda v: v <= 60)


def fanout():
    many = 4_000 if IS_SHORT else 10_000
    text = bench("fanout", "--rounds", "1" if IS_SHORT else "3", "2000", str(many))
    rows = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) > 11 and words[0].isdigit():
            rows[int(words[0]), words[1]] = words

    def beside(watchers, column, form):
        peers = [(name, rows.get((watchers, name))) for name in ("nats", "floor")]
        return ", ".join(f"{name}: {form.format(float(row[column]))}" for name, row in peers if row)

    ours = rows.get((2_000, "skyhaul"))
    ratio = float(ours[6]) if ours and ours[6] != "-" else None
    name = "CPU of a delivered frame, 2,000 watchers, of nats-server's"
    yield Row(name, "0.50", ratio, "{:.2f}", lambda v: v <= 0.5, beside(2_000, 2, "{:.1f} µs"))
    idle = ours and float(ours[11])
    yield Row("an idle watcher", "12 KiB", idle, "{:.1f} KiB", lambda v: v <= 12, beside(2_000, 11, "{:.1f} KiB"))
    row = rows.get((many, "skyhaul"))
    frames, p99 = (float(row[7]), float(row[10])) if row else (None, None)
    name = f"frames, {many:,} watchers"
    yield Row(name, "100,000/s", frames, "{:,.0f}/s", lambda v: v >= 100_000, beside(many, 7, "{:,.0f}/s"))
    yield Row("their p99", "100 ms", p99, "{:.0f} ms", lambda v: v <= 100, beside(many, 10, "{:.0f} ms"))


def peers():
    text = bench("peers")
    line = r"{aircraft} aircraft, ticks of +1s, conflicts +{conflicts}: skyhaul +[\d.]+ +.*?([\d.]+) times"
    for aircraft, conflicts in ((10_000, "off"), (1_000, "on")):
        times = find(line.format(aircraft=aircraft, conflicts=conflicts), text)
        name = f"times as many steps as BlueSky, {aircraft:,} aircraft, 1 s, conflicts {conflicts}"
        yield Row(name, "", times and times[0], "{:.0f}")


def agree():
    turns = ["--turns", "1"] if IS_SHORT else []
    text = say([sys.executable, "benches/peers/agree.py", *turns, "1000"])
    ratios = find(r"ratio \| × ([\d.]+) \| × [\d.]+ \| × [\d.]+ \| × ([\d.]+)", text)
    rows = dict(re.findall(r"\| ([a-z0-9 ]+) \| ([\d.]+ ms) \| [\d.]+ ms \| [\d.]+ ms \| [\d.]+ ms \|", text))
    for place, quantile in enumerate(("p50", "p99")):
        name = f"{quantile} that `skyhaul load` finds at 1,000/s, of what h2load finds"
        beside = f"h2load: {rows['h2load']}" if not place and "h2load" in rows else ""
        yield Row(name, "1", ratios and ratios[place], "× {:.2f}", lambda v: 0.5 <= v <= 2, beside)


PARTS = [accept, workflow, sky, separation, million, day, fanout, peers, agree]


def where():
    """The machine, the day, and how busy others keep it."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    load = os.getloadavg()[1]
    short = "; shortened: no figures" if IS_SHORT else ""
    return (f"{cpu[1] if cpu else 'some processor'}, {os.cpu_count()} cores, "
            f"{time.strftime('%-d %B %Y', time.gmtime())}, load average before {load:.1f}{short}")


def put_into_readme(lines):
    text = README.read_text()
    before, mark, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not mark or not end:
        sys.exit(f"{README} has no place for the table: {' … '.join(MARKS)}")
    README.write_text(before + mark + "\n".join(lines) + "\n" + end + after)


def main():
    global IS_SHORT
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--short", action="store_true")
    arguments.add_argument("--readme", action="store_true")
    arguments.add_argument("parts", nargs="*", metavar="PART", choices=[*(part.__name__ for part in PARTS), []])
    given = arguments.parse_args()
    IS_SHORT = given.short
    LOG.parent.mkdir(exist_ok=True)
    LOG.write_text("")
    lines = [where() + ":", "", "| what | target | figure | | beside |", "| --- | --- | --- | --- | --- |"]
    print("\n".join(lines), flush=True)
    for part in PARTS:
        if given.parts and part.__name__ not in given.parts:
            continue
        for row in part():
            lines.append(row.cells())
            print(lines[-1], flush=True)
    if given.readme:
        put_into_readme(lines)


if __name__ == "__main__":
    main()
