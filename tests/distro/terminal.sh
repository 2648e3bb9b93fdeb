# SPDX-License-Identifier: GPL-2.0
# terminal.sh - the session that guest.sh (it sources this) has with what people look at: `headway top -k`
# in a terminal, `headway stat -i`, `headway report` and `headway demo`, with the modules at work.
#
# What it keeps for people to look at goes out as lines "# capture FILE: LINE", which run.sh takes from the
# console: a guest leaves nothing else behind.
# shellcheck shell=bash
# shellcheck disable=SC2154 # top, headway, domain: guest.sh's and philosophers.sh's
# shellcheck disable=SC2317 # the functions below are called by check
# shellcheck source=tests/lib/screen.sh
. "$top/tests/lib/screen.sh"
tmp=/tmp/screen
captures=$tmp/captures
limit_s=120	# emulated

# Of one kernel: what is drawn is the same on all, and it takes minutes where it is emulated.
has_terminal() {
	[ -x "$headway" ] && [[ $(uname -r) == 6.1.* && $(uname -v) != *PREEMPT_RT* ]] && command -v tmux >/dev/null
}

begin_terminal() {
	mkdir -p "$captures" /dev/pts
	[ -e /dev/pts/ptmx ] || mount -t devpts devpts /dev/pts
	begin 120 40 tmux-256color -k
}

# The screen is a shell's again.
end_terminal() {
	keys q q
	check "top: ends by q, with status 0" shows '^status 0$'
	end_screen
}

stat_repeats() {
	"$headway" stat philosophers -i 1 -n 3 >"$captures/kernel-stat.txt" </dev/null || return
	awk '$1 == "philosophers" { reports++; commits = $7; rate = $9; if (reports == 1) first = commits }
		/^Rates are over the last [0-9.]+ s\.$/ { over++ }
		/^fork[0-9] / { locks++ }
		END { exit !(reports == 3 && commits > first && rate > 0 && over >= 2 && locks == 15) }' \
		"$captures/kernel-stat.txt" || {
		cat "$captures/kernel-stat.txt"
		return 1
	}
}

# The recording that watch_begins() made, of a livelock and of its cures.
report_has_the_domain() {
	"$headway" report /tmp/cured.hw >/tmp/cured.html </dev/null || return
	sed -n '/<script type="application\/json" id="data">/,/<\/script>/p' /tmp/cured.html |
		sed '1d; s,</script>$,,' >/tmp/cured.page
	/usr/bin/python3 -B -c '
import json
page = json.load(open("/tmp/cured.page"))
domain, = page["domains"]
assert (domain["name"], domain["kind"]) == ("philosophers", "domain"), domain
columns = len(page["ends_s"])
assert columns > 5 and all(len(domain[key]) == columns for key in ("attempts", "completions", "rollbacks", "states"))
stuck = [i for i in range(columns) if domain["states"][i] == "livelock"]
cured = [i for i in range(columns) if domain["states"][i] in ("healthy", "contended")]
assert stuck and cured and stuck[0] < cured[0], domain["states"]
assert sum(domain["rollbacks"][i] for i in stuck) > 0
assert sum(domain["completions"][i] for i in cured) > sum(domain["completions"][i] for i in stuck)
assert page["states"][stuck[0]] == "livelock" and page["clock"] == "CLOCK_BOOTTIME"
finding = page["findings"][0]
assert finding["over"] and finding["until_s"] > finding["at_s"], finding
'
}

live_report() {
	"$headway" report --live --perfetto -k -w 1 -d 4 >/tmp/live.trace </dev/null &&
		/usr/bin/python3 -B -c '
import json
events = json.load(open("/tmp/live.trace"))["traceEvents"]
rates = [e["args"] for e in events if e["name"] == "kernel domain philosophers, per second"]
assert max(r["completions"] for r in rates) > 0 and rates[-1]["attempts"] == 0, rates
'
}

look_at_domain() {
	if ! has_terminal; then
		skip "top: a domain on the terminal" "this is tested on the stock kernel 6.1, with tmux"
		return
	fi
	write_to "$domain/policy" none
	begin_terminal
	check "top: the livelock of a domain" shows 'domain +- philosophers +! livelock' '^! 1 livelock'
	keep kernel-top
	keys Enter
	check "top: all about the domain" shows 'kernel domain philosophers' 'verdict ! livelock' \
		'^WHO WAITS FOR WHOM' '^TRANSACTIONS' 'philosopher/[0-9]'
	keep kernel-livelock
	keys End
	check "top: what to try" shows '^LAST FINDING|What to try' 'ordered|wound-wait'
	keep kernel-finding
	check "top: the policy is switched" tool 0 serial policy philosophers serial
	keys Home
	check "top: the domain gets on" shows 'verdict [+~] (healthy|contended)'
	check "top: who waits for whom" shows '[`└├]. philosopher/[0-9] \([0-9]+\) waits for [^ ]+ for [0-9.]+ ms'
	keep kernel-waits
	keys Tab Tab Tab Tab
	check "top: locks and times" shows '^LOCKS' 'fork[0-9] +[0-9]' '(WAIT|HOLD) TIMES'
	keep kernel-locks
	keys Escape
	check "top: the table says so, too" shows 'domain +- philosophers +[+~] (healthy|contended)'
	end_terminal
	check "stat -i: repeats, with rates" stat_repeats
	check "report: the kernel's domain is on the timeline" report_has_the_domain
	check "report --live -k: a trace of the domain" live_report
	if [ -e /sys/kernel/btf/vmlinux ]; then
		check "demo: shows the livelock in the kernel, and its cure" demo_shows_the_kernel
	else
		skip "demo: shows the livelock in the kernel, and its cure" "this kernel was built without BTF"
	fi
}

demo_shows_the_kernel() {
	"$headway" demo -d 10 >"$captures/kernel-demo.txt" 2>&1 </dev/null || {
		cat "$captures/kernel-demo.txt"
		return 1
	}
	grep -q 'LIVELOCK .*kernel domain philosophers' "$captures/kernel-demo.txt" &&
		grep -q 'in the kernel, policy ordered *no livelock' "$captures/kernel-demo.txt" &&
		grep -qx current=serial "$domain/policy"
}

# While device_claim.ko is at work.
look_at_arbiter() {
	if ! has_terminal; then
		skip "top: an arbiter on the terminal" "this is tested on the stock kernel 6.1, with tmux"
		return
	fi
	begin_terminal
	check "top: an arbiter" shows 'arbiter +- office +- '
	keep kernel-arbiter-row
	keys Enter
	check "top: what each request wants and holds" shows 'kernel arbiter office' '^REQUESTS' \
		'(scan|print|copy|audit|plot|bind) +granted' '[1-9][0-9.]* grants/s'
	check "top: who waits for whom at an arbiter" \
		shows '(scan|print|copy|audit|plot|bind) \([0-9]+\) waits for resource [0-9,-]+, (held by|reserved for) that one'
	keep kernel-arbiter
	end_terminal
}

send_captures() {
	local file

	for file in "$captures"/*.txt; do
		[ ! -e "$file" ] || sed "s|^|# capture ${file##*/}: |" "$file"
	done
}
