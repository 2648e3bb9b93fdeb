// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs_locks.c - the files of a domain's locks: locks, histograms.
 *
 * A page of text is filled with locks_mutex held, and then it is let go: whoever takes a lock for
 * the first time is not kept waiting by a reader of a hundred thousand. The next page goes on where
 * the last one ended if no lock has left the list since; otherwise its place is counted from the
 * front, and of locks that came before it and left, as many that come after it are not shown.
 *
 * Lock order: locks_mutex > lock->wait_lock. Nothing is printed under a spinlock.
 */
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "debugfs.h"
#include "internal.h"

/* One open file. seq_file's mutex, and locks_mutex for what is read of the domain. */
struct headway_listing {
	struct headway_domain *domain;
	struct list_head *at;		/* where the last page ended; NULL = at the end, or new */
	loff_t index;			/* of @at */
	u32 gone;			/* domain->locks_gone, then */
};

static struct headway_domain *headway_locks_of(struct seq_file *m)
{
	struct headway_listing *listing = m->private;

	return listing->domain;
}

static void *headway_locks_start(struct seq_file *m, loff_t *pos)
{
	struct headway_listing *listing = m->private;
	struct headway_domain *domain = listing->domain;

	mutex_lock(&domain->locks_mutex);
	if (listing->at && listing->index == *pos && listing->gone == domain->locks_gone)
		return listing->at;
	return seq_list_start_head(&domain->locks, *pos);
}

static void *headway_locks_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &headway_locks_of(m)->locks, pos);
}

/* m->index is the place of @v here: seq_file begins the next page with it. */
static void headway_locks_stop(struct seq_file *m, void *v)
{
	struct headway_listing *listing = m->private;

	listing->at = v;
	listing->index = m->index;
	listing->gone = listing->domain->locks_gone;
	mutex_unlock(&listing->domain->locks_mutex);
}

static int headway_locks_open_as(const struct seq_operations *sops, struct inode *inode,
				 struct file *file)
{
	struct headway_listing *listing = __seq_open_private(file, sops, sizeof(*listing));

	if (!listing)
		return -ENOMEM;
	listing->domain = inode->i_private;
	return 0;
}

static void headway_show_times(struct seq_file *m, const char *prefix, const char *count,
			       const struct headway_time_hist *hist)
{
	u64 n = hist->count;

	seq_printf(m, " %s-%s=%llu %s-min_ns=%llu %s-max_ns=%llu %s-total_ns=%llu %s-avg_ns=%llu",
		   prefix, count, n, prefix, n ? hist->min_ns : 0, prefix, hist->max_ns, prefix,
		   hist->total_ns, prefix, n ? div64_u64(hist->total_ns, n) : 0);
}

static void headway_locks_head(struct seq_file *m)
{
	headway_head(m, "locks");
	seq_printf(m, "# holdtime: 1 hold in %u is timed\n",
		   READ_ONCE(headway_hold_sample_mask) + 1);
	if (!static_key_enabled(&headway_stats_key))
		seq_puts(m, "# statistics are off: /sys/module/headway/parameters/stats\n");
}

static int headway_locks_show(struct seq_file *m, void *v)
{
	struct headway_domain *domain = headway_locks_of(m);
	struct headway_lock_figures figures;
	struct headway_owner owner;
	struct headway_lock *lock;

	if (v == &domain->locks) {
		headway_locks_head(m);
		return 0;
	}
	lock = list_entry(v, struct headway_lock, stats.node);
	headway_stats_read(lock, &figures);
	headway_lock_owner(lock, &owner);
	headway_put_name(m, "name", lock->stats.name);
	seq_printf(m, " rank=%u key=%llu acquisitions=%llu contentions=%llu rollbacks=%llu",
		   lock->rank, lock->key, figures.acquired, figures.contended, figures.rollbacks);
	headway_show_times(m, "waittime", "count", &figures.wait);
	headway_show_times(m, "holdtime", "samples", &figures.hold);
	headway_put_name(m, " holder", owner.held ? owner.comm : "");
	seq_printf(m, " holder_pid=%d waiters=%u\n", owner.pid, headway_lock_nr_waiters(lock));
	return 0;
}

static const struct seq_operations headway_locks_sops = {
	.start = headway_locks_start,
	.next = headway_locks_next,
	.stop = headway_locks_stop,
	.show = headway_locks_show,
};

static int headway_locks_open(struct inode *inode, struct file *file)
{
	return headway_locks_open_as(&headway_locks_sops, inode, file);
}

const struct file_operations headway_locks_fops = {
	.owner = THIS_MODULE,
	.open = headway_locks_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

static void headway_show_hist(struct seq_file *m, const struct headway_lock *lock,
			      const char *kind, const struct headway_time_hist *hist)
{
	u64 count = 0;
	int b;

	/* Its own sum, not hist->count, which may be one behind: a reader can rely on it. */
	for (b = 0; b < HEADWAY_HIST_BUCKETS; b++)
		count += hist->bucket[b];
	if (!count)
		return;
	headway_put_name(m, "lock", lock->stats.name);
	seq_printf(m, " kind=%s count=%llu", kind, count);
	for (b = 0; b < HEADWAY_HIST_BUCKETS; b++)
		if (hist->bucket[b])
			seq_printf(m, " b%d=%u", b, hist->bucket[b]);
	seq_putc(m, '\n');
}

static int headway_histograms_show(struct seq_file *m, void *v)
{
	struct headway_domain *domain = headway_locks_of(m);
	struct headway_lock_figures figures;
	struct headway_lock *lock;

	if (v == &domain->locks) {
		headway_head(m, "histograms");
		seq_puts(m, "# b<k>: times in [2^k, 2^(k+1)) ns; b0 from 0; the last one is open\n");
		return 0;
	}
	lock = list_entry(v, struct headway_lock, stats.node);
	headway_stats_read(lock, &figures);
	headway_show_hist(m, lock, "wait", &figures.wait);
	headway_show_hist(m, lock, "hold", &figures.hold);
	return 0;
}

static const struct seq_operations headway_histograms_sops = {
	.start = headway_locks_start,
	.next = headway_locks_next,
	.stop = headway_locks_stop,
	.show = headway_histograms_show,
};

static int headway_histograms_open(struct inode *inode, struct file *file)
{
	return headway_locks_open_as(&headway_histograms_sops, inode, file);
}

const struct file_operations headway_histograms_fops = {
	.owner = THIS_MODULE,
	.open = headway_histograms_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};
