// SPDX-License-Identifier: GPL-2.0
/*
 * The probes against a program that did an exact number of things (actions.c): every count of a
 * snapshot must be exactly that number, for each way to link the program.
 *
 * Invariants: one target and one probe per build, made on the first test that needs them; all
 * tests of a build read the same snapshot, which is taken when the work is done and the threads are
 * still alive. Counts are compared per thread and per (thread, word), never as sums.
 *
 * The builds are found through the environment: HEADWAY_BPF_TESTS is the directory of actions-*.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"
#include "probe.h"

#define WORKS_MAX	24
#define LINE_TIMEOUT_MS	20000
#define SITE_BYTES	512	/* roll_back_once() is shorter than this */
#define STACK_MAX	HEADWAY_STACK_DEPTH

struct expected {
	char name[16];
	unsigned int tid;
	unsigned long yields, sleeps, waits, wakes, eagain, timeout, try_ok, try_fail;
	unsigned long aborts, commits;
	unsigned long long word, held, site;
};

struct session {
	const char *build;
	bool tried;
	bool usable;
	pid_t pid;
	int to, from;			/* the target's stdin and stdout */
	struct headway_probe *probe;
	struct headway_snapshot snap;
	struct expected works[WORKS_MAX];
	int nr_works;
};

static struct session sessions[] = {
	{ .build = "pie" }, { .build = "no-pie" }, { .build = "static" }, { .build = "static-pie" },
};

/* One build is enough to see both ways. */
static bool is_timed(const struct session *s)
{
	return s == &sessions[0];
}

/* ---- the target ---- */

static bool read_line(struct session *s, char *line, size_t size)
{
	struct pollfd fd = { .fd = s->from, .events = POLLIN };
	size_t n = 0;

	while (n + 1 < size) {
		if (poll(&fd, 1, LINE_TIMEOUT_MS) != 1 || read(s->from, line + n, 1) != 1)
			return false;
		if (line[n] == '\n')
			break;
		n++;
	}
	line[n] = '\0';
	return true;
}

static bool start_target(struct session *s)
{
	const char *dir = getenv("HEADWAY_BPF_TESTS");
	char path[4096], line[512];
	int in[2], out[2];

	snprintf(path, sizeof(path), "%s/actions-%s", dir ? dir : "build/bpf-tests", s->build);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return false;
	s->pid = fork();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(path, path, NULL);
		perror(path);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	s->to = in[1];
	s->from = out[0];
	return s->pid > 0 && read_line(s, line, sizeof(line)) && !strncmp(line, "ready ", 6);
}

/* A line of actions.c, print_work(). */
static bool parse_work(const char *line, struct expected *e)
{
	int n = 0, m = 0;

	if (sscanf(line, "thread name=%15s tid=%u yields=%lu sleeps=%lu waits=%lu wakes=%lu%n",
		   e->name, &e->tid, &e->yields, &e->sleeps, &e->waits, &e->wakes, &n) != 6)
		return false;
	if (sscanf(line + n, " eagain=%lu timeout=%lu try_ok=%lu try_fail=%lu%n",
		   &e->eagain, &e->timeout, &e->try_ok, &e->try_fail, &m) != 4)
		return false;
	return sscanf(line + n + m, " aborts=%lu commits=%lu word=%llu held=%llu site=%llu",
		      &e->aborts, &e->commits, &e->word, &e->held, &e->site) == 5;
}

static bool run_target(struct session *s)
{
	char line[512];

	if (write(s->to, "\n", 1) != 1)
		return false;
	while (read_line(s, line, sizeof(line))) {
		struct expected *e = &s->works[s->nr_works];

		if (!strcmp(line, "done"))
			return s->nr_works > 0;
		if (s->nr_works == WORKS_MAX)
			return false;
		if (!parse_work(line, e))
			return false;
		s->nr_works++;
	}
	return false;
}

static void open_session(struct session *s)
{
	struct headway_probe_options opts = { .uprobes = true, .wait_times = is_timed(s) };
	int err;

	s->tried = true;
	if (!start_target(s)) {
		printf("# %s: the target did not start\n", s->build);
		return;
	}
	err = headway_probe_open(&s->probe, &opts);
	if (!err)
		err = headway_probe_add_pid(s->probe, s->pid);
	if (!err)
		err = headway_probe_attach(s->probe);
	if (err) {
		printf("# %s: probes: error %d: %s\n", s->build, -err,
		       s->probe ? headway_probe_error(s->probe) : "not opened");
		return;
	}
	if (!run_target(s)) {
		printf("# %s: the target did not do its work\n", s->build);
		return;
	}
	err = headway_probe_snapshot(s->probe, &s->snap);
	if (err)
		printf("# %s: snapshot: %s\n", s->build, headway_probe_error(s->probe));
	s->usable = !err;
}

