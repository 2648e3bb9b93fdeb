// SPDX-License-Identifier: GPL-2.0

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Livelock: two polite threads want two ReentrantLock in opposite order. Each takes its first, works,
 * calls tryLock with a timeout for the other, rolls back and sleeps to the next tick of a grid.
 *
 * Invariant: in every round both hold their first lock while either tries its second. A thread that
 * waits is parked on a word of its own, so the system calls do not even tell which lock it wants.
 *
 * Lock order: deliberately none.
 */
final class Main {
    private static final long GRID_NS = 50_000_000;
    private static final long WORK_NS = 8_000_000;
    private static final long TIMEOUT_MS = 5;

    private static final ReentrantLock[] LOCKS = { new ReentrantLock(), new ReentrantLock() };
    private static final AtomicLongArray HOLDS_FIRST = new AtomicLongArray(2);
    private static final AtomicLongArray TRIED_SECOND = new AtomicLongArray(2);

    private Main() {
    }

    private static void transferWithRollback(Corpus.Actor actor, long round, ReentrantLock first,
                                             ReentrantLock second) throws InterruptedException {
        int peer = 1 - actor.index;
        first.lock();
        try {
            HOLDS_FIRST.set(actor.index, round + 1);
            Corpus.work(WORK_NS);
            if (!Corpus.gate(() -> HOLDS_FIRST.get(peer) > round)) {
                return;
            }
            actor.attempt();
            if (second.tryLock(TIMEOUT_MS, TimeUnit.MILLISECONDS)) {
                // at the end the other one lets go in the middle of a round
                if (!Corpus.stopped()) {
                    actor.complete();
                }
                second.unlock();
            } else {
                actor.fail();
            }
            TRIED_SECOND.set(actor.index, round + 1);
            Corpus.gate(() -> TRIED_SECOND.get(peer) > round);
        } finally {
            first.unlock();
        }
    }

    private static void transferLoop(Corpus.Actor actor) {
        try {
            for (long round = 0; !Corpus.stopped(); round++) {
                Corpus.grid(round, GRID_NS);
                transferWithRollback(actor, round, LOCKS[actor.index], LOCKS[1 - actor.index]);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    public static void main(String[] args) throws Exception {
        Corpus.add("a_to_b", Main::transferLoop);
        Corpus.add("b_to_a", Main::transferLoop);
        Corpus.run();
    }
}
