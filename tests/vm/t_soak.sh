#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Load both ways with new keys every second, while a host moves, packets are lost, a cable is pulled
# and strangers send; for a minute, longer with SOAK_SECONDS (make soak HOURS=n) or VM_ROUNDS.
# The runner reads the kernel log.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
load_esptun
# No address of its own: the western host changes its.
esptun_up west 10.9.0.1/24 fd00:9::1/64
esptun_up east 10.9.0.2/24 fd00:9::2/64
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500 keepalive 0
must at east esptun peer add dev vpn0 id 1 remote 192.0.2.1 port 4500 keepalive 0
in_quiet west sysctl -qw net.ipv4.conf.w0.promote_secondaries=1
# One end singly through NAPI, the other as veth does.
one_queue
must at west ethtool -K w0 tx-udp-segmentation off
# What must not be there: inner packets, or any IPv4 but ours. Of IPv6 the hosts
# speak on their own (neighbours, multicast listeners).
capture west w0 soak.pcap 'net 10.9.0.0/24 or net fd00:9::/64 or (ip and not udp port 4500)'
include soak "$PYTHON" "$VM_LIB/soak_cases.py" "${SOAK_SECONDS:-$((60 * ${VM_ROUNDS:-1}))}"
capture_end "$started"
is "nothing leaves in clear" "$(tcpdump -n -r "$VM_OUT/soak.pcap" 2> /dev/null | head -n 5)" ''
check "rmmod" timeout -k 1 60 rmmod esptun
finish
