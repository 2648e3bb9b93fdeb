// SPDX-License-Identifier: GPL-2.0
/*
 * Who is in a snapshot when a cgroup or the whole system is watched: who enters when, who leaves.
 *
 * Invariants: actors do one sched_yield(2) when they are told to, and nothing else, so that counts
 * are exact; time is only waited for where it is the subject (a process that is quiet for long).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "ktap.h"
#include "probe.h"

#define QUIET_NS	50000000ull
#define PATIENCE_NS	30000000000ull

struct actor {
	pid_t pid;
	int to, from;
};

static void act_on_command(int in, int out)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(in, &byte, 1) == 1) {
		sched_yield();
		if (write(out, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

/* In a pid namespace of its own when it is `apart`. */
static bool start_apart(struct actor *a, bool apart)
{
	int in[2], out[2], ours = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	if (ours < 0 || pipe(in) || pipe(out))
		return false;
	if (apart && unshare(CLONE_NEWPID))
		return false;
	a->pid = fork();
	if (!a->pid) {
		close(in[1]);
		close(out[0]);
		act_on_command(in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	a->to = in[1];
	a->from = out[0];
	/* The next children are ours again. */
	if (apart && setns(ours, CLONE_NEWPID))
		return false;
	close(ours);
	return a->pid > 0;
}

static bool start(struct actor *a)
{
	return start_apart(a, false);
}

static bool act(struct actor *a)
{
	char byte = 'x';

	return write(a->to, &byte, 1) == 1 && read(a->from, &byte, 1) == 1;
}

static void end(struct actor *a)
{
	close(a->to);
	close(a->from);
	kill(a->pid, SIGKILL);
	waitpid(a->pid, NULL, 0);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void pass(uint64_t ns)
{
	struct timespec ts = { .tv_nsec = (long)ns };

	nanosleep(&ts, NULL);
}

/* ---- the probe ---- */

static struct headway_probe *watch(const struct headway_probe_options *opts)
{
	struct headway_probe *p;
	int err = headway_probe_open(&p, opts);

	if (!err)
		err = headway_probe_add_group(p);
	if (!err)
		err = headway_probe_attach(p);
	if (!err)
		return p;
	printf("# %s\n", headway_probe_error(p));
	headway_probe_close(p);
	return NULL;
}

static const struct headway_snap_thread *look_for(struct headway_probe *p, pid_t pid)
{
	static struct headway_snapshot snap;

	if (headway_probe_snapshot(p, &snap)) {
		printf("# %s\n", headway_probe_error(p));
		exit(1);
	}
	for (size_t i = 0; i < snap.nr_threads; i++)
		if (snap.threads[i].rec.tid == (uint32_t)pid && snap.threads[i].alive)
			return &snap.threads[i];
	return NULL;
}

/* ---- the whole system ---- */

KTAP_TEST(all_quiet_ones_leave_and_come_back)
{
	struct headway_probe_options opts = { .all = true, .quiet_ns = QUIET_NS };
	const struct headway_snap_thread *t;
	struct headway_probe *p;
	uint64_t until;
	struct actor a;

	ASSERT(start(&a));
	p = watch(&opts);
	ASSERT(p);
	/* It does nothing, but it is there. */
	EXPECT(look_for(p, a.pid) != NULL);
	until = now_ns() + PATIENCE_NS;
	while (look_for(p, a.pid) && now_ns() < until)
		pass(QUIET_NS / 2);
	EXPECT(!look_for(p, a.pid));
	ASSERT(act(&a));
	t = look_for(p, a.pid);
	EXPECT(t != NULL);
	if (t)
		EXPECT_EQ(t->rec.yields, 1u);
	end(&a);
	headway_probe_close(p);
}

static bool is_kept(void *arg, pid_t pid)
{
	return pid == *(pid_t *)arg;
}

KTAP_TEST(all_of_a_finding_stay)
{
	struct actor a;
	struct headway_probe_options opts = {
		.all = true, .quiet_ns = QUIET_NS, .keep = is_kept, .arg = &a.pid,
	};
	struct headway_probe *p;

	ASSERT(start(&a));
	p = watch(&opts);
	ASSERT(p);
	for (int i = 0; i < 10; i++) {
		EXPECT(look_for(p, a.pid) != NULL);
		pass(QUIET_NS);
	}
	end(&a);
	headway_probe_close(p);
}

KTAP_TEST(all_but_the_tool)
{
	struct headway_probe_options opts = { .all = true, .quiet_ns = PATIENCE_NS };
	struct headway_probe *p = watch(&opts);

	ASSERT(p);
	sched_yield();
	EXPECT(!look_for(p, getpid()));
	EXPECT(look_for(p, getppid()) != NULL);
	headway_probe_close(p);
}

/* ---- a cgroup ---- */

struct box {
	struct headway_cgroup cgroup;
	char below[4352];
	struct headway_probe *probe;
};

static bool write_pid(const char *dir, pid_t pid)
{
	char path[4400];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	f = fopen(path, "we");
	if (!f)
		return false;
	ok = fprintf(f, "%d\n", pid) > 0;
	return !fclose(f) && ok;
}

/* NULL, or why there is none. */
static const char *make_box(struct box *b)
{
	struct headway_probe_options opts = { .cgroup = &b->cgroup, .quiet_ns = QUIET_NS };
	char mount[2048], dir[2100], why[512];

	memset(b, 0, sizeof(*b));
	if (!headway_cgroup_mount(mount, sizeof(mount)))
		return "no cgroup v2 hierarchy is mounted";
	snprintf(dir, sizeof(dir), "%s/headway-groups-%d", mount, getpid());
	if (mkdir(dir, 0700))
		return "no cgroup can be made";
	snprintf(b->below, sizeof(b->below), "%s/below", dir);
	if (mkdir(b->below, 0700))
		return "no cgroup can be made below another";
	if (headway_cgroup_open(&b->cgroup, dir, why, sizeof(why))) {
		printf("# %s\n", why);
		return "it cannot be opened";
	}
	b->probe = watch(&opts);
	return b->probe ? NULL : "it cannot be watched";
}

static void drop_box(struct box *b)
{
	headway_probe_close(b->probe);
	rmdir(b->below);
	rmdir(b->cgroup.path);
	headway_cgroup_close(&b->cgroup);
}

static bool move_out(struct box *b, pid_t pid)
{
	char parent[4352];

	snprintf(parent, sizeof(parent), "%s/..", b->cgroup.path);
	return write_pid(parent, pid);
}

#define ASSERT_BOX(b)								\
	do {									\
		const char *no_box = make_box(b);				\
										\
		if (no_box)							\
			KTAP_SKIP(no_box);					\
	} while (0)

KTAP_TEST(cgroup_members_enter_and_leave)
{
	const struct headway_snap_thread *t;
	struct actor a, other;
	struct box b;

	ASSERT_BOX(&b);
	ASSERT(start(&a) && start(&other));
	EXPECT_EQ(headway_probe_group(b.probe)->seen, 0u);
	ASSERT(act(&a) && act(&other));
	EXPECT(!look_for(b.probe, a.pid));
	/* Asleep, and yet it is seen; all that it does from then on counts. */
	ASSERT(write_pid(b.below, a.pid));
	EXPECT(look_for(b.probe, a.pid) != NULL);
	ASSERT(act(&a) && act(&other));
	t = look_for(b.probe, a.pid);
	EXPECT(t && t->rec.yields == 1);
	EXPECT(!look_for(b.probe, other.pid));
	/* Quiet for as long as it may be, it stays. */
	for (int i = 0; i < 8; i++) {
		pass(QUIET_NS);
		EXPECT(look_for(b.probe, a.pid) != NULL);
	}
	ASSERT(move_out(&b, a.pid));
	EXPECT(!look_for(b.probe, a.pid));
	ASSERT(act(&a));
	EXPECT(!look_for(b.probe, a.pid));
	end(&a);
	end(&other);
	drop_box(&b);
}

KTAP_TEST(cgroup_counts_from_the_first_event)
{
	const struct headway_snap_thread *t;
	struct actor a;
	struct box b;

	ASSERT_BOX(&b);
	ASSERT(start(&a) && write_pid(b.cgroup.path, a.pid));
	for (int i = 0; i < 3; i++)
		ASSERT(act(&a));
	t = look_for(b.probe, a.pid);
	EXPECT(t && t->rec.yields == 3);
	EXPECT_EQ(headway_probe_group(b.probe)->seen, 1u);
	end(&a);
	EXPECT(!look_for(b.probe, a.pid));
	EXPECT_EQ(headway_probe_group(b.probe)->now, 0u);
	drop_box(&b);
}

KTAP_TEST(cgroup_of_a_container)
{
	const struct headway_snap_thread *t;
	struct actor a;
	struct box b;

	ASSERT_BOX(&b);
	if (!start_apart(&a, true)) {
		drop_box(&b);
		KTAP_SKIP("no pid namespace can be made");
	}
	ASSERT(write_pid(b.cgroup.path, a.pid) && act(&a));
	t = look_for(b.probe, a.pid);
	EXPECT(t && t->rec.ns_tid == 1 && t->rec.yields == 1);
	end(&a);
	drop_box(&b);
}

KTAP_TEST(cgroup_that_is_removed)
{
	struct headway_snapshot snap;
	struct box b;

	ASSERT_BOX(&b);
	ASSERT(!headway_probe_snapshot(b.probe, &snap));
	EXPECT(!snap.target_exited);
	ASSERT(!rmdir(b.below) && !rmdir(b.cgroup.path));
	ASSERT(!headway_probe_snapshot(b.probe, &snap));
	EXPECT(snap.target_exited);
	EXPECT(headway_probe_group(b.probe)->removed);
	/* Another one of that name is not it. */
	ASSERT(!mkdir(b.cgroup.path, 0700));
	EXPECT(headway_cgroup_removed(&b.cgroup));
	drop_box(&b);
}

KTAP_MAIN("groups")
