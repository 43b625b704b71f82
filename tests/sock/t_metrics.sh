#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Metrics of esptund itself, without a kernel module (no_module.c), read by Prometheus: what it takes, the alert rules
# and their unit tests, the dashboard's expressions; and readers that are silent, slow, or many.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"

dist=$VM_TOP/userspace/dist/monitoring
bin=$(cd "$VM_TOP" && realpath "${B:-build}")
at=127.0.0.1:9509
for tool in prometheus:prometheus promtool:prometheus curl:curl; do
	command -v "${tool%:*}" > /dev/null || bail "${tool%:*} is missing: install ${tool#*:}"
done

# scrape [OPTION of curl...]: the metrics.
scrape() {
	in_quiet west curl -sS --max-time 10 "$@" "http://$at/metrics"
}

# ask EXPRESSION: its value, as Prometheus has it; "" if it has none, "error" if it is none.
ask() {
	in_quiet west curl -sS --max-time 10 --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query |
		jq -r 'if .status == "success" then .data.result[0].value[1] // "" else "error" end'
}

says() {
	[ "$(ask "$1")" = "$2" ]
}

# answers: the control socket does, in good time.
answers() {
	in_quiet west timeout 2 "$bin/esptun" --control /run/agent.sock status > /dev/null
}

# names FILE: of the metrics that it is about.
names() {
	grep -oE 'esptun_[a-z0-9_]+' "$1" | grep -v -e '^esptun_tunnel_state$' | sort -u
}

# samples: names of all samples there may be.
samples() {
	sed -n '/^METRIC(/{s/^METRIC(\w*, "\(\w*\)", \(\w*\),.*/esptun_\1 \2/p}' \
		"$VM_TOP/userspace/ike/app/ctl/metrics.def" |
		sed 's/ COUNTER$/_total/; s/ INFO$/_info/; s/ .*//' | sort
}

three_hosts
must ip -n west link set lo up
charon
tunnel west 1 begun start=now
tunnel west 2 heard start=listen
hub <<-END
[Pool]
Range = 10.9.0.0/24
END
# A netdevice may have such a name.
cat > '/run/conf/west/q"x\y.conf' <<-END
[Peer]
RemoteID = nobody.example
PSK = $PSK
END
chmod 600 /run/conf/west/*
load_swan
start west "$VM_OUT/agent.log" "$bin/tests/esptund-no-module" --config /run/conf/west \
	--socket /run/agent.sock --metrics $at --foreground
agent=$started
check "a tunnel is up" wait_for 20 grep -q 'begun.*established' "$VM_OUT/agent.log"

# ---- the text ---------------------------------------------------------------------

check "metrics are told" scrape -o "$VM_OUT/classic"
check "promtool check metrics" quietly promtool check metrics < "$VM_OUT/classic"
is "a tunnel that is up" "$(grep '^esptun_tunnel_up{tunnel="begun"}' "$VM_OUT/classic")" 'esptun_tunnel_up{tunnel="begun"} 1'
is "one that is configured, and is not" "$(grep '^esptun_tunnel_up{tunnel="heard"}' "$VM_OUT/classic")" 'esptun_tunnel_up{tunnel="heard"} 0'
is "the addresses of a hub" "$(grep '^esptun_pool_addresses' "$VM_OUT/classic" | sed 's/ .*//')" \
	'esptun_pool_addresses{tunnel="hub",family="ipv4"}'
sleep 1.1 # so old do metrics get that are told twice
check "the format of OpenMetrics" scrape -i -H 'Accept: application/openmetrics-text' -o "$VM_OUT/open"
like "is said to be it" "$(cat "$VM_OUT/open")" '^Content-Type: application/openmetrics-text; version=1.0.0'
is "and has its end" "$(tail -n 1 "$VM_OUT/open")" '# EOF'
is "each metric has a help text" "$(grep -c '^# HELP' "$VM_OUT/open")" "$(grep -c '^# TYPE' "$VM_OUT/open")"
is "other paths are none" "$(in_quiet west curl -s -o /dev/null -w '%{http_code}' http://$at/)" 404
is "a page's own name for this machine is refused" \
	"$(in_quiet west curl -s -o /dev/null -w '%{http_code}' -H 'Host: evil.example:9509' http://$at/metrics)" 421
is "nothing is changed over it" "$(in_quiet west curl -s -o /dev/null -w '%{http_code}' -d x http://$at/metrics)" 405

# ---- Prometheus ----------------------------------------------------------------------

cp "$dist/alerts.yml" "$VM_TOP/tests/data/monitoring/alerts_test.yml" "$VM_OUT/"
cat > "$VM_OUT/prometheus.yml" <<-END
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: [alerts.yml]
scrape_configs:
  - job_name: esptun
    static_configs:
      - targets: ['$at']
END
check "promtool check config" quietly promtool check config "$VM_OUT/prometheus.yml"
check "promtool check rules" quietly promtool check rules "$VM_OUT/alerts.yml"
check "promtool test rules" quietly promtool test rules "$VM_OUT/alerts_test.yml"
is "each alert has a unit test" "$(sed -n 's/.*- alert: //p' "$VM_OUT/alerts.yml" | sort)" \
	"$(sed -n 's/^ *alertname: //p' "$VM_OUT/alerts_test.yml" | sort -u)"
