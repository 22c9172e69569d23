"""Sealing and opening 40 MiB here against the program ``age``, file to file, in turns.

Prints JSON: milliseconds of each round's median and the median of the rounds' ratios (ours / age, so smaller
is better); ``spread`` is the ratios' lowest and highest. Ours counts without the interpreter's start, since
it runs inside a program that sends or saves; age's start is part of what it costs to use.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from random import Random

from restante.crypto.age import Sealer, Unsealer, X25519Identity

SIZE = 40 * 2**20
STEP = 2**20
TARGET = 2.0


def pump(machine, source, target):
    with source.open("rb") as reading, target.open("wb") as writing:
        while piece := reading.read(STEP):
            writing.write(machine.update(piece))
        writing.write(machine.finish())


def timed(action):
    begin = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - begin)


def rounds(folder, count):
    identity = X25519Identity.generate()
    clear, sealed, opened, keys = (folder / name for name in ("clear", "sealed", "opened", "keys"))
    clear.write_bytes(Random(40).randbytes(SIZE))
    keys.write_text(str(identity) + "\n")
    theirs = {
        "seal": ["age", "-r", str(identity.recipient()), "-o", folder / "age.sealed", clear],
        "open": ["age", "-d", "-i", keys, "-o", folder / "age.opened", folder / "age.sealed"],
    }
    ours = {
        "seal": lambda: pump(Sealer(identity.recipient()), clear, sealed),
        "open": lambda: pump(Unsealer(identity), sealed, opened),
    }
    for _ in range(count):
        for verb in ("seal", "open"):
            mine = timed(ours[verb])
            peer = timed(lambda verb=verb: subprocess.run(theirs[verb], check=True, timeout=60))
            yield verb, mine, peer
        assert opened.read_bytes() == (folder / "age.opened").read_bytes() == clear.read_bytes()


def summary(samples):
    ratios = [mine / peer for mine, peer in samples]
    return {
        "ours_ms": round(statistics.median(mine for mine, _ in samples), 1),
        "age_ms": round(statistics.median(peer for _, peer in samples), 1),
        "ratio": round(statistics.median(ratios), 2),
        "spread": [round(min(ratios), 2), round(max(ratios), 2)],
        "target": TARGET,
        "met": statistics.median(ratios) <= TARGET,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    samples = {"seal": [], "open": []}
    with tempfile.TemporaryDirectory() as folder:
        for verb, mine, peer in rounds(Path(folder), options.rounds + 1):
            samples[verb].append((mine, peer))
    results = {verb: summary(pairs[1:]) for verb, pairs in samples.items()}  # the first round warms up
    print(json.dumps({"bench": "crypto_seal", "bytes": SIZE, "rounds": options.rounds, **results}))


if __name__ == "__main__":
    main()
