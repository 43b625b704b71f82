#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# IKE_SA_INIT requests as newer, older and odd peers send them, to esptund (east): see
# offer_cases.py, which talks from west. And the socket they come to.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

load_esptun
two_hosts
# One address may have few half-open IKE SAs.
seq -f 'addr add 192.0.2.%g/24 dev w0' 101 140 | ip -n west -batch - ||
	bail "west gets no addresses"
conf east vpn0 <<-END
[Tunnel]
LocalID = east.example.org
[Peer]
RemoteID = west.example.org
PSK = $AGENT_PSK
END
agent east
like "port 500 has a receive buffer of 4 MB" "$(in_quiet east ss -lunm 'sport = :500')" 'rb8388608'
include offers in_quiet west "$PYTHON" "$VM_TOP/tests/vm/offer_cases.py"
check "esptund goes on" tell east status
check "and ends as told" agent_stop east
finish
