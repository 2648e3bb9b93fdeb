// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs.c - the directory /sys/kernel/debug/headway, and its files that are only read.
 *
 * Format 1: the first line names the file and the format; other lines that begin with # are for
 * people; the rest is label=value words, units as label suffixes. debugfs.md documents each label
 * of each file, and the kunit tier checks that it does. Files only: figures come from
 * stats.c and progress.c. Directory and files are root's alone. debugfs_ctl.c has those that are
 * written, debugfs_locks.c those of locks, debugfs_live.c those of live transactions,
 * debugfs_watch.c the watchdog's, debugfs_loops.c those of loops, debugfs_arbiter.c those of
 * arbiters; userspace/kernelfs.c is the reader.
 *
 * A file that is open keeps its domain from going away only while it is being read or written:
 * debugfs_remove() waits for that and lets nobody in after it. So what blocks here is bounded: a
 * policy change by its own 10 s.
 *
 * Lock order: locks_mutex > lock->wait_lock. Nothing is printed under a spinlock.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "adaptive.h"
#include "debugfs.h"
#include "progress.h"

static struct dentry *headway_dir;
static struct dentry *headway_domains_dir;
static struct dentry *headway_loops_dir;

/**
 * headway_head - write a file's first line
 * @m: file
 * @file: its name
 */
void headway_head(struct seq_file *m, const char *file)
{
	seq_printf(m, "# headway.%s v1\n", file);
}

/**
 * headway_put_name - write a name as a value: one word
 * @m: file
 * @label: of the value
 * @name: anything
 */
void headway_put_name(struct seq_file *m, const char *label, const char *name)
{
	char clean[HEADWAY_CLEAN_MAX];

	seq_printf(m, "%s=%s", label, headway_clean(clean, name));
}

