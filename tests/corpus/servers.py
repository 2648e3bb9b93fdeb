# SPDX-License-Identifier: GPL-2.0
"""Real programs from Debian packages, driven by their own load tools, judged on their own counters.

Each class is one case of cases.tsv. All are healthy: the label is that the program's own count of
completed work grows. A server listens on a free port or a socket in its scratch directory; the
load starts when the server first answers, outside of what the tool watches.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from corpuslib import Actor, Sample

ANSWER_S = 2.0


def free_port():
    """A TCP port that nobody listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def ask(port, request, end):
    """One request over TCP to one of our servers; the answer up to `end`."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as sock:
        sock.sendall(request)
        answer = b""
        while not answer.endswith(end):
            part = sock.recv(65536)
            if not part:
                break
            answer += part
        return answer.decode()


class Server:
    """A program that is not ours: how it is started, loaded, and what it has completed."""

    exits = False
    settle_s = 3    # of watching, for the start of the server and of the load

    def __init__(self):
        self.argv = []
        self.dir = ""
        self.port = 0
        self.heard_count = 0
        self._load = None
        self._epoch_s = 0.0

    # --- for each program ---

    def prepare(self):
        """Sets argv; self.dir is there."""
        raise NotImplementedError

    def load(self):
        """Return: the argv of the load, or None when the program needs none."""
        return None

    def count(self):
        """Return: completed work so far; None or an OSError: it does not answer yet."""
        return self.heard_count or None

    def heard(self, text):
        """One line of its output."""

    # --- for Run ---

    def __enter__(self):
        # the server may run as another user
        self.dir = tempfile.mkdtemp(prefix="corpus.")
        os.chmod(self.dir, 0o755)
        self.port = free_port()
        self.prepare()
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def environment(self, _seconds):
        """What it is started with."""
        return dict(os.environ, LC_ALL="C", LC_CTYPE="C")

    def sample(self):
        """Return: a Sample, or None while it has not answered yet."""
        try:
            count = self.count()
        except (OSError, ValueError, subprocess.SubprocessError):
            return None
        if count is None:
            return None
        if not self._epoch_s:
            self._epoch_s = time.monotonic()
            self._start_load()
        return Sample(time.monotonic(), self._epoch_s, 0,
                      [Actor(count, 0, count, 0, 0, type(self).__name__.lower())])

    def _start_load(self):
        argv = self.load()
        if argv:
            # pylint: disable-next=consider-using-with
            self._load = subprocess.Popen(argv, stdin=subprocess.DEVNULL, cwd=self.dir,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                          start_new_session=True)

    def left_over(self):
        """Ends the load. Return: whether the server had to be ended too."""
        if self._load:
            try:
                os.killpg(self._load.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._load.wait()
        return False


class Redis(Server):
    """One thread and an event loop, pipelined requests."""

    def prepare(self):
        self.argv = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                     "--dir", self.dir]

    def load(self):
        return ["redis-benchmark", "-p", str(self.port), "-P", "16", "-c", "20", "-l", "-q",
                "-t", "set,get,incr"]

    def count(self):
        answer = ask(self.port, b"INFO stats\r\nQUIT\r\n", b"+OK\r\n")
        return int(re.search(r"total_commands_processed:(\d+)", answer).group(1))


class Memcached(Server):
    """Worker threads that try the locks of items and skip what is taken."""

    CLIENT = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    f = s.makefile("rb")
    n = 0
    while True:
        key = b"key%d" % (n % 100)
        s.sendall((b"set " + key + b" 0 0 100\\r\\n" + b"x" * 100 + b"\\r\\n") + (b"get " + key + b"\\r\\n") * 8)
        for _ in range(1 + 3 * 8):
            f.readline()
        n += 1
"""

    def prepare(self):
        self.argv = ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(self.port), "-t", "4"]

    def load(self):
        client = [sys.executable, "-c", self.CLIENT, str(self.port)]
        return ["sh", "-c", '"$@" & "$@" & "$@" & exec "$@"', "load", *client]

    def count(self):
        answer = ask(self.port, b"stats\r\n", b"END\r\n")
        return int(re.search(r"STAT cmd_get (\d+)", answer).group(1))


class Nginx(Server):
    """Two workers, and the accept mutex that each tries in every loop."""

    CONFIG = """
daemon off; user root; worker_processes 2; pid {dir}/pid; error_log {dir}/errors;
events {{ accept_mutex on; worker_connections 256; }}
http {{ access_log off; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
 fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
 server {{ listen 127.0.0.1:{port}; root {dir}; location /status {{ stub_status; }} }} }}
"""

    def prepare(self):
        with open(os.path.join(self.dir, "nginx.conf"), "w", encoding="ascii") as file:
            file.write(self.CONFIG.format(dir=self.dir, port=self.port))
        with open(os.path.join(self.dir, "index.html"), "w", encoding="ascii") as file:
            file.write("hello\n" * 200)
        self.argv = ["/usr/sbin/nginx", "-c", os.path.join(self.dir, "nginx.conf")]

    def load(self):
        return ["ab", "-q", "-c", "8", "-t", "600", "-n", "100000000",
                f"http://127.0.0.1:{self.port}/index.html"]

    def count(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status",
                                    timeout=ANSWER_S) as answer:
            return int(answer.read().decode().splitlines()[2].split()[2])


