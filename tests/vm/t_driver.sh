#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which driver encrypts AES-GCM: of those that are synchronous the fastest, whose
# names differ from kernel to kernel. And a new SA starts no modprobe.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

# best_driver: of those in /proc/crypto that need not be waited for.
best_driver() {
	awk -F ' *: ' '
		/^name/ { name = $2 }
		/^driver/ { driver = $2 }
		/^priority/ { priority = $2 }
		/^async/ && $2 == "no" && name ~ /^(__)?rfc4106\(gcm\(aes\)\)$/ && priority > best {
			best = priority
			found = driver
		}
		END { print found }' /proc/crypto
}

# The kernel starts it in the guest's own mount namespace, where /tmp is ours, too.
asked=$(mktemp -d)
printf '#!/bin/sh\necho "$@" >> %s/modprobe.log\n' "$asked" > "$asked/modprobe"
chmod +x "$asked/modprobe"
modprobe=$(< /proc/sys/kernel/modprobe)
trap 'echo "$modprobe" > /proc/sys/kernel/modprobe' EXIT

two_hosts
load_esptun
# The crypto API's own tests of what is used first may ask for more.
at_rest() {
	! pgrep -x 'cryptomgr_(probe|test)|modprobe'
}
static_west aes-gcm-256 on
must wait_for 20 at_rest
sleep 1
must wait_for 20 at_rest
echo "$asked/modprobe" > /proc/sys/kernel/modprobe
for alg in "${algorithms[@]}"; do
	must at west esptun sa flush dev vpn0
	esptun_sas west 1 "$alg" on $SPI_WEST 0x50 $SPI_EAST 0xa0
done
is "SAs of all algorithms: no modprobe" "$(cat "$asked/modprobe.log" 2> /dev/null)" ""
ip link add nothing type no-such-kind
check "which would have been seen" grep -q no-such-kind "$asked/modprobe.log"
echo "$modprobe" > /proc/sys/kernel/modprobe

must at west esptun sa flush dev vpn0
esptun_sas west 1 aes-gcm-256 on $SPI_WEST 0x50 $SPI_EAST 0xa0
static_east aes-gcm-256 on
driver=$(at west esptun -s -j sa show dev vpn0 | jq -r '.[0].driver')
is "AES-GCM: of the synchronous drivers the best: $driver" "$driver" "$(best_driver)"
like "AES-GCM: it has the processor's instructions for it" "$driver" 'aesni|vaes'
check "AES-GCM: it works" pings west 10.9.0.2 -s 1300

finish