static int headway_version_show(struct seq_file *m, void *unused)
{
	headway_head(m, "version");
	seq_printf(m, "module=%s format=1\n", HEADWAY_VERSION);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(headway_version);

/* summary */

static void headway_show_counters(struct seq_file *m, const struct headway_sums *sums,
				  const struct headway_sums *base)
{
	int i;

	seq_printf(m, "in_flight=%llu\n", sums->in_flight);
	seq_printf(m, "begun=%llu\n", headway_since(sums->begun, base->begun));
	seq_printf(m, "attempts=%llu\n", headway_since(sums->attempts, base->attempts));
	for (i = 0; i < HEADWAY_NR_STATS; i++)
		seq_printf(m, "%s=%llu\n", headway_stat_name(i),
			   headway_since(sums->stat[i], base->stat[i]));
}

static void headway_show_escalation(struct seq_file *m, struct headway_domain *domain, bool on)
{
	struct headway_escalation_report r;

	headway_progress_escalation(domain, &r);
	seq_printf(m, "escalate=%d\nescalated=%d\n", on, r.raised);
	seq_printf(m, "escalation_healthy_windows=%u\n", r.healthy);
	seq_printf(m, "escalation_needs_windows=%u\n", r.need);
	seq_printf(m, "escalations=%llu\nescalation_restores=%llu\n", r.escalations, r.restores);
	seq_printf(m, "escalation_overrides=%llu\n", r.overrides);
	seq_printf(m, "escalation_refusals=%llu\n", r.refusals);
	seq_printf(m, "escalation_relapses=%llu\n", r.relapses);
	seq_printf(m, "last_escalation_ns=%llu\n", r.last_escalation_ns);
	seq_printf(m, "last_recovery_ns=%llu\n", r.last_recovery_ns);
	seq_printf(m, "last_restore_ns=%llu\n", r.last_restore_ns);
}

static void headway_show_adaptive(struct seq_file *m, const struct headway_domain *domain)
{
	struct headway_adapt report;
	int i;

	headway_adaptive_report(domain, &report);
	seq_printf(m, "adaptive_arm=%s\n", headway_policy_name(READ_ONCE(domain->arm)));
	seq_printf(m, "adaptive_why=%s\n", headway_why_name(report.why));
	seq_printf(m, "adaptive_trials=%llu\n", report.trials);
	seq_printf(m, "adaptive_comparisons=%llu\n", report.comparisons);
	seq_printf(m, "adaptive_switches=%llu\n", report.switches);
	for (i = 0; i < HEADWAY_ARMS; i++) {
		const char *name = headway_policy_name(headway_arms[i]);

		seq_printf(m, "adaptive_%s_commits_per_s=%llu\n", name,
			   report.rate[i].commits_per_s);
		seq_printf(m, "adaptive_%s_rollbacks_per_1000_commits=%llu\n", name,
			   report.rate[i].rollbacks_per_1000);
	}
}

static int headway_summary_show(struct seq_file *m, void *unused)
{
	struct headway_domain *domain = m->private;
	struct headway_sums sums, base;
	struct headway_report *report;
	int i;

	report = kvmalloc(sizeof(*report), GFP_KERNEL);
	if (!report)
		return -ENOMEM;
	headway_watch_report(&domain->watch, report);
	headway_progress_base(domain, &base);
	headway_domain_sum(domain, &sums);
	headway_head(m, "summary");
	seq_puts(m, "# verdict_since_ns: boot clock; window_*: the last full window\n"
		 "# escalated: the policy is serial until escalation_needs_windows are healthy\n"
		 "# last_escalation_ns, last_recovery_ns: from the verdict livelock to serial,\n"
		 "# and to the first verdict that is no alarm; last_restore_ns: of serial\n");
	for (i = 0; i < HEADWAY_NR_STATS; i++)
		seq_printf(m, "# %s: %s\n", headway_stat_name(i), headway_stat_help(i));
	headway_put_name(m, "domain", domain->name);
	seq_printf(m, "\npolicy=%s\n", headway_policy_name(READ_ONCE(domain->policy)));
	if (READ_ONCE(domain->policy) == HEADWAY_POLICY_ADAPTIVE)
		headway_show_adaptive(m, domain);
	seq_printf(m, "epoch=%u\n", READ_ONCE(domain->epoch));
	headway_show_verdict(m, report);
	seq_printf(m, "locks=%u\n", READ_ONCE(domain->nr_locks));
	headway_show_counters(m, &sums, &base);
	headway_show_window(m, &report->window);
	seq_printf(m, "last_flip_ns=%llu\n", READ_ONCE(domain->last_flip_ns));
	seq_printf(m, "flipping=%d\n", headway_gate_is_shut(domain));
	headway_show_escalation(m, domain, report->settings.escalate);
	kvfree(report);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(headway_summary);

static const struct {
	const char *name;
	umode_t mode;
	const struct file_operations *fops;
	bool watch;			/* i_private is the watchdog, not the domain */
} headway_files[] = {
	{ "summary", 0400, &headway_summary_fops },
	{ "locks", 0400, &headway_locks_fops },
	{ "histograms", 0400, &headway_histograms_fops },
	{ "transactions", 0400, &headway_transactions_fops },
	{ "graph", 0400, &headway_graph_fops },
	{ "graph_dot", 0400, &headway_graph_dot_fops },
	{ "events", 0400, &headway_events_fops, true },
	{ "policy", 0600, &headway_policy_fops },
	{ "watchdog", 0600, &headway_watchdog_fops, true },
	{ "reset", 0200, &headway_reset_fops },
};

/**
 * headway_mkdir - make a directory
 * @name: its name
 * @parent: where; NULL = debugfs's root
 *
 * debugfs makes directories that all may search; ours are root's, wherever debugfs is mounted.
 */
struct dentry *headway_mkdir(const char *name, struct dentry *parent)
{
	struct dentry *dir = debugfs_create_dir(name, parent);

	if (!IS_ERR(dir))
		d_inode(dir)->i_mode = S_IFDIR | 0700;
	return dir;
}

/**
 * headway_debugfs_add - make a domain's directory
 * @domain: domain whose watchdog runs; its name has no slash
 */
void headway_debugfs_add(struct headway_domain *domain)
{
	void *watch = &domain->watch;
	size_t i;

	domain->debugfs = headway_mkdir(domain->name, headway_domains_dir);
	for (i = 0; i < ARRAY_SIZE(headway_files); i++)
		debugfs_create_file(headway_files[i].name, headway_files[i].mode, domain->debugfs,
				    headway_files[i].watch ? watch : domain,
				    headway_files[i].fops);
}

/**
 * headway_debugfs_remove - remove a domain's directory
 * @domain: registered domain; its watchdog still runs
 *
 * Waits for readers and writers that are inside.
 */
void headway_debugfs_remove(struct headway_domain *domain)
{
	debugfs_remove(domain->debugfs);
	domain->debugfs = NULL;
}

/**
 * headway_debugfs_loop_dir - make a loop's directory
 * @name: without a slash
 *
 * Return: the directory, or an ERR_PTR() that debugfs's functions take.
 */
struct dentry *headway_debugfs_loop_dir(const char *name)
{
	return headway_mkdir(name, headway_loops_dir);
}

/**
 * headway_debugfs_init - make the root directory and the version file
 *
 * Without debugfs there are no files, and nothing else changes.
 */
void headway_debugfs_init(void)
{
	headway_dir = headway_mkdir("headway", NULL);
	headway_domains_dir = headway_mkdir("domains", headway_dir);
	headway_debugfs_init_arbiters(headway_dir);
	headway_loops_dir = headway_mkdir("loops", headway_dir);
	debugfs_create_file("version", 0400, headway_dir, NULL, &headway_version_fops);
}

/**
 * headway_debugfs_exit - remove everything
 *
 * All domains and loops are gone.
 */
void headway_debugfs_exit(void)
{
	debugfs_remove(headway_dir);
}
