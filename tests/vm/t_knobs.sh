#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 900
#
# What operators do to a tunnel's netdevice: offloads off one by one, queueing disciplines,
# packet sockets, another MTU in mid-stream, marks, NAT and connection tracking. What was
# legal goes on arriving intact.

. "$VM_TOP/tests/vm/lib.sh"

load_esptun
two_hosts
static_west aes-gcm-128 on
static_east aes-gcm-128 on
check "as it is: TCP" iperf west east 10.9.0.2

# ---- offloads --------------------------------------------------------------------

for end in west:vpn0 east:vpn0 west:w0 east:e0; do
	ns=${end%:*} dev=${end#*:}
	for feature in tso gso tx gro sg rx tx-udp-segmentation; do
		in_quiet "$ns" ethtool -K "$dev" $feature off > /run/ethtool.log 2>&1 || continue
		check "$ns $dev $feature off: TCP both ways" iperf west east 10.9.0.2 --bidir
		# sg takes others with it.
		in_quiet "$ns" ethtool -K "$dev" $feature on tso on gso on tx on > /run/ethtool.log 2>&1
	done
	for feature in rx-udp-gro-forwarding rx-gro-list; do
		in_quiet "$ns" ethtool -K "$dev" $feature on > /run/ethtool.log 2>&1 || continue
		check "$ns $dev $feature on: TCP both ways" iperf west east 10.9.0.2 --bidir
		in_quiet "$ns" ethtool -K "$dev" $feature off > /run/ethtool.log 2>&1
	done
done

# ---- queueing disciplines ---------------------------------------------------------

for qdisc in 'tbf rate 20mbit burst 20k latency 50ms' fq fq_codel 'netem delay 5ms loss 1%' \
	'cake bandwidth 20mbit' prio; do
	# shellcheck disable=SC2086 # words
	must at west tc qdisc add dev vpn0 root $qdisc
	check "qdisc ${qdisc%% *}: TCP" iperf west east 10.9.0.2
	must at west tc qdisc del dev vpn0 root
done

# ---- packet sockets ---------------------------------------------------------------

include "packet socket" in_quiet west "$PYTHON" "$VM_LIB/packet_cases.py" vpn0 10.9.0.1 10.9.0.2
check "after rubbish: pings" pings west 10.9.0.2

# ---- another MTU in mid-stream ----------------------------------------------------

start east /run/server.log iperf3 -s -1 -p 5201
wait_for 10 listens east 5201
start west /run/client.json timeout 60 iperf3 -c 10.9.0.2 -p 5201 -t 8 -J
client=$started
for mtu in 1280 900 576 1438 9000 68 1438; do
	sleep 1
	must ip -n west link set vpn0 mtu $mtu
done
wait "$client"
is "the MTU changes in mid-stream: iperf3 ends well" "$(jq -r '.error // "ok"' /run/client.json)" ok

# ---- marks, NAT, connection tracking ----------------------------------------------

must at west ip rule add fwmark 0x77 blackhole
must at west nft add table ip marks
must at west nft add chain ip marks out '{ type filter hook postrouting priority -150; }'
must at west nft add rule ip marks out oifname vpn0 meta mark set 0x77
check "an inner mark that is routed to a black hole does not concern the outer packet" \
	pings west 10.9.0.2
must at west nft delete table ip marks
must at west ip rule del fwmark 0x77 blackhole
must at west nft add table ip nat
must at west nft add chain ip nat post '{ type nat hook postrouting priority 100; }'
must at west nft add rule ip nat post oifname vpn0 masquerade
check "masqueraded into the tunnel: TCP" iperf west east 10.9.0.2
must at east nft add table ip filter
must at east nft add chain ip filter in '{ type filter hook input priority 0; policy accept; }'
must at east nft add rule ip filter in iifname vpn0 ct state invalid counter drop
check "connection tracking in the east: TCP both ways" iperf west east 10.9.0.2 --bidir -t 4
is "and finds nothing invalid" \
	"$(in_quiet east nft list chain ip filter in | grep -o 'packets [0-9]*')" 'packets 0'
finish
