#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 200
#
# Every packet on the wire, whoever sends, in whatever batches: it opens, its
# number is the next, its checksums are right. With an underlay that takes
# super-packets whole, one that makes the stack split them, and one that cannot
# even checksum.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
load_esptun
static_west aes-gcm-256 off
static_east aes-gcm-256 off
must at west esptun peer set dev vpn0 id 1 keepalive 0
must at east esptun peer set dev vpn0 id 1 keepalive 0
include wire "$PYTHON" "$VM_LIB/wire_cases.py"
finish
