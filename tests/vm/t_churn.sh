#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 120
#
# SAs are replaced as fast as can be under load, the old ones at once: what frees
# them has to wait for all who use them, on both CPUs. A kernel with KASAN
# (--kernel debug) tells if it did not.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
esptun_up east 10.9.0.2/24 fd00:9::2/64 local 192.0.2.2
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500 keepalive 0
must at east esptun peer add dev vpn0 id 1 remote 192.0.2.1 port 4500 keepalive 0
include churn "$PYTHON" "$VM_LIB/churn_cases.py" $((10 * ${VM_ROUNDS:-1}))
check "rmmod" timeout -k 1 20 rmmod esptun
finish
