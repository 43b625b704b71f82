# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Other people's programs, of the Debian 12 in $ROOT_OTHERS (tests/vm/suite makes it), beside esptun; and the blocks of
# the guides that have their configuration, so that what is tested is what is written there. Source it after lib.sh.

others=${ROOT_OTHERS:?the file system of a Debian with the other programs: SCRIPTS=NAME tests/vm/suite}
must mount --rbind /dev "$others/dev"
must mount --rbind /proc "$others/proc"
must mount -t tmpfs run "$others/run"
mkdir -p "$others/run/dbus" "$others/run/lock"

# Runs a command there. NetworkManager waits for udev only where /sys can be written to.
# shellcheck disable=SC2016,SC2034 # the inner shell's own; for scripts
there=(unshare --mount sh -ec 'mount -t sysfs -o ro sys "$1/sys" && exec chroot "$@"' sh "$others")

# guide PAGE: its blocks, for block.
guide() {
	guide_blocks=/run/blocks/$1
	mkdir -p "$guide_blocks"
	"$VM_TOP/tests/guide-blocks" "$VM_TOP/Documentation/guides/$1.md" "$guide_blocks" > "$guide_blocks/list" || bail "$1"
}

# block LINE [N]: the guide's block that has this first line, of several the Nth one.
block() {
	local n count=0
	while read -r n _; do
		[ "$(head -n 1 "$guide_blocks/$n")" = "$1" ] || continue
		count=$((count + 1))
		[ $count != "${2:-1}" ] || { cat "$guide_blocks/$n"; return; }
	done < "$guide_blocks/list"
	bail "the guide has no block '$1'${2:+ number $2}" >&2
}
