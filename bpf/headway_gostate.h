/* SPDX-License-Identifier: GPL-2.0 */
/*
 * headway_gostate.h - what the BPF programs and the loader agree on about Go programs. Private to
 * them, as headway_state.h.
 */
#ifndef HEADWAY_GOSTATE_H
#define HEADWAY_GOSTATE_H

#include "headway_abi.h"

enum headway_gostate_limits {
	HEADWAY_MAX_GOOWNERS = 16384,	/* locked mutexes; those used longest ago go first */
};

/* What an instruction of a Go program that is probed tells about a sync.Mutex. */
enum headway_gosite_kind {
	HEADWAY_GO_TRY_TEST = 1,	/* TryLock saw it locked, or not (ZF) */
	HEADWAY_GO_TRY_CAS,		/* TryLock tried to take it: ZF says whether it did */
	HEADWAY_GO_LOCK_CAS,		/* Lock, the fast path, likewise */
	HEADWAY_GO_LOCK_SLOW,		/* Lock begins to wait */
	HEADWAY_GO_LOCK_DONE,		/* and has it */
	HEADWAY_GO_UNLOCK,
};

/*
 * The cookie of such a probe: the kind, where the mutex is (an operand of an instruction: registers
 * by their place in struct pt_regs, 31 none), and where a goroutine keeps its id.
 */
enum headway_gosite_cookie {
	HEADWAY_GO_DISP_SHIFT = 32,	/* signed, 32 bits */
	HEADWAY_GO_KIND_SHIFT = 0,	/* 4 bits */
	HEADWAY_GO_BASE_SHIFT = 4,	/* 5 bits */
	HEADWAY_GO_INDEX_SHIFT = 9,	/* 5 bits */
	HEADWAY_GO_SCALE_SHIFT = 14,	/* 2 bits: log2 */
	HEADWAY_GO_INVERT_SHIFT = 16,	/* ZF clear means yes */
	HEADWAY_GO_SLOT_SHIFT = 17,	/* 3 bits */
	HEADWAY_GO_GOID_SHIFT = 20,	/* 8 bits: offset of the id in the goroutine / 8 */
};

struct headway_goowner_key {
	__u64 mutex;
	__u32 tgid;			/* initial pid namespace */
	__u32 pad;
};

/* Who took a mutex last and has not unlocked it. */
struct headway_goowner {
	__u64 g;			/* address of the goroutine's descriptor */
	__u32 id;
	__u32 pad;
};

_Static_assert(sizeof(struct headway_goowner_key) == 16, "headway_goowner_key layout");
_Static_assert(sizeof(struct headway_goowner) == 16, "headway_goowner layout");

#endif /* HEADWAY_GOSTATE_H */
