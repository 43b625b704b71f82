#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests/uml/run-vm kasan: memory is refused in the middle of batches, and at
# each place where a request or a change of a link asks for some. Nothing leaks (the
# runner asks kmemleak), nothing leaves in clear, traffic goes on.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
load_esptun
static_west aes-gcm-256 off
static_east aes-gcm-256 off
must at west esptun peer set dev vpn0 id 1 keepalive 0
must at east esptun peer set dev vpn0 id 1 keepalive 0
include nomem "$PYTHON" "$VM_TOP/tests/uml/nomem_cases.py"
for what in requests links; do
	include nth "$PYTHON" "$VM_TOP/tests/uml/nth_cases.py" $what
done
check "the tunnel works" pings west 10.9.0.2
check "rmmod" timeout -k 1 20 rmmod esptun
finish
