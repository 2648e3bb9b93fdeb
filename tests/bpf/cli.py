#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""`headway watch` as a command: hostile names, targets that are gone or go, two watchers, signals,
exit status, and nothing left behind in the kernel. Prints KTAP.

A test is a function whose name starts with test_; its first line of documentation is its name in the
report. Every process that a test starts is ended by it, and every wait has a limit.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("HEADWAY_BUILD", "build"))
TOOL = os.path.join(BUILD, "headway")
CORPUS = os.path.join(BUILD, "corpus")
OWN = os.path.join(BUILD, "bpf-tests")
LIMIT_S = 25
NAME_RED_ESCAPED = r'\x1b[31m"red"\\\x0a\x0d'
NAME_RED = '\x1b[31m"red"\\\n\r'


class Failure(Exception):
    """A check that did not hold; the text says what was seen."""


def need(condition, text):
    """Raises Failure with `text` unless `condition` holds."""
    if not condition:
        raise Failure(text)


# ---- processes ----

def watch(*arguments):
    """Starts `headway watch`; its output is read by finish()."""
    return subprocess.Popen([TOOL, "watch", *map(str, arguments)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=dict(os.environ, CORPUS_SECONDS="30"))


def finish(process, limit_s=LIMIT_S):
    """Return: (exit status, stdout, stderr), both bytes."""
    try:
        out, err = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Failure(f"{' '.join(process.args[1:])}: still running after {limit_s} s") from None
    return process.returncode, out, err


def run_watch(*arguments, limit_s=LIMIT_S):
    """watch() and finish() in one."""
    return finish(watch(*arguments), limit_s)


@contextlib.contextmanager
def corpus(name):
    """A corpus program, already running."""
    with subprocess.Popen([os.path.join(CORPUS, name)], stdin=subprocess.DEVNULL,
                          env=dict(os.environ, CORPUS_SECONDS="60")) as process:
        try:
            time.sleep(0.3)
            yield process.pid
        finally:
            process.kill()


@contextlib.contextmanager
def own(name):
    """A program of this directory, blocked. Yields the numbers that it says: pid, tids."""
    with subprocess.Popen([os.path.join(OWN, name)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        try:
            words = process.stdout.readline().split()
            need(words and words[0] == b"ready", f"{name} said {words}")
            yield [int(word) for word in words[1:]]
        finally:
            process.kill()


def objects(out):
    """The JSON lines of stdout."""
    try:
        return [json.loads(line) for line in out.decode("utf-8").splitlines()]
    except ValueError as error:
        raise Failure(f"stdout is not JSON lines in UTF-8: {error}: {out[-300:]!r}") from None


def summary_of(out):
    """The last line, which must be the summary."""
    things = objects(out)
    need(things and things[-1].get("type") == "summary", f"no summary at the end: {out[-300:]!r}")
    return things[-1]


def verdicts(out):
    """The set of verdicts found."""
    return {thing["verdict"] for thing in objects(out) if thing["type"] == "finding"}


# ---- what the kernel holds ----

def bpftool(kind):
    """Objects of one kind: id -> description."""
    done = subprocess.run(["bpftool", "-j", kind, "list"], capture_output=True, timeout=20,
                          check=False, env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin"))
    need(done.returncode == 0, f"bpftool {kind} list: {done.stderr.decode()}")
    return {thing["id"]: thing for thing in json.loads(done.stdout or b"[]")}


def held_by(pids):
    """BPF objects that these processes hold: (kind, id), from their descriptors.

    Debian's bpftool is built without the program that would tell.
    """
    held = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            for descriptor in os.listdir(f"/proc/{pid}/fdinfo"):
                text = read(f"/proc/{pid}/fdinfo/{descriptor}")
                held.update((kind, int(number)) for kind, number
                            in re.findall(r"(?m)^(prog|map|link)_id:\s*(\d+)", text))
    return held


def unowned():
    """BPF objects that no process holds: what a tool that has ended left behind.

    Others may use BPF on this machine meanwhile, so ids alone would not do.
    """
    kinds = {kind: bpftool(kind) for kind in ("prog", "map", "link")}
    held = held_by(pid for pid in os.listdir("/proc") if pid.isdigit())
    for number, link in kinds["link"].items():
        if ("link", number) in held:
            held.add(("prog", link.get("prog_id")))
    for number, program in kinds["prog"].items():
        if ("prog", number) in held:
            held.update(("map", used) for used in program.get("map_ids", []))
    return {(kind, number, thing.get("name", thing.get("type")))
            for kind, things in kinds.items() for number, thing in things.items()
            if (kind, number) not in held}


def read(path):
    """A file's text, empty when there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def kernel_state():
    """What must be the same before and after."""
    return {
        "mounts": re.sub(r"(?m)^\d+ \d+ ", "", read("/proc/self/mountinfo")),
        "pinned": sorted(os.listdir("/sys/fs/bpf")) if os.path.isdir("/sys/fs/bpf") else [],
        "uprobe_events": read("/sys/kernel/tracing/uprobe_events"),
        "kprobe_events": read("/sys/kernel/tracing/kprobe_events"),
    }


class NothingLeft:
    """Compares the kernel before and after a block."""

    def __enter__(self):
        self.state = kernel_state()
        self.objects = unowned()
        return self

    def __exit__(self, kind, *_):
        if kind:
            return
        after = kernel_state()
        for what, before in self.state.items():
            need(after[what] == before, f"{what} changed: {before!r} -> {after[what]!r}")
        # links and programs are freed after an RCU grace period
        end = time.monotonic() + 5
        while (left := unowned() - self.objects) and time.monotonic() < end:
            time.sleep(0.2)
        need(not left, f"left in the kernel: {sorted(left)}")


# ---- tests ----

def need_clean_text(data, what):
    """Nothing that a terminal would obey, and valid UTF-8."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Failure(f"{what} is not UTF-8: {error}") from None
    bad = sorted({hex(ord(c)) for c in text if (ord(c) < 32 and c not in "\n\t")
                  or 0x7f <= ord(c) < 0xa0})
    need(not bad, f"{what} has the control characters {bad}")
    return text


def test_hostile_names_text():
    """hostile names are escaped in text"""
    with own("hostile") as (pid, *tids):
        status, out, err = run_watch("-p", pid, "-d", 4, "-w", 1)
    need(status == 0, f"exit status {status}: {err.decode(errors='replace')}")
    text = need_clean_text(out, "stdout")
    need_clean_text(err, "stderr")
    need("deadlock" in text, f"no deadlock in {text!r}")
    for tid in tids:
        need(str(tid) in text, f"thread {tid} is not in {text!r}")


def test_hostile_names_json():
    """hostile names are valid JSON and can be told apart"""
    with own("hostile") as (pid, *tids):
        status, out, err = run_watch("--json", "-p", pid, "-d", 4, "-w", 1)
    need(status == 0, f"exit status {status}: {err.decode(errors='replace')}")
    findings = [f for f in objects(out) if f["type"] == "finding" and f["verdict"] == "deadlock"]
    need(findings, "no deadlock found")
    names = {actor["tid"]: actor["comm"] for actor in findings[-1]["actors"]}
    need(names.get(tids[0]) in (NAME_RED, NAME_RED_ESCAPED),
         f"comm of the first thread: {names.get(tids[0])!r}")
    need(tids[1] in names, f"the second thread is not among {sorted(names)}")
    need_clean_text(out, "stdout")


def test_compiled_code_has_names():
    """code that was compiled at run time is named by /tmp/perf-PID.map"""
    with own("jitted") as (pid,):
        try:
            _, out, _ = run_watch("--json", "-p", pid, "-d", 5, "-w", 1)
        finally:
            os.unlink(f"/tmp/perf-{pid}.map")
    stacks = [actor["stack"] for f in objects(out) if f["type"] == "finding"
              for actor in f["actors"] if actor["stack"]]
    need(stacks, f"no stack in {out[-300:]!r}")
    need(stacks[-1][0].startswith("poll_mutex+"), f"stack {stacks[-1]}")
    frame = stacks[-1][1]
    need(frame == "LBank;::transfer from compiled code+0x6", f"frame {frame!r}")


def test_pid_gone():
    """a pid that is gone is one clear line and exit status 1"""
    with subprocess.Popen(["true"]) as process:
        pass
    status, out, err = run_watch("--json", "-p", process.pid, "-d", 2)
    lines = err.decode().strip().splitlines()
    need(status == 1, f"exit status {status}")
    need(not out, f"stdout: {out!r}")
    need(len(lines) == 1 and str(process.pid) in lines[0], f"stderr: {lines}")


def test_no_such_command():
    """a command that does not exist is one clear line and exit status 1"""
    status, out, err = run_watch("--json", "-d", 2, "--", "/nonexistent/program")
    lines = err.decode().strip().splitlines()
    need(status == 1, f"exit status {status}")
    need(not out, f"stdout: {out!r}")
    need(lines and "/nonexistent/program" in lines[-1], f"stderr: {lines}")


def test_exits_at_once():
    """a target that exits at once ends with a summary, without findings"""
    started = time.monotonic()
    status, out, err = run_watch("--json", "-d", 20, "--", "/bin/true")
    took = time.monotonic() - started
    need(status == 0, f"exit status {status}: {err.decode()}")
    need(took < 10, f"took {took:.1f} s, want the end of the target to end it")
    need(summary_of(out)["state"] in ("idle", "undetermined", "healthy"), f"summary {out!r}")
    need(not verdicts(out), f"findings {verdicts(out)}")


def test_exits_in_the_middle():
    """the target's exit ends the watch with a summary"""
    started = time.monotonic()
    status, out, err = run_watch("--json", "-d", 20, "-w", 1, "--", "/bin/sh", "-c", "sleep 3")
    took = time.monotonic() - started
    need(status == 0, f"exit status {status}: {err.decode()}")
    need(2.5 < took < 10, f"took {took:.1f} s")
    need(not verdicts(out), f"findings {verdicts(out)}")
    summary_of(out)


def test_exec():
    """a target that execs another program is followed"""
    program = os.path.join(CORPUS, "two_lock_grid")
    status, out, err = run_watch("--json", "-d", 8, "-w", 2, "--", "/bin/sh", "-c",
                                 f"sleep 1; exec {program}")
    need(status == 0, f"exit status {status}: {err.decode()}")
    need(verdicts(out) == {"livelock"}, f"findings {verdicts(out)}")
    need(summary_of(out)["state"] == "livelock", f"summary {summary_of(out)}")


def test_fork():
    """a child of the target is watched"""
    program = os.path.join(CORPUS, "abba_deadlock")
    status, out, err = run_watch("--json", "-d", 6, "-w", 1, "--", "/bin/sh", "-c",
                                 f"{program}; exit 0")
    need(status == 0, f"exit status {status}: {err.decode()}")
    need(verdicts(out) == {"deadlock"}, f"findings {verdicts(out)}")


def test_attach_late():
    """a deadlock from before the watch is found by -p"""
    with corpus("abba_deadlock") as pid:
        status, out, err = run_watch("--json", "-p", pid, "-d", 4, "-w", 1)
    need(status == 0, f"exit status {status}: {err.decode()}")
    need(verdicts(out) == {"deadlock"}, f"findings {verdicts(out)}")


def test_join():
    """a thread that is joined with the mutex held that it needs is a deadlock"""
    with corpus("join_deadlock") as pid:
        _, out, err = run_watch("--json", "-p", pid, "-d", 4, "-w", 1)
    need(verdicts(out) == {"deadlock"}, f"findings {verdicts(out)}: {err.decode()}")
    finding = next(f for f in objects(out) if f["type"] == "finding")
    need(finding["confidence"] == "confirmed", finding["confidence"])
    edges = {(actor["comm"], wait["owner_tid"]) for actor in finding["actors"]
             for wait in actor["waits_for"]}
    tids = {actor["comm"]: actor["tid"] for actor in finding["actors"]}
    need(edges == {("stopper", tids.get("worker")), ("worker", tids.get("stopper"))},
         f"edges {sorted(edges)} of {tids}")
    need(any(text.endswith("(worker) to end") for text in finding["evidence"]),
         f"evidence {finding['evidence']}")


def need_abba(out, pid=None, named=True):
    """One deadlock with an edge each way between its two threads. Return: the finding."""
    findings = [f for f in objects(out) if f["type"] == "finding"]
    need(len(findings) == 1 and findings[0]["verdict"] == "deadlock", f"findings {verdicts(out)}")
    finding = findings[0]
    need(pid is None or finding["pid"] == pid, f"pid {finding['pid']}, want {pid}")
    edges = {(actor["tid"], wait["name"], wait["owner_tid"])
             for actor in finding["actors"] for wait in actor["waits_for"]}
    one, two = sorted({tid for tid, _, _ in edges} | {owner for _, _, owner in edges})
    names = {name for _, name, _ in edges}
    need(len(edges) == 2 and len(names) == 2, f"edges {sorted(edges)}")
    need({(a, b) for a, _, b in edges} == {(one, two), (two, one)}, f"edges {sorted(edges)}")
    if named:
        need(names == {"mutex_left", "mutex_right"}, f"locks {sorted(names)}")
    return finding


def test_leader_gone():
    """a process whose first thread has ended is still watched"""
    with own("leaderless") as (pid,):
        status, out, err = run_watch("--json", "-p", pid, "-d", 4, "-w", 1)
        need(status == 0, f"exit status {status}: {err.decode()}")
        # /proc/PID/maps is empty once the first thread is a zombie, so names are not asked for
        need_abba(out, pid, named=False)


def test_inside_pid_namespace():
    """inside a pid namespace the numbers are those of the namespace"""
    command = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", TOOL, "watch",
               "--json", "-d", "4", "-w", "1", "--", os.path.join(CORPUS, "abba_deadlock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        status, out, err = finish(process)
    need(status == 0, f"exit status {status}: {err.decode()}")
    finding = need_abba(out)
    need(finding["pid"] < 100, f"pid {finding['pid']}: not of the new namespace")


def test_target_in_pid_namespace():
    """a target in another pid namespace has its edges in our numbers"""
    program = os.path.join(CORPUS, "abba_deadlock")
    with subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", program],
                          env=dict(os.environ, CORPUS_SECONDS="30")) as process:
        try:
            time.sleep(0.5)
            children = read(f"/proc/{process.pid}/task/{process.pid}/children").split()
            need(len(children) == 1, f"children {children}")
            status, out, err = run_watch("--json", "-p", children[0], "-d", 4, "-w", 1)
        finally:
            process.kill()
    need(status == 0, f"exit status {status}: {err.decode()}")
    finding = need_abba(out, int(children[0]))
    need(all(actor["pid"] == finding["pid"] for actor in finding["actors"]),
         f"pids of the actors: {[actor['pid'] for actor in finding['actors']]}")


def test_no_permission():
    """without permission: one clear line, exit status 1, and the command is not run"""
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o777)
        tool, mark = shutil.copy(TOOL, scratch), os.path.join(scratch, "mark")
        with subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", tool,
                               "watch", "--json", "-d", "2", "--", "touch", mark],
                              cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            status, out, err = finish(process)
        ran = os.path.exists(mark)
    lines = err.decode().strip().splitlines()
    need(status == 1, f"exit status {status}")
    need(not out, f"stdout {out!r}")
    need(len(lines) == 1 and "root" in lines[0], f"stderr: {lines}")
    need(not ran, "the command was run although it could not be watched")


COMPAT = ("compat", "1000", "100")      # calls of each number, and what may be counted


def need_native_only(status, out, err):
    """Only the 64-bit calls of compat.c were counted, and exec."""
    need(status == 0, f"exit status {status}: {err.decode()}")
    summary = summary_of(out)
    if summary["command"]["exit_status"] == 77:
        print("# this kernel has no 32-bit system calls")
        return
    need(summary["command"]["exit_status"] == 0, f"command: {summary['command']}")
    need(100 <= summary["events"] < 200, f"{summary['events']} events, want some more than 100")


def test_compat_calls():
    """system calls of the 32-bit table are not taken for others"""
    need_native_only(*run_watch("--json", "-d", 20, "--", os.path.join(OWN, COMPAT[0]), *COMPAT[1:]))


def test_compat_calls_raw():
    """nor without tracefs, where the probes see every system call"""
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        tool, target = (shutil.copy(path, scratch) for path in (TOOL, os.path.join(OWN, COMPAT[0])))
        with subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                               "--inh-caps=+bpf,+perfmon", "--ambient-caps=+bpf,+perfmon", tool,
                               "watch", "--json", "-d", "20", "--", target, *COMPAT[1:]],
                              cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            need_native_only(*finish(process))


def test_two_watchers():
    """two watchers of one process agree"""
    with corpus("two_lock_grid") as pid:
        both = [watch("--json", "-p", pid, "-d", 7, "-w", 2) for _ in range(2)]
        results = [finish(process) for process in both]
    for status, out, err in results:
        need(status == 0, f"exit status {status}: {err.decode()}")
        need(verdicts(out) == {"livelock"}, f"findings {verdicts(out)}")
        need(summary_of(out)["lost"] == 0, f"lost {summary_of(out)['lost']}")


def test_two_targets():
    """two pids in one watch: the finding names the right one"""
    with corpus("abba_deadlock") as stuck, corpus("abba_ordered") as well:
        status, out, err = run_watch("--json", "-p", stuck, "-p", well, "-d", 4, "-w", 1)
    need(status == 0, f"exit status {status}: {err.decode()}")
    pids = {f["pid"] for f in objects(out) if f["type"] == "finding"}
    need(pids == {stuck}, f"findings about {pids}, want {stuck} and not {well}")


def ends_on(number):
    """The watch ends with a summary and exit status 0 on signal `number`, long before its time."""
    with corpus("hot_mutex") as pid:
        process = watch("--json", "-p", pid, "-d", 60, "-w", 1)
        time.sleep(2.5)
        need(process.poll() is None, "the watch ended before the signal")
        process.send_signal(number)
        status, out, err = finish(process)
        need(os.path.exists(f"/proc/{pid}"), "the watch killed a process that it did not start")
    need(status == 0, f"exit status {status}: {err.decode()}")
    summary_of(out)


def test_sigint():
    """Ctrl-C ends with a summary"""
    with NothingLeft():
        ends_on(signal.SIGINT)


def test_sigterm():
    """SIGTERM ends with a summary"""
    with NothingLeft():
        ends_on(signal.SIGTERM)


def test_nothing_left():
    """nothing is left behind after a normal end"""
    with NothingLeft():
        status, _, err = run_watch("--json", "-d", 2, "-w", 1, "--",
                                   os.path.join(CORPUS, "hot_mutex"))
        need(status == 0, f"exit status {status}: {err.decode()}")


def test_nothing_left_killed():
    """nothing is left behind after SIGKILL, and the target lives on"""
    with corpus("hot_mutex") as pid:
        with NothingLeft():
            process = watch("--json", "-p", pid, "-d", 60, "-w", 1)
            time.sleep(2)
            need(process.poll() is None, "the watch ended before it was killed")
            mine = held_by([process.pid])
            process.kill()
            process.communicate()
            need(mine, "the running watch had no BPF program: this test would prove nothing")
        # an uprobe that stayed without its program would kill it with SIGTRAP, or slow it down
        need(read(f"/proc/{pid}/stat").split(" ")[2:3] not in (["Z"], []), "the target died")


def test_fail_on():
    """--fail-on: 3 when the finding was made, 0 when another was"""
    with corpus("abba_deadlock") as pid:
        status, _, err = run_watch("--json", "-p", pid, "-d", 3, "-w", 1, "--fail-on", "deadlock")
        need(status == 3, f"exit status {status}, want 3: {err.decode()}")
        status, _, err = run_watch("--json", "-p", pid, "-d", 3, "-w", 1, "--fail-on", "livelock")
        need(status == 0, f"exit status {status}, want 0: {err.decode()}")


def test_usage():
    """wrong usage is exit status 2 and says what was wrong"""
    for arguments, word in ((("--fail-on", "nonsense", "-d", 1, "--", "/bin/true"), "nonsense"),
                            (("-d", "abc", "--", "/bin/true"), "abc"),
                            (("--no-such-option",), "no-such-option"),
                            (("-p", "12x", "-d", 1), "12x")):
        status, out, err = run_watch(*arguments)
        need(status == 2, f"{arguments}: exit status {status}, want 2")
        need(word in err.decode(), f"{arguments}: stderr {err!r}")
        need(not out, f"{arguments}: stdout {out!r}")


def test_target_status_kept_apart():
    """the target's output does not mix with the JSON, and its exit status is not ours"""
    status, out, err = run_watch("--json", "-d", 5, "--", "/bin/sh", "-c",
                                 "echo on stderr >&2; exit 7")
    need(status == 0, f"exit status {status}")
    summary_of(out)
    need(b"on stderr" in err, f"stderr {err!r}")


# ---- KTAP ----

def main(suite, names):
    """Return: the exit status, 1 when anything failed."""
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(124))
    wanted = sys.argv[1:]
    tests = [(name, function) for name, function in names.items()
             if name.startswith("test_") and (not wanted or name in wanted)]
    print(f"KTAP version 1\n# suite: {suite}\n1..{len(tests)}")
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        try:
            function()
            verdict = "ok"
        except Exception as error:  # pylint: disable=broad-except
            # output that breaks the contract fails its test and not the whole tier
            kind = "" if isinstance(error, Failure) else f"{type(error).__name__}: "
            print(f"# {kind}{error}".replace("\n", "\n# "))
            verdict = "not ok"
            failed += 1
        print(f"{verdict} {number} - {suite}.{function.__doc__.splitlines()[0]} ({name})")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main("watch", globals()))
