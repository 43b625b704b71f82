# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the scripts in tests/vm/systemd/, besides lib.sh, which this file loads: the guest
# is a Debian that systemd booted from a disk (tests/vm/run --systemd). $VM_BOOT counts
# its boots. A script that reboots the guest begins anew afterwards, so it is written as
#
#	. "$VM_TOP/tests/vm/systemd.sh"
#	boot 1 && { check ...; reboot; }
#	boot 2 && { check ...; finish; }

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

tap_state=$VM_OUT/.$(basename "$0" .sh)
if [ -e "$tap_state" ]; then
	read -r tap_count tap_failed first_boot < "$tap_state"
else
	first_boot=$VM_BOOT
fi

# boot N: is this the script's Nth boot?
boot() {
	[ $((VM_BOOT - first_boot + 1)) = "$1" ]
}

# reboot [crash]: in good order, or as if the power failed; the script goes on in its
# next boot.
reboot() {
	echo "$tap_count $tap_failed $first_boot" > "$tap_state"
	sync
	echo "${1:-reboot}" > "$VM_OUT/reboot"
	exit 0
}

# The system has booted as far as it will.
booted() {
	systemctl is-system-running --wait > /dev/null
	echo "# $(systemd-analyze time | head -n 1)" >&2
	systemctl --failed --no-legend --plain
}
