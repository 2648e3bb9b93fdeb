#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Markers against real programs: headway/sdt.h in every way that it can be built, exact counts, libraries,
other mount namespaces, other languages, semaphores, wrong SPECs and missing capabilities. Prints KTAP.

Programs are built here from marked.c, which passes its markers an exact number of times when told to.
"""
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import jsonschema

import cli
from cli import Failure, ROOT, TOOL, finish, need, objects, summary_of, verdicts

OWN = os.path.join(ROOT, os.environ.get("HEADWAY_BUILD", "build"), "bpf-tests")
SOURCE = os.path.join(ROOT, "tests/bpf/marked.c")
INCLUDE = os.path.join(ROOT, "userspace/include")
FLAGS = ["-g", "-Wall", "-Wextra", "-Werror", "-I" + INCLUDE, "-pthread"]
ATTEMPTS = 200      # of each of the two threads, as in marked.c
PROGRESS = 100      # of the first
WINDOW_S = 4


def compile_to(name, *arguments, compiler="gcc"):
    """Builds marked.c. Return: the path."""
    path = os.path.join(OWN, name)
    done = subprocess.run([compiler, *FLAGS, "-o", path, *arguments], capture_output=True,
                          timeout=60, check=False)
    need(done.returncode == 0, f"{compiler} {arguments}: {done.stderr.decode()[-500:]}")
    return path


@contextlib.contextmanager
def marked(command, cwd="/"):
    """A running marked. Yields (process, pid)."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          cwd=cwd) as process:
        try:
            words = process.stdout.readline().split()
            need(words and words[0] == b"ready", f"{command} said {words}")
            yield process, int(words[1])
        finally:
            process.kill()


def work(process):
    """Makes it work once. Return: how often it saw its semaphore raised."""
    process.stdin.write(b"\n")
    process.stdin.flush()
    words = process.stdout.readline().split()
    need(words and words[0] == b"done", f"it said {words}")
    return int(words[1])


def counts(command, *specs, pid=None, before=None):
    """Watches `command` while it works once. Return: {(role, name): marker}, semaphore sightings.

    The work is done in the middle of the only window that is judged last.
    """
    with marked(command) as (process, own_pid):
        watch = cli.watch("--json", "-p", pid or own_pid, "-d", WINDOW_S + 1, "-w", WINDOW_S, *specs)
        time.sleep(1 if before else WINDOW_S / 2)
        if before:
            before(process)
            time.sleep(2.5)     # a library that is new is seen at a snapshot
        need(watch.poll() is None, f"the watch ended: {watch.stderr.read()!r}"
             if watch.poll() is not None else "")
        seen = work(process)
        status, out, err = finish(watch)
    need(status == 0, f"exit status {status}: {err.decode()}")
    need_schema(out)
    summary = summary_of(out)
    need(summary["lost"] == 0, f"lost {summary['lost']}")
    return {(m["role"], m["name"]): m for m in summary["markers"]}, seen


def need_schema(out):
    """Every line is as the schema says."""
    with open(os.path.join(ROOT, "userspace/headway.schema.json"), encoding="utf-8") as file:
        validator = jsonschema.Draft7Validator(json.load(file))
    for thing in objects(out):
        for error in validator.iter_errors(thing):
            raise Failure(f"{'/'.join(map(str, error.path))}: {error.message[:200]}")


def need_count(markers, role, name, count, threads, automatic=False):
    """One marker was passed exactly so often."""
    marker = markers.get((role, name))
    need(marker, f"no {role} marker {name} among {sorted(markers)}")
    seen = (marker["count"], marker["threads"], marker["automatic"])
    need(seen == (count, threads, automatic), f"{role} {name}: {seen}, want {(count, threads, automatic)}")


def need_automatic(markers):
    """The markers of headway/sdt.h, counted to the last."""
    need_count(markers, "attempt", "work", 2 * ATTEMPTS, 2, True)
    need_count(markers, "progress", "work", PROGRESS, 1, True)


# ---- the header ----

def notes_of(path):
    """USDT notes of provider headway: (name, semaphore)."""
    done = subprocess.run(["readelf", "-n", path], capture_output=True, timeout=20, check=True)
    return re.findall(r"Provider: headway\s+Name: (\w+)\s+Location: 0x0*[1-9a-f][0-9a-f]*, "
                      r"Base: 0x[0-9a-f]+, Semaphore: (0x0+)\s", done.stdout.decode())


