#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 400
#
# Requests to the module that are wrong in one place or in many, in any order, with traffic
# flowing and everything taken away meanwhile. For a kernel that watches its memory and its
# locks: tests/uml/run-vm runs it. FUZZ_SECONDS=N for how long, FUZZ_SEED=N repeats one.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

load_esptun
# shellcheck disable=SC2086 # a seed or nothing
include fuzz "$PYTHON" "$VM_LIB/fuzz_cases.py" "${FUZZ_SECONDS:-20}" ${FUZZ_SEED:-}
check "rmmod" timeout -k 1 60 rmmod esptun
finish
