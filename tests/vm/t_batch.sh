#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# What changes in the middle of batches under load: keys, MTUs, offloads, SAs,
# peers, links. Nothing leaves in clear, nothing leaks, traffic goes on.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_peers
include batch "$PYTHON" "$VM_LIB/batch_cases.py"
# A leaked reference makes it wait for ever.
check "rmmod" timeout -k 1 60 rmmod esptun
finish
