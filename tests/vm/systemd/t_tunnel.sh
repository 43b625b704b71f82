#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-disk: ready
# vm-timeout: 600
#
# README's section "With the agent", word by word, with the service as installed: a tunnel,
# and it is there again after power was cut. Then a kernel that wants signatures.

. "$VM_TOP/tests/vm/systemd.sh"
. "$VM_TOP/tests/vm/systemd/readme.sh"

boot 1 && {
	is "no unit failed at boot" "$(booted)" ""
	check "esptund is enabled and started" systemctl -q enable --now esptund
	begin_hq
	tunnel_from_readme
	check "starting it once more does no harm" systemctl start esptund
	reboot crash
}

is "no unit failed after power was cut" "$(booted)" ""
check "esptund runs" systemctl is-active esptund
begin_hq
check "the tunnel is up again" pinged

# Of a module without signature, or with a key that the firmware does not know.
must systemctl stop esptund
end_hq
wait_for 30 rmmod esptun || bail "esptun cannot be unloaded"
echo 1 > /sys/module/module/parameters/sig_enforce || bail "no module.sig_enforce"
refuse "the kernel refuses the module" 'Key was rejected' modprobe esptun
systemctl start --no-block esptund
said() {
	journalctl -b -u esptund | grep -q 'Secure Boot'
}
check "esptund names Secure Boot" wait_for 60 said
finish
