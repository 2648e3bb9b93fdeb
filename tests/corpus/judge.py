#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Judges `headway watch` on the labelled programs of cases.tsv.

For every case: first the label alone (the program runs under load, without the tool, and its own
counters must agree with its class), then the tool. Everything that is compared is one KTAP line, and the
plan is known before the first program starts. Ends with the CORPUS lines of testing.md.
"""
import argparse
import json
import os
import shutil
import signal
import sys

import jsonschema

from corpuslib import Load, Program, Report, Run
from servers import SERVERS
from tally import Tally

FINDINGS = ["livelock", "spin-hang", "starvation", "deadlock", "stalled-holder", "retry-storm",
            "transient"]
EXIT_SLACK_S = 20.0
# By the first part of a case's name: what the Makefile builds it with, if it is there.
COMPILERS = {"rust": "rustc", "java": "javac"}
# The keys that scripts depend on (detection.md, "Command line").
CONTRACT = {
    "finding": ["v", "type", "verdict", "confidence", "source", "pid", "comm", "domain", "window_s",
                "first_seen_s", "latency_s", "attempts", "completions", "actors", "locks",
                "evidence", "advice"],
    "summary": ["v", "type", "duration_s", "events", "lost", "findings", "state"],
}


class Failure(Exception):
    """A check that did not hold; the text says what was seen."""


def need(condition, text):
    """Raises Failure with `text` unless `condition` holds."""
    if not condition:
        raise Failure(text)


class Missing(Exception):
    """A case cannot be run on this machine; the text says what it needs."""


class Case:
    """One labelled program, its runs (each made once, when first asked for) and its checks."""

    def __init__(self, row, options):
        self.name, self.set, self.label, expected, arguments, _ = row
        self.expected = expected.split("|")
        self.positive = any(verdict in FINDINGS for verdict in self.expected[:1])
        self.options = options
        # a program that is watched without the markers that it has: a case of its own
        self.program = os.path.join(options.bin, self.name.removesuffix("_unmarked"))
        self.arguments = [] if arguments == "-" else arguments.replace("PROGRAM", self.program).split()
        self._watched = None

    # --- runs ---

    def source(self):
        """What is run and counts: a program of ours, or a server with its load."""
        return SERVERS[self.name]() if self.name in SERVERS else Program(self.argv())

    def argv(self):
        """The program, with what runs it."""
        language = self.name.split("_")[0]
        if language == "python":
            here = os.path.dirname(os.path.abspath(__file__))
            return [sys.executable, "-B",
                    os.path.join(here, os.path.basename(self.program) + ".py")]
        if language == "java":
            # many threads, however few CPUs there are
            return [shutil.which("java") or "java", "-XX:+UseG1GC", "-Xmx128m", "-jar",
                    self.program + ".jar"]
        return [self.program]

    def missing(self):
        """The compiler that this machine lacks to have this program, or None."""
        compiler = COMPILERS.get(self.name.split("_")[0])
        return None if not compiler or shutil.which(compiler) else compiler

    def run_alone(self):
        """The program without the tool, on a busy machine."""
        seconds = self.options.label_seconds
        with Load():
            return Run(self.source(), [], seconds, seconds + EXIT_SLACK_S)

    def fail_on(self):
        """What the run names in --fail-on; one positive goes without, to see exit status 0."""
        if self.name == "stalled_holder":
            return None
        return ",".join(verdict for verdict in FINDINGS
                        if self.positive or verdict not in self.expected)

    def watched(self):
        """Return: (Run, Report) of the program under the tool."""
        if self._watched is None:
            source = self.source()
            seconds = self.options.seconds + source.settle_s
            # the noise of a shared machine must not decide; that labels hold under load was checked
            argv = ["nice", "-n", "-10", self.options.tool, "watch", "--json", "-d", str(seconds),
                    "-w", str(self.options.window)] + self.arguments
            if self.fail_on():
                argv += ["--fail-on", self.fail_on()]
            run = Run(source, argv + ["--"], seconds + 5, seconds + EXIT_SLACK_S)
            self._watched = run, Report(run)
            self._keep(run)
        return self._watched

    def _keep(self, run):
        """Leaves the output where a person can read it after a failure."""
        if self.options.keep:
            os.makedirs(self.options.keep, exist_ok=True)
            for suffix, lines in (("jsonl", run.lines), ("err", run.errors)):
                with open(os.path.join(self.options.keep, f"{self.name}.{suffix}"), "w",
                          encoding="utf-8") as file:
                    file.writelines(text + "\n" for _, text in lines)

    # --- results for the CORPUS lines ---

    def got(self):
        """The tool's answer in one word: the state, or the finding that contradicts it."""
        _, report = self.watched()
        wrong = sorted(report.verdicts() - set(self.expected))
        if wrong:
            return "+".join(wrong)
        return report.summary["state"] if report.summary else "none"

    def latency_s(self):
        """From the start gate to the arrival of the first right finding, or None."""
        run, report = self.watched()
        if not run.series.samples:
            return None
        for when_s, finding in report.findings:
            if finding.get("verdict") in self.expected:
                return when_s - run.series.samples[0].epoch_s
        return None

    # --- checks ---

    def check_label(self):
        """The counters, without the tool."""
        if self.missing():
            raise Missing(f"no {self.missing()} here: tests/corpus/deps.sh installs it")
        run = self.run_alone()
        need(not run.timed_out, f"the program did not end in time: {run.last_words()}")
        need(run.status == 0 or run.ended, f"exit status {run.status}: {run.last_words()}")
        problem = run.series.disagreement(self.label)
        need(problem is None, problem)
        return str(run.series.samples[-1])

    def check_exit(self):
        """Exit status as in the contract, in time."""
        run, _ = self.watched()
        want = 3 if self.positive and self.fail_on() else 0
        need(not run.timed_out, f"`headway watch` did not end in time: {run.last_words()}")
        need(run.status == want, f"exit status {run.status}, want {want}: {run.last_words()}")
        left = [text for _, text in run.errors if text.startswith("(harness)")]
        need(not left, "the tool left its target running")

    def check_schema(self):
        """Every line is JSON and fits the schema; the last is the summary."""
        _, report = self.watched()
        need(not report.problems, "; ".join(report.problems[:3]))
        need(report.objects, "no output")
        need(report.summary is not None, "the last line is not the summary")
        with open(self.options.schema, encoding="utf-8") as file:
            schema = json.load(file)
        validator_class = jsonschema.validators.validator_for(schema)
        validator_class.check_schema(schema)
        validator = validator_class(schema)
        for _, thing in report.objects:
            for error in validator.iter_errors(thing):
                raise Failure(f"{'/'.join(map(str, error.path))}: {error.message[:200]}")
            # a schema that takes anything would be no check: it must miss each key of the contract
            for key in CONTRACT.get(thing.get("type"), []):
                need(not validator.is_valid({k: v for k, v in thing.items() if k != key}),
                     f"the schema takes a {thing['type']} without {key}")
        named = {v for v, count in report.summary["findings"].items() if count}
        need(named == report.verdicts(),
             f"the summary names {sorted(named)}, the lines {sorted(report.verdicts())}")

    def check_verdict(self):
        """State and findings against the label."""
        run, report = self.watched()
        need(report.summary is not None, f"no summary: {run.last_words()}")
        state = report.summary["state"]
        need(state in self.expected, f"state {state}, want {'|'.join(self.expected)}")
        wrong = report.verdicts() - set(self.expected)
        need(not wrong, f"wrong findings {sorted(wrong)}")
        if self.positive:
            need(report.verdicts(), "the state is right, but there is no finding line")
        return state

    def check_undisturbed(self):
        """The counters while watched: the tool must not change the outcome."""
        run, _ = self.watched()
        problem = run.series.disagreement(self.label)
        need(problem is None, problem)
        return str(run.series.samples[-1])

    def check_lost(self):
        """Nothing was lost, and something was seen."""
        _, report = self.watched()
        need(report.summary is not None, "no summary")
        need(report.summary["lost"] == 0, f"lost {report.summary['lost']} events")
        need(report.summary["events"] > 0, "the tool saw no event at all")

    # --- contents of the findings ---

    def finding(self):
        """Return: (last finding of the expected verdict, last sample of the counters)."""
        run, report = self.watched()
        _, finding = report.last_finding(self.expected[0])
        need(finding is not None, f"no finding {self.expected[0]}")
        need(run.series.samples, "no counters")
        sample = run.series.samples[-1]
        need(finding["pid"] == sample.pid, f"pid {finding['pid']}, want {sample.pid}")
        need(finding["evidence"] and finding["advice"], "a finding without evidence or advice")
        return finding, sample

    def check_edges(self, lock_names, edges):
        """Locks by name, and who waits for what that is owned by whom."""
        finding, sample = self.finding()
        names = {lock["name"] for lock in finding["locks"]}
        need(set(lock_names) <= names, f"locks {sorted(map(str, names))}, want {lock_names}")
        actors = {actor["tid"]: actor for actor in finding["actors"]}
        for waiter, lock, owner in edges:
            tid = sample.tid_of(waiter)
            need(tid in actors, f"{waiter} (tid {tid}) is not among the actors {sorted(actors)}")
            seen = {(e["name"], e["owner_tid"]) for e in actors[tid]["waits_for"]}
            need((lock, sample.tid_of(owner)) in seen,
                 f"{waiter} waits for {seen}, want {lock} of tid {sample.tid_of(owner)}")

    def check_stacks(self, actors, functions):
        """Each of these actors has a stack with one of the program's functions."""
        finding, sample = self.finding()
        stacks = {actor["tid"]: actor["stack"] for actor in finding["actors"]}
        for name in actors:
            stack = stacks.get(sample.tid_of(name), [])
            need(any(frame.split("+")[0] in functions for frame in stack),
                 f"stack of {name}: {stack}, want one of {functions}")

    def check_counts(self, actors):
        """Attempts without completion, for the finding and for each actor."""
        finding, sample = self.finding()
        need(finding["attempts"] > 0, "attempts is 0")
        need(finding["completions"] == 0, f"completions is {finding['completions']}")
        by_tid = {actor["tid"]: actor for actor in finding["actors"]}
        for name in actors:
            actor = by_tid.get(sample.tid_of(name))
            need(actor, f"{name} is not among the actors")
            need(actor["comm"] == name, f"comm {actor['comm']!r}, want {name!r}")
            need(actor["attempts"] > 0 and actor["fails"] > 0,
                 f"{name}: attempts {actor['attempts']}, fails {actor['fails']}")
            self._compare_rate(name, actor["attempts"] / finding["window_s"])

    def _compare_rate(self, name, seen_per_s):
        """The tool's attempts a second against the program's own in that window.

        A factor of 2, because the samples are not taken at the edges of the window. That ended some time
        before the finding was read, longer where the machine is busy; and then the rates change, too.
        """
        run, report = self.watched()
        when_s, finding = report.last_finding(self.expected[0])
        own = [run.series.attempts_per_s(name, end_s - finding["window_s"], end_s)
               for end_s in (when_s - late / 4 for late in range(13))]
        need(any(per_s / 2 <= seen_per_s <= per_s * 2 for per_s in own),
             f"{name}: {seen_per_s:.1f} attempts/s, its own counter says {own[0]:.1f}, and before "
             + ", ".join(f"{per_s:.1f}" for per_s in own[1:]))

    def check_ownerless(self, actors):
        """They sleep at locks that have no owner, and none is made up."""
        finding, sample = self.finding()
        tids = {actor["tid"] for actor in finding["actors"]}
        missing = [name for name in actors if sample.tid_of(name) not in tids]
        need(not missing, f"{missing} are not among the actors {sorted(tids)}")
        owners = [edge["owner_tid"] for actor in finding["actors"] for edge in actor["waits_for"]]
        need(not any(owners), f"owners {owners}, but these locks do not tell")
        need(finding["confidence"] == "likely", f"{finding['confidence']} without an owner")

    def check_victim(self, name):
        """The starved actor is named, tries, and fails each time."""
        finding, sample = self.finding()
        by_tid = {actor["tid"]: actor for actor in finding["actors"]}
        victim = by_tid.get(sample.tid_of(name))
        need(victim, f"{name} is not among the actors {sorted(by_tid)}")
        need(victim["attempts"] > 0 and victim["fails"] == victim["attempts"],
             f"{name}: attempts {victim['attempts']}, fails {victim['fails']}")


