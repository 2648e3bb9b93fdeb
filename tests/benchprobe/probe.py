#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What it costs to be watched: headway against nobody, bpftrace, syscount, perf trace and strace.

Usage:  probe.py LOAD HEADWAY [WHAT...]     WHAT: calls tries servers crowd (default: all)

In each round every watcher is attached in turn to the same process, which says what its calls cost;
a ratio is the median of the ratios within the rounds, and in brackets is where it may be for the noise
(95 %). Prints BENCH lines as tests/bench does, then a table. Exits with 0 when everything was
measured: what misses its target is printed as missed. A watcher that is not installed is left out, and
its targets are "not measured". measure.sh calls it.
"""
import math
import os
import queue
import re
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROUNDS = int(os.environ.get('HEADWAY_BENCH_ROUNDS', '7'))
MS = int(os.environ.get('HEADWAY_BENCH_MS', '400'))
LOAD, HEADWAY = sys.argv[1:3]
WHAT = sys.argv[3:] or ['calls', 'tries', 'servers', 'crowd']

BPFTRACE_FUTEX = (
    'BEGIN { printf("ready\\n"); } '
    'tracepoint:syscalls:sys_enter_futex /pid == %d/ { @op[tid] = args->op; } '
    'tracepoint:syscalls:sys_exit_futex /pid == %d/ { @calls[tid, @op[tid], args->ret] = count(); }')
BPFTRACE_UPROBES = (
    'BEGIN { printf("ready\\n"); } '
    'uprobe:%s:%s /pid == %d/ { @first[tid] = count(); } '
    'uprobe:%s:pthread_mutex_unlock /pid == %d/ { @unlock[tid] = count(); }')

RESTLESS = ('--max-rate', '0', '--max-tries', '0')
results = []        # (what, value, target, verdict, noise)


def say(text):
    print(f'  {text}', file=sys.stderr, flush=True)


def bench(name, metric, value, unit, target=''):
    print(f'BENCH name={name} metric={metric} value={value:.4g} unit={unit}{target}', flush=True)


def noise_of(values):
    """Between which two of the values their true median is, with 95 % certainty (sign test)."""
    values, n, k, below = sorted(values), len(values), 0, 0.5 ** len(values)
    while k < (n - 1) // 2 and below <= 0.025:
        k += 1
        below += math.comb(n, k) * 0.5 ** n
    k = max(k - 1, 0)
    return values[k], values[n - 1 - k]


def judge(name, metric, values, limit, at_most=True):
    """Values: a number, or one of each round; None: it could not be measured."""
    target = f'{"<=" if at_most else ">="}{limit:g}'
    if values is None:
        results.append((f'{name} {metric}', 'not measured', target, '', ''))
        return
    many = isinstance(values, list)
    value = statistics.median(values) if many else values
    low, high = noise_of(values) if many else (value, value)
    met = value <= limit if at_most else value >= limit
    verdict = 'met' if met else 'missed'
    bench(name, metric, value, 'ratio', f' low={low:.4g} high={high:.4g} target={target} verdict={verdict}')
    if not met:
        verdict = 'MISSED' + (', within the noise' if low <= limit <= high else '')
    results.append((f'{name} {metric}', f'{value:.3f}', target, verdict, f'{low:.3f}..{high:.3f}' if many else ''))


class Watcher:
    """A process that watches: it is ready when it says so, and ends with SIGINT."""

    def __init__(self, argv, ready, settle=0.5):
        self.out = tempfile.TemporaryFile()
        self.argv, self.process = argv, None
        if argv is None:
            return
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        end = time.monotonic() + 30
        while not re.search(ready, self.said()):
            if self.process.poll() is not None or time.monotonic() > end:
                said = self.said().strip()[-400:]
                self.close()
                raise RuntimeError(f'{argv[0]} did not come up: {said}')
            time.sleep(0.05)
        time.sleep(settle)

    def said(self):
        return os.pread(self.out.fileno(), 1 << 20, 0).decode(errors='replace')

    def alive(self):
        return self.process is None or self.process.poll() is None

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.out.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def headway(pids, *options):
    argv = [HEADWAY, 'watch', '--json', *options]
    for pid in pids:
        argv += ['-p', str(pid)]
    return Watcher(argv, r'(?m)^.+$')


def libc_of(pid):
    with open(f'/proc/{pid}/maps', encoding='ascii', errors='replace') as maps:
        for line in maps:
            if '/libc.so.6' in line:
                return line.split()[-1]
    return None


def watchers(op, pid):
    """Name -> how to start it."""
    # Without a rest, which would make it look cheaper.
    table = {'off': lambda: Watcher(None, ''), 'headway': lambda: headway([pid], *RESTLESS)}
    if op in ('futex', 'syscall'):
        table['headway --no-uprobes'] = lambda: headway([pid], *RESTLESS, '--no-uprobes')
        if shutil.which('bpftrace'):
            table['bpftrace'] = lambda: Watcher(['bpftrace', '-e', BPFTRACE_FUTEX % (pid, pid)], r'(?m)^ready$')
        syscount = shutil.which('syscount') or shutil.which('syscount', path='/usr/sbin')
        if syscount:
            table['syscount'] = lambda: Watcher([syscount, '-p', str(pid)], '', 2)
        if shutil.which('perf'):
            table['perf trace'] = lambda: Watcher(['perf', 'trace', '-s', '-p', str(pid)], '', 2)
        if shutil.which('strace'):
            table['strace'] = lambda: Watcher(
                ['strace', '-c', '-f', '-e', 'trace=futex', '-p', str(pid)], 'attached')
    elif shutil.which('bpftrace'):
        libc, first = libc_of(pid), {'pair': 'pthread_mutex_lock', 'trylock': 'pthread_mutex_trylock'}[op]
        table['bpftrace'] = lambda: Watcher(
            ['bpftrace', '-e', BPFTRACE_UPROBES % (libc, first, pid, libc, pid)], r'(?m)^ready$')
    return table


class Load:
    def __init__(self):
        self.process = subprocess.Popen([LOAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer(self, op, ms):
        self.process.stdin.write(f'{op} {ms}\n')
        self.process.stdin.flush()
        # Under strace a batch takes long; a minute without an answer is a hang.
        if not select.select([self.process.stdout], [], [], 60 + ms / 1000)[0]:
            raise RuntimeError(f'the load did not answer: {op}')
        return self.process.stdout.readline().split()

    def calls(self, op, ms):
        return int(self.answer(op, ms)[1])

    def cost_ns(self, op, ms):
        return float(self.answer(op, ms)[2])

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def measure_calls():
    costs = {}
    load = Load()
    for op in ('futex', 'syscall', 'pair', 'trylock'):
        table = watchers(op, load.process.pid)
        costs[op] = {name: [] for name in table}
        for turn in range(ROUNDS + 1):
            say(f'RUN       {op}, round {turn} of {ROUNDS}: {", ".join(table)}')
            names = list(table)
            names = names[turn % len(names):] + names[:turn % len(names)]
            for name in names:
                with table[name]() as watcher:
                    cost = load.cost_ns(op, MS)
                    if not watcher.alive():
                        raise RuntimeError(f'{name} ended: {watcher.said()[-400:]}')
                if turn:        # round 0 warms up
                    costs[op][name].append(cost)
    load.close()
    report_calls(costs)


def added(costs, op, name):
    if name not in costs[op]:
        return None
    return [on - off for on, off in zip(costs[op][name], costs[op]['off'])]


def ratios(one, other):
    if one is None or other is None:
        return None
    return [a / b for a, b in zip(one, other)]


def report_calls(costs):
    for op, sides in costs.items():
        for name, values in sides.items():
            bench(f'probe.{op} watcher={name.replace(" ", "_")}', 'cost_per_call',
                  statistics.median(values), 'ns')
    print('\nadded to a call, ns, medians of %d rounds:' % ROUNDS)
    names = list(dict.fromkeys(name for sides in costs.values() for name in sides))
    print('  %-22s %s' % ('', ' '.join(f'{op:>10}' for op in costs)))
    print('  %-22s %s' % ('bare call', ' '.join(f'{statistics.median(costs[op]["off"]):>10.1f}' for op in costs)))
    for name in names[1:]:
        cells = [added(costs, op, name) for op in costs]
        print('  %-22s %s' % (name, ' '.join(
            f'{statistics.median(cell):>10.1f}' if cell else f'{"-":>10}' for cell in cells)))
    futex = added(costs, 'futex', 'headway')
    judge('probe.futex', 'added/bpftrace', ratios(futex, added(costs, 'futex', 'bpftrace')), 0.25)
    judge('probe.futex', 'added/strace', ratios(futex, added(costs, 'futex', 'strace')), 0.01)
    judge('probe.syscall', 'added/bare_call',
          ratios(added(costs, 'syscall', 'headway'), costs['syscall']['off']), 0.25)
    judge('probe.trylock', 'added/bpftrace',
          ratios(added(costs, 'trylock', 'headway'), added(costs, 'trylock', 'bpftrace')), 0.1)
    # headway has no probe there: it reads the owner from the word of a lock that somebody fails to get.
    judge('probe.pair', 'added/bpftrace',
          ratios(added(costs, 'pair', 'headway'), added(costs, 'pair', 'bpftrace')), 0.1)


def measure_tries(rounds=7):
    """A healthy server that tries a mutex for each request, of which each takes some us of a CPU."""
    load = Load()
    pid = load.process.pid

    def requests_per_cpu_s(ms):
        used = cpu_s(pid)
        calls = load.calls('served', ms)
        return calls / (cpu_s(pid) - used)

    rates = {'off': [], 'all': [], 'sampled': []}
    # Sampled: as long as from one watched window to the next.
    sides = {'off': ((), 3000), 'all': (('--max-tries', '0'), 3000), 'sampled': (('-w', '0.5'), 12000)}
    for turn in range(rounds):
        say(f'RUN       tries, round {turn + 1} of {rounds}')
        for side, (options, ms) in sides.items():
            with headway([pid], *options) if options else Watcher(None, '') as watcher:
                load.calls('served', 1500)      # the first windows are watched in any case
                rates[side].append(requests_per_cpu_s(ms))
                if not watcher.alive():
                    raise RuntimeError(f'headway ended: {watcher.said()[-400:]}')
    load.close()
    for side, values in rates.items():
        bench(f'probe.tries side={side}', 'requests_per_cpu_second', statistics.median(values), '1/s')
    bench('probe.tries side=all', 'throughput/off',
          statistics.median(ratios(rates['all'], rates['off'])), 'ratio')
    judge('probe.tries', 'throughput/sampled', ratios(rates['sampled'], rates['off']), 0.95, False)


def redis_round(port, options):
    """Requests a second, of a server that was started for this round and is watched or not."""
    server = subprocess.Popen(['redis-server', '--port', str(port), '--save', '', '--appendonly', 'no'],
                              stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 10
        while subprocess.run(['redis-cli', '-p', str(port), 'ping'], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, check=False).stdout.strip() != b'PONG':
            if time.monotonic() > end:
                raise RuntimeError('redis-server did not come up')
            time.sleep(0.1)
        with (Watcher(None, '') if options is None else headway([server.pid], *options)):
            out = subprocess.run(
                ['redis-benchmark', '-p', str(port), '-P', '16', '-n', '1000000', '-t', 'set', '--csv'],
                capture_output=True, text=True, check=True, timeout=120).stdout
        return float(out.splitlines()[-1].split(',')[1].strip('"'))
    finally:
        server.terminate()
        server.wait()


class Postgres:
    def __init__(self):
        versions = sorted(os.listdir('/usr/lib/postgresql')) if os.path.isdir('/usr/lib/postgresql') else []
        self.dir = tempfile.mkdtemp(prefix='headway-pg-') if versions else None
        self.pgbench = self.rates = None
        if not versions:
            return
        self.bin = f'/usr/lib/postgresql/{versions[-1]}/bin'
        shutil.chown(self.dir, 'postgres')
        self.run(f'{self.bin}/initdb -D {self.dir}/data -A trust')
        self.run(f"{self.bin}/pg_ctl -D {self.dir}/data -l {self.dir}/log -w "
                 f"-o \"-k {self.dir} -c listen_addresses=''\" start")
        self.run(f'{self.bin}/pgbench -h {self.dir} -i -s 5 postgres')

    def run(self, command, **options):
        return subprocess.run(['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups',
                               'sh', '-c', command], cwd=self.dir, check=True, capture_output=True,
                              text=True, timeout=120, **options).stdout

    def backends(self):
        out = self.run(f'{self.bin}/psql -h {self.dir} -At -c "select pid from pg_stat_activity '
                       'where application_name = \'pgbench\'" postgres')
        return [int(pid) for pid in out.split()]

    def start(self):
        self.pgbench = subprocess.Popen(
            ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', f'{self.bin}/pgbench',
             '-h', self.dir, '-S', '-c', '4', '-j', '2', '-T', '3600', '-P', '1', 'postgres'],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.rates = queue.Queue()
        threading.Thread(target=self.read_rates, daemon=True).start()
        self.rates.get(timeout=30)

    def read_rates(self):
        for line in self.pgbench.stderr:
            found = re.search(r'progress: .* s, ([0-9.]+) tps', line)
            if found:
                self.rates.put(float(found.group(1)))

    def round(self, options, seconds=3):
        """Transactions a second over some seconds in which the backends are watched or not."""
        with (Watcher(None, '') if options is None else headway(self.backends(), *options)):
            while not self.rates.empty():
                self.rates.get()
            self.rates.get(timeout=30)      # the second in which we began
            return statistics.mean(self.rates.get(timeout=30) for _ in range(seconds))

    def close(self):
        if self.dir:
            if self.pgbench:
                self.pgbench.terminate()
                self.pgbench.wait()
            self.run(f'{self.bin}/pg_ctl -D {self.dir}/data -m immediate stop')
            shutil.rmtree(self.dir, ignore_errors=True)


def measure_server(name, once, rounds=15):
    """Two CPUs for server and client: single rounds differ by a tenth, so there are many."""
    sides = {'off': None, 'T0': [*RESTLESS, '--no-uprobes'], 'T1': list(RESTLESS)}
    rates = {side: [] for side in sides}
    for turn in range(rounds):
        say(f'RUN       {name}, round {turn + 1} of {rounds}')
        order = list(sides)
        order = order[turn % 3:] + order[:turn % 3]
        for side in order:
            rates[side].append(once(sides[side]))
    for side, values in rates.items():
        bench(f'probe.{name} side={side}', 'throughput', statistics.median(values), '1/s')
    judge(f'probe.{name}', 'throughput/T0', ratios(rates['T0'], rates['off']), 0.99, False)
    judge(f'probe.{name}', 'throughput/T1', ratios(rates['T1'], rates['off']), 0.95, False)


def measure_servers():
    if shutil.which('redis-server') and shutil.which('redis-benchmark'):
        measure_server('redis', lambda options: redis_round(16399, options))
    else:
        judge('probe.redis', 'throughput', None, 0.99, False)
    postgres = Postgres()
    if postgres.dir:
        try:
            postgres.start()
            measure_server('pgbench', postgres.round)
        finally:
            postgres.close()
    else:
        judge('probe.pgbench', 'throughput', None, 0.99, False)


def map_bytes(pid):
    """What the kernel says that a process's BPF maps take; a map is counted once."""
    seen = {}
    for fd in os.listdir(f'/proc/{pid}/fdinfo'):
        try:
            with open(f'/proc/{pid}/fdinfo/{fd}', encoding='ascii') as file:
                info = dict(line.split(':', 1) for line in file if ':' in line)
        except FileNotFoundError:
            continue        # the tool opens and closes files of /proc all the time
        if 'map_id' in info:
            seen[int(info['map_id'])] = int(info['memlock'])
    return sum(seen.values())


