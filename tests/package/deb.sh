#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# deb.sh - the Debian packages: built, and unpacked into a scratch directory.
set -u -o pipefail

# shellcheck source=tests/lib/tier.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tier.sh"
export PATH=$PATH:/usr/sbin:/sbin
version=$(sed -n 's/^#define HEADWAY_VERSION "\(.*\)"/\1/p' kmod/internal.h)

lintian_is_silent() {
	local said

	said=$(lintian --allow-root --tag-display-limit 0 build/deb/*.changes 2>&1)
	echo "$said"
	[ -z "$said" ]
}

is_in() {	# LIST PATH...
	local list=$1 path bad=0
	shift

	for path; do
		grep -qxF "$path" "$list" || {
			echo "$path is not there"
			bad=1
		}
	done
	return "$bad"
}

# What the tool is linked with is among the build dependencies.
build_depends_are_whole() {
	local module package bad=0

	for module in $(sed -n 's/^TOOL_PACKAGES := //p' Makefile) ncursesw capstone; do
		package=$(dpkg -S "$(pkg-config --path "$module")") || return 1
		package=${package%%:*}
		grep -qE "^ +$package,?$" debian/control || {
			echo "debian/control does not name $package, which has $module"
			bad=1
		}
	done
	return "$bad"
}

source_is_untouched() {
	local changed

	changed=$(find Makefile Kbuild debian kmod bpf userspace -type f -newer "$tmp/begin" -print)
	[ -z "$changed" ] || {
		echo "$changed"
		return 1
	}
}

ktap_begin package.deb
check "build dependencies" build_depends_are_whole
say PACKAGE "Debian packages, a whole build of the tool"
touch "$tmp/begin"
check "make deb" make -s deb
check "make deb: the source is as it was" source_is_untouched
check "lintian has neither errors nor warnings" lintian_is_silent
for package in headway headway-dkms; do
	deb=$(echo "build/deb/${package}_${version}"_*.deb)
	check "$package: has the module's version" [ "$(dpkg-deb -f "$deb" Version)" = "$version" ]
	dpkg-deb -x "$deb" "$tmp/$package"
	(cd "$tmp/$package" && find . -type f -printf '/%P\n') >"$tmp/$package.list"
done
mapfile -t pages < <(cd build/deb/headway/build/man && printf '/usr/share/man/man8/%s.gz\n' *.8)
check "headway: what it brings" is_in "$tmp/headway.list" /usr/bin/headway /usr/include/headway/sdt.h \
	/usr/share/pkgconfig/headway.pc /usr/share/bash-completion/completions/headway \
	/usr/share/zsh/vendor-completions/_headway /usr/share/fish/vendor_completions.d/headway.fish "${pages[@]}"
check "headway: its tool runs" "$tmp/headway/usr/bin/headway" --version
check "headway: its tool has the version" \
	[ "$("$tmp/headway/usr/bin/headway" --version 2>&1)" = "headway $version" ]
check "make dkms" make -s dkms DESTDIR="$tmp/dkms"
check "headway-dkms: it is what make dkms makes" diff -r "$tmp/dkms/usr/src" "$tmp/headway-dkms/usr/src"
ktap_end
