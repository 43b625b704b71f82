#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Peers that know nothing of batches: the kernel's own ESP, and one in user
# space on an ordinary UDP socket. Each sees ESP in UDP as RFC 3948 has it, and
# what each sends in its own way gets in.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
[ -e /dev/net/tun ] || must modprobe tun
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500 keepalive 0

include "user space" "$PYTHON" "$VM_LIB/plain_cases.py"

# The kernel's counts of what it dropped.
complaints() {
	at east awk '$2 > 0' /proc/net/xfrm_stat
}

must at west esptun sa flush dev vpn0
xfrm_east aes-gcm-256 on
esptun_sas west 1 aes-gcm-256 on $SPI_WEST 0x50 $SPI_EAST 0xa0
before=$(complaints)
for gro in off on; do
	must at east ethtool -K e0 gro $gro
	must at west ethtool -K w0 gro $gro
	include "xfrm, gro $gro" "$PYTHON" "$VM_LIB/xfer" west 10.9.0.2 east fd00:9::1
done
is "xfrm found nothing wrong" "$(complaints)" "$before"
finish
