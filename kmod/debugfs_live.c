// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs_live.c - the files of a domain's live transactions: transactions, graph, graph_dot.
 *
 * What a file shows is copied when it is opened, so it is of one moment however it is read, and
 * needs the domain no longer. To ask for stacks wakes those that wait; so only `transactions` does.
 *
 * Seq positions: 0 is the head, 1 to n are the copies, n + 1 is the tail.
 */
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "debugfs.h"
#include "progress.h"

struct headway_snapshot {
	char domain[HEADWAY_CLEAN_MAX];
	u64 at_ns;
	u32 n;
	u32 live;			/* n, or more: then the last ones are left out */
	struct headway_txn_view *views;
	struct headway_stack *stacks;	/* NULL: not asked for */
	char text[HEADWAY_STACK_TEXT];	/* the line's stack, while it is written */
};

static void headway_snapshot_free(struct headway_snapshot *s)
{
	kvfree(s->stacks);
	kvfree(s->views);
	kvfree(s);
}

static int headway_snapshot_open(struct inode *inode, struct file *file,
				 const struct seq_operations *ops, bool stacks)
{
	struct headway_domain *domain = inode->i_private;
	struct headway_snapshot *s = kvzalloc(sizeof(*s), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->views = kvmalloc_array(HEADWAY_VIEWS_MAX, sizeof(*s->views), GFP_KERNEL);
	if (stacks)
		s->stacks = kvmalloc_array(HEADWAY_VIEWS_MAX, sizeof(*s->stacks), GFP_KERNEL);
	if (!s->views || (stacks && !s->stacks))
		goto err_free;
	ret = seq_open(file, ops);
	if (ret)
		goto err_free;
	((struct seq_file *)file->private_data)->private = s;

	headway_clean(s->domain, domain->name);
	s->at_ns = ktime_get_ns();
	if (stacks)
		s->n = headway_stacks_get(domain, s->views, s->stacks, HEADWAY_VIEWS_MAX, &s->live);
	else
		s->n = headway_views_copy(domain, s->views, HEADWAY_VIEWS_MAX, &s->live);
	return 0;

err_free:
	headway_snapshot_free(s);
	return ret;
}

static int headway_snapshot_release(struct inode *inode, struct file *file)
{
	headway_snapshot_free(((struct seq_file *)file->private_data)->private);
	return seq_release(inode, file);
}

/* As the iterator: the position and one, since NULL is the end. */
static void *headway_snapshot_start(struct seq_file *m, loff_t *pos)
{
	struct headway_snapshot *s = m->private;

	return *pos < s->n + 2 ? (void *)(unsigned long)(*pos + 1) : NULL;
}

static void *headway_snapshot_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return headway_snapshot_start(m, pos);
}

static void headway_snapshot_stop(struct seq_file *m, void *v)
{
}

static u32 headway_snapshot_index(void *v)
{
	return (unsigned long)v - 1;
}

static void headway_show_live(struct seq_file *m, const struct headway_snapshot *s)
{
	if (s->live > s->n)
		seq_printf(m, "# the first %u of %u live transactions\n", s->n, s->live);
}

/* transactions */

static void headway_show_stack(struct seq_file *m, struct headway_snapshot *s, u32 i)
{
	seq_printf(m, " stack=%s\n", headway_stack_text(s->text, sizeof(s->text), &s->stacks[i]));
}

static int headway_transactions_show(struct seq_file *m, void *iterator)
{
	u32 i = headway_snapshot_index(iterator);
	struct headway_snapshot *s = m->private;
	const struct headway_txn_view *v;

	if (!i) {
		headway_head(m, "transactions");
		seq_puts(m, "# those in flight that have met a conflict; age: since then\n"
			 "# stack: innermost function first; - for one that runs\n");
		headway_show_live(m, s);
		return 0;
	}
	if (i > s->n)
		return 0;
	v = &s->views[i - 1];
	seq_printf(m, "pid=%d", v->pid);
	headway_put_name(m, " comm", v->comm);
	seq_printf(m, " ticket=%llu priority=%lld held=%u restarts=%u age_ns=%llu wounded=%d",
		   v->ticket, div_s64(v->bonus, HEADWAY_BONUS_STEP), v->nr_held, v->restarts,
		   headway_since(s->at_ns, v->begin_ns), v->wounded);
	seq_printf(m, " waiting=%d wait_ns=%llu", v->waiting,
		   v->waiting ? headway_since(s->at_ns, v->wait_since_ns) : 0);
	headway_put_name(m, " lock", v->lock_name);
	headway_put_name(m, " holder", v->owner.comm);
	seq_printf(m, " holder_pid=%d backing_off=%d", v->owner.pid, v->backing_off);
	headway_show_stack(m, s, i - 1);
	return 0;
}

/* graph */