# What the finding of a positive case must contain, beyond the verdict.
RING = [(f"philosopher_{i}", f"fork_{(i + 1) % 3}", f"philosopher_{(i + 1) % 3}") for i in range(3)]
GO_EDGES = ("edges", Case.check_edges, (["main.mutexA", "main.mutexB"],
                                        [("a_to_b", "main.mutexB", "b_to_a"),
                                         ("b_to_a", "main.mutexA", "a_to_b")]))
# by function, not by variable, where the binary has no symbols
GO_STACKS = ("stacks", Case.check_stacks, (["a_to_b", "b_to_a"], ["main.transferWithRollback"]))
GRID_COUNTS = ("counts", Case.check_counts, (["a_to_b", "b_to_a"],))
ABBA_OWNERLESS = ("ownerless", Case.check_ownerless, (["left_right", "right_left"],))
# without the hash that is a part of the symbol
RUST_STACKS = ("stacks", Case.check_stacks, (["left_right", "right_left"],
                                             ["rust_abba_deadlock::lock_both"]))
def go_abba(left, right, function):
    """Each holds the lock of its side and waits for the other; no names: their symbols are stripped."""
    stacks = ("stacks", Case.check_stacks, (["left_right", "right_left"], [function]))
    if not left:
        return [stacks]
    return [("edges", Case.check_edges, ([left, right], [("left_right", right, "right_left"),
                                                         ("right_left", left, "left_right")])),
            stacks]


