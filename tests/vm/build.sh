# SPDX-License-Identifier: GPL-2.0
# build.sh - kernels built from Debian's source package (sourced after say.sh, cache.sh, deb.sh).
#
# Usage:  kernel_source                            prints the directory of the source, fetching it if absent
#         kernel_build ARCH DIR TITLE FRAGMENT...  builds it in DIR: allnoconfig and the fragments of options
#
# Of two fragments that name the same option the later one wins.
# shellcheck shell=bash

BUILD_SERIES=7.3
BUILD_SUITE=trixie-backports

fill_source() {
	local dir=$1 tarball

	deb_fetch "$BUILD_SUITE" "linux-source-$BUILD_SERIES" "$dir"
	say UNPACK "linux-source-$BUILD_SERIES"
	dpkg-deb -x "$dir"/linux-source-*.deb "$dir/deb" || return 1
	basename "$dir"/linux-source-*.deb .deb >"$dir/VERSION"
	tarball=$(echo "$dir"/deb/usr/src/linux-source-*.tar.xz)
	# Left out: code that neither UML nor an x86 virtual machine can use. It is most of the 1.7 GB.
	# Kconfig files stay, since the configuration needs every one of them.
	mkdir "$dir/linux"
	tar -C "$dir/linux" --strip-components=1 --use-compress-program='xz -T0' -xf "$tarball" \
		--exclude='*/Documentation/[a-jl-z]*/*.rst' --exclude='*/tools/testing/selftests' \
		--exclude='*/tools/perf' --exclude='*/drivers/gpu/*.[ch]' --exclude='*/sound/*.[ch]' \
		--exclude='*/drivers/media/*.[ch]' --exclude='*/drivers/staging/*.[ch]' \
		--exclude='*/drivers/net/ethernet/*.[ch]' --exclude='*/drivers/net/wireless/*.[ch]' \
		--exclude='*/arch/*/boot/dts/*' || return 1
	rm -rf "$dir/deb" "$dir"/linux-source-*.deb
}

kernel_source() {
	local entry

	entry=$(cache_entry "linux-source-$BUILD_SERIES" fill_source) || return 1
	printf '%s/linux\n' "$entry"
}

# kernel_accepted CONFIG FRAGMENT...: olddefconfig drops in silence what it cannot satisfy; a test
# kernel without its checks would pass everything. Only the last word on each option counts.
kernel_accepted() {
	local config=$1 option
	shift

	grep -h '^CONFIG_' "$@" | awk -F= '{ last[$1] = $0 } END { for (o in last) print last[o] }' |
		while read -r option; do
			case $option in
			*=n) ! grep -q "^${option%=n}=" "$config" ;;
			*) grep -qxF "$option" "$config" ;;
			esac || {
				echo "the kernel did not accept $option"
				exit 1
			}
		done
}

kernel_build() {
	local arch=$1 dir=$2 title=$3 source
	shift 3

	source=$(kernel_source) || return 1
	say CONFIG "$title"
	mkdir -p "$dir"
	{
		make -s -C "$source" O="$dir" ARCH="$arch" allnoconfig >"$dir/config.log" 2>&1 &&
			cat "$@" >>"$dir/.config" &&
			make -s -C "$dir" ARCH="$arch" olddefconfig >>"$dir/config.log" 2>&1
	} || {
		tail -20 "$dir/config.log"
		return 1
	}
	kernel_accepted "$dir/.config" "$@" || return 1
	say BUILD "$title"
	nice make -C "$dir" ARCH="$arch" -j"$(nproc)" all 2>&1 |
		progress BUILD "build steps" "$dir/build.log" || {
		tail -30 "$dir/build.log"
		return 1
	}
}
