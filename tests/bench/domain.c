// SPDX-License-Identifier: GPL-2.0
/*
 * domain.c - a headway domain with bench_pool locks, for sides whose locks stand alone; peers.c has
 * those that stand in objects.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "bench.h"

/* Return: false, with nothing left, if memory is out. */
bool bench_domain_open(struct bench_domain *d, const struct bench_side *side)
{
	unsigned int i;

	d->domain = headway_domain_create(side->name, side->policy);
	if (IS_ERR(d->domain))
		return false;
	d->locks = kvcalloc(bench_pool, sizeof(*d->locks), GFP_KERNEL);
	if (!d->locks) {
		headway_domain_destroy(d->domain);
		return false;
	}
	for (i = 0; i < bench_pool; i++)
		headway_lock_init(&d->locks[i], d->domain, 0, i, "bench");
	return true;
}

void bench_domain_close(struct bench_domain *d)
{
	unsigned int i;

	for (i = 0; i < bench_pool; i++)
		headway_lock_destroy(&d->locks[i]);
	headway_domain_destroy(d->domain);
	kvfree(d->locks);
}
