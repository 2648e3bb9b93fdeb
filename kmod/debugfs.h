/* SPDX-License-Identifier: GPL-2.0 */
/*
 * debugfs.h - what the files of debugfs share.
 */
#ifndef HEADWAY_DEBUGFS_H
#define HEADWAY_DEBUGFS_H

#include <linux/types.h>

struct dentry;
struct file_operations;
struct headway_report;
struct headway_window;
struct seq_file;

#define HEADWAY_WRITE_MAX 256

extern const struct file_operations headway_policy_fops;
extern const struct file_operations headway_reset_fops;

char *headway_get_text(const char __user *ubuf, size_t count, char text[HEADWAY_WRITE_MAX]);

/* debugfs_watch.c; i_private: struct headway_watch */
extern const struct file_operations headway_events_fops;
extern const struct file_operations headway_watchdog_fops;
void headway_show_window(struct seq_file *m, const struct headway_window *w);
void headway_show_verdict(struct seq_file *m, const struct headway_report *report);

/* debugfs_locks.c */
extern const struct file_operations headway_locks_fops;
extern const struct file_operations headway_histograms_fops;

/* debugfs_live.c */
extern const struct file_operations headway_transactions_fops;
extern const struct file_operations headway_graph_fops;
extern const struct file_operations headway_graph_dot_fops;

/* debugfs.c */
struct dentry *headway_debugfs_loop_dir(const char *name);
void headway_head(struct seq_file *m, const char *file);
void headway_put_name(struct seq_file *m, const char *label, const char *name);
struct dentry *headway_mkdir(const char *name, struct dentry *parent);

/* debugfs_arbiter.c */
void headway_debugfs_init_arbiters(struct dentry *parent);

/* What was read first may have been read a moment later. */
static inline u64 headway_since(u64 now, u64 base)
{
	return now > base ? now - base : 0;
}

#endif /* HEADWAY_DEBUGFS_H */
