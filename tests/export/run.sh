#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# export tier: `headway export` scraped by the real Prometheus, which fires the shipped alert on a
# livelock and clears it after; the server for people and for who means no good; what is shipped with it.
# runs: light
set -u -o pipefail

# shellcheck source=tests/lib/tier.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tier.sh"
headway=$top/build/headway
corpus=$top/build/corpus
ask=$top/tests/export/ask.py
shipped=$top/userspace/export
confined=()	# put before the exporter, so that it may do less

# has DESCRIPTION FILE REGEX...
has() {
	local what=$1 file=$2 missing=
	shift 2
	for regex; do
		grep -Eq -- "$regex" "$file" || missing+="no /$regex/"$'\n'
	done
	if [ -z "$missing" ]; then
		ok "$what"
	else
		not_ok "$what" "$missing$(head -c 3000 "$file")"
	fi
}

# does DESCRIPTION COMMAND...: as check, in this shell, whose variables the command sets.
does() {
	local what=$1
	shift
	if "$@" >"$tmp/does" 2>&1; then
		ok "$what"
	else
		not_ok "$what" "$(tail -40 "$tmp/does")"
	fi
}

# start_export NAME ARGS...: sets $export_pid and $url; what it says is in $tmp/NAME.err.
start_export() {
	local name=$1
	shift
	"${confined[@]}" "$headway" export -l 127.0.0.1:0 "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null &
	export_pid=$!
	started+=("$export_pid")
	until_true 60 grep -q '/metrics$' "$tmp/$name.err" || return 1
	url=$(sed -n 's|^headway export: \(http://127.0.0.1:[0-9]*\)/metrics$|\1|p' "$tmp/$name.err")
}

# page NAME [ACCEPT]: the metrics into $tmp/NAME
page() {
	timeout 150 "$ask" get "$url/metrics" ${2:+"Accept:$2"} >"$tmp/$1"
}

says() {	# REGEX: the page, fetched anew
	page says && grep -Eq -- "$1" "$tmp/says"
}

start_program() {	# NAME
	CORPUS_SECONDS=900 "$corpus/$1" >/dev/null 2>&1 </dev/null &
	program_pid=$!
	started+=("$program_pid")
}

test_shipped() {
	cp "$shipped/headway.rules.yml" tests/export/rules_test.yml "$tmp/"
	check "the alerts are as Prometheus wants them" "$promtool" check rules "$tmp/headway.rules.yml"
	check "each alert fires for what it is about" "$promtool" test rules "$tmp/rules_test.yml"
	sed -i 's/starvation|spin-hang/&x/; s/livelock|deadlock/deadlock/' "$tmp/headway.rules.yml"
	if "$promtool" test rules "$tmp/rules_test.yml" >/dev/null 2>&1; then
		not_ok "control: alerts that leave livelock out are noticed"
	else
		ok "control: alerts that leave livelock out are noticed"
	fi
	same "alerts and dashboard name metrics that there are" \
		"$("$ask" unknown "$shipped/headway.rules.yml" "$shipped/headway.grafana.json" 2>&1)" ""
	echo 'headway_stat headway_findings_total' >"$tmp/wrong"
	same "control: a metric that there is not" "$("$ask" unknown "$tmp/wrong")" "$tmp/wrong: headway_stat"
	same "the dashboard is one that Grafana draws" "$("$ask" dashboard "$shipped/headway.grafana.json" 2>&1)" ""
	# shellcheck disable=SC2016 # the dashboard's own variable
	sed 's/"x": 12/"x": 13/; s/\$instance/$machine/' "$shipped/headway.grafana.json" >"$tmp/wrong.json"
	"$ask" dashboard "$tmp/wrong.json" >"$tmp/wrong"
	has "control: a dashboard that is too wide, and names no variable" "$tmp/wrong" 'beyond the 24' 'no variable: .*machine'

	# No other make may build meanwhile: all that it installs is there.
	check "make install" make -s install DESTDIR="$tmp/root" PREFIX=/usr
	has "installed: the unit runs what is installed" "$tmp/root/usr/lib/systemd/system/headway-export.service" \
		'^ExecStart=/usr/bin/headway export'
	check "installed: alerts and dashboard" ls "$tmp/root/usr/share/headway/headway.rules.yml" \
		"$tmp/root/usr/share/headway/headway.grafana.json"
	sed "s|=/usr/bin|=$tmp/root/usr/bin|" "$tmp/root/usr/lib/systemd/system/headway-export.service" \
		>"$tmp/headway-export.service"
	same "systemd understands the unit" \
		"$(MANPATH=$tmp/root/usr/share/man systemd-analyze verify "$tmp/headway-export.service" 2>&1)" ""
	check "systemd-analyze security: exposed 3.0 at most" \
		systemd-analyze security --no-pager --offline=yes --threshold=30 "$tmp/headway-export.service"
}

