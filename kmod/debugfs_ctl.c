// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs_ctl.c - the files of a domain that change something: policy, reset.
 *
 * Input is one write of a short text. Whatever is not understood changes nothing.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "debugfs.h"
#include "progress.h"

/**
 * headway_get_text - the whole of one write as a trimmed string
 * @ubuf: what was written
 * @count: its length
 * @text: where to
 *
 * Return: the string, in @text, or ERR_PTR(): -EINVAL for what is no short text, -EFAULT.
 */
char *headway_get_text(const char __user *ubuf, size_t count, char text[HEADWAY_WRITE_MAX])
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
	enum headway_policy policy = READ_ONCE(domain->policy);
	int i;

	headway_head(m, "policy");
	for (i = 0; i < HEADWAY_NR_POLICIES; i++)
		seq_printf(m, "# %s: %s\n", headway_policy_name(i), headway_policy_help(i));
	seq_printf(m, "current=%s\n", headway_policy_name(policy));
	if (policy == HEADWAY_POLICY_ADAPTIVE)
		seq_printf(m, "arm=%s\n", headway_policy_name(READ_ONCE(domain->arm)));
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
