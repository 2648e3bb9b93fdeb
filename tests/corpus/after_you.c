// SPDX-License-Identifier: GPL-2.0
/*
 * Livelock between two processes without any lock: before it goes through the door each asks the
 * other over a socket whether it wants to, and steps back for one that does ("after you"). Both
 * want to, on the same grid, so both step back, for ever.
 *
 * Invariant: both have asked before either looks what the other one wants, since it waits for the
 * question of this round.
 *
 * Lock order: none.
 */
#include "door.h"

static CORPUS_SITE bool pass_politely(struct corpus_actor *self)
{
	uint64_t other_wants;

	unit_tried(self);
	if (!exchange(sockets[self->index], 1, &other_wants))
		return false;
	if (other_wants)
		corpus_fail(self);
	else
		unit_done(self);
	return true;
}

static void passer(struct corpus_actor *self)
{
	uint64_t round = 0;

	do {
		corpus_sleep_until(corpus_grid_ns(round++, GRID_NS));
	} while (!corpus_stopped() && pass_politely(self));
}

int main(void)
{
	return door_main(passer);
}
