#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# lint.sh - is the tree clean? checkpatch, sparse, clang-tidy, shellcheck, codespell, and our own rules.
#
# Usage:  lint.sh [CHECK...]     default: all, in the order below
#
# KTAP; what a check complains about comes before its result. Looks at the files that git tracks.
set -u -o pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
# shellcheck source=tests/lib/say.sh
. tests/lib/say.sh
# shellcheck source=tests/lib/ktap.sh
. tests/lib/ktap.sh

# tracked PATHSPEC...: the files, one a line; those that are being deleted are not there any more.
tracked() {
	git ls-files -- "$@" | while read -r file; do
		[ ! -f "$file" ] || printf '%s\n' "$file"
	done
}

shell_scripts() {
	tracked '*.sh' .ci/run
}

# The kernel's own style checker, from the source that the test kernels are built of.
checkpatch() {
	local source

	source=$(tests/vm/uml.sh source) || return 1
	# The working directory is where it drops a cache file.
	xargs -r perl "$source/scripts/checkpatch.pl" --no-tree --strict --terse --quiet --no-summary \
		--show-types --max-line-length=100 "$@" -f
}

# Where the rules of the kernel's own tree do not fit ours:
kmod_ignore=(
	FILE_PATH_CHANGES		# there is no MAINTAINERS here
	ALLOC_WITH_SIZEOF		# kmalloc_obj() and the like are newer than the kernels that we support
	PREFER_KERNEL_TYPES		# the pure files are host code too
	YIELD				# threads of the benchmarks take turns
	COMPLEX_MACRO BRACKET_SPACE	# X-macro lists, static initializers
	MACRO_ARG_UNUSED MACRO_ARG_REUSE MACRO_WITH_FLOW_CONTROL SUSPECT_COMMA_SEMICOLON # X-macros, retry macro
)
# The form of TRACE_EVENT is not the form that checkpatch wants; the kernel's own are no different.
trace_ignore=(SPACING PARENTHESIS_ALIGNMENT OPEN_ENDED_LINE TRAILING_SEMICOLON)
# Host code keeps the layout of kernel code, but not its vocabulary.
user_types=(
	LONG_LINE LONG_LINE_COMMENT CODE_INDENT LEADING_SPACE TRAILING_WHITESPACE SPACE_BEFORE_TAB SPACING
	BRACES OPEN_BRACE ELSE_AFTER_BRACE POINTER_LOCATION TRAILING_STATEMENTS SWITCH_CASE_INDENT_LEVEL
	SUSPECT_CODE_INDENT MULTISTATEMENT_MACRO_USE_DO_WHILE SPDX_LICENSE_TAG C99_COMMENTS REPEATED_WORD
)

comma_list() {
	local IFS=,
	echo "$*"
}

lint_checkpatch() {
	local bad=0

	tracked kmod tests/kunit tests/torture tests/bench | grep '\.[ch]$' | grep -v '/trace\.h$' |
		checkpatch --ignore "$(comma_list "${kmod_ignore[@]}")" || bad=1
	tracked 'kmod/*trace.h' |
		checkpatch --ignore "$(comma_list "${kmod_ignore[@]}" "${trace_ignore[@]}")" || bad=1
	tracked '*.c' '*.h' | grep -vE '^(kmod|tests/kunit|tests/torture|tests/bench)/' |
		checkpatch --types "$(comma_list "${user_types[@]}")" || bad=1
	return "$bad"
}

# Address spaces, lock contexts, what should be static. In a build directory of its own, as C=2 reads all anew.
lint_sparse() {
	local log=build/logs/sparse.log

	mkdir -p build/logs
	make -s --no-print-directory kmod FLAVOUR=sparse KMOD_ARGS='C=2' >"$log" 2>&1 || {
		cat "$log"
		return 1
	}
	# Debian's kernel headers have warnings of their own; only our files are judged.
	! grep -E '^[^ ]*build/kmod-sparse/[^ ]*: (warning|error|note):' "$log"
}

lint_clang_tidy() {
	local checks log=build/logs/clang-tidy.log

	mkdir -p build/logs
	# What the sources include that is generated.
	make -s --no-print-directory bpf bpf-examples build/bpf/syscall_table.h || return 1
	checks='-*,bugprone-*,clang-analyzer-*,performance-*,misc-redundant-expression,misc-unused-parameters'
	# Matters of taste; Annex K functions, which glibc does not have; and the va_list check, which in
	# this version does not know what va_start does.
	checks+=',-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier'
	checks+=',-bugprone-narrowing-conversions,-bugprone-macro-parentheses,-bugprone-assignment-in-if-condition'
	checks+=',-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling'
	checks+=',-performance-no-int-to-ptr,-bugprone-suspicious-string-compare'
	# Arrays of pointers are sorted by pointer size; a test may include the source that it tests.
	checks+=',-bugprone-sizeof-expression,-bugprone-suspicious-include'
	checks+=',-bugprone-implicit-widening-of-multiplication-result,-clang-analyzer-valist.Uninitialized'
	# shellcheck disable=SC2016 # the inner shell puts the files before the compiler's options
	tracked 'userspace/*.c' 'bpf/examples/*.c' 'tests/unit/*.c' |
		xargs -P"$(nproc)" -n4 sh -c 'checks=$1; shift
			exec nice clang-tidy --quiet --checks="$checks" "$@" -- \
				-std=gnu11 -DHEADWAY_VERSION="\"lint\"" -Iuserspace -Ibpf -Ikmod -Ikmod/include \
				-Itests/unit -Ibuild/bpf -Ibuild/bpf-examples' clang-tidy "$checks" >"$log" 2>"$log.err" || {
		grep -hE 'error:' "$log" "$log.err" | sort -u
		return 1
	}
	# Not in what bpftool has generated.
	! grep -E '(warning|error):' "$log" | grep -vE '^[^:]*build/' | sort -u | sed "s|^$top/||"
}

lint_shellcheck() {
	shell_scripts | xargs shellcheck -x --source-path="$top"
}

lint_codespell() {
	# LICENSE is not ours to correct. A wounder is who wounds, in the wound-wait protocol; modinfo says parm.
	tracked | grep -v '^LICENSE$' | xargs codespell --ignore-words-list=wounder,parm
}

lint_python() {
	# shellcheck disable=SC2016
	tracked '*.py' | xargs -r /usr/bin/python3 -B -c '
import ast, sys
for name in sys.argv[1:]:
    ast.parse(open(name).read(), name)'
}

# Rules of the house that no tool knows.
lint_house() {
	local bad=0 file lines

	while read -r file; do
		lines=$(wc -l <"$file")
		[ "$lines" -le 600 ] || { echo "$file: $lines lines, more than 600: split it"; bad=1; }
		head -2 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' ||
			{ echo "$file: no SPDX-License-Identifier in the first two lines"; bad=1; }
	done < <(tracked '*.c' '*.h' '*.sh' '*.py' '*Kbuild' Makefile .ci/run)
	git ls-files -s | grep '^120000' && { echo "symbolic links do not belong into the tree"; bad=1; }
	tracked | xargs grep -nI '[[:space:]]$' | grep -v '^LICENSE:' && { echo "trailing white space"; bad=1; }
	return "$bad"
}

checks=(house shellcheck codespell python checkpatch sparse clang_tidy)
[ $# -eq 0 ] || checks=("$@")

ktap_begin lint
for name in "${checks[@]}"; do
	declare -F "lint_$name" >/dev/null || die "no check '$name'; there are: ${checks[*]}"
	say LINT "$name"
	check "$name" "lint_$name"
done
ktap_end
