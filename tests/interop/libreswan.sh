# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# libreswan of the Debian in $PEER_ROOT as the east end; see west.sh. Source it after lib.sh and
# agent.sh.

# shellcheck disable=SC2154 # $started is of lib.sh
. "$VM_TOP/tests/interop/west.sh"
pluto_pid=''

peer_start() {
	peer_root
	warm_up
	# Instead of what its script for routes does, which the emulated machine takes seconds for.
	must ip -n east route add 10.1.0.0/24 via 192.0.2.1
	echo 'config setup' > "$PEER_ROOT/etc/ipsec.conf"
	mkdir -p "$PEER_ROOT/run/pluto" "$PEER_ROOT/var/lib/ipsec/nss"
	quietly peer_run ipsec initnss
	start east "$VM_OUT/pluto.log" chroot "$PEER_ROOT" /usr/libexec/ipsec/pluto --nofork --stderrlog \
		--config /etc/ipsec.conf
	pluto_pid=$started
	wait_for 30 peer_run ipsec whack --status || bail "libreswan does not start: $(cat "$VM_OUT/pluto.log")"
}

peer_stop() {
	peer_run ipsec whack --shutdown
	stop "$pluto_pid"
}

# lifetime NAME SECONDS: an SA of that lifetime is rekeyed MARGIN seconds before its end, by who began
# it; by the other one half as early.
MARGIN=8
lifetime() {
	[ -z "$2" ] || echo "$1 = $((MARGIN + $2))s"
}

peer_conf() {
	local child='' ike='' pfs='' left=192.0.2.2 right=192.0.2.1 mobike=no encap=yes
	[ $# = 0 ] || local "$@"
	cat > "$PEER_ROOT/etc/ipsec.conf" <<-END
	config setup
	conn west
	  ikev2 = insist
	  authby = secret
	  left = $left
	  leftid = @east.example
	  leftsubnet = 10.2.0.0/24
	  right = $right
	  mobike = $mobike
	  rightid = @west.example
	  rightsubnet = 10.1.0.0/24
	  ike = aes_gcm256-sha2_256-dh31
	  esp = aes_gcm256
	  encapsulation = $encap
	  leftupdown = %disabled
	  replay-window = 1024
	  pfs = ${pfs:-no}
	  rekeymargin = ${MARGIN}s
	  rekeyfuzz = 0%
	  $(lifetime salifetime "$child")
	  $(lifetime ikelifetime "$ike")
	  auto = ignore
	END
	echo "@east.example @west.example : PSK \"$AGENT_PSK\"" > "$PEER_ROOT/etc/ipsec.secrets"
	chmod 600 "$PEER_ROOT/etc/ipsec.secrets"
	peer_run ipsec auto --rereadsecrets
	peer_run ipsec auto --replace west || bail "libreswan does not take its configuration"
}

peer_initiate() {
	peer_run timeout 60 ipsec auto --up west
}

peer_terminate() {
	peer_run ipsec whack --terminate --name west
}

peer_idle() {
	peer_run ipsec whack --status | grep -q 'IKE SAs: total(0)'
}
