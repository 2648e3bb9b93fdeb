// SPDX-License-Identifier: GPL-2.0

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Healthy: a pool of sixteen threads for two clients, whose jobs are short and meet at one monitor;
 * garbage for the collector; and the machine's own threads, which sleep with timeouts all the time.
 *
 * Lock order: one monitor.
 */
final class Main {
    private static final int POOL = 16;
    private static final int JOBS = 64;

    private static final ExecutorService EXECUTOR = Executors.newFixedThreadPool(POOL);
    private static long sum;

    private Main() {
    }

    private static synchronized void addToSum(long n) {
        sum += n;
    }

    private static void job() {
        List<Integer> garbage = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            garbage.add(i);
        }
        addToSum(garbage.size());
    }

    private static void client(Corpus.Actor actor) {
        while (!Corpus.stopped()) {
            actor.attempt();
            List<Future<?>> jobs = new ArrayList<>();
            for (int i = 0; i < JOBS; i++) {
                jobs.add(EXECUTOR.submit(Main::job));
            }
            try {
                for (Future<?> job : jobs) {
                    job.get();
                }
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError(e);
            }
            actor.complete();
        }
    }

    public static void main(String[] args) throws Exception {
        Corpus.add("client_0", Main::client);
        Corpus.add("client_1", Main::client);
        Corpus.run();
    }
}
