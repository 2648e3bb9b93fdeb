#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# misuse.sh - ways to misuse headway.h that must not compile, each beside its right form, which must.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=tests/lib/ktap.sh
. "$top/tests/lib/ktap.sh"

kdir=$("$top/tests/vm/qemu.sh" headers 6.1) || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compiles BODY: does a caller with this function body compile, warnings being errors?
compiles() {
	printf 'obj-m := caller.o\nccflags-y := -I%s/kmod/include -Werror\n' "$top" >"$work/Kbuild"
	cat >"$work/caller.c" <<-SOURCE
		#include "headway.h"
		int caller(struct headway_domain *domain, struct headway_lock *a, struct headway_lock *b);
		int caller(struct headway_domain *domain, struct headway_lock *a, struct headway_lock *b)
		{
			struct headway_txn txn;
			int err = 0;

			headway_txn_begin(&txn, domain);
			$1
			headway_txn_end(&txn);
			return err;
		}
	SOURCE
	rm -f "$work/caller.o"
	timeout 120 make -s -C "$kdir" M="$work" caller.o >"$work/log" 2>&1
}

# misuse NAME RIGHT WRONG DIAGNOSTIC: refused for the reason meant, not for a slip in the test.
misuse() {
	if ! compiles "$2"; then
		not_ok "$1" "the right form does not compile: $(tail -5 "$work/log")"
	elif compiles "$3"; then
		not_ok "$1" "the wrong form compiles"
	elif ! grep -q -- "$4" "$work/log"; then
		not_ok "$1" "refused, but not because of '$4': $(tail -5 "$work/log")"
	else
		ok "$1"
	fi
}

ktap_begin docs.misuse
misuse retry_outside_of_its_loop \
	'headway_txn_until_done(&txn) { err = headway_lock(&txn, a); headway_txn_retry_on_conflict(&txn); }' \
	'err = headway_lock(&txn, a); headway_txn_retry_on_conflict(&txn);' \
	__headway_again
misuse result_of_a_lock_call_ignored 'err = headway_lock(&txn, b);' 'headway_lock(&txn, b);' 'unused-result'
misuse result_of_a_set_ignored \
	'struct headway_lock *set[] = { a, b }; err = headway_lock_many_killable(&txn, set, 2);' \
	'struct headway_lock *set[] = { a, b }; headway_lock_many_killable(&txn, set, 2);' 'unused-result'
misuse timeout_without_a_time 'err = headway_lock_timeout(&txn, a, NSEC_PER_SEC);' \
	'err = headway_lock_timeout(&txn, a);' 'too few arguments'
ktap_end
