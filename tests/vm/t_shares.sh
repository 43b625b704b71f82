#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 200
#
# The IKE channel is shared: neither one source nor thousands of them keep the IKE
# of peers, or of one other source, from the agent. Cases are in share_cases.py.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
add_ns far
wire far f0 203.0.113.2/24 west w1 203.0.113.1/24
must ip -n far route add 192.0.2.0/24 via 203.0.113.1
# What a flood leaves waiting on a busy CPU must not be where the others' packets are lost.
sysctl -qw net.core.netdev_max_backlog=20000
# Forged sources come in.
in_quiet west sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.w1.rp_filter=0
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64
include shares "$PYTHON" "$VM_LIB/share_cases.py"
finish
