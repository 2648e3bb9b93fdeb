# SPDX-License-Identifier: GPL-2.0
"""Counters of the corpus programs, the labels drawn from them, and one watched run.

The label is independent of the tool: it comes only from the counters that the program itself keeps
(libcorpus.h). A run samples them while the program works, with or without the tool around it.
"""
import json
import os
import signal
import struct
import subprocess
import tempfile
import threading
import time

MAGIC = 0x3153555052435748
HEADER = struct.Struct("<QIIQ")     # magic, pid, actors, epoch_ns
ACTOR = struct.Struct("<QQQII16s")  # attempts, fails, completions, tid, index, name
FIRST_ACTOR = 64
ACTOR_SIZE = 64
SETTLE_S = 0.5                      # after the start gate, before the first sample that counts
SAMPLE_S = 0.1
STORM_RATIO = 0.95


class Actor:
    """One actor's counters at one moment."""

    def __init__(self, attempts, fails, completions, tid, index, name):
        self.attempts, self.fails, self.completions = attempts, fails, completions
        self.tid, self.index, self.name = tid, index, name

    @staticmethod
    def parse(data, offset):
        """From the file that libcorpus.h describes."""
        *numbers, name = ACTOR.unpack_from(data, offset)
        return Actor(*numbers, name.split(b"\0")[0].decode())


class Sample:
    """All actors at one moment (seconds of CLOCK_MONOTONIC)."""

    def __init__(self, when_s, epoch_s, pid, actors):
        self.when_s, self.epoch_s, self.pid, self.actors = when_s, epoch_s, pid, actors

    @staticmethod
    def parse(data, when_s):
        """From the file that libcorpus.h describes."""
        magic, pid, count, epoch_ns = HEADER.unpack_from(data)
        if magic != MAGIC:
            raise ValueError("the program has not started yet")
        return Sample(when_s, epoch_ns / 1e9, pid,
                      [Actor.parse(data, FIRST_ACTOR + ACTOR_SIZE * i) for i in range(count)])

    def tid_of(self, name):
        """The thread id of the actor called `name`."""
        for actor in self.actors:
            if actor.name == name:
                return actor.tid
        raise KeyError(name)

    def __str__(self):
        return " ".join(f"{a.name}:{a.completions}/{a.attempts}" for a in self.actors)


def read_sample(path):
    """Return: a Sample, or None while the program has not published its counters."""
    try:
        with open(path, "rb") as file:
            return Sample.parse(file.read(), time.monotonic())
    except (OSError, ValueError, struct.error):
        return None


class Series:
    """Samples of one run; the label is judged on first, middle and last."""

    def __init__(self):
        self.samples = []
        self.history = []       # with those of the settling time

    def add(self, sample):
        """Keeps a sample; the label is not judged on those from the settling time."""
        if not sample:
            return
        self.history.append(sample)
        if sample.when_s >= sample.epoch_s + SETTLE_S:
            self.samples.append(sample)

    def attempts_per_s(self, name, start_s, end_s):
        """The rate of one actor between the samples nearest to two moments."""
        first, last = (min(self.history, key=lambda sample, at=at: abs(sample.when_s - at))
                       for at in (start_s, end_s))
        counts = [next(a.attempts for a in sample.actors if a.name == name)
                  for sample in (first, last)]
        return (counts[1] - counts[0]) / max(last.when_s - first.when_s, SAMPLE_S)

    def deltas(self, start, end, field):
        """Growth of `field` for each actor between two samples."""
        return [getattr(b, field) - getattr(a, field)
                for a, b in zip(self.samples[start].actors, self.samples[end].actors)]

    def disagreement(self, label):
        """Return: None when the counters agree with `label`, else what disagrees."""
        if len(self.samples) < 5:
            return f"only {len(self.samples)} samples of the counters, want 5 or more"
        return LABELS[label](self)


def _halves(series):
    middle, last = len(series.samples) // 2, len(series.samples) - 1
    return ((0, middle), (middle, last))


def _label_livelock(series):
    last = series.samples[-1]
    if len(last.actors) < 2:
        return "a livelock needs two actors"
    if any(a.completions for a in last.actors):
        return f"something completed: {last}"
    for start, end in _halves(series):
        if min(series.deltas(start, end, "attempts")) <= 0:
            return f"an actor stopped trying: {last}"
    return None


