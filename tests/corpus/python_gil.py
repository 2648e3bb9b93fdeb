# SPDX-License-Identifier: GPL-2.0
"""Healthy: four threads that compute, and hand the interpreter's lock to each other every 5 ms.

Each waits for that lock with a timeout, is late, asks for it and waits again: what a livelock by
timeouts looks like, and here it is how work gets done.

Lock order: none.
"""
import libcorpus as corpus

NUMBERS = 20000


def compute(actor):
    """Units of work without end."""
    while not corpus.stopped():
        actor.attempt()
        sum(n * n for n in range(NUMBERS))
        actor.complete()


for index in range(4):
    corpus.add(f"worker_{index}", compute)
corpus.run()
