# SPDX-License-Identifier: GPL-2.0
# deb.sh - Debian packages from any suite, unpacked and not installed (sourced after say.sh, cache.sh).
#
# Usage:  deb_fetch SUITE PACKAGE DIR     downloads the newest PACKAGE of SUITE into DIR
#
# apt gets a private state (sources, lists), so the machine's own packages, lists and sources stay as
# they are. The archive is the one the machine itself is configured for: we name only suites.
# shellcheck shell=bash

deb_archive_uri() {
	local codename uri

	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	[ -n "$codename" ] || die "/etc/os-release has no VERSION_CODENAME: is this Debian?"
	# apt's own parser reads sources.list and sources.list.d in both formats. Third parties have
	# suites with the same name, but not the component "main" under the distribution's own suite;
	# where the label is known it decides.
	# shellcheck disable=SC2016 # apt expands these
	uri=$(apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Created-By: Packages' \
		"Release: $codename" 'Component: main' 2>/dev/null |
		sort -u | awk -F'|' '$1 == "Debian" { print $2; found = 1; exit } { other = $2 }
			END { if (!found) print other }')
	[ -n "$uri" ] || die "apt has no source for $codename main: add one to /etc/apt/sources.list.d"
	printf '%s\n' "$uri"
}

# deb_apt SUITE COMMAND...: runs apt with the private state for SUITE.
deb_apt() {
	local tool=$2 suite=$1 state=$HEADWAY_CACHE/apt/$1
	shift 2
	"$tool" -qq -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State="$state" -o Dir::State::lists="$state/lists" \
		-o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
		-o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}

# deb_update SUITE: fetches the lists of SUITE, unless they are younger than an hour.
deb_update() {
	local suite=$1 state=$HEADWAY_CACHE/apt/$1 uri

	[ -z "$(find "$state/updated" -mmin -60 2>/dev/null)" ] || return 0
	uri=$(deb_archive_uri) || return 1
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	: >"$state/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" \
		>"$state/sources.list"
	say LISTS "package lists of $suite"
	deb_apt "$suite" apt-get update || die "cannot fetch the package lists of $suite"
	touch "$state/updated"
}

deb_fetch() {
	local suite=$1 package=$2 dir=$3

	# The lists have one writer at a time.
	mkdir -p "$HEADWAY_CACHE/apt" "$dir"
	(
		flock 8
		deb_update "$suite" || exit 1
		say FETCH "$package ($suite)"
		cd "$dir" && deb_apt "$suite" apt-get download "$package"
	) 8>"$HEADWAY_CACHE/apt/.$suite.lock" || die "cannot download $package from $suite"
}
