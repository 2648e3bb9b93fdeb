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
 * Adds one to a per-CPU u64: to that of the CPU of @task, which is current, or of one that it has
 * just left. In User Mode Linux this_cpu_inc() is two calls to mask signals, and even
 * smp_processor_id() is one.
 */
#ifdef CONFIG_UML
#define headway_cpu_inc(counter, task) \
	atomic64_inc((atomic64_t *)per_cpu_ptr(counter, task_cpu(task)))
#else
#define headway_cpu_inc(counter, task) this_cpu_inc(*(counter))
#endif

/*
 * After all that came before. x86 orders stores so by itself (cf. arch/x86/include/asm/barrier.h),
 * also under User Mode Linux.
 */
#if defined(CONFIG_X86) || defined(CONFIG_UML_X86)
#define headway_order_release() barrier()
#else
/* Partners: named where it is used. */
#define headway_order_release() smp_mb()
#endif
#define headway_cpu_inc_release(counter, task) do { \
	headway_order_release(); \
	headway_cpu_inc(counter, task); \
} while (0)

#endif /* HEADWAY_COMPAT_H */
