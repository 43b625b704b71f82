#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 200
#
# What a received packet may change: where a peer is, and which of our addresses it
# writes to. The peer's ESP is made by scapy (roam_cases.py), so that a packet can be
# held back and sent from anywhere.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
must ip -n west addr add 192.0.2.11/24 dev w0
must ip -n east addr add 192.0.2.22/24 dev e0
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64
include roam at west "$PYTHON" "$VM_LIB/roam_cases.py"
finish