static struct session *session(int build)
{
	struct session *s = &sessions[build];

	if (!s->tried)
		open_session(s);
	return s;
}

static void close_session(struct session *s)
{
	int status = 0;

	if (s->probe)
		headway_probe_close(s->probe);
	s->probe = NULL;
	if (s->pid <= 0)
		return;
	close(s->to);		/* the end of its stdin is its end */
	close(s->from);
	waitpid(s->pid, &status, 0);
	s->pid = 0;
	s->usable = false;
}

/* ---- looking things up ---- */

static const struct expected *work(struct session *s, const char *name)
{
	int i;

	for (i = 0; i < s->nr_works; i++)
		if (!strcmp(s->works[i].name, name))
			return &s->works[i];
	return NULL;
}

static const struct headway_snap_thread *thread(struct session *s, unsigned int tid)
{
	size_t i;

	for (i = 0; i < s->snap.nr_threads; i++)
		if (s->snap.threads[i].rec.tid == tid)
			return &s->snap.threads[i];
	return NULL;
}

static const struct headway_snap_lock *lock(struct session *s, unsigned int tid,
					    unsigned long long addr, uint32_t kind)
{
	size_t i;

	for (i = 0; i < s->snap.nr_locks; i++)
		if (s->snap.locks[i].key.tid == tid && s->snap.locks[i].key.addr == addr &&
		    s->snap.locks[i].key.kind == kind)
			return &s->snap.locks[i];
	return NULL;
}

/* ---- checks, the same for every build ---- */

#define EXPECT_COUNT(got, want)							\
	do {									\
		if ((got) != (want))						\
			KTAP_FAIL("%s: %s is %" PRIu64 ", want %lu", e->name, #got,	\
				  (uint64_t)(got), (unsigned long)(want));	\
	} while (0)

/* All that one thread did, and nothing else. */
static void check_thread(struct session *s, const char *name)
{
	const struct expected *e;
	const struct headway_snap_thread *t;

	ASSERT(s->usable);
	e = work(s, name);
	ASSERT(e);
	if (!(e->yields + e->sleeps + e->waits + e->wakes + e->try_ok + e->try_fail))
		KTAP_SKIP("this kernel lacks the call");
	t = thread(s, e->tid);
	ASSERT(t);
	EXPECT_COUNT(t->rec.yields, e->yields);
	EXPECT_COUNT(t->rec.sleeps, e->sleeps);
	EXPECT_COUNT(t->rec.futex_waits, e->waits);
	EXPECT_COUNT(t->rec.futex_wakes, e->wakes);
	EXPECT_COUNT(t->rec.try_ok, e->try_ok);
	EXPECT_COUNT(t->rec.try_fail, e->try_fail);
	EXPECT_COUNT(t->rec.tgid, (unsigned long)s->pid);
	EXPECT(t->alive);
}

static void check_comm(struct session *s)
{
	const struct headway_snap_thread *t;
	int i;

	ASSERT(s->usable);
	for (i = 0; i < s->nr_works; i++) {
		t = thread(s, s->works[i].tid);
		if (t)
			EXPECT_STREQ(t->rec.comm, s->works[i].name);
		else
			KTAP_FAIL("%s is not in the snapshot", s->works[i].name);
	}
}

static void check_futex_word(struct session *s, const char *name)
{
	const struct expected *e;
	const struct headway_snap_lock *l;

	ASSERT(s->usable);
	e = work(s, name);
	ASSERT(e);
	if (!e->waits && !e->wakes)
		KTAP_SKIP("this kernel lacks the call");
	l = lock(s, e->tid, e->word, HEADWAY_KIND_FUTEX);
	ASSERT(l);
	EXPECT_COUNT(l->rec.wait_eagain, e->eagain);
	EXPECT_COUNT(l->rec.wait_timeout, e->timeout);
	EXPECT_COUNT(l->rec.wait_ok, 0);
	EXPECT_COUNT(l->rec.wait_other, 0);
	EXPECT_COUNT(l->rec.wakes, e->wakes);
	EXPECT_COUNT(l->rec.woken, 0);
	EXPECT_COUNT(l->rec.lost_races, 0);
	/* TIMEOUTS sleeps of 1 ms, and the machine may only make it longer */
	if (is_timed(s))
		EXPECT_GE(l->rec.wait_ns, (unsigned long long)e->timeout * 1000000);
	else
		EXPECT_COUNT(l->rec.wait_ns, 0);
}

static bool trylock_is_probed(struct session *s)
{
	return !(s->snap.missing_probes & 1U << HEADWAY_PROBE_TRYLOCK);
}

