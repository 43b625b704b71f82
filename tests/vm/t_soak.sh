#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Load both ways with new keys every second, for half a minute; longer with
# SOAK_SECONDS or VM_ROUNDS. The runner reads the kernel log.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_peers
# One end singly through NAPI, the other as veth does.
one_queue
must at west ethtool -K w0 tx-udp-segmentation off
# What must not be there: inner packets, or any IPv4 but ours. Of IPv6 the hosts
# speak on their own (neighbours, multicast listeners).
capture west w0 soak.pcap 'net 10.9.0.0/24 or net fd00:9::/64 or (ip and not udp port 4500)'
include soak "$PYTHON" "$VM_LIB/soak_cases.py" "${SOAK_SECONDS:-$((30 * ${VM_ROUNDS:-1}))}"
capture_end "$started"
is "nothing leaves in clear" "$(tcpdump -n -r "$VM_OUT/soak.pcap" 2> /dev/null | head -n 5)" ''
check "rmmod" timeout -k 1 60 rmmod esptun
finish