test_usage() {
	local args message said status
	while IFS='|' read -r args message; do
		# shellcheck disable=SC2086
		said=$(timeout 10 "$headway" export $args 2>&1 </dev/null)
		status=$?
		if [ "$status" -eq 2 ] && finds -E -- "$message" <<<"$said"; then
			ok "usage error: export $args"
		else
			not_ok "usage error: export $args" "status $status: $said"
		fi
	done <<-'END'
		-l 127.0.0.1:0|nothing to watch
		-a -l localhost:9769|'localhost:9769' is no address to listen at: give numbers
		-a -l 9769|'9769' is no address
		-a -l ::1:9769|'::1:9769' is no address
		-a -l 127.0.0.1:99999|is no address
		-a -l 127.0.0.1:|is no address
		-a --max-series 0|'0' is not a number of series
		-a --max-series 10001|is not a number of series
	END
}

test_server() {
	page plain
	has "plain text for who does not ask for OpenMetrics" "$tmp/plain" '^200$' \
		'^Content-Type: text/plain; version=0.0.4' '^# TYPE headway_events_total counter$'
	page browser 'text/html, */*;q=0.8'
	has "plain text for a browser" "$tmp/browser" '^Content-Type: text/plain; version=0.0.4'
	page openmetrics 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5'
	has "OpenMetrics for who does" "$tmp/openmetrics" '^Content-Type: application/openmetrics-text; version=1.0.0' \
		'^# TYPE headway_events counter$' '^# UNIT headway_watched_seconds seconds$'
	same "OpenMetrics ends with its end" "$(tail -1 "$tmp/openmetrics")" '# EOF'
	check "waits of a process and of a lock have a histogram" until_true 120 says \
		"^headway_lock_wait_seconds_count\\{pid=\"$program_pid\",comm=\"timedlock_order\",lock=\"mutex_[ab]\",.* [1-9]"
	has "waits that took a while are in its buckets" "$tmp/says" \
		"^headway_process_wait_seconds_bucket\\{pid=\"$program_pid\",comm=\"timedlock_order\",le=\"1.073741824\"\\} [1-9]"
	has "a build, losses, probes" "$tmp/plain" '^headway_build_info\{version=".+"\} 1$' \
		'^headway_lost_total\{what="lock"\} 0$' '^headway_probe_missing\{probe="futex"\} 0$'
	sed '1,/^$/d' "$tmp/plain" >"$tmp/plain.body"
	check "promtool: the page is clean" "$promtool" check metrics <"$tmp/plain.body"
	if sed 's/} \([0-9]\)/ \1/' "$tmp/plain.body" | "$promtool" check metrics >/dev/null 2>&1; then
		not_ok "control: promtool sees a page that is not"
	else
		ok "control: promtool sees a page that is not"
	fi
	"$ask" get "$url/" >"$tmp/root.page"
	has "/: where the metrics are" "$tmp/root.page" '^200$' '^Content-Type: text/html' 'href="/metrics"'
	"$ask" get "$url/../etc/passwd" >"$tmp/none.page"
	has "any other path: 404" "$tmp/none.page" '^404$'
	"$ask" get "$url/metrics" '' POST >"$tmp/post.page"
	has "POST: 405" "$tmp/post.page" '^405$' '^Allow: GET, HEAD'
	"$ask" get "$url/metrics" '' HEAD >"$tmp/head.page"
	has "HEAD: no body" "$tmp/head.page" '^200$'
	same "HEAD: no body" "$(sed '1,/^$/d' "$tmp/head.page")" ""
	"$ask" get "$url/metrics" "X-Long:$(head -c 40000 /dev/zero | tr '\0' x)" >"$tmp/long.page" 2>&1
	check "after a request of 40 kB" page after
}

