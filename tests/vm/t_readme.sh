#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The README's static-key example, word by word, between two hosts.

. "$VM_TOP/tests/vm/lib.sh"

# block N: the Nth block of the README's section on static keys.
block() {
	awk -v want="$1" '
		/^## / { in_section = /static keys/ }
		!in_section { next }
		/^```/ { inside = !inside; n += inside; next }
		inside && n == want' "$VM_TOP/README.md"
}

# follow NS N: run a block there, echoed, and stop at what fails.
follow() {
	block "$2" | ip netns exec "$1" bash -ex
}

load_esptun
two_hosts
cd "$(mktemp -d)" || bail "no folder"
check "keys" follow west 1
check "the west's commands" follow west 2
check "the east's commands" follow east 3
check "ping across" pings west 10.9.0.2
check "back" pings east 10.9.0.1
like "ip -d -s link show" "$(in_quiet west ip -d -s link show vpn0)" 'esptun local 192.0.2.1 port 4500'
like "esptun -s sa show" "$(in_quiet west esptun -s sa show)" 'packets [1-9]'
check "esptun stats" in_quiet west esptun stats
finish
