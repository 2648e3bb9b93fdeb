# SPDX-License-Identifier: GPL-2.0
"""libcorpus.h for Python: counters that only the harness reads, a start gate and a clean end.

An actor is a thread. An attempt also reads and a completion also writes, as real units of work do:
system calls are the markers that a program without functions of its own in a file can offer.

Invariant: it takes no lock, and gates poll: what the tool sees is what the case itself does.
"""
import ctypes
import mmap
import os
import signal
import struct
import threading
import time

MAGIC = 0x3153555052435748
SIZE = 64 + 16 * 64
POLL_S = 0.0005
PR_SET_NAME = 15

_memory = memoryview(bytearray(SIZE))
_actors = []
_stop = []
_opened = []
_zero_s = 0.0


class Actor:
    """One thread's counters: it is their only writer."""

    def __init__(self, name, index, body):
        self.name, self.index, self.body = name, index, body
        self._words, self._buffer = None, bytearray(8)
        self._data = os.open("/dev/zero", os.O_RDWR | os.O_CLOEXEC)

    def start(self):
        """Runs the body in a thread of its own, once the gate opens."""
        offset = 64 + 64 * self.index
        self._words = _memory[offset:offset + 24].cast("Q")
        struct.pack_into("<II16s", _memory, offset + 24, 0, self.index, self.name.encode())
        threading.Thread(target=self._main, daemon=True).start()

    def started(self):
        """Is its thread at the gate?"""
        return any(_memory[64 + 64 * self.index + 24:64 + 64 * self.index + 28])

    def _main(self):
        ctypes.CDLL(None).prctl(PR_SET_NAME, self.name.encode())
        struct.pack_into("<I", _memory, 64 + 64 * self.index + 24, threading.get_native_id())
        if gate(lambda: _opened):
            self.body(self)

    def attempt(self):
        """Before a try."""
        self._words[0] += 1
        # readv: the loader of programs uses pread
        os.readv(self._data, [self._buffer])

    def fail(self):
        """The try was given up."""
        self._words[1] += 1

    def complete(self):
        """One unit of work is done."""
        self._words[2] += 1
        os.pwrite(self._data, b"committed", 0)


def add(name, body):
    """Declares one actor."""
    _actors.append(Actor(name, len(_actors), body))


def stopped():
    """Is it time to end?"""
    return bool(_stop)


def gate(condition):
    """Waits until condition() by short sleeps; False when asked to stop meanwhile."""
    while not condition():
        if _stop:
            return False
        time.sleep(POLL_S)
    return not _stop


def grid(number, period_s, part_s=0.0):
    """Sleeps to a tick of a grid that all actors share, plus some part of a tick."""
    time.sleep(max(0.0, _zero_s + number * period_s + part_s - time.monotonic()))


def work(seconds):
    """Keeps a CPU busy, in the interpreter."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def _map_counters():
    global _memory  # pylint: disable=global-statement
    path = os.environ.get("CORPUS_COUNTERS")
    if path:
        with open(path, "w+b") as file:
            file.truncate(SIZE)
            _memory = memoryview(mmap.mmap(file.fileno(), SIZE))


def run():
    """Starts all actors at once, waits, and ends the process, with whoever never comes back."""
    global _zero_s  # pylint: disable=global-statement
    seconds = float(os.environ.get("CORPUS_SECONDS", "10"))
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    _map_counters()
    for actor in _actors:
        actor.start()
    gate(lambda: all(actor.started() for actor in _actors))
    _zero_s = time.monotonic() + 0.005
    struct.pack_into("<II", _memory, 8, os.getpid(), len(_actors))
    struct.pack_into("<Q", _memory, 16, int(_zero_s * 1e9))
    struct.pack_into("<Q", _memory, 0, MAGIC)
    _opened.append(True)
    signal.sigtimedwait(ends, seconds)
    _stop.append(True)
    time.sleep(0.1)
    os._exit(0)