static const char *headway_state_name(unsigned int state)
{
	if (!state)
		return "running";
	if (state & TASK_INTERRUPTIBLE)
		return "interruptible";
	if (state & TASK_UNINTERRUPTIBLE)
		return state & TASK_WAKEKILL ? "killable" : "uninterruptible";
	return "stopped";
}

static bool headway_is_edge(const struct headway_txn_view *v)
{
	return v->waiting && v->owner.held;
}

static int headway_graph_show(struct seq_file *m, void *iterator)
{
	u32 i = headway_snapshot_index(iterator);
	struct headway_snapshot *s = m->private;
	const struct headway_txn_view *v;

	if (!i) {
		headway_head(m, "graph");
		seq_puts(m, "# who waits for whom; holder_state: of the holder's task\n");
		headway_show_live(m, s);
		return 0;
	}
	v = &s->views[i - 1];
	if (i > s->n || !headway_is_edge(v))
		return 0;
	headway_put_name(m, "waiter", v->comm);
	seq_printf(m, " waiter_pid=%d", v->pid);
	headway_put_name(m, " lock", v->lock_name);
	seq_printf(m, " rank=%u key=%llu", v->lock_rank, v->lock_key);
	headway_put_name(m, " holder", v->owner.comm);
	seq_printf(m, " holder_pid=%d holder_state=%s wait_ns=%llu\n", v->owner.pid,
		   headway_state_name(v->owner.task_state),
		   headway_since(s->at_ns, v->wait_since_ns));
	return 0;
}

/*
 * graph_dot. A task has one transaction of a domain at most, so its pid names the node. Cleaned
 * names have nothing that would need an escape in a quoted string; # begins a comment in DOT too.
 */

static bool headway_is_live(const struct headway_snapshot *s, pid_t pid)
{
	u32 i;

	for (i = 0; i < s->n; i++)
		if (s->views[i].pid == pid)
			return true;
	return false;
}

static void headway_dot_node(struct seq_file *m, pid_t pid, const char *comm, u32 nr_held,
			     u32 restarts, const char *what)
{
	char clean[HEADWAY_CLEAN_MAX];

	seq_printf(m, "\tt%d [label=\"%s (%d)\\n%s, holds %u\\nrestarts %u\"];\n", pid,
		   headway_clean(clean, comm), pid, what, nr_held, restarts);
}

static void headway_dot_edge(struct seq_file *m, const struct headway_snapshot *s,
			     const struct headway_txn_view *v)
{
	const struct headway_owner *owner = &v->owner;
	char clean[HEADWAY_CLEAN_MAX];

	/* A holder that met no conflict is not among the copies. */
	if (!headway_is_live(s, owner->pid))
		headway_dot_node(m, owner->pid, owner->comm, owner->nr_held, owner->restarts,
				 headway_state_name(owner->task_state));
	seq_printf(m, "\tt%d -> t%d [label=\"%s (%u, %llu)\\n%llu ms\"];\n", v->pid, owner->pid,
		   headway_clean(clean, v->lock_name), v->lock_rank, v->lock_key,
		   div_u64(headway_since(s->at_ns, v->wait_since_ns), NSEC_PER_MSEC));
}

static int headway_graph_dot_show(struct seq_file *m, void *iterator)
{
	u32 i = headway_snapshot_index(iterator);
	struct headway_snapshot *s = m->private;
	const struct headway_txn_view *v;

	if (!i) {
		headway_head(m, "graph_dot");
		seq_puts(m, "# for dot -Tsvg: from waiter to holder, by the lock (rank, key)\n");
		headway_show_live(m, s);
		seq_printf(m, "digraph \"%s\" {\n", s->domain);
		return 0;
	}
	if (i > s->n) {
		seq_puts(m, "}\n");
		return 0;
	}
	v = &s->views[i - 1];
	headway_dot_node(m, v->pid, v->comm, v->nr_held, v->restarts,
			 v->waiting ? "waiting" : v->backing_off ? "backing off" : "running");
	if (headway_is_edge(v))
		headway_dot_edge(m, s, v);
	return 0;
}

#define HEADWAY_SNAPSHOT_FILE(name, stacks) \
static const struct seq_operations headway_##name##_sops = { \
	.start = headway_snapshot_start, \
	.next = headway_snapshot_next, \
	.stop = headway_snapshot_stop, \
	.show = headway_##name##_show, \
}; \
static int headway_##name##_open(struct inode *inode, struct file *file) \
{ \
	return headway_snapshot_open(inode, file, &headway_##name##_sops, stacks); \
} \
const struct file_operations headway_##name##_fops = { \
	.owner = THIS_MODULE, \
	.open = headway_##name##_open, \
	.read = seq_read, \
	.llseek = seq_lseek, \
	.release = headway_snapshot_release, \
}

HEADWAY_SNAPSHOT_FILE(transactions, true);
HEADWAY_SNAPSHOT_FILE(graph, false);
HEADWAY_SNAPSHOT_FILE(graph_dot, false);
