#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Super-packets from a sender that puts what it likes into them, and such that
# GRO makes of single packets: a bad packet harms only itself, and the replay
# window holds as if each had come alone.
# esptun in the west; the east end is a UDP socket.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
must ip -n west link set w0 mtu 65535
must ip -n east link set e0 mtu 65535
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500 keepalive 0
include gro "$PYTHON" "$VM_LIB/gro_cases.py"
check "rmmod" timeout -k 1 60 rmmod esptun
finish
