# SPDX-License-Identifier: GPL-2.0
"""Livelock: two polite threads want two threading.Lock in opposite order. Each takes its first,
works, waits for the other with a timeout, rolls back and sleeps to the next tick of a common grid.

Invariant: in every round both hold their first lock while either tries its second. The locks are
semaphores: their words have no owner, and are the same as those of a queue that is empty.

Lock order: deliberately none.
"""
import threading

import libcorpus as corpus

GRID_S = 0.05
WORK_S = 0.008
TIMEOUT_S = 0.005

LOCKS = [threading.Lock(), threading.Lock()]
holds_first = [0, 0]
tried_second = [0, 0]


def transfer_with_rollback(actor, number, first, second):
    """One round."""
    me, peer = actor.index, 1 - actor.index
    with first:
        holds_first[me] = number + 1
        corpus.work(WORK_S)
        if not corpus.gate(lambda: holds_first[peer] > number):
            return
        actor.attempt()
        if second.acquire(timeout=TIMEOUT_S):  # pylint: disable=consider-using-with
            # at the end the other one lets go in the middle of a round
            if not corpus.stopped():
                actor.complete()
            second.release()
        else:
            actor.fail()
        tried_second[me] = number + 1
        corpus.gate(lambda: tried_second[peer] > number)


def transfer_loop(actor):
    """Rounds without end."""
    number = 0
    while not corpus.stopped():
        corpus.grid(number, GRID_S)
        transfer_with_rollback(actor, number, LOCKS[actor.index], LOCKS[1 - actor.index])
        number += 1


corpus.add("a_to_b", transfer_loop)
corpus.add("b_to_a", transfer_loop)
corpus.run()
