// SPDX-License-Identifier: GPL-2.0

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Healthy twin of java_two_lock_grid: the same grid and the same work, but one order of the locks.
 *
 * Lock order: LOCKS[0], then LOCKS[1].
 */
final class Main {
    private static final long GRID_NS = 50_000_000;
    private static final long WORK_NS = 8_000_000;
    private static final long TIMEOUT_MS = 5;

    private static final ReentrantLock[] LOCKS = { new ReentrantLock(), new ReentrantLock() };

    private Main() {
    }

    private static void transferInOrder(Corpus.Actor actor) throws InterruptedException {
        actor.attempt();
        LOCKS[0].lock();
        try {
            Corpus.work(WORK_NS);
            if (LOCKS[1].tryLock(TIMEOUT_MS, TimeUnit.MILLISECONDS)) {
                actor.complete();
                LOCKS[1].unlock();
            } else {
                actor.fail();
            }
        } finally {
            LOCKS[0].unlock();
        }
    }

    private static void transferLoop(Corpus.Actor actor) {
        try {
            for (long round = 0; !Corpus.stopped(); round++) {
                Corpus.grid(round, GRID_NS);
                transferInOrder(actor);
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
