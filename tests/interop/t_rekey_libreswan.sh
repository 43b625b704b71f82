#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 900
#
# t_rekey.sh with libreswan 4.10.

PEER=libreswan
# shellcheck source=tests/interop/t_rekey.sh
. "$VM_TOP/tests/interop/t_rekey.sh"