def header_builds(compiler, language):
    """Every optimization and kind of file: readelf shows the notes, and the program still works."""
    kinds = {"pie": ["-fPIE", "-pie"], "no-pie": ["-fno-pie", "-no-pie"], "static": ["-static"],
             "static-pie": ["-static-pie"], "stripped": ["-s"], "shared": ["-fPIC", "-shared", "-DMARKED_LIB"],
             "lto": ["-flto"]}
    source = ["-x", language, SOURCE]
    for level in ("-O0", "-O2"):
        for kind, flags in kinds.items():
            path = compile_to(f"header-{kind}", level, *flags, *source,
                              *(["-x", "none", "-lstdc++"] if language == "c++" else []),
                              compiler=compiler)
            names = [name for name, _ in notes_of(path)]
            need(sorted(set(names)) == ["attempt_work", "progress_work"],
                 f"{compiler} {language} {level} {kind}: notes {names}")
            if kind == "shared":
                continue
            with marked([path]) as (process, _):
                need(work(process) == 0, "a semaphore is raised although nobody watches")


def test_header_gcc():
    """headway/sdt.h with gcc, C and C++: notes in every kind of file"""
    header_builds("gcc", "c")
    header_builds("gcc", "c++")


def test_header_clang():
    """headway/sdt.h with clang, C and C++: notes in every kind of file"""
    header_builds("clang", "c")
    header_builds("clang", "c++")


def test_header_pedantic():
    """headway/sdt.h is accepted by the strictest settings, and installed"""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(["make", "-s", "-C", ROOT, "install", f"DESTDIR={scratch}", "PREFIX=/usr"],
                              capture_output=True, timeout=200, check=False)
        need(done.returncode == 0, f"make install: {done.stderr.decode()[-300:]}")
        source = os.path.join(scratch, "x.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <headway/sdt.h>\n"
                       "int main(void) { HEADWAY_ATTEMPT(a); if (1) HEADWAY_PROGRESS(b); return 0; }\n")
        for compiler, standard in (("gcc", "c99"), ("clang", "c99"), ("g++", "c++11"),
                                   ("clang", "c17")):
            done = subprocess.run([compiler, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic",
                                   "-Werror", f"-I{scratch}/usr/include", "-o", f"{scratch}/x", source],
                                  capture_output=True, timeout=60, check=False)
            need(done.returncode == 0, f"{compiler} {standard}: {done.stderr.decode()[-300:]}")
            need(len(notes_of(f"{scratch}/x")) == 2, f"{compiler} {standard}: no notes")


# ---- counts ----

def test_automatic():
    """automatic markers are counted exactly: position independent, static, stripped"""
    for kind, flags in (("pie", ["-pie"]), ("static", ["-static"]), ("stripped", ["-s"])):
        path = compile_to(f"marked-{kind}", "-O2", *flags, SOURCE)
        markers, _ = counts([path])
        need_automatic(markers)


def test_library():
    """markers in a shared library, linked or loaded later"""
    lib = compile_to("libmarked.so", "-O2", "-fPIC", "-shared", "-DMARKED_LIB", SOURCE)
    linked = compile_to("marked-lib", "-O2", "-DMARKED_MAIN", SOURCE, lib, f"-Wl,-rpath,{OWN}")
    markers, _ = counts([linked], "--progress", "usdt:libmarked:headway:progress_work",
                        "--attempt", "uprobe:libmarked.so:work_begin",
                        "--progress", f"uprobe:{lib}:work_done")
    need_automatic(markers)
    need_count(markers, "progress", "usdt:libmarked:headway:progress_work", PROGRESS, 1)
    need_count(markers, "attempt", "uprobe:libmarked.so:work_begin", 2 * ATTEMPTS, 2)
    need_count(markers, "progress", f"uprobe:{lib}:work_done", PROGRESS, 1)
    late = compile_to("marked-dlopen", "-O2", "-DMARKED_MAIN", "-DMARKED_DLOPEN", SOURCE)

    def load(process):
        process.stdin.write(b"l")
        process.stdin.flush()

    markers, _ = counts([late, lib], before=load)
    need_automatic(markers)