static void check_try_words(struct session *s)
{
	const struct expected *e, *holder;
	const struct headway_snap_lock *l;

	ASSERT(s->usable);
	holder = work(s, "holder");
	e = work(s, "try_ok");
	ASSERT(holder && e);
	l = lock(s, e->tid, e->word, HEADWAY_KIND_PTHREAD_MUTEX);
	ASSERT(l);
	EXPECT_COUNT(l->rec.try_ok, e->try_ok);
	EXPECT_COUNT(l->rec.try_fail, 0);

	e = work(s, "try_fail");
	ASSERT(e);
	l = lock(s, e->tid, e->word, HEADWAY_KIND_PTHREAD_MUTEX);
	ASSERT(l);
	EXPECT_COUNT(l->rec.try_ok, 0);
	EXPECT_COUNT(l->rec.try_fail, e->try_fail);
	EXPECT_COUNT(l->rec.fail_holding, 0);
	EXPECT_COUNT(l->rec.fail_owner, holder->tid);
	EXPECT_COUNT(l->rec.fail_owner_changes, 0);
	EXPECT_COUNT(l->rec.fail_held_addr, 0);
	EXPECT_LE(l->rec.fail_interval_min_ns, l->rec.fail_interval_max_ns);
	EXPECT_GT(l->rec.fail_interval_min_ns, 0U);
}

/* The last episode is only seen to have ended at the next try, so it may be missing. */
static void check_episodes(struct session *s)
{
	const struct expected *e, *holder;
	const struct headway_snap_thread *t;
	const struct headway_snap_lock *l;

	ASSERT(s->usable);
	holder = work(s, "holder");
	e = work(s, "rollback");
	ASSERT(holder && e);
	t = thread(s, e->tid);
	ASSERT(t);
	EXPECT_GE(t->rec.aborts, e->aborts - 1);
	EXPECT_LE(t->rec.aborts, e->aborts);
	EXPECT_COUNT(t->rec.commits, 0);
	l = lock(s, e->tid, e->word, HEADWAY_KIND_PTHREAD_MUTEX);
	ASSERT(l);
	EXPECT_COUNT(l->rec.fail_holding, e->try_fail);
	EXPECT_COUNT(l->rec.fail_held_addr, e->held);
	EXPECT_COUNT(l->rec.fail_owner, holder->tid);

	e = work(s, "pairs");
	ASSERT(e);
	t = thread(s, e->tid);
	ASSERT(t);
	EXPECT_COUNT(t->rec.aborts, 0);
	EXPECT_COUNT(t->rec.commits, e->commits);

	e = work(s, "try_ok");
	ASSERT(e);
	t = thread(s, e->tid);
	ASSERT(t);
	EXPECT_COUNT(t->rec.aborts, 0);
	EXPECT_GE(t->rec.commits, e->commits - 1);
	EXPECT_LE(t->rec.commits, e->commits);
}

/* The function that called trylock must be in the stack, not only its callers. */
static void check_stack(struct session *s)
{
	const struct expected *e;
	const struct headway_snap_lock *l;
	uint64_t ips[STACK_MAX];
	bool found = false;
	int n, i;

	ASSERT(s->usable);
	e = work(s, "rollback");
	ASSERT(e);
	l = lock(s, e->tid, e->word, HEADWAY_KIND_PTHREAD_MUTEX);
	ASSERT(l);
	ASSERT(l->rec.fail_stack >= 0);
	n = headway_probe_stack(s->probe, l->rec.fail_stack, ips, STACK_MAX);
	EXPECT_GT(n, 0);
	for (i = 0; i < n; i++)
		found |= ips[i] >= e->site && ips[i] < e->site + SITE_BYTES;
	EXPECT(found);
}

/* Blocked since before the probes were attached. */
static void check_seeded_wait(struct session *s)
{
	const struct expected *e, *holder;
	const struct headway_snap_thread *t;

	ASSERT(s->usable);
	holder = work(s, "holder");
	e = work(s, "waiter");
	ASSERT(holder && e);
	t = thread(s, e->tid);
	ASSERT(t);
	EXPECT_COUNT(t->rec.wait_addr, e->word);
	EXPECT(t->rec.wait_flags & HEADWAY_WAIT_OWNER_READ);
	EXPECT_COUNT(t->rec.wait_owner, holder->tid);
	EXPECT_GT(t->rec.wait_since_ns, 0U);
	EXPECT_LE(t->rec.wait_since_ns, s->snap.time_ns);
	EXPECT_EQ(t->state, 'S');
}

