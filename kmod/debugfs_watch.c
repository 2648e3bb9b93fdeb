// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs_watch.c - the files of a watchdog, be it a domain's or a loop's: events, watchdog; and
 * its part of summary.
 *
 * i_private is the struct headway_watch. Format and rules: see debugfs.c and debugfs_ctl.c.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "debugfs.h"
#include "watch.h"

static u64 headway_per_second(u64 count, u64 ns)
{
	return ns ? mul_u64_u64_div_u64(count, NSEC_PER_SEC, ns) : 0;
}

/**
 * headway_show_window - the last full window's lines of summary
 * @m: file
 * @w: its figures
 */
void headway_show_window(struct seq_file *m, const struct headway_window *w)
{
	seq_printf(m, "window_ns=%llu\n", w->length_ns);
	seq_printf(m, "window_attempts=%llu\n", w->attempts);
	seq_printf(m, "window_commits=%llu\n", w->commits);
	seq_printf(m, "window_rollbacks=%llu\n", w->rollbacks);
	seq_printf(m, "commits_per_s=%llu\n", headway_per_second(w->commits, w->length_ns));
	seq_printf(m, "rollbacks_per_s=%llu\n", headway_per_second(w->rollbacks, w->length_ns));
}

/**
 * headway_show_verdict - the verdict's lines of summary
 * @m: file
 * @report: of the watchdog
 */
void headway_show_verdict(struct seq_file *m, const struct headway_report *report)
{
	seq_printf(m, "verdict=%s\n", headway_verdict_name(report->verdict));
	seq_printf(m, "verdict_since_ns=%llu\n", report->since_ns);
}

static void headway_show_event(struct seq_file *m, const struct headway_event *e)
{
	seq_printf(m, "at_ns=%llu event=%s", e->at_ns, headway_event_name(e->kind));
	if (e->kind == HEADWAY_EVENT_VERDICT) {
		seq_printf(m, " from=%s to=%s after_ns=%llu commits=%llu rollbacks=%llu",
			   headway_verdict_name(e->from), headway_verdict_name(e->to), e->after_ns,
			   e->commits, e->rollbacks);
		seq_printf(m, " in_flight=%llu actors=%u detail=%s\n", e->in_flight, e->actors,
			   *e->detail ? e->detail : "-");
	} else {
		seq_printf(m, " policy_from=%s policy_to=%s after_ns=%llu took_ns=%llu\n",
			   headway_policy_name(e->policy_from), headway_policy_name(e->policy_to),
			   e->after_ns, e->took_ns);
	}
}

static int headway_events_show(struct seq_file *m, void *unused)
{
	struct headway_report *report;
	u64 i, n;

	report = kvmalloc(sizeof(*report), GFP_KERNEL);
	if (!report)
		return -ENOMEM;
	headway_watch_report(m->private, report);
	n = min_t(u64, report->nr_events, HEADWAY_EVENTS);
	headway_head(m, "events");
	seq_printf(m, "# the last %llu of %llu; at: boot clock; counts: of the window that decided\n",
		   n, report->nr_events);
	if (headway_watch_escalates(m->private))
		seq_puts(m, "# after_ns of escalate and recover: since the verdict livelock; of restore\n"
			 "# and override: since escalate; took_ns: the change of the policy\n");
	for (i = 0; i < n; i++)
		headway_show_event(m, &report->events[i]);
	kvfree(report);
	return 0;
}

static int headway_events_open(struct inode *inode, struct file *file)
{
	return single_open(file, headway_events_show, inode->i_private);
}