def test_every_kind():
    """each kind of SPEC counts exactly, per thread"""
    path = compile_to("marked", "-O2", SOURCE)
    offset = "uprobe::work_begin+0"
    markers, _ = counts([path], "--attempt", offset, "--attempt", "uprobe::work_begin",
                        "--progress", "syscall:getppid", "--attempt", "syscall:getppid",
                        "--progress", "tracepoint:syscalls:sys_exit_getppid",
                        "--progress", "usdt::headway:progress_work")
    need_automatic(markers)
    for name in (offset, "uprobe::work_begin"):
        need_count(markers, "attempt", name, 2 * ATTEMPTS, 2)
    need_count(markers, "progress", "syscall:getppid", PROGRESS, 1)
    need_count(markers, "attempt", "syscall:getppid", PROGRESS, 1)
    need_count(markers, "progress", "tracepoint:syscalls:sys_exit_getppid", PROGRESS, 1)
    need_count(markers, "progress", "usdt::headway:progress_work", PROGRESS, 1)


def test_semaphore():
    """the semaphore of a USDT probe is raised while it is watched"""
    path = compile_to("marked", "-O2", SOURCE)
    markers, seen = counts([path], "--progress", "usdt::marked:guarded")
    need(seen == 2 * ATTEMPTS, f"the semaphore was seen raised {seen} times, want {2 * ATTEMPTS}")
    need_count(markers, "progress", "usdt::marked:guarded", 2 * ATTEMPTS, 2)


def test_others_are_not_counted():
    """another process that runs the same file is not counted"""
    path = compile_to("marked", "-O2", SOURCE)
    with marked([path]) as (_, quiet):
        markers, _ = counts([path], "--progress", "uprobe::work_done",
                            "--progress", "syscall:getppid", pid=quiet)
    for name in ("uprobe::work_done", "syscall:getppid"):
        need_count(markers, "progress", name, 0, 0)


def test_two_targets():
    """two targets of one file: each hit is counted once"""
    path = compile_to("marked", "-O2", SOURCE)
    with marked([path]) as (_, other):
        markers, _ = counts([path], "-p", other, "--progress", "uprobe::work_done")
    need_count(markers, "progress", "uprobe::work_done", PROGRESS, 1)
    need_automatic(markers)


# ---- elsewhere, and other languages ----

def test_chroot():
    """a target in another mount namespace and root: files are those that it sees"""
    static = compile_to("marked-static", "-O2", "-static", SOURCE)
    with tempfile.TemporaryDirectory() as root:
        script = f"mount -t tmpfs none {root} && cp {static} {root}/inside && exec chroot {root} /inside"
        markers, _ = counts(["unshare", "--mount", "/bin/sh", "-c", script],
                            "--progress", "uprobe:/inside:work_done", "--attempt", "uprobe::work_begin")
        need(not os.path.exists(f"{root}/inside"), "the file is visible outside")
    need_automatic(markers)
    need_count(markers, "progress", "uprobe:/inside:work_done", PROGRESS, 1)
    need_count(markers, "attempt", "uprobe::work_begin", 2 * ATTEMPTS, 2)


def test_cxx():
    """a C++ program: mangled names, and the plain one is answered with it"""
    path = compile_to("marked-cxx", "-O2", SOURCE, "-fno-ipa-icf", compiler="g++")
    markers, _ = counts([path], "--progress", "uprobe::_ZN4pool6finishEi")
    need_count(markers, "progress", "uprobe::_ZN4pool6finishEi", PROGRESS, 1)
    need_automatic(markers)
    with marked([path]) as (_, pid):
        status, _, err = cli.run_watch("-p", pid, "-d", 1, "--progress", "uprobe::finish")
    need(status == 1 and b"did you mean" in err and b"_ZN4pool6finishEi" in err,
         f"exit status {status}: {err.decode()}")


