/* SPDX-License-Identifier: GPL-2.0 */
/*
 * metrics.h - what `headway export` shows, as families of metrics: of processes (metrics.c) and of
 * the kernel's domains and watched loops (metrics_kernel.c).
 */
#ifndef HEADWAY_METRICS_H
#define HEADWAY_METRICS_H

#include "guest.h"
#include "kernelfs.h"
#include "metrics_text.h"
#include "tally.h"

struct headway_metrics {
	struct headway_tally tally;
	/* By enum headway_source, then verdict: announced so far. */
	uint64_t findings[2][HEADWAY_NR_VERDICTS];
	uint64_t scrapes;
	uint64_t times_lost;
	size_t max_series;		/* of processes, of locks, of domains, of kernel locks */
	struct headway_metrics_kernel *kernel;	/* NULL: the kernel is not watched */
};

/* All families, and the end. */
void headway_metrics_print(struct headway_metrics *m, const struct headway_scene *scene,
			   struct headway_metrics_text *t);

/*
 * names: domains or loops; nr 0: all. root: as of headway_kernelfs_open(). NULL: no memory. What
 * cannot be read is left out of the page and counted there, as domains come and go.
 */
struct headway_metrics_kernel *headway_metrics_kernel_new(const char *const *names, size_t nr,
							  size_t max_series, const char *root);
void headway_metrics_kernel_print(struct headway_metrics_kernel *k,
				  struct headway_metrics_text *t);
void headway_metrics_kernel_free(struct headway_metrics_kernel *k);

#endif /* HEADWAY_METRICS_H */