const struct file_operations headway_events_fops = {
	.owner = THIS_MODULE,
	.open = headway_events_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static int headway_watchdog_show(struct seq_file *m, void *unused)
{
	struct headway_report *report;

	report = kvmalloc(sizeof(*report), GFP_KERNEL);
	if (!report)
		return -ENOMEM;
	headway_watch_report(m->private, report);
	headway_head(m, "watchdog");
	seq_puts(m, "# write label=value, one or more: all are applied, or none\n"
		 "# rollbacks_min: fewer in a window are no evidence\n"
		 "# contended_ratio_pct: rollbacks per 100 commits\n"
		 "# restarts_max, wait_max_ns: of one that waits or retries; more is starvation\n");
	seq_printf(m, "window_ns=%llu\nrollbacks_min=%u\ncontended_ratio_pct=%u\n",
		   report->settings.window_ns, report->settings.limits.rollbacks_min,
		   report->settings.limits.contended_ratio);
	seq_printf(m, "restarts_max=%u\nwait_max_ns=%llu\n", report->settings.limits.restarts_max,
		   report->settings.limits.wait_max_ns);
	if (headway_watch_escalates(m->private)) {
		seq_puts(m, "# escalate: 1: a livelock makes the policy serial, and so many\n"
			 "# healthy_windows make it again what it was; twice as many after each\n"
			 "# relapse. A policy that is written meanwhile stays\n");
		seq_printf(m, "escalate=%d\nhealthy_windows=%u\n", report->settings.escalate,
			   report->settings.healthy_windows);
	}
	kvfree(report);
	return 0;
}

static int headway_watchdog_open(struct inode *inode, struct file *file)
{
	return single_open(file, headway_watchdog_show, inode->i_private);
}

enum headway_setting {
	HEADWAY_SET_WINDOW,
	HEADWAY_SET_ROLLBACKS,
	HEADWAY_SET_RATIO,
	HEADWAY_SET_RESTARTS,
	HEADWAY_SET_WAIT,
	HEADWAY_SET_ESCALATE,
	HEADWAY_SET_HEALTHY,
	HEADWAY_NR_SETTINGS,
};

static const char * const headway_setting_names[] = {
	[HEADWAY_SET_WINDOW] = "window_ns",
	[HEADWAY_SET_ROLLBACKS] = "rollbacks_min",
	[HEADWAY_SET_RATIO] = "contended_ratio_pct",
	[HEADWAY_SET_RESTARTS] = "restarts_max",
	[HEADWAY_SET_WAIT] = "wait_max_ns",
	[HEADWAY_SET_ESCALATE] = "escalate",
	[HEADWAY_SET_HEALTHY] = "healthy_windows",
};

struct headway_edit {
	bool given[HEADWAY_NR_SETTINGS];
	u64 value[HEADWAY_NR_SETTINGS];
};

/* Too large for the setting becomes the largest, which is out of bounds and so refused. */
static void headway_edit_count(const struct headway_edit *edit, enum headway_setting which,
			       u32 *setting)
{
	if (edit->given[which])
		*setting = min_t(u64, edit->value[which], U32_MAX);
}

static void headway_edit_apply(struct headway_watch_settings *settings, const void *arg)
{
	const struct headway_edit *edit = arg;

	if (edit->given[HEADWAY_SET_WINDOW])
		settings->window_ns = edit->value[HEADWAY_SET_WINDOW];
	if (edit->given[HEADWAY_SET_WAIT])
		settings->limits.wait_max_ns = edit->value[HEADWAY_SET_WAIT];
	headway_edit_count(edit, HEADWAY_SET_ROLLBACKS, &settings->limits.rollbacks_min);
	headway_edit_count(edit, HEADWAY_SET_RATIO, &settings->limits.contended_ratio);
	headway_edit_count(edit, HEADWAY_SET_RESTARTS, &settings->limits.restarts_max);
	headway_edit_count(edit, HEADWAY_SET_HEALTHY, &settings->healthy_windows);
	if (edit->given[HEADWAY_SET_ESCALATE])
		settings->escalate = edit->value[HEADWAY_SET_ESCALATE];
}

/*
 * Return: 0; -EINVAL: not label=number words, or a label that is not of this watchdog; -ERANGE: a
 * number beyond 64 bits, or neither 0 nor 1.
 */
static int headway_edit_parse(char *text, bool escalates, struct headway_edit *edit)
{
	char *word, *value;
	int which, ret;

	while ((word = strsep(&text, " \t\n"))) {
		if (!*word)
			continue;
		value = strchr(word, '=');
		if (!value)
			return -EINVAL;
		*value++ = '\0';
		which = match_string(headway_setting_names, HEADWAY_NR_SETTINGS, word);
		if (which < 0)
			return which;
		ret = kstrtou64(value, 10, &edit->value[which]);
		if (ret)
			return ret;
		edit->given[which] = true;
	}
	if (edit->given[HEADWAY_SET_ESCALATE] && edit->value[HEADWAY_SET_ESCALATE] > 1)
		return -ERANGE;
	if (!escalates && (edit->given[HEADWAY_SET_ESCALATE] || edit->given[HEADWAY_SET_HEALTHY]))
		return -EINVAL;
	return 0;
}

static ssize_t headway_watchdog_write(struct file *file, const char __user *ubuf, size_t count,
				      loff_t *pos)
{
	struct headway_watch *watch = file_inode(file)->i_private;
	struct headway_edit edit = {};
	char buffer[HEADWAY_WRITE_MAX], *text;
	int ret;

	text = headway_get_text(ubuf, count, buffer);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = *text ? headway_edit_parse(text, headway_watch_escalates(watch), &edit) : -EINVAL;
	if (!ret)
		ret = headway_watch_configure(watch, headway_edit_apply, &edit);
	return ret ?: count;
}

const struct file_operations headway_watchdog_fops = {
	.owner = THIS_MODULE,
	.open = headway_watchdog_open,
	.read = seq_read,
	.write = headway_watchdog_write,
	.llseek = seq_lseek,
	.release = single_release,
};
