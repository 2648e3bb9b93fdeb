/* SPDX-License-Identifier: GPL-2.0 */
/*
 * debugfs.h - what debugfs.c and debugfs_ctl.c share.
 */
#ifndef HEADWAY_DEBUGFS_H
#define HEADWAY_DEBUGFS_H

struct file_operations;
struct seq_file;

extern const struct file_operations headway_policy_fops;
extern const struct file_operations headway_watchdog_fops;
extern const struct file_operations headway_reset_fops;

void headway_head(struct seq_file *m, const char *file);

#endif /* HEADWAY_DEBUGFS_H */
