#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Metrics of esptund with the module: traffic and renewals are what the kernel counts, while the agent has
# given up its rights; and who may reach them. t_metrics.sh of tests/sock has Prometheus read them.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

# scrape [NS [PATH of a Unix socket]]: the metrics; as OpenMetrics.
scrape() {
	# shellcheck disable=SC2016 # for Python
	in_quiet "${1:-gwa}" "$PYTHON" -c 'import socket, sys
s = socket.socket(socket.AF_UNIX if sys.argv[1:] else socket.AF_INET)
s.settimeout(20)
s.connect(sys.argv[1] if sys.argv[1:] else ("127.0.0.1", 9509))
s.sendall(b"GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text\r\n\r\n")
print(b"".join(iter(lambda: s.recv(65536), b"")).decode())' "${@:2}"
}

# value SAMPLE: of it.
value() {
	scrape | sed -n "s/^$1 //p"
}

# counted WORD: of the netdevice, as ip has it.
counted() {
	ip -n gwa -s -j link show vpn0 | jq ".[0].stats64.$1"
}

fresh() {
	sleep 1.1 # so long are metrics told again that were told
}

load_esptun
add_ns gwa gwb
wire gwa a0 192.0.2.1/24 gwb b0 192.0.2.2/24
pair_conf gwa gwb 10.9.0.1 10.9.0.2 'Endpoint = 192.0.2.2'
pair_conf gwb gwa 10.9.0.2 10.9.0.1
agent gwb --metrics unix:/run/gwb.metrics
agent gwa --metrics 127.0.0.1:9509
wait_for 20 state_is gwa up || bail "no tunnel"
check "traffic passes" in_quiet gwa ping -q -c 20 -i 0.05 -s 1000 10.9.0.2

fresh
is "the tunnel is up" "$(value 'esptun_tunnel_up{tunnel="vpn0"}')" 1
for row in received_bytes:rx.bytes sent_bytes:tx.bytes received_packets:rx.packets sent_packets:tx.packets; do
	is "${row%:*} are those of the netdevice" "$(value "esptun_tunnel_${row%:*}_total{tunnel=\"vpn0\"}")" "$(counted "${row#*:}")"
done
check "and there were some" test "$(value 'esptun_tunnel_received_packets_total{tunnel="vpn0"}')" -ge 20
at=$(value 'esptun_tunnel_last_received_timestamp_seconds{tunnel="vpn0"}')
now=$(date +%s)
check "the peer was heard some seconds ago" test "${at%.*}" -gt $((now - 30)) -a "${at%.*}" -le "$now"
is "nothing was dropped" "$(value 'esptun_tunnel_dropped_packets_total{tunnel="vpn0",direction="sent"}')" 0

quietly tell gwa check vpn0
fresh
check "renewed keys are counted" test "$(value 'esptun_tunnel_ike_rekeys_total{tunnel="vpn0"}')" -ge 1 \
	-a "$(value 'esptun_tunnel_child_rekeys_total{tunnel="vpn0"}')" -ge 1
refuse "the peer's address is not to be reached over it" 'refused' scrape gwb
check "those of the other end, on a Unix socket" holds <(scrape gwb /run/gwb.metrics) '^esptun_tunnel_up{tunnel="vpn0"} 1'

# A tunnel that is taken down stays among them, without what a netdevice has.
must tell gwa down vpn0 > /dev/null
fresh
is "a tunnel that is down is 0" "$(value 'esptun_tunnel_up{tunnel="vpn0"}')" 0
is "and has no traffic" "$(value 'esptun_tunnel_sent_bytes_total{tunnel="vpn0"}')" ''
is "its state" "$(value 'esptun_tunnel_state{tunnel="vpn0",esptun_tunnel_state="down"}')" 1
must tell gwa up vpn0 > /dev/null
fresh
is "and it is up again" "$(value 'esptun_tunnel_up{tunnel="vpn0"}')" 1
is "no system call was missing" "$(cat "$VM_OUT"/esptund-*.part | grep -c 'is not in the allow-list')" 0
is "system calls are filtered" "$(sed -n 's/^Seccomp:\t//p' "/proc/${agent_pid[gwa]}/status")" 2
finish
