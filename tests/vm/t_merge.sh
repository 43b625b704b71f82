#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 200
#
# What comes out of the tunnel in super-packets is what went in, down to the
# octet: batches of packets that belong together, nearly so, or not at all.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500 keepalive 0
include merge "$PYTHON" "$VM_LIB/merge_cases.py"
finish
