#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# docs tier: what README.md, CONTRIBUTING.md, CHANGELOG.md, the guides and headway.h say is there is there.
# Then the same checks on copies that are wrong in one way each: a check that cannot fail checks nothing.
# shellcheck disable=SC2016 # single-quoted backquotes are Markdown
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=tests/lib/ktap.sh
. "$top/tests/lib/ktap.sh"

[ -x "$top/build/headway" ] || make -s -C "$top" userspace >&2 || exit 1
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
ln -s "$top"/{bpf,userspace,tests,.ci,LICENSE} "$copy/"
# Somebody may be building meanwhile.
mkdir "$copy/build" && cp "$top/build/headway" "$copy/build/"
mkdir -p "$copy/kmod"
cp -r "$top/kmod/." "$copy/kmod/"
cp "$top"/{README.md,CONTRIBUTING.md,CHANGELOG.md,Makefile} "$copy/"

report=$(timeout 60 "$here/check_docs.py" "$copy")
status=$?
printf '%s\n' "$report"

failures() {
	sed -n 's/^not ok [0-9]* - docs\.//p' <<<"$1" | sort
}

# control NAME CHECK FILE SED-PROGRAM: with FILE edited, CHECK must fail, and nothing that did not before.
control() {
	local name=$1 expected=$2 file=$3 program=$4 got

	cp "$top"/{README.md,CONTRIBUTING.md,CHANGELOG.md,Makefile} "$copy/"
	cp "$top"/kmod/include/*.h "$copy/kmod/include/"
	cp "$top"/kmod/{debugfs,guide}.md "$copy/kmod/"
	sed -i "$program" "$copy/$file"
	if [ -f "$top/$file" ] && cmp -s "$top/$file" "$copy/$file"; then
		not_ok "$name" "the edit changed nothing in $file"
		return
	fi
	got=$(comm -13 <(failures "$report") <(failures "$(timeout 60 "$here/check_docs.py" "$copy")") | xargs)
	if [ "$got" = "$expected" ]; then
		ok "$name"
	else
		not_ok "$name" "failed: '${got:-nothing}'; expected: '$expected'"
	fi
}

"$here/misuse.sh" || status=1

# session EXPECTED GUIDE: the status of session.py for a guide, in which backslashes stand for what they do to printf %b.
session() {
	printf %b "$2" >"$copy/guide.md"
	"$here/session.py" "$copy/guide.md" "$copy" >"$copy/session" 2>&1
	[ $? -eq "$1" ] || {
		cat "$copy/session"
		return 1
	}
}

ktap_begin docs.controls
control readme_caller_differs readme_caller_is_built_code README.md 's/headway_txn_end(&txn)/headway_txn_finish(\&txn)/'
control header_example_differs header_example_is_built_code kmod/include/headway.h \
	's/to->balance += amount;/to->balance += 1;/'
control poll_example_differs part_examples_are_built_code kmod/include/headway_breaker.h \
	's/headway_poll_timeout(!READ_ONCE/headway_poll_for(!READ_ONCE/'
control guide_differs guide_code_is_built_code kmod/guide.md 's/err = exchange(r);/err = rename(r);/'
control unknown_command commands_and_options_exist README.md '$a Run `headway frobnicate`.'
control unknown_option commands_and_options_exist CONTRIBUTING.md '$a Run `headway stat --frobnicate`.'
control unknown_target make_targets_exist CONTRIBUTING.md '$a Run `make frobnicate`.'
control dead_link files_exist CHANGELOG.md '$a [gone](tests/gone.c)'
control missing_verdict verdict_table_is_complete README.md '/^| `livelock` |/d'
control missing_policy policy_table_is_complete README.md '/^| `polite` |/d'
control missing_tier tier_table_is_complete CONTRIBUTING.md '/^| `tests.kunit.` |/d'
control counter_differs debugfs_counters_are_the_modules kmod/debugfs.md 's/ lock calls that queued; most slept / waits /'
check "session: numbers, blanks and ... stand for others" session 0 \
	'## a\n\n```sh\necho "pid 77  at 3.5 s of x"; seq 9\n```\n```text\npid 1 at 2 s ...\n...\n9\n```\n'
check "session: one heading is one shell" session 0 '## a\n\n```sh\nsleep 99 &\n```\n\n```sh\nkill $!\n```\n'
check "session: a line that is not printed" session 1 '## a\n\n```sh\necho a\n```\n```text\nb\n```\n'
check "session: a line that is not shown" session 1 '## a\n\n```sh\nseq 2\n```\n```text\n1\n```\n'
check "session: another order" session 1 '## a\n\n```sh\necho a; echo b\n```\n```text\nb\na\n...\n```\n'
check "session: a command that fails" session 1 '## a\n\n```sh\nfalse\n```\n'
check "session: a shell that ends early" session 1 '## a\n\n```sh\nexit 0\n```\n\n```sh\ntrue\n```\n'
check "session: no examples" session 1 '## a\n'
ktap_end && [ "$status" -eq 0 ]