start west "$VM_OUT/prometheus.log" prometheus --config.file="$VM_OUT/prometheus.yml" \
	--storage.tsdb.path="$VM_OUT/tsdb" --web.listen-address=127.0.0.1:9090
prometheus=$started
check "Prometheus takes them" wait_for 30 says 'up{job="esptun"}' 1
check "the tunnel is up there, too" wait_for 10 says 'esptun_tunnel_up{tunnel="begun"}' 1
is "and the other one is not" "$(ask 'esptun_tunnel_up{tunnel="heard"}')" 0
is "a name with a quotation mark and a backslash" "$(ask 'esptun_tunnel_up{tunnel="q\"x\\y"}')" 0
is "one state at a time" "$(ask 'sum(esptun_tunnel_state{tunnel="begun"})')" 1
is "the version" "$(ask esptun_agent_info)" 1
age=$(ask 'time() - esptun_tunnel_established_timestamp_seconds{tunnel="begun"}')
check "the IKE SA is some seconds old ($age)" test "${age%.*}" -ge 0 -a "${age%.*}" -lt 600
is "it knows the unit" "$(in_quiet west curl -s "http://127.0.0.1:9090/api/v1/metadata?metric=esptun_tunnel_received_bytes" |
	jq -r '.data[][0] | "\(.type) \(.unit)"')" 'counter bytes'

# ---- the dashboard -----------------------------------------------------------------------

dashboard=$dist/dashboard.json
for file in "$dashboard" "$dist/alerts.yml"; do
	is "metrics in $(basename "$file") that there are not" "$(comm -23 <(names "$file") <(samples))" ''
done
wrong=''
while read -r expr; do
	[ "$(ask "$expr")" != error ] || wrong+="$expr; "
done < <(jq -r '.panels[].targets[].expr' "$dashboard" | sed 's/[$]__rate_interval/1m/g; s/"[$][a-z]*"/".*"/g')
is "expressions in it that Prometheus does not take" "$wrong" ''
is "panels without an expression" "$(jq '[.panels[] | select(.targets | length == 0)] | length' "$dashboard")" 0

# ---- readers that misbehave ----------------------------------------------------------------

# Nothing, half a request, too much, and an answer that is not read; 40 of each.
cat > "$VM_OUT/hostile.py" <<-END
import socket, time
held = []
for text in (b"", b"GET /metrics HTTP/1.1\r\nAccept: ", b"GET /" + b"a" * 70000, b"GET /metrics HTTP/1.1\r\n\r\n"):
    for i in range(40):
        s = socket.socket()
        s.settimeout(1)
        held.append(s)
        try:
            s.connect(("127.0.0.1", 9509))
            s.sendall(text)
        except OSError:
            pass
time.sleep(300)
END
start west "$VM_OUT/hostile.log" python3 "$VM_OUT/hostile.py"
hostile=$started
sleep 2
check "silent and slow readers: esptun status is answered" answers
check "and so is Prometheus" wait_for 15 says 'up{job="esptun"}' 1
stop "$hostile"
check "all is well thereafter" wait_for 15 scrape -o "$VM_OUT/after"
check "the tunnel is up all the time" grep -q '^esptun_tunnel_up{tunnel="begun"} 1' "$VM_OUT/after"
is "no system call was missing" "$(grep -c 'is not in the allow-list' "$VM_OUT/agent.log")" 0

# ---- an agent that is gone, or answers elsewhere -----------------------------------------

kill -TERM "$agent"
check "ends in peace" wait_for 15 gone "$agent"
check "Prometheus sees that it is gone" wait_for 15 says 'up{job="esptun"}' 0
stop "$prometheus"
in_quiet west "$bin/tests/esptund-no-module" --config /run/conf/west --socket /run/agent.sock \
	--metrics 0.0.0.0:9509 > "$VM_OUT/wide.log" 2>&1
is "no other machine can read them" $? 3
like "and it says what can be" "$(cat "$VM_OUT/wide.log")" 'expected unix:/PATH, 127.0.0.1:PORT or \[::1\]:PORT'
start west "$VM_OUT/squatter.log" python3 -m http.server --bind 127.0.0.1 9509
check "another program has the port" wait_for 15 quietly in_quiet west curl -s "http://$at/"
squatter=$started
start west "$VM_OUT/agent3.log" "$bin/tests/esptund-no-module" --config /run/conf/west \
	--socket /run/agent.sock --metrics $at --foreground
check "esptund begins all the same" wait_for 15 answers
like "and says what is the matter" "$(cat "$VM_OUT/agent3.log")" "cannot listen on $at for metrics: Address already in use"
stop "$started"
stop "$squatter"
start west "$VM_OUT/agent2.log" "$bin/tests/esptund-no-module" --config /run/conf/west \
	--socket /run/agent.sock --metrics unix:/run/metrics.sock --foreground
check "on a Unix socket" wait_for 15 scrape --unix-socket /run/metrics.sock -o "$VM_OUT/unix"
check "all of them" grep -q '^esptun_tunnel_up{tunnel="hub"}' "$VM_OUT/unix"
is "and not on TCP" "$(scrape -f 2>&1 | grep -c 'Failed to connect')" 1
stop "$started"
finish
