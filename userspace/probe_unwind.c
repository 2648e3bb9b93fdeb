// SPDX-License-Identifier: GPL-2.0
/*
 * probe_unwind.c - unwind another process's blocked thread with libdwfl, reading its memory only.
 *
 * The memory may change while it is read: the walk is bounded, and a wrong word ends it or gives a
 * frame that has no name.
 */
#define _GNU_SOURCE
#include "probe_unwind.h"

#include <elfutils/libdwfl.h>

#include "proc.h"

/* System V ABI, x86-64: DWARF numbers of the registers that a walk starts from. */
enum { DWARF_RBP = 6, DWARF_RSP = 7 };

/* One walk at a time: the state of libdwfl is attached once and refers to this. */
static const struct headway_unwind_start *walking;

static pid_t next_thread(Dwfl *dwfl, void *dwfl_arg, void **thread_arg)
{
	(void)dwfl, (void)dwfl_arg;
	if (*thread_arg)
		return 0;
	*thread_arg = (void *)walking;
	return walking->tid;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *dwfl_arg, void **thread_arg)
{
	(void)dwfl, (void)dwfl_arg;
	*thread_arg = (void *)walking;
	return tid == walking->tid;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *result, void *arg)
{
	(void)dwfl, (void)arg;
	return headway_proc_memory(walking->tid, addr, result, sizeof(*result)) == sizeof(*result);
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	Dwarf_Word sp = walking->sp, bp = walking->bp;

	(void)arg;
	if (!dwfl_thread_state_registers(thread, DWARF_RSP, 1, &sp))
		return false;
	if (bp && !dwfl_thread_state_registers(thread, DWARF_RBP, 1, &bp))
		return false;
	dwfl_thread_state_register_pc(thread, walking->pc);
	return true;
}

static const Dwfl_Thread_Callbacks callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = memory_read,
	.set_initial_registers = set_registers,
};

struct frames {
	uint64_t *ips;
	int n;
	int max;
};

static int take_frame(Dwfl_Frame *frame, void *arg)
{
	struct frames *f = arg;
	Dwarf_Addr pc;

	if (f->n == f->max || !dwfl_frame_pc(frame, &pc, NULL) || !pc)
		return DWARF_CB_ABORT;
	f->ips[f->n++] = pc;
	return DWARF_CB_OK;
}

int headway_unwind(struct headway_symbolizer *s, const struct headway_unwind_start *start,
		   uint64_t *ips, int max)
{
	struct frames f = { .ips = ips, .max = max };
	Dwfl *dwfl = headway_symbolizer_dwfl(s);

	if (!dwfl)
		return 0;
	walking = start;
	if (dwfl_pid(dwfl) < 0 && !dwfl_attach_state(dwfl, NULL, start->pid, &callbacks, NULL))
		return 0;
	/* What was found before an error is worth showing: most walks end with one. */
	dwfl_getthread_frames(dwfl, start->tid, take_frame, &f);
	return f.n;
}
