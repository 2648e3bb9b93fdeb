// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs_loops.c - the files of watched loops: loops/NAME/{summary,actors,events,watchdog,reset}.
 *
 * Format and rules: see debugfs.c. A loop speaks a domain's words: what it gets done is a commit,
 * an attempt that fails is a rollback, an actor that leaves with nothing done is an abort.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "debugfs.h"
#include "loop.h"

static int headway_summary_show(struct seq_file *m, void *unused)
{
	struct headway_loop *loop = m->private;
	struct headway_counts counts, base;
	struct headway_report *report;

	report = kvmalloc(sizeof(*report), GFP_KERNEL);
	if (!report)
		return -ENOMEM;
	headway_watch_report(&loop->watch, report);
	headway_loop_base(loop, &base);
	headway_loop_count(loop, &counts);
	headway_head(m, "summary");
	seq_puts(m, "# verdict_since_ns: boot clock; window_*: the last full window\n"
		 "# in_flight: actors in the loop; listed: of them those that failed a few times\n"
		 "# commits: what was done; rollbacks: attempts that failed\n"
		 "# aborts: actors that left with nothing done\n");
	headway_put_name(m, "loop", loop->name);
	seq_putc(m, '\n');
	headway_show_verdict(m, report);
	seq_printf(m, "in_flight=%llu\nlisted=%u\n", counts.in_flight, READ_ONCE(loop->nr_live));
	seq_printf(m, "attempts=%llu\n", headway_since(counts.attempts, base.attempts));
	seq_printf(m, "commits=%llu\n", headway_since(counts.commits, base.commits));
	seq_printf(m, "aborts=%llu\n", headway_since(counts.aborts, base.aborts));
	seq_printf(m, "rollbacks=%llu\n", headway_since(counts.rollbacks, base.rollbacks));
	headway_show_window(m, &report->window);
	kvfree(report);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(headway_summary);

static void headway_show_actor(struct seq_file *m, const struct headway_loop_view *v, char *stack)
{
	u64 now_ns = ktime_get_ns();

	seq_printf(m, "pid=%d", v->pid);
	headway_put_name(m, " comm", v->comm);
	seq_printf(m, " restarts=%llu failing_ns=%llu attempt_ns=%llu", v->restarts,
		   v->failing_ns ? headway_since(now_ns, v->failing_ns) : 0,
		   headway_since(now_ns, v->attempt_ns));
	headway_stack_text(stack, HEADWAY_STACK_TEXT, &v->stack);
	seq_printf(m, " stack=%s\n", stack);
}

static int headway_actors_show(struct seq_file *m, void *unused)
{
	struct headway_loop *loop = m->private;
	struct headway_loop_view *views;
	char *stack;
	u32 i, n, live;

	views = kvmalloc_array(HEADWAY_VIEWS_MAX, sizeof(*views), GFP_KERNEL);
	stack = kmalloc(HEADWAY_STACK_TEXT, GFP_KERNEL);
	if (!views || !stack) {
		kvfree(views);
		kfree(stack);
		return -ENOMEM;
	}
	n = headway_loop_views_copy(loop, views, HEADWAY_VIEWS_MAX, &live);
	headway_head(m, "actors");
	seq_puts(m, "# those in the loop that failed a few times, or all while nothing gets done\n"
		 "# restarts: failures in a row; failing_ns: for how long; attempt_ns: the present one\n"
		 "# stack: at a retry after the last alarm or look at this file; - for none yet\n");
	if (live > n)
		seq_printf(m, "# the first %u of %u\n", n, live);
	for (i = 0; i < n; i++)
		headway_show_actor(m, &views[i], stack);
	headway_loop_ask_stacks(loop);
	kfree(stack);
	kvfree(views);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(headway_actors);

static ssize_t headway_loop_reset_write(struct file *file, const char __user *ubuf, size_t count,
					loff_t *pos)
{
	char buffer[HEADWAY_WRITE_MAX], *text;

	text = headway_get_text(ubuf, count, buffer);
	if (IS_ERR(text))
		return PTR_ERR(text);
	if (strcmp(text, "1"))
		return -EINVAL;
	headway_loop_reset(file_inode(file)->i_private);
	return count;
}

static const struct file_operations headway_loop_reset_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = headway_loop_reset_write,
	.llseek = noop_llseek,
};

/**
 * headway_debugfs_add_loop - make a loop's directory
 * @loop: loop whose watchdog runs; its name has no slash
 */
void headway_debugfs_add_loop(struct headway_loop *loop)
{
	loop->debugfs = headway_debugfs_loop_dir(loop->name);
	debugfs_create_file("summary", 0400, loop->debugfs, loop, &headway_summary_fops);
	debugfs_create_file("actors", 0400, loop->debugfs, loop, &headway_actors_fops);
	debugfs_create_file("events", 0400, loop->debugfs, &loop->watch, &headway_events_fops);
	debugfs_create_file("watchdog", 0600, loop->debugfs, &loop->watch, &headway_watchdog_fops);
	debugfs_create_file("reset", 0200, loop->debugfs, loop, &headway_loop_reset_fops);
}

/**
 * headway_debugfs_remove_loop - remove a loop's directory
 * @loop: registered loop; its watchdog still runs
 *
 * Waits for readers and writers that are inside.
 */
void headway_debugfs_remove_loop(struct headway_loop *loop)
{
	debugfs_remove(loop->debugfs);
	loop->debugfs = NULL;
}
