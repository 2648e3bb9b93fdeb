#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# package tier: what a distribution does with the module: modinfo, modules_install, DKMS; and deb.sh, the
# Debian packages of module and tool.
#
# All of it goes into a scratch directory: neither this machine's modules nor its DKMS tree are touched, and
# that is tested as well.
# kernels: qemu:6.1
set -u -o pipefail

# shellcheck source=tests/lib/tier.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tier.sh"
export PATH=$PATH:/usr/sbin:/sbin
build=build/kmod-stock-6.1

# ---- modinfo --------------------------------------------------------------------------------

# field MODULE NAME PATTERN: the field has one value, and it matches.
field() {
	local value

	value=$(modinfo -F "$2" "$1") || return 1
	if [ "$(wc -l <<<"$value")" -ne 1 ] || ! grep -qxE "$3" <<<"$value"; then
		echo "$2 is '$value'"
		return 1
	fi
}

# The parameters as the module itself has them, by the symbols of their names; each must be described.
described() {
	local name names count=0 bad=0

	names=$(nm "$1" | sed -n 's/.* __param_str_//p') || return 1
	for name in $names; do
		count=$((count + 1))
		modinfo -F parm "$1" | grep -E "^$name:.{10,} \((bool|int|uint|ulong|charp)\)$" >/dev/null || {
			echo "the parameter $name has no parm line with a description and a type"
			bad=1
		}
	done
	[ "$count" -eq "$(modinfo -F parm "$1" | grep -c .)" ] || {
		echo "$count parameters in the module, and in modinfo: $(modinfo -F parm "$1")"
		bad=1
	}
	return "$bad"
}

not_described() {
	if described "$1"; then
		return 1
	fi
}

modinfo_tells() {
	local module=$build/kmod/headway.ko other=$tmp/other.ko

	check "license" field "$module" license 'GPL'
	check "version" field "$module" version "${version//./\\.}"
	check "description" field "$module" description '.{20,}'
	check "author" field "$module" author '.{5,}'
	check "vermagic" field "$module" vermagic "${release//./\\.} SMP.* "
	check "has parameters" [ "$(nm "$module" | grep -c __param_str_)" -ge 4 ]
	for module in "$build"/kmod/headway.ko "$build"/kmod/examples/*.ko; do
		check "parameters of $(basename "$module")" described "$module"
	done
	# Control: the same module without a word about one parameter.
	objcopy -O binary --only-section=.modinfo "$build/kmod/headway.ko" "$tmp/modinfo" &&
		sed -i -z '/^parm=stats:/d' "$tmp/modinfo" &&
		objcopy --update-section .modinfo="$tmp/modinfo" "$build/kmod/headway.ko" "$other"
	check "control: a parameter without a description is found" not_described "$other"
}

# ---- modules_install ------------------------------------------------------------------------

# installed ROOT MODULE EXPECTED...: modprobe would load these, in this order.
installed() {
	local root=$1 module=$2 loads name expected=()
	shift 2

	loads=$(modprobe -d "$root" -S "$release" --show-depends "$module") || return 1
	for name; do
		expected+=("insmod $root/lib/modules/$release/$name ")
	done
	[ "$loads" = "$(printf '%s\n' "${expected[@]}")" ] || {
		echo "modprobe would: $loads"
		return 1
	}
}

modinfo_finds() {
	[ "$(modinfo -b "$1" -k "$release" -F version headway)" = "$version" ]
}

install_modules() {
	local root=$tmp/root

	say PACKAGE "modules_install"
	check "modules_install DESTDIR=" make -s modules_install DESTDIR="$root"
	check "modprobe finds headway" installed "$root" headway extra/kmod/headway.ko
	check "modinfo finds headway" modinfo_finds "$root"
	check "no example is installed" [ "$(find "$root" -name '*.ko*' | wc -l)" -eq 1 ]
	root=$tmp/examples
	check "modules_install HEADWAY_EXAMPLES=y INSTALL_MOD_PATH=" \
		make -s modules_install HEADWAY_EXAMPLES=y INSTALL_MOD_PATH="$root"
	check "modprobe loads headway before an example" installed "$root" caller \
		extra/kmod/headway.ko extra/kmod/examples/caller.ko
}

# ---- DKMS -----------------------------------------------------------------------------------

in_dkms() {
	# Signing would make a key below /var/lib/dkms, and depmod would run for /lib/modules.
	mok_signing_key=$tmp/dkms.key mok_certificate=$tmp/dkms.pub dkms "$@" --dkmstree "$tmp/dkms" \
		--sourcetree "$tmp/source/usr/src" --installtree "$tmp/dkms-root/lib/modules" --no-depmod -k "$release"
}

source_is_minimal() {
	[ "$(ls -A "$1")" = $'Kbuild\ndkms.conf\nkmod' ] || {
		ls -A "$1"
		return 1
	}
}

dkms_status_is() {
	local status

	status=$(in_dkms status headway) || return 1
	[ "$status" = "headway/$version, $release, $(uname -m): $1" ] || {
		echo "$status"
		return 1
	}
}

machine_is_untouched() {
	local changed

	changed=$(find /var/lib/dkms /lib/modules /usr/src -newer "$tmp/begin" -print 2>/dev/null)
	[ -z "$changed" ] || {
		echo "$changed"
		return 1
	}
}

build_by_dkms() {
	local source=$tmp/source module

	say PACKAGE "DKMS, a whole build of the module"
	mkdir -p "$tmp/dkms" "$tmp/dkms-root/lib/modules/$release"
	touch "$tmp/begin"
	check "make dkms DESTDIR=" make -s dkms DESTDIR="$source"
	source=$source/usr/src/headway-$version
	check "dkms: the source is Kbuild and kmod" source_is_minimal "$source"
	check "dkms add" in_dkms add "headway/$version"
	check "dkms build" in_dkms build "headway/$version" --kernelsourcedir "$kdir"
	check "dkms status: built" dkms_status_is built
	check "dkms install" in_dkms install "headway/$version" --force
	check "dkms status: installed" dkms_status_is installed
	check "dkms: depmod" depmod -b "$tmp/dkms-root" "$release"
	module=$(find "$tmp/dkms-root" -name 'headway.ko*')
	check "dkms: modprobe finds headway" installed "$tmp/dkms-root" headway \
		"${module#"$tmp/dkms-root/lib/modules/$release/"}"
	check "dkms: vermagic" field "$module" vermagic "${release//./\\.} SMP.* "
	check "dkms: parameters" described "$module"
	check "dkms remove" in_dkms remove "headway/$version"
	check "dkms: nothing is left" [ -z "$(find "$tmp/dkms-root" -name 'headway.ko*')" ]
	check "dkms: this machine is as it was" machine_is_untouched
}

ktap_begin package
version=$(sed -n 's/^#define HEADWAY_VERSION "\(.*\)"/\1/p' kmod/internal.h)
if kdir=$(tests/vm/qemu.sh headers 6.1) && make -s kmod KDIR="$kdir" >"$tmp/log" 2>&1; then
	# Not from the headers' include/config, where Debian has the release without its ABI.
	release=$(basename "$kdir")
	release=${release#linux-headers-}
	modinfo_tells
	install_modules
	build_by_dkms
else
	not_ok "the module builds for the stock kernel" "$(tail -20 "$tmp/log")"
fi
ktap_end
status=$?
tests/package/deb.sh && [ "$status" -eq 0 ]
