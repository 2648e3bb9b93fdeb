# SPDX-License-Identifier: GPL-2.0
"""Deadlock: two threads take two threading.Lock in opposite order and sleep for ever.

Such a lock is a semaphore without an owner; who waits for one looks like who waits for work.

Lock order: deliberately none.
"""
import threading

import libcorpus as corpus

LOCKS = [threading.Lock(), threading.Lock()]
holds_first = [False, False]


def lock_both(actor):
    """Never comes back."""
    actor.attempt()
    with LOCKS[actor.index]:
        holds_first[actor.index] = True
        if corpus.gate(lambda: holds_first[1 - actor.index]):
            with LOCKS[1 - actor.index]:
                actor.complete()


corpus.add("left_right", lock_both)
corpus.add("right_left", lock_both)
corpus.run()