def cpu_s(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
        fields = file.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def measure_crowd(processes=200, threads=25, seconds=20):
    say(f'RUN       {processes} processes with {threads} threads each, for {seconds} s')
    crowd = []
    try:
        for _ in range(processes):
            crowd.append(subprocess.Popen([LOAD, 'crowd', str(threads)], stdout=subprocess.PIPE, text=True))
        for process in crowd:
            if process.stdout.readline() != 'ready\n':
                raise RuntimeError('a process of the crowd did not come up')
        with headway([process.pid for process in crowd], *RESTLESS) as watcher:
            pid, start = watcher.process.pid, time.monotonic()
            used = cpu_s(pid)
            time.sleep(seconds)
            used = (cpu_s(pid) - used) / (time.monotonic() - start)
            maps = map_bytes(pid)
            with open(f'/proc/{pid}/status', encoding='ascii') as file:
                status = dict(line.split(':', 1) for line in file)
            rss = int(status['VmHWM'].split()[0]) / 1024
            start = time.monotonic()
            watcher.close()
            ended = time.monotonic() - start
    finally:
        for process in crowd:
            process.kill()
            process.wait()
    bench('probe.crowd', 'map_memory', maps / 1048576, 'MiB')
    bench('probe.crowd', 'end_after_ctrl_c', ended, 's')
    judge('probe.crowd', 'rss_MiB', rss, 64)
    judge('probe.crowd', 'cpu_percent', used * 100, 2)


def main():
    for what, measure in (('calls', measure_calls), ('tries', measure_tries), ('servers', measure_servers), ('crowd', measure_crowd)):
        if what in WHAT:
            measure()
    print('\n  %-38s %12s %8s   %-16s' % ('target (medians)', 'measured', '', 'noise'))
    for what, value, target, verdict, noise in results:
        print(f'  {what:<38} {value:>12} {target:>8}   {noise:<16} {verdict}')
    print(f'  {sum(1 for r in results if r[3] == "met")} of {len(results)} met')


main()