static void check_nothing_lost(struct session *s)
{
	static const enum headway_counter lost[] = {
		HEADWAY_CNT_LOST_THREADS, HEADWAY_CNT_LOST_LOCKS, HEADWAY_CNT_LOST_STACKS,
		HEADWAY_CNT_LOST_RINGBUF, HEADWAY_CNT_HELD_OVERFLOW, HEADWAY_CNT_OWNER_FAULT,
		HEADWAY_CNT_UNMATCHED_EXIT,
	};
	unsigned long done = 0;
	size_t i;

	ASSERT(s->usable);
	for (i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		if (s->snap.counters[lost[i]])
			KTAP_FAIL("counter %d is %" PRIu64 ", want 0", (int)lost[i],
				  s->snap.counters[lost[i]]);
	for (i = 0; i < (size_t)s->nr_works; i++)
		done += s->works[i].yields + s->works[i].sleeps + s->works[i].waits;
	EXPECT_GE(s->snap.counters[HEADWAY_CNT_EVENTS], done);
}

/* A snapshot only adds: two without work between are equal. */
static void check_second_snapshot(struct session *s)
{
	const struct expected *e;
	const struct headway_snap_thread *t;
	uint64_t before;

	ASSERT(s->usable);
	before = s->snap.counters[HEADWAY_CNT_EVENTS];
	ASSERT(!headway_probe_snapshot(s->probe, &s->snap));
	EXPECT_EQ(s->snap.counters[HEADWAY_CNT_EVENTS], before);
	e = work(s, "yield");
	ASSERT(e);
	t = thread(s, e->tid);
	ASSERT(t);
	EXPECT_COUNT(t->rec.yields, e->yields);
}

#define EVERY_BUILD_NEEDS_TRYLOCK(s)						\
	do {									\
		if ((s)->usable && !trylock_is_probed(s)) {			\
			KTAP_FAIL("trylock is not probed: %s",			\
				  headway_probe_missing_reason((s)->probe,	\
							       HEADWAY_PROBE_TRYLOCK)); \
			return;							\
		}								\
	} while (0)

#define BUILD_TEST(id, index, check, ...)					\
	KTAP_TEST(id)								\
	{									\
		check(session(index), ##__VA_ARGS__);				\
	}

#define TRY_TEST(id, index, check, ...)						\
	KTAP_TEST(id)								\
	{									\
		EVERY_BUILD_NEEDS_TRYLOCK(session(index));			\
		check(session(index), ##__VA_ARGS__);				\
	}

#define TESTS_OF(b, index)							\
	BUILD_TEST(b##_eagain, index, check_thread, "eagain")			\
	BUILD_TEST(b##_waitv, index, check_thread, "waitv")			\
	BUILD_TEST(b##_futex2, index, check_thread, "futex2")			\
	BUILD_TEST(b##_timeout, index, check_thread, "timeout")			\
	BUILD_TEST(b##_wake, index, check_thread, "wake")			\
	BUILD_TEST(b##_yield, index, check_thread, "yield")			\
	BUILD_TEST(b##_sleep, index, check_thread, "sleep")			\
	TRY_TEST(b##_try_ok, index, check_thread, "try_ok")			\
	TRY_TEST(b##_try_fail, index, check_thread, "try_fail")			\
	TRY_TEST(b##_rollback, index, check_thread, "rollback")			\
	TRY_TEST(b##_pairs, index, check_thread, "pairs")			\
	BUILD_TEST(b##_late_eagain, index, check_thread, "late_eagain")		\
	TRY_TEST(b##_late_try_fail, index, check_thread, "late_try_fail")	\
	BUILD_TEST(b##_comm, index, check_comm)					\
	BUILD_TEST(b##_word_eagain, index, check_futex_word, "eagain")		\
	BUILD_TEST(b##_word_waitv, index, check_futex_word, "waitv")		\
	BUILD_TEST(b##_word_futex2, index, check_futex_word, "futex2")		\
	BUILD_TEST(b##_word_timeout, index, check_futex_word, "timeout")	\
	BUILD_TEST(b##_word_wake, index, check_futex_word, "wake")		\
	TRY_TEST(b##_word_try, index, check_try_words)				\
	TRY_TEST(b##_episodes, index, check_episodes)				\
	TRY_TEST(b##_stack, index, check_stack)					\
	BUILD_TEST(b##_seeded_wait, index, check_seeded_wait)			\
	BUILD_TEST(b##_nothing_lost, index, check_nothing_lost)			\
	BUILD_TEST(b##_second_snapshot, index, check_second_snapshot)		\
	KTAP_TEST(b##_close)							\
	{									\
		ASSERT(session(index)->usable);					\
		close_session(session(index));					\
	}

TESTS_OF(pie, 0)
TESTS_OF(no_pie, 1)
TESTS_OF(static, 2)
TESTS_OF(static_pie, 3)

int main(void)
{
	int status;
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	status = ktap_run("probe_counts");
	for (i = 0; i < sizeof(sessions) / sizeof(sessions[0]); i++)
		close_session(&sessions[i]);
	return status;
}
