#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 200
#
# The peer uses an SA before its key is here: what comes for a reserved SPI waits for the key, and
# is received in front of what comes later. What waits is bounded, and goes with all that it could
# be for. The peer's ESP is made by espwire.py (early_cases.py).

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

ends() {
	two_hosts
	one_queue
	esptun_up west 10.9.0.1/24 fd00:9::1/64
	must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4777 keepalive 0
}

# waiting NAME: packets wait for a key; then the rest of the line.
waiting() {
	local name=$1
	shift
	must at west "$PYTHON" "$VM_LIB/early_cases.py" leave
	check "with packets waiting: $name" timeout -k 1 60 "$@"
}

load_esptun
ends
include early at west "$PYTHON" "$VM_LIB/early_cases.py"

waiting "link set down" ip -n west link set vpn0 down
must ip -n west link set vpn0 up
waiting "link moved to another namespace" ip -n west link set vpn0 netns east
must ip -n east link set vpn0 netns west
must ip -n west link set vpn0 up
waiting "link del" ip -n west link del vpn0
esptun_up west 10.9.0.1/24 fd00:9::1/64
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4777 keepalive 0
waiting "ip netns del" ip netns del west
ip netns del east
check "rmmod after it" timeout -k 1 60 rmmod esptun
load_esptun
ends
waiting "rmmod" rmmod esptun
finish
