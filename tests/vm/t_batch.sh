#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 300
#
# What changes in the middle of batches under load: keys, MTUs, offloads, SAs,
# peers, links. Nothing leaves in clear, nothing leaks, traffic goes on.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
esptun_up east 10.9.0.2/24 fd00:9::2/64 local 192.0.2.2
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500 keepalive 0
must at east esptun peer add dev vpn0 id 1 remote 192.0.2.1 port 4500 keepalive 0
include batch "$PYTHON" "$VM_LIB/batch_cases.py"
# A leaked reference makes it wait for ever.
check "rmmod" timeout -k 1 20 rmmod esptun
finish
