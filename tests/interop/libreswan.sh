# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# libreswan of the Debian in $PEER_ROOT as the east end; see west.sh. Source it after lib.sh and
# agent.sh.

# shellcheck disable=SC2154 # $started is of lib.sh
. "$VM_TOP/tests/interop/west.sh"
pluto_pid='' peer_log=$VM_OUT/pluto.log

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

# nss COMMAND OPTION...: of NSS, on libreswan's database.
nss() {
	quietly peer_run "$1" "${@:2}" -d sql:/var/lib/ipsec/nss || bail "NSS: $*"
}

# nss_authority NAME FILE, nss_own NAME KEY CERTIFICATE: to libreswan's database, by that name.
nss_authority() {
	cp "$2" "$PEER_ROOT/run/one.crt"
	nss certutil -A -n "$1" -t CT,, -a -i /run/one.crt
}

nss_own() {
	must openssl pkcs12 -export -iter 1 -name "$1" -inkey "$2" -in "$3" -passout pass:none -out "$PEER_ROOT/run/one.p12"
	nss pk12util -i /run/one.p12 -W none -K ''
}

# auth: the lines that say how each end proves itself; lid, rid: its identity and esptund's.
peer_conf() {
	local child='' ike='' pfs='' left=192.0.2.2 right=192.0.2.1 mobike=no encap=yes auth='authby = secret'
	local lid=@east.example rid=@west.example
	[ $# = 0 ] || local "$@"
	cat > "$PEER_ROOT/etc/ipsec.conf" <<-END
	config setup
	conn west
	  ikev2 = insist
	  $auth
	  left = $left
	  leftid = $lid
	  leftsubnet = 10.2.0.0/24
	  right = $right
	  mobike = $mobike
	  rightid = $rid
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

# peer_read: what it says last of esptund's proof, since begin_anew.
peer_read() {
	peer_said 'authenticated peer'
}
