#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# journal.sh - runs a command beside a systemd-journald of its own, then prints what headway put there.
#
# Usage:  unshare --mount journal.sh COMMAND...       the entries as JSON, a line each, on stdout
#
# /run and the journal's configuration are replaced in this mount namespace only, so that a journal that
# the machine has is neither read nor written. Exit status 3: journald does not start here.
set -u -o pipefail

config=$(mktemp)
journald_pid=
stop() {
	[ -z "$journald_pid" ] || kill "$journald_pid" 2>/dev/null
	wait
	rm -f "$config"
}
trap stop EXIT

mount --make-rprivate / && mount -t tmpfs tmpfs /run || exit 3
printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\n' >"$config"
[ ! -e /etc/systemd/journald.conf ] || mount --bind "$config" /etc/systemd/journald.conf || exit 3
[ -s /etc/machine-id ] || { echo "journal.sh: no /etc/machine-id" >&2; exit 3; }
/lib/systemd/systemd-journald >&2 &
journald_pid=$!
for ((i = 0; i < 600; i++)); do
	[ ! -S /run/systemd/journal/socket ] || break
	kill -0 "$journald_pid" 2>/dev/null || exit 3
	sleep 0.1
done
"$@" >&2 || exit 1
# The entry was sent before the command ended; it is there when journald has read it.
for ((i = 0; i < 600; i++)); do
	entries=$(journalctl -D /run/log/journal -o json --all SYSLOG_IDENTIFIER=headway 2>/dev/null)
	[ -z "$entries" ] || break
	sleep 0.1
done
printf '%s\n' "$entries"
