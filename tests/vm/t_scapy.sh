#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 200
#
# esptun in the west, scapy in the east: an implementation that is not ours
# opens what we send, we open what it sends, and what is wrong is dropped, each
# kind counted under its own name, and traffic goes on.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
# Keepalives are t_static's; here every datagram is meant.
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500 keepalive 0

include scapy at east "$PYTHON" "$VM_LIB/scapy_cases.py"

finish
