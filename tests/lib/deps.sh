#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# deps.sh - installs what building and testing need, on a bare Debian with root.
#
# Usage:  deps.sh         installs what is missing; does nothing, quickly, when all is there
#         deps.sh list    prints the package names
set -u -o pipefail

# shellcheck source=tests/lib/say.sh
. "$(dirname "${BASH_SOURCE[0]}")/say.sh"

packages=(
	# compilers, and the sanitizers' runtimes for clang
	build-essential clang llvm libclang-rt-14-dev pkg-config
	# kernel and module builds (dwarves: pahole, for BTF)
	linux-headers-amd64 flex bison bc cpio kmod libelf-dev libssl-dev dwarves rsync xz-utils zstd
	# BPF and the tool
	libncurses-dev libbpf-dev bpftool libdw-dev libjson-c-dev zlib1g-dev libmicrohttpd-dev libsystemd-dev
	libcapstone-dev libiberty-dev
	# the page of headway report: charts, and what packs them into it
	esbuild node-d3-axis node-d3-force node-d3-hierarchy node-d3-scale node-d3-selection node-d3-shape
	# building the module as users' machines do, and Debian packages
	dkms dh-dkms debhelper lintian debootstrap
	# virtual machines
	qemu-system-x86 busybox-static
	# perf, which should see our locks too; and bpftrace our tracepoints
	linux-perf bpftrace
	# checks of the tree, of the tool's JSON, DOT and of its screen
	sparse codespell shellcheck clang-format clang-tidy python3-jsonschema tmux spin graphviz
	# a browser for the page of headway report
	chromium chromium-driver python3-selenium
	# the benchmarks' plot
	gnuplot-nox
	# tests: signals and processes by id, a terminal for the tool
	procps util-linux bsdextrautils curl
	# manual pages, and the shells that complete command lines
	man-db bash-completion zsh fish
	# systemd-analyze, for the unit of headway export
	systemd
)

if [ "${1:-}" = list ]; then
	printf '%s\n' "${packages[@]}"
	exit 0
fi

missing=()
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null |
	sed -n 's/ installed$//p')
for package in "${packages[@]}"; do
	grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

[ "$(id -u)" = 0 ] || die "missing packages: ${missing[*]}; run 'make deps' as root"
command -v apt-get >/dev/null || die "missing packages: ${missing[*]}, and there is no apt-get here"

say DEPS "installing ${#missing[@]} packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

install() {
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
		-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "${missing[@]}" 2>&1 |
		progress DEPS "lines from apt" "$log"
}

update() {
	say DEPS "fetching package lists"
	apt-get update -q -o Acquire::Retries=3 >>"$log" 2>&1 ||
		say DEPS "apt-get update had errors; going on with what it fetched"
}

# The lists are fetched first only where there are none; where they are old, when a download fails.
[ -n "$(apt-cache madison "${missing[0]}" 2>/dev/null)" ] || update
install || {
	update
	install || {
		tail -20 "$log" >&2
		die "cannot install ${missing[*]}"
	}
}
say DEPS "installed"
