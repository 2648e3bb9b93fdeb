#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# chroot.sh - the Debian packages in a fresh Debian: built there with the build dependencies that they name,
# installed in another one that has none of these, used, and purged. `make check-deb` runs it. Of both suites, the
# package of bookworm is also tried on trixie.
#
# Usage:  chroot.sh SUITE...        bookworm, trixie
#
# The archive is the machine's own. What was downloaded stays in the cache; all else is on overlays, whose mounts
# nobody else sees. A chroot has the kernel of the machine, and its /sys.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=tests/lib/say.sh
. "$top/tests/lib/say.sh"
# shellcheck source=tests/lib/cache.sh
. "$top/tests/lib/cache.sh"
# shellcheck source=tests/lib/deb.sh
. "$top/tests/lib/deb.sh"
# shellcheck source=tests/lib/ktap.sh
. "$top/tests/lib/ktap.sh"
cd "$top" || exit 1
export PATH=$PATH:/usr/sbin:/sbin
[ $# -gt 0 ] || die "which suites? For example: bookworm trixie"
[ "$(id -u)" = 0 ] || die "needs root, for chroot and mount"

# The whole again where its mounts and processes are its own, and end with it, however it ends. Out here nothing
# is mounted, so that what is removed is ours.
if [ -z "${HEADWAY_CHROOT_WORK:-}" ]; then
	work=$(mktemp -d "${TMPDIR:-/tmp}/headway-chroot.XXXXXX") || exit 1
	inner=
	# shellcheck disable=SC2317 # the trap's
	clean() {
		# Who is killed so takes with it all that it has started.
		[ -z "$inner" ] || kill -KILL "$inner" 2>/dev/null
		wait
		# They may take a moment.
		rm -rf --one-file-system "$work" 2>/dev/null || { sleep 1; rm -rf --one-file-system "$work"; }
	}
	trap clean EXIT
	trap 'exit 130' INT TERM HUP
	HEADWAY_CHROOT_WORK=$work unshare --mount --propagation private --pid --fork --kill-child --mount-proc -- "$0" "$@" &
	inner=$!
	wait "$inner"
	status=$?
	inner=
	exit "$status"
fi
work=$HEADWAY_CHROOT_WORK

# Who is second waits for the first one's apt.
mkdir -p "$HEADWAY_CACHE" && exec 7>"$HEADWAY_CACHE/.chroot.lock"
flock -n 7 || {
	say WAIT "another run has the chroots"
	flock 7
}

mounts_left() {
	findmnt -rn -o TARGET | grep -F "$work/"
}

# What dpkg and DKMS started may still be ending.
close_chroot() {	# NAME
	local root=$work/$1/root end=$((SECONDS + 120))

	until umount -R "$root" 2>"$work/umount.err"; do
		[ "$SECONDS" -lt "$end" ] || {
			cat "$work/umount.err"
			holders "$root"
			return 1
		}
		sleep 0.5
	done
}

# Who has a file of ours open, runs one or stands there. All whom we started are in our /proc, and no others.
holders() {	# DIR
	find /proc/[0-9]*/{root,cwd,exe,fd} -maxdepth 1 -lname "$1*" 2>/dev/null | cut -d / -f 3 | sort -un |
		while read -r pid; do
			echo "process $pid holds it: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
		done
}

# ---- chroots --------------------------------------------------------------------------------

# What debootstrap makes, untouched.
make_base() {	# SUITE DIR
	local uri

	uri=$(deb_archive_uri) || return 1
	say CHROOT "debootstrap $1"
	debootstrap --variant=minbase "$1" "$2" "$uri" >"$work/debootstrap.log" || {
		tail -20 "$work/debootstrap.log" >&2
		return 1
	}
}

# open_chroot NAME SUITE: a fresh Debian in $work/NAME/root.
open_chroot() {
	local base root=$work/$1/root archives=$HEADWAY_CACHE/chroot-archives-$2

	base=$(cache_entry "chroot-$2" make_base "$2") || return 1
	mkdir -p "$root" "$work/$1/upper" "$work/$1/work" "$archives/partial"
	mount -t overlay -o "lowerdir=$base,upperdir=$work/$1/upper,workdir=$work/$1/work" overlay "$root" &&
		mount -t proc proc "$root/proc" &&
		mount --rbind /sys "$root/sys" && mount --rbind /dev "$root/dev" &&
		mount --bind "$archives" "$root/var/cache/apt/archives" || return 1
	# No service is started in a chroot.
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && chmod +x "$root/usr/sbin/policy-rc.d"
	cat >"$root/etc/apt/apt.conf.d/of-the-test" <<-'END'
		APT::Keep-Downloaded-Packages "true";
		APT::Install-Recommends "false";
		Acquire::Retries "3";
		DPkg::Options { "--force-unsafe-io"; };
	END
	inside "$1" apt-get update -q
}

inside() {	# NAME COMMAND...
	local root=$work/$1/root
	shift

	# What is left running would keep the lock and the mounts.
	chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} "$@" 7>&- </dev/null
}

