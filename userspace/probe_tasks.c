// SPDX-License-Identifier: GPL-2.0
/*
 * probe_tasks.c - the threads of all targets as they are now; see probe_tasks.h.
 *
 * The iterator sees what /proc/PID/task/TID/{stat,schedstat,syscall} would say. Where it cannot be
 * had, each thread is read from /proc, as it was before there was an iterator.
 */
#include "probe_tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "headway.skel.h"
#include "probe_maps.h"

/* include/linux/sched.h; __state has no other names in any of the kernels that we run on. */
enum {
	INTERRUPTIBLE = 0x1,
	UNINTERRUPTIBLE = 0x2,
	STOPPED = 0x4,
	TRACED = 0x8,
	NOLOAD = 0x400,
	EXIT_DEAD = 0x10,
	EXIT_ZOMBIE = 0x20,
};

/* As in /proc/PID/stat. */
static char state_char(const struct headway_task_rec *rec)
{
	if (rec->exit_state & EXIT_DEAD)
		return 'X';
	if (rec->exit_state & EXIT_ZOMBIE)
		return 'Z';
	if (rec->state & TRACED)
		return 't';
	if (rec->state & STOPPED)
		return 'T';
	if (rec->state & UNINTERRUPTIBLE)
		return rec->state & NOLOAD ? 'I' : 'D';
	return rec->state & INTERRUPTIBLE ? 'S' : 'R';
}

static int by_process_and_thread(const void *a, const void *b)
{
	const struct headway_task *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	return (x->proc.tid > y->proc.tid) - (x->proc.tid < y->proc.tid);
}

static struct headway_task *add(struct headway_tasks *tasks)
{
	if (headway_grow(&tasks->tasks, &tasks->cap, tasks->nr + 1, sizeof(*tasks->tasks)))
		return NULL;
	return memset(&tasks->tasks[tasks->nr++], 0, sizeof(*tasks->tasks));
}

static int add_record(struct headway_tasks *tasks, const struct headway_task_rec *rec)
{
	struct headway_task *task = add(tasks);

	if (!task)
		return -ENOMEM;
	task->tgid = rec->tgid;
	task->ns_tid = rec->ns_tid;
	task->ns_tgid = rec->ns_tgid;
	task->exit_word = rec->exit_word;
	task->proc.tid = rec->tid;
	memcpy(task->proc.comm, rec->comm, sizeof(task->proc.comm));
	task->proc.comm[sizeof(task->proc.comm) - 1] = '\0';
	task->proc.state = state_char(rec);
	task->proc.start_ns = rec->start_ns;
	task->proc.cpu_ns = rec->cpu_ns;
	task->proc.syscall_nr = rec->syscall_nr < 0 ? HEADWAY_PROC_RUNNING : rec->syscall_nr;
	memcpy(task->proc.args, rec->args, sizeof(task->proc.args));
	task->proc.sp = rec->sp;
	task->proc.pc = rec->pc;
	task->bp = rec->bp;
	task->asleep_ns = rec->asleep_ns;
	task->last_ns = rec->last_ns;
	task->woken_addr = rec->woken_addr;
	task->refused_addr = rec->refused_addr;
	task->word_addr = rec->word_addr;
	task->word = rec->word[0];
	task->word_owner = rec->word[2];
	return 0;
}

static int read_iterator(struct headway_probe *p, struct headway_tasks *tasks)
{
	struct headway_task_rec recs[256];
	char *buf = (char *)recs;
	size_t have = 0;
	ssize_t n;
	int fd, err = 0;

	if (!p->tasks_link) {
		p->tasks_link = bpf_program__attach_iter(p->skel->progs.headway_tasks, NULL);
		if (libbpf_get_error(p->tasks_link)) {
			p->tasks_link = NULL;
			return -EOPNOTSUPP;
		}
	}
	fd = bpf_iter_create(bpf_link__fd(p->tasks_link));
	if (fd < 0)
		return -errno;
	/* A read may end within a record. */
	while (!err && ((n = read(fd, buf + have, sizeof(recs) - have)) > 0 ||
			(n < 0 && (errno == EINTR || errno == EAGAIN)))) {
		size_t i;

		have += n < 0 ? 0 : (size_t)n;
		for (i = 0; i < have / sizeof(*recs) && !err; i++)
			err = recs[i].tid ? add_record(tasks, &recs[i]) : 0;
		have -= i * sizeof(*recs);
		memmove(buf, &recs[i], have);
	}
	if (!err && n < 0)
		err = -errno;
	close(fd);
	return err;
}

static int read_process(struct headway_tasks *tasks, const struct headway_target *target)
{
	struct headway_proc_thread proc;
	struct headway_task *task;
	pid_t *tids = NULL;
	size_t n = 0, i;
	int fd, err = 0;

	fd = headway_proc_task_open(target->pid);
	if (fd < 0)
		return 0;
	if (headway_proc_tids(fd, &tids, &n))
		n = 0;
	for (i = 0; i < n && !err; i++) {
		err = headway_proc_thread(fd, tids[i], &proc);
		if (err) {
			err = err == -ENOMEM ? err : 0;	/* it has just ended */
			continue;
		}
		task = add(tasks);
		if (!task) {
			err = -ENOMEM;
			break;
		}
		task->tgid = target->pid;
		task->proc = proc;
		task->ns_tid = target->other_pidns ? headway_proc_ns_tid(fd, proc.tid) : proc.tid;
		task->ns_tgid = target->other_pidns ? headway_proc_ns_tid(fd, target->pid) :
				target->pid;
	}
	free(tids);
	close(fd);
	return err;
}

int headway_tasks_read(struct headway_probe *p, struct headway_tasks *tasks)
{
	size_t i;
	int err;

	err = read_iterator(p, tasks);
	if (err && err != -ENOMEM) {
		tasks->nr = 0;
		for (i = 0, err = 0; i < p->nr_targets && !err; i++)
			err = read_process(tasks, &p->targets[i]);
	}
	if (!err && tasks->nr)
		qsort(tasks->tasks, tasks->nr, sizeof(*tasks->tasks), by_process_and_thread);
	return err;
}

void headway_tasks_free(struct headway_tasks *tasks)
{
	free(tasks->tasks);
	*tasks = (struct headway_tasks){ 0 };
}

const struct headway_task *headway_tasks_of(const struct headway_tasks *tasks, pid_t tgid,
					   size_t *n)
{
	size_t low = 0, high = tasks->nr, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tasks->tasks[middle].tgid < tgid)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < tasks->nr && tasks->tasks[end].tgid == tgid; end++)
		;
	*n = end - low;
	return *n ? &tasks->tasks[low] : NULL;
}

const struct headway_task *headway_tasks_find(const struct headway_tasks *tasks, pid_t tgid,
					     pid_t tid)
{
	struct headway_task key = { .tgid = tgid, .proc.tid = tid };

	if (!tasks->nr)
		return NULL;
	return bsearch(&key, tasks->tasks, tasks->nr, sizeof(key), by_process_and_thread);
}
