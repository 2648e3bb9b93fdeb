#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# compat-probe.sh - asks the kernel that we build against what it offers.
#
# Usage:  compat-probe.sh SYMVERS COMPILER FLAGS...    prints one -DHEADWAY_HAVE_<fact>=0|1 for each fact
#
# A fact is what a small source does under the kernel's own compiler and flags or, since modules link
# only when they are loaded, what SYMVERS, the kernel's list of exported symbols, has. Version numbers
# do not tell: stable and distribution kernels carry backports. The first probe must succeed and the
# second must fail; if not, the compiler or the flags are unusable here and every later answer would
# be a guess, so that the definition printed makes compat.h stop the build with a message.
set -u

symvers=$1
shift

# Leaves the verdict in the exit status. Reads the source from stdin.
compiles() {
	"$@" -Werror=implicit-function-declaration -fsyntax-only -x c - >/dev/null 2>&1
}

if ! echo '#include <linux/module.h>' | compiles "$@" || echo 'not C' | compiles "$@"; then
	echo -DHEADWAY_COMPAT_UNKNOWN
	exit 0
fi

# have FACT: stdin is the source that compiles where the fact holds.
have() {
	fact=$1
	shift
	if compiles "$@"; then
		echo "-DHEADWAY_HAVE_$fact=1"
	else
		echo "-DHEADWAY_HAVE_$fact=0"
	fi
}

# __assign_str() lost its second argument when the event macros learned to remember the source.
have ASSIGN_STR_ONE_ARG "$@" <<'SOURCE'
#include <linux/string.h>
#include <trace/stages/stage6_event_callback.h>
#undef __get_str
#undef __get_dynamic_array_len
#define __get_str(field) ((char *)0)
#define __get_dynamic_array_len(field) 1
#define EVENT_NULL_STR "(null)"
static struct { const char *name_ptr_; } __data_offsets;
void probe(void);
void probe(void) { (void)__data_offsets; __assign_str(name); }
SOURCE

# The tracepoints of lock contention are used by whoever includes their header, but not exported by
# every kernel: perf lock contention then sees none of our locks.
exported=1
for symbol in contention_begin contention_end; do
	grep -q "	__tracepoint_$symbol	" "$symvers" 2>/dev/null &&
		grep -q "	__traceiter_$symbol	" "$symvers" || exported=0
done
echo "-DHEADWAY_HAVE_CONTENTION_TRACE=$exported"

# The stack of another task: not for modules in every kernel.
if grep -q "	stack_trace_save_tsk	" "$symvers" 2>/dev/null; then
	echo -DHEADWAY_HAVE_STACK_OF_TASK=1
else
	echo -DHEADWAY_HAVE_STACK_OF_TASK=0
fi