# Files and directories of the system that a package may not leave behind. The rest is apt's and dpkg's own, depmod's,
# and the key that DKMS makes for itself.
files_of() {	# NAME LIST
	(cd "$work/$1/root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp \
		-o -path ./var/cache -o -path ./var/log -o -path ./var/lib/apt -o -path ./var/lib/dpkg \) -prune -o \
		! -path './lib/modules/*/modules.*' ! -path './usr/lib/modules/*/modules.*' \
		! -path './var/lib/dkms/mok.*' -print | sort) >"$work/$2"
}

# What bears our name, in dpkg's own records too; but for the stamp of our cache, and man's of what was read.
ours_in() {	# NAME
	(cd "$work/$1/root" && find . -xdev -name '*headway*' ! -path './tmp/*' ! -path ./.headway-complete \
			! -path './var/cache/man/*' -print
		grep -l headway var/lib/dpkg/status)
}

# What apt and make say is long, and only its end says why.
ending() {	# COMMAND...
	"$@" >"$work/said" 2>&1 || {
		tail -20 "$work/said"
		return 1
	}
}

says() {	# STATUS PATTERN COMMAND...
	local wanted=$1 pattern=$2 said status
	shift 2

	said=$("$@" 2>&1)
	status=$?
	if [ "$status" -ne "$wanted" ] || ! grep -E -- "$pattern" <<<"$said" >/dev/null; then
		echo "exit status $status, and not $wanted with '$pattern':"
		tail -20 <<<"$said"
		return 1
	fi
}

nothing_changed() {	# NAME
	files_of "$1" after
	diff "$work/before" "$work/after" >"$work/changed" || {
		head -20 "$work/changed"
		return 1
	}
}

is_empty() {
	echo "$1"
	[ -z "$1" ]
}

# ---- build ----------------------------------------------------------------------------------

build_there() {	# NAME
	local root=$work/$1/root

	mkdir "$root/src" && tar -c --exclude=./build --exclude=./.git . | tar -x -C "$root/src" &&
		inside "$1" apt-get build-dep -y -q /src && inside "$1" make -s -C /src deb
}

# The packages, and a program that livelocks, made with the same compiler.
carry() {	# FROM TO SUITE
	local src=$work/$1/root/src

	inside "$1" make -s -C /src build/corpus/two_lock_grid && mkdir -p "$work/made-$3" &&
		cp "$src/build/deb/"headway{,-dkms}_*.deb "$src/build/corpus/two_lock_grid" "$work/made-$3/" &&
		cp "$work/made-$3/"* "$work/$2/root/tmp/"
}

# ---- use ------------------------------------------------------------------------------------

# First what they depend on, so that it can be told from what they bring.
# shellcheck disable=SC2016 # for the inner shell
install_needs() {	# NAME
	inside "$1" sh -c 'apt-get install -y -q linux-headers-amd64 man-db bash-completion zsh fish pkgconf &&
		for deb in /tmp/*.deb; do apt-get satisfy -y -q "$(dpkg-deb -f $deb Depends)" || exit 1; done'
}

use_tool() {	# NAME
	local version=$2

	check "headway --version" says 0 "^headway $version\$" inside "$1" headway --version
	check "headway doctor" says 0 '^headway watch works here' inside "$1" headway doctor
	check "headway watch finds a livelock" says 3 'LIVELOCK' inside "$1" \
		env CORPUS_SECONDS=300 headway watch -w 2 -d 120 --fail-on livelock -- /tmp/two_lock_grid
	check "man headway-watch" says 0 '^HEADWAY-WATCH\(8\)' inside "$1" man -P cat headway-watch
}

# shellcheck disable=SC2016 # for the inner shells
use_completions() {	# NAME
	check "bash completes" says 0 '^watch$' inside "$1" bash --norc -c '. /usr/share/bash-completion/bash_completion
		compopt() { :; }
		_comp_load headway 2>/dev/null || _completion_loader headway
		COMP_WORDS=(headway wa) COMP_CWORD=1 COMP_LINE="headway wa" COMP_POINT=10
		_headway headway wa headway; printf "%s\n" "${COMPREPLY[@]}"'
	check "fish completes" says 0 '^watch' inside "$1" env HOME=/tmp fish -c 'complete -C "headway wa"'
	check "zsh has a completion" says 0 '^_headway$' inside "$1" \
		zsh -f -c 'autoload -Uz compinit && compinit -u -D && print -r -- $_comps[headway]'
}

# shellcheck disable=SC2016 # for the inner shell
use_header() {	# NAME
	check "a program with markers is built" inside "$1" sh -c 'echo "#include <headway/sdt.h>
		int main(void) { return 0; }" >/tmp/marked.c &&
		$(ls /usr/bin/gcc-1[0-9] | head -1) $(pkg-config --cflags headway) -fsyntax-only /tmp/marked.c'
}

# Debian's newest kernel, whichever DKMS has chosen when it was installed.
build_module() {	# NAME VERSION
	local name=$1 version=$2 release pattern module

	release=$(cd "$work/$name/root/usr/src" && printf '%s\n' linux-headers-*-amd64 | sort -V | tail -1)
	release=${release#linux-headers-}
	pattern=${release//./\\.}
	pattern=${pattern//+/\\+}
	say CHROOT "DKMS for $release"
	check "dkms build" ending inside "$name" dkms build --force "headway/$version" -k "$release"
	check "dkms install" ending inside "$name" dkms install --force "headway/$version" -k "$release"
	check "dkms status" says 0 "^headway/$version, $pattern, x86_64: installed" inside "$name" dkms status
	module=$(cd "$work/$name/root" && find lib/modules/ -name 'headway.ko*')
	check "the module is for that kernel" says 0 "^$pattern " inside "$name" modinfo -F vermagic "/$module"
}

# ---- suites ---------------------------------------------------------------------------------

try_suite() {	# SUITE
	local suite=$1 build=$1-build use=$1-use version marker

	ktap_begin "deb.$suite"
	version=$(dpkg-parsechangelog -S Version)
	say CHROOT "$suite: build"
	check "a chroot to build in" ending open_chroot "$build" "$suite"
	check "build-dep and make deb" ending build_there "$build"
	check "a chroot to install in" ending open_chroot "$use" "$suite"
	check "packages are taken there" ending carry "$build" "$use" "$suite"
	[ "$ktap_failed" -eq 0 ] || { ktap_end; return 1; }	# the rest would only repeat it
	check "the chroot to build in is closed" close_chroot "$build"

	say CHROOT "$suite: install"
	check "what they depend on" ending install_needs "$use"
	files_of "$use" before
	marker=$work/$use/root/etc/left-behind
	touch "$marker"
	check "control: a file that is left behind is seen" says 1 '^> ./etc/left-behind' \
		nothing_changed "$use"
	rm "$marker"
	check "install, which needs no more" says 0 ' 2 newly installed, 0 to remove' \
		inside "$use" sh -c 'apt-get install -y -q /tmp/*.deb'
	use_tool "$use" "$version"
	use_completions "$use"
	use_header "$use"
	build_module "$use" "$version"

	say CHROOT "$suite: purge"
	check "purge" ending inside "$use" apt-get purge -y -q headway headway-dkms
	check "purge leaves no file" nothing_changed "$use"
	check "purge leaves no name" is_empty "$(ours_in "$use")"
	check "its chroot is closed" close_chroot "$use"
	check "no mount is left" is_empty "$(mounts_left)"
	ktap_end
}

# A package of an older Debian works on a newer one, or apt refuses it for what it depends on: libraries get other
# names.
try_newer() {	# OLDER NEWER
	local use=$2-newer install="apt-get install -y -q man-db /tmp/headway_*.deb"

	ktap_begin "deb.$1-on-$2"
	say CHROOT "the package of $1 on $2"
	check "a chroot of $2" ending open_chroot "$use" "$2"
	check "the package of $1 is taken there" cp "$work/made-$1/"headway_*.deb "$work/made-$1/two_lock_grid" \
		"$work/$use/root/tmp/"
	if inside "$use" sh -c "$install" >"$work/said" 2>&1; then
		use_tool "$use" "$(dpkg-parsechangelog -S Version)"
		check "purge" ending inside "$use" apt-get purge -y -q headway
	else
		check "refused for what it depends on" says 0 '^ headway : Depends: ' cat "$work/said"
	fi
	check "no name is left" is_empty "$(ours_in "$use")"
	check "its chroot is closed" close_chroot "$use"
	check "no mount is left" is_empty "$(mounts_left)"
	ktap_end
}

failed=0
for suite; do
	try_suite "$suite" || failed=1
done
if [[ " $* " = *" bookworm "* && " $* " = *" trixie "* && "$failed" -eq 0 ]]; then
	try_newer bookworm trixie || failed=1
fi
[ "$failed" -eq 0 ]