def test_python():
    """a Python program: a system call and a function of libc as its markers"""
    script = "import os, time\nwhile True:\n os.getppid()\n time.sleep(0.01)\n"
    with subprocess.Popen(["/usr/bin/python3", "-c", script]) as process:
        try:
            time.sleep(0.5)
            status, out, err = cli.run_watch("--json", "-p", process.pid, "-d", 4, "-w", 1,
                                             "--progress", "syscall:getppid",
                                             "--progress", "uprobe:libc:getppid")
        finally:
            process.kill()
    need(status == 0, f"exit status {status}: {err.decode()}")
    summary = summary_of(out)
    need(summary["state"] == "healthy" and "syscall:getppid" in summary["reason"], f"{summary}")
    need(all(marker["count"] > 0 for marker in summary["markers"]), f"{summary['markers']}")


# ---- verdicts ----

def test_stm():
    """mutual abort by atomics only: undetermined, and a confirmed livelock once it is told what to look at"""
    program = os.path.join(cli.CORPUS, "stm_abort")
    status, out, err = cli.run_watch("--json", "-d", 8, "-w", 2, "--", program)
    need(status == 0, f"exit status {status}: {err.decode()}")
    summary = summary_of(out)
    need(summary["state"] == "undetermined" and "--progress uprobe:" in summary["advice"], f"{summary}")
    status, out, err = cli.run_watch("--json", "-d", 8, "-w", 2, "--attempt", "uprobe::stm_begin",
                                     "--progress", "uprobe::stm_done", "--fail-on", "livelock", "--", program)
    need(status == 3, f"exit status {status}: {err.decode()}")
    need_schema(out)
    found = [f for f in objects(out) if f["type"] == "finding"]
    need([f["verdict"] for f in found] == ["livelock"] and found[0]["confidence"] == "confirmed",
         f"{verdicts(out)}")
    need({a["comm"] for a in found[0]["actors"]} == {"stm_0", "stm_1"}, f"{found[0]['actors']}")
    silent = [m for m in found[0]["markers"] if m["role"] == "progress"]
    need(silent and silent[0]["count"] == 0, f"{found[0]['markers']}")


# ---- what is wrong ----

WRONG = [   # SPEC, exit status, words of the answer
    ("uprobe::work_bgin", 1, ["no function work_bgin", "did you mean work_begin"]),
    ("uprobe:/nonexistent/file:f", 1, ["no file /nonexistent/file"]),
    ("uprobe:/bin/true:main", 1, ["has not mapped /bin/true"]),
    ("uprobe:libnothing:f", 1, ["has not mapped libnothing", "/maps"]),
    ("uprobe:libc:no_such_function", 1, ["libc.so.6 has no function no_such_function"]),
    ("usdt::headway:progress_wrk", 1, ["no USDT probe headway:progress_wrk", "did you mean progress_work"]),
    ("usdt::nobody:x", 1, ["no USDT probe nobody:x", "readelf -n"]),
    ("syscall:wrrite", 2, ["no system call 'wrrite'", "did you mean", "write"]),
    ("tracepoint:sched:sched_swich", 1, ["did you mean sched_switch"]),
    ("tracepoint:shed:sched_switch", 1, ["no tracepoint category shed", "did you mean sched"]),
    ("kprobe:vfs_read", 2, ["not a kind of marker", "uprobe:PATH:SYMBOL"]),
    ("uprobe:work_done", 2, ["a part is missing"]),
    ("usdt::x", 2, ["a part is missing", "usdt:PATH:PROVIDER:NAME"]),
]


def test_wrong_specs():
    """a wrong SPEC is one clear line that says what to do, and exit status 1 or 2"""
    path = compile_to("marked", "-O2", SOURCE)
    with marked([path]) as (_, pid):
        for spec, want, words in WRONG:
            for option in ("--progress", "--attempt"):
                status, out, err = cli.run_watch("--json", "-p", pid, "-d", 1, option, spec)
                text = err.decode()
                need(status == want, f"{spec}: exit status {status}, want {want}: {text}")
                need(not out, f"{spec}: stdout {out!r}")
                need(len(text.strip().splitlines()) == 1, f"{spec}: stderr {text!r}")
                missing = [word for word in words if word not in text]
                need(not missing, f"{spec}: {missing} not in {text!r}")