class Pgbench(Server):
    """PostgreSQL: many processes, semaphores in shared memory; pgbench as it comes."""

    settle_s = 4
    SCRIPT = ""

    def prepare(self):
        bins = sorted(os.listdir("/usr/lib/postgresql"))[-1]
        bins = f"/usr/lib/postgresql/{bins}/bin"
        shutil.chown(self.dir, "postgres", "postgres")
        drop = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        data = os.path.join(self.dir, "data")
        subprocess.run(drop + [f"{bins}/initdb", "-D", data, "-A", "trust", "--no-sync"], check=True,
                       stdout=subprocess.DEVNULL, timeout=60)
        self.argv = drop + [f"{bins}/postgres", "-D", data, "-k", self.dir,
                            "-c", "listen_addresses=", "-c", "fsync=off"]
        if self.SCRIPT:
            with open(os.path.join(self.dir, "script"), "w", encoding="ascii") as file:
                file.write(self.SCRIPT)

    def load(self):
        run = f"pgbench -h {self.dir} -U postgres"
        script = "-f script" if self.SCRIPT else ""
        return ["sh", "-c", f"{run} -i -q postgres && exec {run} -n -c 8 -T 600 {script} postgres"]

    def count(self):
        answer = subprocess.run(
            ["psql", "-h", self.dir, "-U", "postgres", "-Atc",
             "select xact_commit from pg_stat_database where datname = 'postgres'", "postgres"],
            capture_output=True, text=True, check=True, timeout=ANSWER_S)
        return int(answer.stdout)


class Pgbench_hot(Pgbench):  # pylint: disable=invalid-name
    """Eight clients that update one row: nearly all wait, one after the other goes on."""

    SCRIPT = "update pgbench_branches set bbalance = bbalance + 1 where bid = 1;\n"


class Command(Server):
    """A load tool that works by itself and says what it has done on its output."""

    ARGV = []
    LINE = r"(\d+)"     # each match adds its number, or 1 when there is none
    TOTAL = False       # the number is the sum so far

    def prepare(self):
        self.argv = [word.replace("DIR", self.dir) for word in self.ARGV]

    def heard(self, text):
        for match in re.finditer(self.LINE, text):
            number = int(float(match.group(1))) if match.groups() else 1
            self.heard_count = number if self.TOTAL else self.heard_count + number


class Sysbench_threads(Command):  # pylint: disable=invalid-name
    """Eight threads, two mutexes, yields."""

    ARGV = ["sysbench", "threads", "--threads=8", "--thread-locks=2", "--time=60",
            "--report-interval=1", "run"]
    LINE = r"eps: ([\d.]+)"


class Finite(Command):
    """A load tool that says at its end what it has done, and then exits.

    Not as root: it would give its threads real-time priorities, and these do starve others.
    """

    exits = True
    STRESSOR = ""

    def prepare(self):
        shutil.chown(self.dir, "nobody")
        self.argv = ["setpriv", "--reuid", "nobody", "--clear-groups", "stress-ng",
                     "--temp-path", self.dir, "--timeout", "7", "--metrics-brief",
                     "--" + self.STRESSOR, "2"]

    def heard(self, text):
        match = re.search(rf"metrc:.* {self.STRESSOR} +(\d+) ", text)
        if match:
            self.heard_count = int(match.group(1))

    def count(self):
        return self.heard_count


class Sysbench_mutex(Finite):  # pylint: disable=invalid-name
    """Four threads that take two mutexes as fast as they can, and say at the end that they have."""

    def prepare(self):
        self.argv = ["sysbench", "mutex", "--threads=4", "--mutex-num=2", "--mutex-locks=5000000",
                     "--mutex-loops=100", "run"]

    def heard(self, text):
        match = re.search(r"total number of events: *(\d+)", text)
        if match:
            self.heard_count = int(match.group(1))


class Stress_futex(Finite):  # pylint: disable=invalid-name
    """Waits with short timeouts, wakes that find nobody."""

    STRESSOR = "futex"


class Stress_mutex(Finite):  # pylint: disable=invalid-name
    """Threads of different priority at one mutex."""

    STRESSOR = "mutex"


class Stress_sem(Finite):  # pylint: disable=invalid-name
    """Semaphores that are tried in vain most of the time."""

    STRESSOR = "sem"


