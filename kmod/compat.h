/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - the only file that knows how kernels differ.
 *
 * Facts come as HEADWAY_HAVE_* from compat-probe.sh, which tries them on the kernel's own compiler;
 * version numbers are not consulted, since stable kernels carry backports. No other file tests a
 * HEADWAY_HAVE_*: each difference gets a name here that works everywhere.
 */
#ifndef HEADWAY_COMPAT_H
#define HEADWAY_COMPAT_H

#ifdef HEADWAY_COMPAT_UNKNOWN
#error "kmod/compat-probe.sh could not compile an empty module: check the kernel's headers and CC"
#endif
#ifndef HEADWAY_HAVE_ASSIGN_STR_ONE_ARG
#error "kmod/compat.mk was not included: build through kmod/Kbuild"
#endif

/* In TP_fast_assign(): fills the __string(field, source). */
#if HEADWAY_HAVE_ASSIGN_STR_ONE_ARG
#define headway_assign_str(field, source) __assign_str(field)
#else
#define headway_assign_str(field, source) __assign_str(field, source)
#endif

/*
 * The tracepoints by which `perf lock contention` finds locks, as kernel/locking/mutex.c uses them:
 * before the spin, before the sleep, at the end. To be included where they are used only: it is a
 * header of events, which must not be read while trace.h makes ours. (In quotes, since gcc says
 * that linux is 1.)
 */
#if HEADWAY_HAVE_CONTENTION_TRACE
#define HEADWAY_CONTENTION_HEADER "trace/events/lock.h"
#define headway_contention_spin(lock) trace_contention_begin(lock, LCB_F_MUTEX | LCB_F_SPIN)
#define headway_contention_sleep(lock) trace_contention_begin(lock, LCB_F_MUTEX)
#define headway_contention_end(lock, ret) trace_contention_end(lock, ret)
#else
#define HEADWAY_CONTENTION_HEADER "linux/tracepoint.h"
#define headway_contention_spin(lock) do { } while (0)
#define headway_contention_sleep(lock) do { } while (0)
#define headway_contention_end(lock, ret) do { } while (0)
#endif

/* Saves the stack of a task that sleeps. Return: its depth; 0 where the kernel does not let us. */
#if HEADWAY_HAVE_STACK_OF_TASK
#define headway_stack_of(task, entries, size) stack_trace_save_tsk(task, entries, size, 0)
#else
#define headway_stack_of(task, entries, size) ((void)(task), (void)(entries), 0)
#endif

/*
 * smp_store_release(). User Mode Linux on x86 has the generic one, an mfence of 20 ns, although its
 * CPUs order stores as x86 does (cf. arch/x86/include/asm/barrier.h).
 */
#ifdef CONFIG_UML_X86
#define headway_store_release(p, v) do { barrier(); WRITE_ONCE(*(p), v); } while (0)
#else
/* Partners: named where it is used. */
#define headway_store_release(p, v) smp_store_release(p, v)
#endif

#endif /* HEADWAY_COMPAT_H */