CONTENTS = {
    "go_two_lock_grid": [GO_EDGES, GO_STACKS],
    "go_two_lock_grid_stripped": [GO_STACKS],
    "go_two_lock_grid_pie": [GO_EDGES, GO_STACKS],
    "go_two_lock_grid_1.24": [GO_EDGES, GO_STACKS],
    "go_abba_deadlock": go_abba("main.mutexLeft", "main.mutexRight", "main.lockBoth"),
    "go_field_deadlock": go_abba("main.accountLeft", "main.accountRight", "main.moveBetween"),
    "go_field_deadlock_1.24": go_abba("main.accountLeft", "main.accountRight", "main.moveBetween"),
    "go_rwmutex_deadlock": go_abba("main.tableLeft", "main.tableRight", "main.writeBoth"),
    "go_rwmutex_deadlock_stripped": go_abba(None, None, "main.writeBoth"),
    "go_rwmutex_deadlock_1.24": go_abba("main.tableLeft", "main.tableRight", "main.writeBoth"),
    "rust_two_lock_grid": [GRID_COUNTS],
    "java_two_lock_grid": [GRID_COUNTS],
    "python_two_lock_grid": [GRID_COUNTS],
    "rust_abba_deadlock": [ABBA_OWNERLESS, RUST_STACKS],
    "rust_abba_deadlock_unmarked": [("stacks", Case.check_stacks,
                                     (["left_right"], ["rust_abba_deadlock::lock_both"]))],
    "python_abba_deadlock": [ABBA_OWNERLESS],
    "two_lock_grid": [
        ("edges", Case.check_edges, (["mutex_a", "mutex_b"],
                                     [("a_to_b", "mutex_b", "b_to_a"),
                                      ("b_to_a", "mutex_a", "a_to_b")])),
        ("stacks", Case.check_stacks, (["a_to_b", "b_to_a"],
                                       ["transfer_with_rollback", "transfer_loop",
                                        "transfer_a_to_b", "transfer_b_to_a"])),
        GRID_COUNTS,
    ],
    "yield_lockstep": [
        ("edges", Case.check_edges, (["fork_0", "fork_1", "fork_2"], RING)),
        ("stacks", Case.check_stacks, ([f"philosopher_{i}" for i in range(3)],
                                       ["dine_politely", "philosopher"])),
        ("counts", Case.check_counts, ([f"philosopher_{i}" for i in range(3)],)),
    ],
    "timedlock_grid": [
        ("edges", Case.check_edges, (["mutex_a", "mutex_b"],
                                     [("a_to_b", "mutex_b", "b_to_a"),
                                      ("b_to_a", "mutex_a", "a_to_b")])),
        GRID_COUNTS,
    ],
    "orphaned_lock": [("counts", Case.check_counts, (["survivor"],))],
    "starved_by_hog": [
        ("victim", Case.check_victim, ("victim",)),
        ("edges", Case.check_edges, (["mutex_hot"], [("victim", "mutex_hot", "hog")])),
    ],
    "stm_marked": [("counts", Case.check_counts, (["stm_0", "stm_1"],))],
    "stm_starved": [("victim", Case.check_victim, ("stm_1",))],
    "abba_deadlock": [
        ("edges", Case.check_edges, (["mutex_left", "mutex_right"],
                                     [("left_right", "mutex_right", "right_left"),
                                      ("right_left", "mutex_left", "left_right")])),
    ],
    "join_deadlock": [("stacks", Case.check_stacks, (["stopper"], ["stop_worker"]))],
    "pi_abba": [
        ("edges", Case.check_edges, (["mutex_left", "mutex_right"],
                                     [("left_right", "mutex_right", "right_left"),
                                      ("right_left", "mutex_left", "left_right")])),
        ("stacks", Case.check_stacks, (["left_right", "right_left"], ["lock_both"])),
    ],
    "rwlock_abba": [
        ("edges", Case.check_edges, (["table_left", "table_right"],
                                     [("left_right", "table_right", "right_left"),
                                      ("right_left", "table_left", "left_right")])),
    ],
    "repair_stalled": [
        ("edges", Case.check_edges, (["mutex_robust"],
                                     [(f"waiter_{i}", "mutex_robust", "repairer")
                                      for i in range(1, 3)])),
    ],
    "stalled_poll": [
        ("edges", Case.check_edges, (["mutex_shared"],
                                     [(f"poller_{i}", "mutex_shared", "holder")
                                      for i in range(1, 3)])),
    ],
    "stalled_holder": [
        ("edges", Case.check_edges, (["mutex_shared"],
                                     [(f"waiter_{i}", "mutex_shared", "holder")
                                      for i in range(1, 4)])),
    ],
}