class Stress_yield(Finite):  # pylint: disable=invalid-name
    """Nothing but sched_yield."""

    STRESSOR = "yield"


class Hackbench(Command):
    """Groups of processes that pass messages through sockets."""

    ARGV = ["sh", "-c", "while hackbench -g 2 -f 5 -l 300; do :; done"]
    LINE = r"Time: "


class Cyclictest(Command):
    """Two threads that sleep on a timer and nearly always sleep."""

    ARGV = ["cyclictest", "-t", "2", "-i", "1000", "-D", "60"]
    LINE = r"T: 0 .*C: *(\d+)"
    TOTAL = True


class Xz(Command):
    """xz -T2: a producer and two workers that meet at condition variables."""

    ARGV = ["sh", "-c", "head -c 500000 /dev/urandom >DIR/in; "
            "while xz -1 -T2 --block-size=100000 -c DIR/in >/dev/null; do echo compressed; done"]
    LINE = r"compressed"


class Make(Command):
    """make -j4: processes that come and go, a job server's pipe."""

    ARGV = ["make", "-j4", "-C", "DIR"]
    LINE = r"cc -O2"

    def prepare(self):
        super().prepare()
        names = [f"unit{i}" for i in range(200)]
        for name in names:
            with open(os.path.join(self.dir, name + ".c"), "w", encoding="ascii") as file:
                file.write(f"#include <stdio.h>\nint {name}(int x) {{ return printf(\"%d\", x); }}\n")
        with open(os.path.join(self.dir, "Makefile"), "w", encoding="ascii") as file:
            file.write("all: " + " ".join(name + ".o" for name in names) + "\n"
                       "%.o: %.c\n\tcc -O2 -c $< -o $@\n")


class Asyncio(Command):
    """An event loop with nothing to do but fifty timers."""

    CODE = """
import asyncio
async def beat(n):
    while True:
        await asyncio.sleep(0.5)
        if not n:
            print("beat", flush=True)
async def main():
    await asyncio.gather(*(beat(n) for n in range(50)))
asyncio.run(main())
"""
    ARGV = [sys.executable, "-c", CODE]
    LINE = r"beat"


class Executor(Command):
    """Python threads that hand work through a queue, and the interpreter's lock between them."""

    CODE = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    while True:
        sum(pool.map(lambda n: sum(range(n)), [2000] * 200))
        print("mapped", flush=True)
"""
    ARGV = [sys.executable, "-c", CODE]
    LINE = r"mapped"


class Accept_emfile(Server):  # pylint: disable=invalid-name
    """A web server out of file descriptors: accept fails, poll says that somebody waits, and so on.

    Clients hold their connections open. The attempts are the server's own CPU time, since the
    failed calls are in no log.
    """

    FILES = 14
    CLIENT = """
import socket, sys, time
held = []
while True:
    if len(held) < 40:
        held.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    else:
        time.sleep(1)
"""

    def prepare(self):
        # started directly, so that the process is the server; the limit is set by prlimit
        self.argv = ["prlimit", f"--nofile={self.FILES}", sys.executable, "-m", "http.server",
                     "--bind", "127.0.0.1", "--directory", self.dir, str(self.port)]
        with open(os.path.join(self.dir, "index.html"), "w", encoding="ascii") as file:
            file.write("hello\n")

    def load(self):
        return [sys.executable, "-c", self.CLIENT, str(self.port)]

    def heard(self, text):
        self.heard_count += '"GET ' in text

    def ticks(self):
        """CPU time of the server in ticks, None when it is not there."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                    words = file.read().split("\0")
                if words[:3] == self.argv[2:5] and str(self.port) in words:
                    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                        fields = file.read().rsplit(")", 1)[1].split()
                    return int(fields[11]) + int(fields[12])
            except OSError:
                continue
        return None

    def sample(self):
        ticks = self.ticks()
        if ticks is None:
            return None
        if not self._epoch_s:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_S).close()
            except OSError:
                return None
            self._epoch_s = time.monotonic()
            self._start_load()
        return Sample(time.monotonic(), self._epoch_s, 0,
                      [Actor(ticks, ticks, self.heard_count, 0, 0, "http.server")])


class Accept_limit(Accept_emfile):  # pylint: disable=invalid-name
    """Its twin: enough file descriptors, and clients that ask for something."""

    FILES = 200
    CLIENT = """
import sys, time, urllib.request
while True:
    urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/index.html", timeout=5).read()
"""


SERVERS = {server.__name__.lower(): server for server in (
    Redis, Memcached, Nginx, Pgbench, Pgbench_hot, Sysbench_threads, Sysbench_mutex, Stress_futex,
    Stress_mutex, Stress_sem, Stress_yield, Hackbench, Cyclictest, Xz, Make, Asyncio, Executor,
    Accept_emfile, Accept_limit)}
