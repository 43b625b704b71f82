# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What README has a user type, in the guest: its own hands are the branch. The
# headquarters is a network namespace of the same guest, which sees a folder of its own
# as /etc/esptun and another one as /run/esptun.
#
#   branch: 192.0.2.2 ---- hq: 192.0.2.1, vpn.example.org

# block_after TEXT: the block that follows the line with TEXT.
block_after() {
	awk -v text="$1" '
		index($0, text) { found = 1; next }
		!found { next }
		/^```/ && inside { exit }
		/^```/ { inside = 1; next }
		inside' "$VM_TOP/README.md"
}

# at_hq COMMAND...: at the headquarters.
at_hq() {
	# shellcheck disable=SC2016 # the inner shell's own
	ip netns exec hq unshare --mount sh -ec '
		mount --bind /var/hq/etc /etc/esptun
		mount --bind /var/hq/run /run/esptun
		exec "$@"' sh "$@"
}

# follow BLOCK [COMMAND...]: commands as README has them, echoed, up to the first that fails. The
# shell that reads them is started by COMMAND, if one is given. Programs that ask something get
# an empty line as answer.
follow() {
	local block=$1
	shift
	echo "$block" > /run/block
	"$@" bash -ex /run/block < <(yes '')
}

# Wire and agent of the headquarters, anew at each boot.
begin_hq() {
	mkdir -p /var/hq/etc /var/hq/run /run/esptun
	must ip netns add hq
	must ip link add w0 type veth peer name h0 netns hq
	must ip addr add 192.0.2.2/24 dev w0
	must ip link set w0 up
	must ip -n hq addr add 192.0.2.1/24 dev h0
	must ip -n hq link set h0 up
	must ip -n hq link set lo up
	at_hq esptund > "$VM_OUT/hq-$VM_BOOT.log" 2>&1 < /dev/null &
	wait_for 60 holds "$VM_OUT/hq-$VM_BOOT.log" 'ready' || bail "the headquarters' agent"
}

# end_hq: its agent ends.
end_hq() {
	# shellcheck disable=SC2046 # a list
	must kill $(ip netns pids hq)
}

# write_files: the two configuration files of README.
write_files() {
	block_after "At the headquarters, \`/etc/esptun/branch.conf\`:" > /var/hq/etc/branch.conf
	block_after "At the branch, \`/etc/esptun/hq.conf\`:" > /etc/esptun/hq.conf
	grep -q vpn.example.org /etc/hosts || echo 192.0.2.1 vpn.example.org >> /etc/hosts
	block_after "At the headquarters, as root:" > /run/hq-commands
	block_after "At the branch, as root:" > /run/branch-commands
	[ -s /run/hq-commands ] && [ -s /run/branch-commands ] || bail "README has no commands for both sides"
}

# tunnel_from_readme: both sides as README says, to the ping.
tunnel_from_readme() {
	write_files
	check "at the headquarters" follow "$(< /run/hq-commands)" at_hq
	cp -p /var/hq/etc/branch.psk /etc/esptun/hq.psk
	like "the new file is named with its command" "$(esptun status)" 'hq.conf is not loaded: esptun up hq'
	check "at the branch, up to the ping" follow "$(< /run/branch-commands)"
	like "status" "$(esptun status)" '^hq: up'
}

# pinged: the other side of the tunnel answers, after some patience.
pinged() {
	wait_for 120 ping -c 1 -W 5 169.254.10.1
}