def plan_of(case, options):
    """The checks of one case: (KTAP name, function without arguments)."""
    plan = [(f"label {case.name}", case.check_label)]
    if options.labels_only or case.missing():
        return plan
    for name in ("exit", "schema", "verdict", "undisturbed", "lost"):
        plan.append((f"{name} {case.name}", getattr(case, f"check_{name}")))
    for name, function, arguments in CONTENTS.get(case.name, []):
        plan.append((f"{name} {case.name}",
                     lambda f=function, a=arguments: f(case, *a)))
    return plan


def execute(number, name, function):
    """Runs one check, prints its KTAP line. Return: True when it held."""
    good = False
    try:
        note = function()
        good = True
    except Missing as reason:
        print(f"ok {number} - corpus.{name} # SKIP {reason}")
        return True
    except Failure as failure:
        note = failure
    except Exception as error:  # pylint: disable=broad-except
        # output that breaks the contract (a missing key) fails this check and not the whole tier
        note = f"{type(error).__name__}: {error}"
    if note:
        print("# " + str(note).replace("\n", " "))
    print(f"{'ok' if good else 'not ok'} {number} - corpus.{name}")
    return good


def corpus_line(case):
    """The CORPUS line of one case."""
    latency = case.latency_s()
    seconds = "-" if latency is None else f"{latency:.2f}"
    print(f"CORPUS case={case.name} expected={'|'.join(case.expected)} got={case.got()} "
          f"seconds={seconds}")