# Who keeps half a request open is let go after 10 s: nobody is kept out for longer.
test_slow_clients() {
	local holder files

	mkfifo "$tmp/hold"
	"$ask" hold 127.0.0.1 "${url##*:}" 24 <"$tmp/hold" >"$tmp/held" &
	holder=$!
	started+=("$holder")
	exec 5>"$tmp/hold"
	check "24 connections are made" until_true 60 grep -q holding "$tmp/held"
	files=$(find "/proc/$export_pid/fd" -lname 'socket:*' | wc -l)
	if [ "$files" -le 17 ]; then
		ok "16 of 24 slow connections are served at once, at most"
	else
		not_ok "16 of 24 slow connections are served at once, at most" "$files sockets"
	fi
	check "a scrape gets through beside them" page beside
	exec 5>&-
	wait "$holder"
}

# With no more capabilities than the unit leaves to root.
test_limit() {
	local busy=$program_pid capabilities

	capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$shipped/headway-export.service" |
		tr ' A-Z' ',a-z' | sed 's/cap_/+/g')
	confined=(setpriv --bounding-set "-all,$capabilities" --inh-caps -all)
	start_program two_lock_grid
	start_export limit --max-series 1 -w 2 -p "$program_pid" -p "$busy"
	confined=()
	check "the unit's capabilities are enough" until_true 120 says \
		"^headway_finding\\{pid=\"$program_pid\",comm=\"two_lock_grid\",verdict=\"livelock\"\\} 1$"
	check "more processes than series: the rest is summed up" until_true 120 says \
		'^headway_process_attempts_total\{pid="other",comm=""\} [1-9]'
	page limit
	same "more processes than series: one has its own" \
		"$(grep -c '^headway_process_attempts_total{pid="[0-9]' "$tmp/limit")" 1
	has "what is summed up is counted" "$tmp/limit" '^headway_folded_total\{of="process"\} [1-9]'
	kill -INT "$export_pid"
	wait "$export_pid"
	kill "$program_pid"
}

start_prometheus() {
	local try port

	sed 's/for: .*/for: 2s/' "$shipped/headway.rules.yml" >"$tmp/live.rules.yml"
	cat >"$tmp/prometheus.yml" <<-END
		global: { scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s }
		rule_files: ['$tmp/live.rules.yml']
		scrape_configs:
		  - job_name: headway
		    static_configs: [{ targets: ['${url#http://}'] }]
	END
	proxy_job >>"$tmp/prometheus.yml"
	"$promtool" check config "$tmp/prometheus.yml" >&2 || return 1
	# Somebody else may take the port meanwhile.
	for try in 1 2 3; do
		port=$("$ask" port)
		prometheus=http://127.0.0.1:$port
		"$bin/prometheus" --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/data$try" \
			--web.listen-address="127.0.0.1:$port" >"$tmp/prometheus.log" 2>&1 </dev/null &
		prometheus_pid=$!
		started+=("$prometheus_pid")
		until_true 120 is_ready && return
		kill -KILL "$prometheus_pid" 2>/dev/null
	done
	tail -20 "$tmp/prometheus.log" >&2
	return 1
}

is_ready() {
	"$ask" get "$prometheus/-/ready" 2>/dev/null | finds '^200$'
}

fires() {	# REGEX
	"$ask" firing "$prometheus" >"$tmp/firing" && grep -Eq -- "$1" "$tmp/firing"
}

clears() {
	"$ask" firing "$prometheus" >"$tmp/firing" && ! grep -q HeadwayStuck "$tmp/firing"
}

