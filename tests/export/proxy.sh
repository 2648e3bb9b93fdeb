# SPDX-License-Identifier: GPL-2.0
# proxy.sh - TLS and a password before the exporter, as the manual page has them: its nginx and its Prometheus
# (sourced by run.sh).
# shellcheck shell=bash
# shellcheck disable=SC2154	# run.sh sets them

# example WORD: of headway(8), the one with a line that begins so.
example() {
	awk -v word="$1" '/^\.EX/ { inside = 1; block = "\n"; next }
		/^\.EE/ { if (index(block, "\n" word)) print block; inside = 0 }
		inside { block = block $0 "\n" }' userspace/headway.8 | sed 's/\\-/-/g; s/\\e/\\/g'
}

make_secrets() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=node -days 2 \
		-addext subjectAltName=IP:127.0.0.1 -keyout "$tmp/node.key" -out "$tmp/node.pem" || return 1
	echo 'a secret' >"$tmp/password"
	example 'printf ' | sed "s|/etc/nginx/|$tmp/|; s|passwd -apr1|& -stdin <$tmp/password|" >"$tmp/secrets.sh"
	bash -eu "$tmp/secrets.sh"
}

start_proxy() {
	local nginx try port

	nginx=$(tests/export/unpacked.sh nginx)/usr/sbin/nginx || return 1
	# Somebody else may take the port meanwhile.
	for try in 1 2 3; do
		port=$("$ask" port)
		proxy=https://127.0.0.1:$port
		mkdir "$tmp/nginx$try"
		{
			echo "daemon off; master_process off; user root; pid nginx.pid; error_log stderr; events {}"
			echo "http { access_log off; client_body_temp_path body; proxy_temp_path proxy;"
			echo "fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;"
			example 'server {' | sed "s|listen 9770 |listen 127.0.0.1:$port |; s|http://127.0.0.1:9769|$url|
				s|/etc/ssl/certs/|$tmp/|; s|/etc/ssl/private/|$tmp/|; s|/etc/nginx/|$tmp/|"
			echo "}"
		} >"$tmp/nginx$try/nginx.conf"
		"$nginx" -e stderr -p "$tmp/nginx$try" -c nginx.conf 2>"$tmp/nginx.log" </dev/null &
		proxy_pid=$!
		started+=("$proxy_pid")
		until_true 60 answers 401 && return
		kill -TERM "$proxy_pid" 2>/dev/null
	done
	cat "$tmp/nginx.log" >&2
	return 1
}

# answers STATUS [CURL-ARGUMENT...]: the proxy does, its certificate being the one that is trusted.
answers() {
	local wanted=$1 got
	shift

	got=$(curl -sS -m 60 --cacert "$tmp/node.pem" -o "$tmp/answer" -w '%{http_code}' "$@" "${where:-$proxy/metrics}")
	[ "$got" = "$wanted" ] || {
		echo "status $got"
		return 1
	}
}

# The job of the manual page, for Prometheus' configuration.
proxy_job() {
	example scrape_configs: | sed "1,/^scrape_configs:/d; s|job_name: headway|job_name: proxied|
		s|/etc/prometheus/|$tmp/|; s|headway.password|password|; s|node:9770|${proxy#https://}|"
}

test_proxy() {
	local user="prometheus:a secret"

	does "a certificate, and a password as headway(8) makes it" make_secrets
	does "the proxy of headway(8) starts" start_proxy
	check "TLS: with the password, the metrics" answers 200 -u "$user"
	has "TLS: they are ours" "$tmp/answer" '^headway_build_info\{'
	check "TLS: without a password: 401" answers 401
	same "TLS: ... and no metrics" "$(grep -c headway_ "$tmp/answer")" 0
	check "TLS: with a wrong one: 401" answers 401 -u "prometheus:a guess"
	where=$proxy/ check "TLS: nothing but the metrics: 404" answers 404 -u "$user"
	where=http${proxy#https}/metrics check "TLS: without it: 400" answers 400 -u "$user"
	curl -sS -m 60 -o /dev/null -u "$user" "$proxy/metrics" 2>/dev/null
	same "control: a certificate that nobody trusts is refused" "$?" 60
}
