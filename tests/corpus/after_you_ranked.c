// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of after_you: the same questions over the same socket, but when both want to go, one
 * has the right of way; it alternates.
 *
 * Lock order: none.
 */
#include "door.h"

static CORPUS_SITE bool pass_by_rank(struct corpus_actor *self, uint64_t round)
{
	uint64_t other_wants;

	unit_tried(self);
	if (!exchange(sockets[self->index], 1, &other_wants))
		return false;
	if (other_wants && round % 2 != self->index)
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
	} while (!corpus_stopped() && pass_by_rank(self, round));
}

int main(void)
{
	return door_main(passer);
}