is_up() {	# JOB
	[ "$("$ask" value "$prometheus" "up{job=\"$1\"}" | awk '{ print $NF }')" = 1 ]
}

test_prometheus() {
	local expression bad=

	does "Prometheus starts" start_prometheus
	check "Prometheus scrapes" until_true 120 is_up headway
	check "Prometheus scrapes through the proxy, as headway(8) says" until_true 120 is_up proxied
	check "the alert fires for the livelock" until_true 180 fires \
		"^HeadwayStuck .*comm=two_lock_grid .*pid=$livelock .*verdict=livelock"
	same "Prometheus took it as OpenMetrics" "$("$ask" type "$prometheus" headway_state)" stateset
	while read -r expression; do
		"$ask" value "$prometheus" "$expression" >/dev/null 2>"$tmp/value.err" ||
			bad+="$expression: $(tail -1 "$tmp/value.err")"$'\n'
	done < <("$ask" expressions "$shipped/headway.grafana.json")
	same "Prometheus can answer each panel of the dashboard" "$bad" ""
	check "attempts are counted, completions are not there" until_true 120 no_completions
	kill "$livelock"
	check "the alert clears when the program is gone" until_true 180 clears
	check "and not because nobody was scraped" is_up headway
	kill "$prometheus_pid"
	wait "$prometheus_pid"
}

no_completions() {
	[ "$("$ask" value "$prometheus" 'rate(headway_process_attempts_total{job="headway",comm="two_lock_grid"}[1m]) > 1
		unless rate(headway_process_completions_total[1m]) > 0' | wc -l)" -eq 1 ]
}

test_end() {
	local port=${url##*:}

	timeout 20 "$headway" export -p $$ -l "127.0.0.1:$port" >"$tmp/taken.out" 2>"$tmp/taken.err"
	same "a port that is taken: status 1" "$?" 1
	has "a port that is taken: what to do" "$tmp/taken.err" \
		"cannot listen at 127.0.0.1:$port: Address already in use; give another .*--listen"
	kill -INT "$export_pid"
	wait "$export_pid"
	same "Ctrl-C: status 0" "$?" 0
	same "nothing on stdout" "$(cat "$tmp/main.out")" ""
	same "no line on stderr but where it is" "$(wc -l <"$tmp/main.err")" 1
	check "the port is free at once" start_again "$port"
	has "an address that others reach: said" "$tmp/wide.err" 'others than this machine can read it'
}

start_again() {
	timeout 60 "$headway" export -d 1 -p $$ -l "0.0.0.0:$1" >"$tmp/wide.out" 2>"$tmp/wide.err"
}

# watch_until_found PID: ends when the livelock was told, however long that takes here.
watch_until_found() {
	local watch

	"$headway" watch --journal -w 2 -p "$1" >"$tmp/found" &
	watch=$!
	until_true 180 grep -q LIVELOCK "$tmp/found"
	kill -INT "$watch" && wait "$watch"
}

test_journal() {
	local pid=$livelock

	export -f watch_until_found until_true
	export headway tmp
	if ! timeout 300 unshare --mount tests/export/journal.sh bash -c "watch_until_found $pid" \
		>"$tmp/journal" 2>"$tmp/journal.err"; then
		not_ok "a finding is in a real journal" "$(tail -20 "$tmp/journal.err")"
		return
	fi
	has "a finding is in a real journal" "$tmp/journal" '"HEADWAY_VERDICT":"livelock"' \
		'"MESSAGE":"livelock \(confirmed\) in process '"$pid"' \(two_lock_grid\): ' \
		'"MESSAGE_ID":"6d310a42f31c4a6f995ef4d5522e3a0a"' '"PRIORITY":"4"' \
		'"HEADWAY_LOCK":\["mutex_[ab]","mutex_[ab]"\]' '"HEADWAY_EVIDENCE":\[".*mutex_a.*"\]' \
		'"HEADWAY_JSON":"\{'
	has "the journal knows the process" "$tmp/journal" '"OBJECT_COMM":"two_lock_grid"'
	same "it was told once" "$(grep -c livelock "$tmp/journal")" 1
	# shellcheck disable=SC2016 # the inner shell expands
	timeout 30 unshare --mount sh -c 'mount --make-rprivate / && mount -t tmpfs tmpfs /run &&
		exec "$0" watch --journal -d 1 -p $$' "$headway" >"$tmp/nojournal.out" 2>"$tmp/nojournal.err"
	same "no journal: status 1" "$?" 1
	has "no journal: what to do" "$tmp/nojournal.err" \
		'there is no journal to write into .*is systemd-journald running\? Else leave out --journal'
}

# shellcheck source=tests/export/proxy.sh
. tests/export/proxy.sh

ktap_begin export
bin=$(tests/export/unpacked.sh prometheus)/usr/bin || exit 1
promtool=$bin/promtool
test_shipped
test_usage
start_program two_lock_grid
livelock=$program_pid
start_program timedlock_ordered
does "it starts, and says where" start_export main -w 2 -p "$livelock" -p "$program_pid"
check "the verdict is on the page" until_true 120 says \
	"^headway_finding\{pid=\"$livelock\",comm=\"two_lock_grid\",verdict=\"livelock\"\} 1$"
test_server
test_slow_clients
test_journal
test_proxy
test_prometheus
test_end
test_limit
ktap_end
