# SPDX-License-Identifier: GPL-2.0
"""Healthy twin of python_two_lock_grid: the same grid and the same work, one order of the locks.

Lock order: LOCKS[0], then LOCKS[1].
"""
import threading

import libcorpus as corpus

GRID_S = 0.05
WORK_S = 0.008
TIMEOUT_S = 0.005

LOCKS = [threading.Lock(), threading.Lock()]


def transfer_in_order(actor):
    """One round."""
    actor.attempt()
    with LOCKS[0]:
        corpus.work(WORK_S)
        if LOCKS[1].acquire(timeout=TIMEOUT_S):  # pylint: disable=consider-using-with
            actor.complete()
            LOCKS[1].release()
        else:
            actor.fail()


def transfer_loop(actor):
    """Rounds without end."""
    number = 0
    while not corpus.stopped():
        corpus.grid(number, GRID_S)
        transfer_in_order(actor)
        number += 1


corpus.add("a_to_b", transfer_loop)
corpus.add("b_to_a", transfer_loop)
corpus.run()
