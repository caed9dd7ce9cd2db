"""BlueSky's side of `cargo bench --bench peers`: so many rotorcraft over a city in steady wind.

Flies DJI Matrice 600 of BlueSky's own performance table straight on at 70 m and prints one line of JSON: aircraft steps a second, by the wall and by the processor.
Conflict detection is BlueSky's state-based one with this program's separation minima.
"""

import argparse
import json
import os
import sys
import tempfile
import time

import numpy as np

FOOT_M = 0.3048
MILE_M = 1_852.0
KNOT_MPS = 0.514444
WEST, SOUTH, EAST, NORTH = -122.52, 37.70, -122.35, 37.83
HEIGHT_M, SPEED_MPS, WIND_MPS, WIND_FROM_DEG = 70.0, 15.0, 5.0, 270.0


def started(workdir):
    """BlueSky without a network, telling its news to nobody."""
    import bluesky

    bluesky.init(mode="sim", detached=True, workdir=workdir)
    bluesky.scr.echo = lambda *_, **__: None
    return bluesky


def fill(bluesky, count):
    rng = np.random.default_rng(1)
    bluesky.traf.cre(
        [f"D{i}" for i in range(count)],
        "M600",
        rng.uniform(SOUTH, NORTH, count),
        rng.uniform(WEST, EAST, count),
        rng.uniform(0.0, 360.0, count),
        np.full(count, HEIGHT_M),
        np.full(count, SPEED_MPS),
    )
    middle = (SOUTH + NORTH) / 2, (WEST + EAST) / 2
    bluesky.traf.wind.addpoint(*middle, WIND_FROM_DEG, WIND_MPS)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aircraft", type=int, required=True)
    parser.add_argument("--tick", type=float, default=1.0, help="simulated seconds of a step")
    parser.add_argument("--seconds", type=float, default=3.0, help="of wall time, at least")
    parser.add_argument("--detect", action="store_true", help="conflicts")
    options = parser.parse_args()
    told, sys.stdout = sys.stdout, open(os.devnull, "w")

    with tempfile.TemporaryDirectory() as workdir:
        bluesky = started(workdir)
        fill(bluesky, options.aircraft)
        commands = [f"DT {options.tick}", "CDMETHOD " + ("STATEBASED" if options.detect else "OFF"), "RESO OFF"]
        commands += [f"ZONER {50 / MILE_M}", f"ZONEDH {15 / FOOT_M}", "DTLOOK 20", "OP"]
        for command in commands:
            bluesky.stack.stack(command)
        for _ in range(3):
            bluesky.sim.step()
        steps, wall, spent = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - wall < options.seconds or steps < 3:
            bluesky.sim.step()
            steps += 1
        wall, spent = time.perf_counter() - wall, time.process_time() - spent
        flown = steps * bluesky.traf.ntraf
        detected = len(bluesky.traf.cd.confpairs_all)

    sys.stdout = told
    print(json.dumps({"flown": flown, "wallS": wall, "cpuS": spent, "conflicts": detected}))


if __name__ == "__main__":
    main()