def tally(cases):
    """Everything that was seen, counted."""
    return Tally([(case.name, case.expected, case.positive, case.options.window,
                   case.watched()[1], case.got(), case.latency_s()) for case in cases], FINDINGS)


def parse_options():
    """Command line; the defaults are what `make check` runs."""
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.dirname(os.path.dirname(here))
    build = os.path.join(root, os.environ.get("HEADWAY_BUILD", "build"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", default=os.path.join(build, "corpus"))
    parser.add_argument("--tool", default=os.path.join(build, "headway"))
    parser.add_argument("--schema", default=os.path.join(root, "userspace/headway.schema.json"))
    parser.add_argument("--cases", default=os.path.join(here, "cases.tsv"))
    parser.add_argument("--seconds", type=float, default=8, help="of watching per case")
    parser.add_argument("--window", type=float, default=2, help="seconds per window")
    parser.add_argument("--label-seconds", type=float, default=2.5)
    parser.add_argument("--set", choices=("fast", "full"), default="fast")
    parser.add_argument("--labels-only", action="store_true")
    parser.add_argument("--keep", help="directory for the output of each watched run")
    parser.add_argument("only", nargs="*", help="names of cases; default all")
    options = parser.parse_args()
    options.seconds = int(options.seconds) if options.seconds % 1 == 0 else options.seconds
    options.window = int(options.window) if options.window % 1 == 0 else options.window
    return options


def load_cases(options):
    """Reads cases.tsv."""
    with open(options.cases, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    cases = [Case(row, options) for row in rows]
    twice = {case.name for case in cases if sum(other.name == case.name for other in cases) > 1}
    if twice:
        sys.exit(f"judge.py: {options.cases} has {', '.join(sorted(twice))} more than once")
    unknown = set(options.only) - {case.name for case in cases}
    if unknown:
        sys.exit(f"judge.py: no such case: {', '.join(sorted(unknown))}; see {options.cases}")
    if options.only:
        return [case for case in cases if case.name in options.only]
    return [case for case in cases if options.set in ("full", case.set)]


def main():
    """Return: the exit status, 1 when anything failed."""
    options = parse_options()
    sys.stdout.reconfigure(line_buffering=True)
    # an exit, so that what was started is ended on the way out
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(124))
    cases = load_cases(options)
    plans = [(case, plan_of(case, options)) for case in cases]
    judged = not options.labels_only and os.access(options.tool, os.X_OK)
    targets = Tally.TARGETS if judged and not options.only else []
    print(f"KTAP version 1\n# suite: corpus\n1..{sum(len(plan) for _, plan in plans) + len(targets)}")
    number = failed = 0
    for case, plan in plans:
        for name, function in plan:
            number += 1
            failed += not execute(number, name, function)
        if judged and not case.missing():
            corpus_line(case)
    if judged:
        totals = tally([case for case in cases if not case.missing()])
        totals.print()
    for name in targets:
        number += 1
        failed += not execute(number, f"target {name}", lambda n=name: totals.check(n, need))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
