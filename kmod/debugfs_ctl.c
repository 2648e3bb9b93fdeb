// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs_ctl.c - the files of a domain that change something: policy, watchdog, reset.
 *
 * Input is one write of a short text. Whatever is not understood changes nothing.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "debugfs.h"
#include "progress.h"

#define HEADWAY_WRITE_MAX 256

/* The whole of one write as a trimmed string, or an error: -EINVAL for what is no short text. */
static char *headway_get_text(const char __user *ubuf, size_t count, char text[HEADWAY_WRITE_MAX])
{
	if (!count || count >= HEADWAY_WRITE_MAX)
		return ERR_PTR(-EINVAL);
	if (copy_from_user(text, ubuf, count))
		return ERR_PTR(-EFAULT);
	text[count] = '\0';
	if (strlen(text) != count)
		return ERR_PTR(-EINVAL);
	return strim(text);
}

static struct headway_domain *headway_file_domain(struct file *file)
{
	return file_inode(file)->i_private;
}

static int headway_policy_show(struct seq_file *m, void *unused)
{
	struct headway_domain *domain = m->private;
	int i;

	headway_head(m, "policy");
	for (i = 0; i < HEADWAY_NR_POLICIES; i++)
		seq_printf(m, "# %s: %s\n", headway_policy_name(i), headway_policy_help(i));
	seq_printf(m, "current=%s\n", headway_policy_name(READ_ONCE(domain->policy)));
	for (i = 0; i < HEADWAY_NR_POLICIES; i++)
		seq_printf(m, "policy=%s\n", headway_policy_name(i));
	return 0;
}

static int headway_policy_open(struct inode *inode, struct file *file)
{
	return single_open(file, headway_policy_show, inode->i_private);
}

static ssize_t headway_policy_write(struct file *file, const char __user *ubuf, size_t count,
				    loff_t *pos)
{
	char text[HEADWAY_WRITE_MAX], *name;
	int policy, ret;

	name = headway_get_text(ubuf, count, text);
	if (IS_ERR(name))
		return PTR_ERR(name);
	policy = headway_policy_parse(name);
	if (policy < 0)
		return policy;
	ret = headway_domain_set_policy(headway_file_domain(file), policy, NULL);
	return ret ?: count;
}

const struct file_operations headway_policy_fops = {
	.owner = THIS_MODULE,
	.open = headway_policy_open,
	.read = seq_read,
	.write = headway_policy_write,
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
		 "# restarts_max, wait_max_ns: of one transaction; more is starvation\n");
	seq_printf(m, "window_ns=%llu\nrollbacks_min=%u\ncontended_ratio_pct=%u\n",
		   report->settings.window_ns, report->settings.limits.rollbacks_min,
		   report->settings.limits.contended_ratio);
	seq_printf(m, "restarts_max=%u\nwait_max_ns=%llu\n", report->settings.limits.restarts_max,
		   report->settings.limits.wait_max_ns);
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
	HEADWAY_NR_SETTINGS,
};

static const char * const headway_setting_names[] = {
	[HEADWAY_SET_WINDOW] = "window_ns",
	[HEADWAY_SET_ROLLBACKS] = "rollbacks_min",
	[HEADWAY_SET_RATIO] = "contended_ratio_pct",
	[HEADWAY_SET_RESTARTS] = "restarts_max",
	[HEADWAY_SET_WAIT] = "wait_max_ns",
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
}

/* Return: 0; -EINVAL: not label=number words; -ERANGE: a number beyond 64 bits. */
static int headway_edit_parse(char *text, struct headway_edit *edit)
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
	return 0;
}

static ssize_t headway_watchdog_write(struct file *file, const char __user *ubuf, size_t count,
				      loff_t *pos)
{
	struct headway_edit edit = {};
	char buffer[HEADWAY_WRITE_MAX], *text;
	int ret;

	text = headway_get_text(ubuf, count, buffer);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = *text ? headway_edit_parse(text, &edit) : -EINVAL;
	if (!ret)
		ret = headway_watch_configure(headway_file_domain(file), headway_edit_apply, &edit);
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

static ssize_t headway_reset_write(struct file *file, const char __user *ubuf, size_t count,
				   loff_t *pos)
{
	char buffer[HEADWAY_WRITE_MAX], *text;
	int ret;

	text = headway_get_text(ubuf, count, buffer);
	if (IS_ERR(text))
		return PTR_ERR(text);
	if (strcmp(text, "1"))
		return -EINVAL;
	ret = headway_stats_reset(headway_file_domain(file));
	return ret ?: count;
}

const struct file_operations headway_reset_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = headway_reset_write,
	.llseek = noop_llseek,
};
