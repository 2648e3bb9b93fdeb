// SPDX-License-Identifier: GPL-2.0
/*
 * probe_room.c - processes that should be watched and found no room in the map of targets.
 *
 * They are told at each snapshot, and tried again before it: those that were watched end, and then
 * there is room. What a member of a group does meanwhile is counted as lost.
 */
#include "probe_internal.h"

#include <errno.h>
#include <stdlib.h>

int headway_probe_leave_out(struct headway_probe *p, const struct headway_outsider *who)
{
	struct headway_proc_thread leader;
	struct headway_outsider *more;

	/* It has ended meanwhile. */
	if (headway_proc_process(who->pid, &leader))
		return 0;
	if (p->nr_outsiders == p->cap_outsiders) {
		size_t cap = p->cap_outsiders ? 2 * p->cap_outsiders : 16;

		more = reallocarray(p->outsiders, cap, sizeof(*more));
		if (!more)
			return -ENOMEM;
		p->outsiders = more;
		p->cap_outsiders = cap;
	}
	p->outsiders[p->nr_outsiders] = *who;
	p->outsiders[p->nr_outsiders++].start_ns = leader.start_ns;
	return 0;
}

/* Is it the same process still? */
static bool is_there(const struct headway_outsider *who)
{
	struct headway_proc_thread leader;

	return !headway_proc_process(who->pid, &leader) && leader.start_ns == who->start_ns;
}

void headway_probe_forget_outsiders(struct headway_probe *p, bool members)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->nr_outsiders; i++)
		if (p->outsiders[i].member != members)
			p->outsiders[kept++] = p->outsiders[i];
	p->nr_outsiders = kept;
}

int headway_probe_retry_outsiders(struct headway_probe *p, bool members, headway_admit_fn admit)
{
	size_t nr = p->nr_outsiders, kept = 0;
	int err = 0;

	/* Who finds no room again is put behind these. */
	for (size_t i = 0; i < nr && !err; i++) {
		struct headway_outsider who = p->outsiders[i];

		if (who.member != members)
			p->outsiders[kept++] = who;
		else if (is_there(&who))
			err = admit(p, who.pid, who.key_tgid);
	}
	if (err)
		return err;
	for (size_t i = nr; i < p->nr_outsiders; i++)
		p->outsiders[kept++] = p->outsiders[i];
	p->nr_outsiders = kept;
	return 0;
}