def test_wrong_spec_of_command():
    """a marker that COMMAND never maps: a warning, never healthy, exit status 1; replayed as well"""
    path = compile_to("marked", "-O2", SOURCE)
    with tempfile.TemporaryDirectory() as scratch:
        recording = os.path.join(scratch, "wrong.hw")
        watched = cli.run_watch("--json", "-d", 3, "-w", 1, "-o", recording, "--progress",
                                "uprobe::work_dne", "--", "/bin/sh", "-c", f"(sleep 5) | {path}")
        replayed = subprocess.run([TOOL, "replay", "--json", recording], timeout=cli.LIMIT_S,
                                  capture_output=True, check=False)
    for status, out, err in (watched, (replayed.returncode, replayed.stdout, replayed.stderr)):
        need(status == 1, f"exit status {status}: {err.decode()}")
        need(b"work_dne" in err, f"stderr {err!r}")
        summary = summary_of(out)
        need(summary["state"] == "undetermined", f"{summary}")
        need([p["probe"] for p in summary["missing_probes"]].count("markers") == 1, f"{summary}")


def test_command_maps_it_later():
    """a marker in what COMMAND executes later is found"""
    path = os.path.join(cli.CORPUS, "stm_fixed")
    status, out, err = cli.run_watch("--json", "-d", 8, "-w", 2, "--progress", "uprobe::stm_done",
                                     "--", "/bin/sh", "-c", f"sleep 1; {path}; exit 0")
    need(status == 0, f"exit status {status}: {err.decode()}")
    need(summary_of(out)["state"] == "healthy", f"{summary_of(out)}")


def test_hostile_file():
    """crafted notes: nothing is attached, nothing breaks"""
    path = compile_to("marked-crafted", "-O2", "-no-pie", SOURCE)
    with open(path, "rb") as file:
        good = file.read()
    at = good.index(b"stapsdt\0")
    with tempfile.TemporaryDirectory() as scratch:
        for number, (offset, patch) in enumerate([
                (-12, b"\xff\xff\xff\x7f"), (-8, b"\xff\xff\xff\xff"), (-8, b"\x08\0\0\0"),
                (8, b"\xff" * 8), (24, b"\xff" * 8), (32, b"A" * 60)]):
            crafted = os.path.join(scratch, f"crafted{number}")
            with open(crafted, "wb") as file:
                file.write(good[:at + offset] + patch + good[at + offset + len(patch):])
            os.chmod(crafted, 0o755)
            with marked([crafted]) as (_, pid):
                status, out, err = cli.run_watch("--json", "-p", pid, "-d", 1, "-w", 0.5)
            need(status == 0, f"{number}: exit status {status}: {err.decode()}")
            need_schema(out)


def test_capabilities():
    """with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE alone: system calls and tracepoints count, a uprobe says why not"""
    caps = "+bpf,+perfmon,+sys_ptrace"
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        tool = shutil.copy(TOOL, scratch)
        path = shutil.copy(compile_to("marked", "-O2", SOURCE), scratch)
        drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={caps}",
                f"--ambient-caps={caps}", f"--bounding-set={caps}", tool, "watch", "--json",
                "-d", str(WINDOW_S + 1), "-w", str(WINDOW_S)]
        with marked([path]) as (process, pid):
            # without tracefs a tracepoint has no category to check; sys_enter is a raw one
            watch = subprocess.Popen([*drop, "-p", str(pid), "--progress", "syscall:getppid",
                                      "--attempt", "tracepoint:raw_syscalls:sys_enter"], cwd="/",
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(WINDOW_S / 2)
            work(process)
            status, out, err = finish(watch)
            need(status == 0, f"exit status {status}: {err.decode()}")
            markers = {(m["role"], m["name"]): m for m in summary_of(out)["markers"]}
            need_count(markers, "progress", "syscall:getppid", PROGRESS, 1)
            entered = markers["attempt", "tracepoint:raw_syscalls:sys_enter"]["count"]
            need(entered >= PROGRESS, f"{entered} system calls entered")
            watch = subprocess.Popen([*drop, "-p", str(pid), "--progress", "uprobe::work_done"], cwd="/",
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            status, out, err = finish(watch)
    # a newer kernel may permit it
    need(status == 0 or (status == 1 and b"CAP_" in err), f"exit status {status}: {err.decode()}")


if __name__ == "__main__":
    sys.exit(cli.main("markers", globals()))