def _label_starvation(series):
    last = series.samples[-1]
    starved = [a.index for a in last.actors if a.completions == 0]
    if not starved:
        return f"everybody completed: {last}"
    for start, end in _halves(series):
        if sum(series.deltas(start, end, "completions")) <= 0:
            return f"the group stopped completing: {last}"
        attempts = series.deltas(start, end, "attempts")
        if any(attempts[i] <= 0 for i in starved):
            return f"the starved actor stopped trying: {last}"
    return None


def _label_blocked(series):
    last = series.samples[-1]
    if any(a.completions for a in last.actors):
        return f"something completed: {last}"
    if any(a.attempts == 0 for a in last.actors):
        return f"an actor never came to its lock: {last}"
    # Some take a while to come to their lock.
    if any(series.deltas(len(series.samples) // 2, len(series.samples) - 1, "attempts")):
        return f"the actors are not blocked, they retry: {last}"
    return None


def _label_progress(series):
    last = series.samples[-1]
    for start, end in _halves(series):
        if sum(series.deltas(start, end, "completions")) <= 0:
            return f"nothing completed for half of the run: {last}"
    # each actor over the whole run: on a busy machine half of it can be a few tries
    whole = (0, len(series.samples) - 1)
    tries = series.deltas(*whole, "attempts")
    if any(a > 0 and c <= 0 for a, c in zip(tries, series.deltas(*whole, "completions"))):
        return f"an actor tries and does not complete: {last}"
    return None


def _label_stalled(series):
    last = series.samples[-1]
    if any(a.completions for a in last.actors):
        return f"something completed: {last}"
    for start, end in _halves(series):
        attempts = series.deltas(start, end, "attempts")
        if attempts[0] or min(attempts[1:]) <= 0:
            return f"want a silent holder (the first actor) and pollers that try: {last}"
    return None


def _label_recovers(series):
    first, last = series.samples[0], series.samples[-1]
    if any(a.completions for a in first.actors):
        return f"something completed in the bad start: {first}"
    middle = len(series.samples) // 2
    if min(series.deltas(middle, len(series.samples) - 1, "completions")) <= 0:
        return f"an actor does not complete after the bad start: {last}"
    return None


def _label_finished(series):
    last = series.samples[-1]
    if not all(a.completions for a in last.actors):
        return f"it ended without any work done: {last}"
    return None


def _label_spin_hang(series):
    last = series.samples[-1]
    if any(a.completions for a in last.actors):
        return f"something completed: {last}"
    for start, end in _halves(series):
        if min(series.deltas(start, end, "attempts")) <= 0:
            return f"an actor stopped trying: {last}"
    return None


def _label_storm(series):
    problem = _label_progress(series)
    if problem:
        return problem
    last = series.samples[-1]
    whole = (0, len(series.samples) - 1)
    attempts, fails = (sum(series.deltas(*whole, field)) for field in ("attempts", "fails"))
    if fails < STORM_RATIO * attempts:
        return f"only {fails} of {attempts} attempts failed: {last}"
    return None


LABELS = {
    "finished": _label_finished,
    "spin-hang": _label_spin_hang,
    "storm": _label_storm,
    "stalled": _label_stalled,
    "recovers": _label_recovers,
    "livelock": _label_livelock,
    "starvation": _label_starvation,
    "blocked": _label_blocked,
    "progress": _label_progress,
}


class Program:
    """A program of this directory: its counters are in a file that it maps."""

    exits = True    # by itself, with status 0; ours after CORPUS_SECONDS
    settle_s = 0    # of watching, before it works as its label says

    def __init__(self, argv):
        self.argv = argv
        self.scratch = None
        self.counters = ""

    def __enter__(self):
        # pylint: disable-next=consider-using-with
        self.scratch = tempfile.TemporaryDirectory(prefix="corpus.")
        self.counters = os.path.join(self.scratch.name, "counters")
        return self

    def __exit__(self, *_):
        self.scratch.cleanup()

    def environment(self, seconds):
        """What it is started with."""
        return dict(os.environ, CORPUS_COUNTERS=self.counters, CORPUS_SECONDS=str(seconds))

    def sample(self):
        """Return: a Sample, or None."""
        return read_sample(self.counters)

    def heard(self, text):
        """One line of its output."""

    def left_over(self):
        """The program under the tool must not outlive its run. Return: whether it had to be ended."""
        sample = self.sample()
        if not sample:
            return False
        exe = f"/proc/{sample.pid}/exe"
        for _ in range(20):
            try:
                if os.readlink(exe) != os.path.realpath(self.argv[0]):
                    return False
            except OSError:
                return False
            time.sleep(0.05)
        os.kill(sample.pid, signal.SIGKILL)
        return True


class Run:
    """One program or server (alone or under `headway watch`) and what was printed.

    A run that outlives its time limit is killed and marked: a timeout is a failure. What does not
    end by itself is ended after its time when it is alone; under the tool, by the tool.
    """

    def __init__(self, source, prefix, program_s, limit_s):
        self.series = Series()
        self.lines = []         # (arrival in s of CLOCK_MONOTONIC, text)
        self.errors = []
        self.status = None
        self.timed_out = False
        self.ended = False      # by us, in time
        self.source = source
        self.alone_s = None if prefix or source.exits else program_s
        with source:
            self._run(prefix + source.argv, source.environment(program_s), limit_s)

    def _run(self, argv, env, limit_s):
        end = time.monotonic() + limit_s
        with subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, errors="replace", start_new_session=True) as process:
            readers = [threading.Thread(target=self._read, args=(process.stdout, self.lines)),
                       threading.Thread(target=self._read, args=(process.stderr, self.errors))]
            for reader in readers:
                reader.start()
            try:
                self._follow(process, end)
            finally:
                kill_group(process.pid)
                if self.source.left_over():
                    self.errors.append((time.monotonic(),
                                        "(harness) ended the program that was left over"))
            for reader in readers:
                reader.join(timeout=10)
            # what it said at its end
            self.series.add(self.source.sample())

    def _follow(self, process, end):
        while process.poll() is None and time.monotonic() < end:
            sample = self.source.sample()
            self.series.add(sample)
            if sample and self.alone_s and sample.when_s > sample.epoch_s + self.alone_s:
                self.ended = True
                break
            time.sleep(SAMPLE_S)
        if process.poll() is None:
            self.timed_out = not self.ended
            kill_group(process.pid)
        self.status = process.wait()

    def _read(self, pipe, lines):
        for line in pipe:
            lines.append((time.monotonic(), line.rstrip("\n")))
            self.source.heard(line)

    def last_words(self):
        """The end of stderr, for a diagnostic."""
        return " / ".join(text for _, text in self.errors[-3:])


def kill_group(pid):
    """Ends the process group that we have started, if anything is left of it."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Report:
    """The JSON lines of `headway watch --json`, parsed."""

    def __init__(self, run):
        self.problems = []
        self.objects = []
        for when_s, text in run.lines:
            try:
                self.objects.append((when_s, json.loads(text)))
            except ValueError as error:
                self.problems.append(f"not JSON: {text[:80]!r}: {error}")
        self.findings = [(w, o) for w, o in self.objects if o.get("type") == "finding"]
        last = self.objects[-1][1] if self.objects else {}
        self.summary = last if last.get("type") == "summary" else None

    def verdicts(self):
        """The set of verdicts found."""
        return {finding.get("verdict") for _, finding in self.findings}

    def last_finding(self, verdict):
        """The last finding with this verdict and when it came, or None twice."""
        for when_s, finding in reversed(self.findings):
            if finding.get("verdict") == verdict:
                return when_s, finding
        return None, None


class Load:
    """One busy process per CPU: a label must hold on a machine that does other work too."""

    def __enter__(self):
        self.busy = []
        for cpu in sorted(os.sched_getaffinity(0)):
            self.busy.append(subprocess.Popen(
                ["nice", "-n", "5", "taskset", "-c", str(cpu),
                 "/bin/sh", "-c", "while :; do :; done"]))
        return self

    def __exit__(self, *_):
        for process in self.busy:
            process.kill()
            process.wait()
