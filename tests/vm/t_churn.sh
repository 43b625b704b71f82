#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 120
#
# SAs are replaced as fast as can be under load, the old ones at once: what frees
# them has to wait for all who use them, on both CPUs. A kernel with KASAN
# (--kernel debug) tells if it did not.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_peers
include churn "$PYTHON" "$VM_LIB/churn_cases.py" $((10 * ${VM_ROUNDS:-1}))
check "rmmod" timeout -k 1 60 rmmod esptun
finish
