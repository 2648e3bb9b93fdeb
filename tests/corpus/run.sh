#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The corpus tier: labelled programs, their own counters, and what `headway watch` says of them.
# runs: alone
# Arguments go to judge.py: names of cases, --labels-only, --keep DIR, ...
#
# The whole tier has one time limit; a timeout is a failure (exit status 124).
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# -k: a program that ignores SIGTERM must not keep `make check` waiting
exec timeout -k 10 "${CORPUS_LIMIT_S:-500}" /usr/bin/python3 -B "$here/judge.py" "$@"
