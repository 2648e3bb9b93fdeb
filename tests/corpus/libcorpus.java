// SPDX-License-Identifier: GPL-2.0

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * libcorpus.h for Java: counters that only the harness reads, a start gate and a clean end. An
 * attempt also reads and a completion also writes a file, as real units of work do: system calls
 * are the markers that a program without functions of its own in a file can offer.
 *
 * Invariant: it takes no lock, and gates poll: what the tool sees is what the case itself does.
 */
final class Corpus {
    private static final long MAGIC = 0x3153555052435748L;
    private static final int SIZE = 64 + 16 * 64;
    private static final long POLL_NS = 200_000;

    private static ByteBuffer memory = ByteBuffer.allocateDirect(SIZE).order(ByteOrder.LITTLE_ENDIAN);
    private static final List<Actor> actors = new ArrayList<>();
    private static volatile boolean stopped;
    private static volatile boolean opened;
    private static volatile long zeroNs;

    private Corpus() {
    }

    /** One thread's counters: it is their only writer. */
    static final class Actor {
        final int index;
        private final String name;
        private final Consumer<Actor> body;
        private final FileChannel data;
        private final ByteBuffer word = ByteBuffer.allocateDirect(8);
        private final ByteBuffer[] words = { word };
        private volatile boolean ready;

        Actor(String name, int index, Consumer<Actor> body) {
            this.name = name;
            this.index = index;
            this.body = body;
            try {
                data = FileChannel.open(Path.of("/dev/zero"), StandardOpenOption.READ,
                                        StandardOpenOption.WRITE);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        private int base() {
            return 64 + 64 * index;
        }

        private void raise(int offset) {
            memory.putLong(base() + offset, memory.getLong(base() + offset) + 1);
        }

        void attempt() {
            raise(0);
            try {
                // readv: the machine itself reads its classes with pread
                word.clear();
                data.read(words);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        void fail() {
            raise(8);
        }

        void complete() {
            raise(16);
            try {
                word.clear();
                data.write(word, 0);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        private void main() {
            try {
                // PID/task/TID
                String self = Files.readSymbolicLink(Path.of("/proc/thread-self")).toString();
                memory.putInt(base() + 24, Integer.parseInt(self.substring(self.lastIndexOf('/') + 1)));
                memory.putInt(base() + 28, index);
                for (int i = 0; i < name.length() && i < 15; i++) {
                    memory.put(base() + 32 + i, (byte) name.charAt(i));
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            ready = true;
            if (gate(() -> opened)) {
                body.accept(this);
            }
        }
    }

    static void add(String name, Consumer<Actor> body) {
        actors.add(new Actor(name, actors.size(), body));
    }

    static boolean stopped() {
        return stopped;
    }

    private static void sleep(long ns) {
        try {
            TimeUnit.NANOSECONDS.sleep(ns);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Waits until the condition holds, by short sleeps; false when asked to stop meanwhile. */
    static boolean gate(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            if (stopped) {
                return false;
            }
            sleep(POLL_NS);
        }
        return !stopped;
    }

    /** Sleeps to tick n of a grid that all actors share. */
    static void grid(long n, long periodNs) {
        sleep(Math.max(0, zeroNs + n * periodNs - System.nanoTime()));
    }

    /** Keeps a CPU busy. */
    static void work(long ns) {
        long end = System.nanoTime() + ns;
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    private static void mapCounters() throws IOException {
        String path = System.getenv("CORPUS_COUNTERS");
        if (path == null) {
            return;
        }
        try (FileChannel file = FileChannel.open(Path.of(path), StandardOpenOption.CREATE,
                                                 StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            memory = file.map(FileChannel.MapMode.READ_WRITE, 0, SIZE).order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    /** Starts all actors at once, waits, and ends the process, with whoever never comes back. */
    static void run() throws IOException, InterruptedException {
        String seconds = System.getenv("CORPUS_SECONDS");
        mapCounters();
        for (Actor actor : actors) {
            Thread thread = new Thread(actor::main, actor.name);
            thread.setDaemon(true);
            thread.start();
        }
        gate(() -> actors.stream().allMatch(actor -> actor.ready));
        zeroNs = System.nanoTime() + 5_000_000;    // CLOCK_MONOTONIC, the clock of the harness
        memory.putInt(8, (int) ProcessHandle.current().pid());
        memory.putInt(12, actors.size());
        memory.putLong(16, zeroNs);
        memory.putLong(0, MAGIC);
        opened = true;
        Thread.sleep((long) (Double.parseDouble(seconds == null ? "10" : seconds) * 1000));
        stopped = true;
        sleep(100_000_000);
        Runtime.getRuntime().halt(0);
    }
}
