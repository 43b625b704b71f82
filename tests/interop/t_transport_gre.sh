#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Transport mode by IKEv2 with strongSwan, which has the kernel's own ESP: GRE between the endpoints,
# begun by either end, rekeyed by both under traffic; and what becomes of it when one end is for tunnel
# mode.

# shellcheck disable=SC2154 # $answer, $status are of strongswan.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/strongswan.sh"

GRE='lts=dynamic[gre] rts=dynamic[gre]'

# gre_ours [KEY=VALUE...]: our side, for GRE between the endpoints in transport mode.
gre_ours() {
	ours selectors="any:gre = any:gre" "$@"
	sed -i '$a Mode = transport' /run/conf/west/vpn0.conf
}
# gre_swan [LINE]: theirs, with further lines of the child.
gre_swan() {
	# shellcheck disable=SC2086 # words
	swan $GRE child="mode = transport
	replay_window = 1024
	${1:-}"
}
# gre_up: a GRE tunnel at both ends; packets of ours enter vpn0.
gre_up() {
	in_quiet west ip link del tun0 2> /dev/null
	must at west ip link add tun0 type gre local 192.0.2.1 remote 192.0.2.2 ttl 64 dev vpn0
	must at west ip addr add 10.8.0.1/24 dev tun0
	must at west ip link set tun0 up
}
crossed() {
	check "$1: GRE eastwards" wait_for 10 pings west 10.8.0.2
	check "$1: GRE westwards" pings east 10.8.0.1
	check "$1: long packets" pings west 10.8.0.2 -s 1300
}

load_esptun
two_hosts
lans
for ns in west east; do
	in_quiet $ns sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
done
charon
must at east ip link add tun0 mtu 1380 type gre local 192.0.2.2 remote 192.0.2.1 ttl 64
must at east ip addr add 10.8.0.2/24 dev tun0
must at east ip link set tun0 up

# ---- both ends agree -----------------------------------------------------------------------

gre_swan
gre_ours
agent west
we_begin
is "we begin: up" "$status" 0
gre_up
crossed "we begin"
is "status tells the mode" "$(of west .child.mode)" transport
like "and the endpoints" "$(of west '.child | "\(.local_ts) \(.remote_ts)"')" '192\.0\.2\.1/32:gre.*192\.0\.2\.2/32:gre'
like "so does the kernel" "$(at west esptun sa show)" 'mode transport'
like "and strongSwan" "$(their_sas)" 'INSTALLED, TRANSPORT'
check "TCP over GRE both ways" iperf west east 10.8.0.2 --bidir

begin_anew
gre_ours begin=listen
they_begin
is "strongSwan begins: up" "$status" 0
gre_up
crossed "strongSwan begins"
like "in transport mode" "$(their_sas)" 'INSTALLED, TRANSPORT'

# ---- rekeyed under traffic -------------------------------------------------------------------

begin_anew
gre_swan 'rekey_time = 5s
	life_time = 20s
	rand_time = 0'
gre_ours rekey="16s, 7s"
we_begin
is "both ends rekey: up" "$status" 0
gre_up
crossed "both ends rekey"
before=$(of west .child.spi_in)
start west rekey.log ping -n -i 0.2 -c 120 -W 5 10.8.0.2
wait_for 120 gone "$started"
like "none of its packets is lost" "$(grep received rekey.log)" '^120 packets transmitted, 120 received'
unlike "it was rekeyed" "$(of west .child.spi_in)" "$before"
is "and keeps the mode" "$(of west .child.mode)" transport
like "at both ends" "$(their_sas)" 'INSTALLED, TRANSPORT'

# ---- they are not of one mind -----------------------------------------------------------------

begin_anew
# shellcheck disable=SC2086 # words
swan $GRE child='mode = tunnel'
gre_ours
we_begin
unlike "strongSwan is for tunnel mode: not up" "$status" '^0$'
like "and that is said" "$answer" 'does not take transport mode.*set transport mode at its side'
check "the pair is gone at both ends" wait_for 20 eval '! their_sas | grep -q INSTALLED'

begin_anew
gre_ours begin=listen
they_begin
unlike "strongSwan asks for tunnel mode: refused" "$status" '^0$'
like "and that is said" "$(tell west status vpn0)" 'asks for tunnel mode'

begin_anew
gre_swan
ours begin=listen selectors="192.0.2.1/32:gre = 192.0.2.2/32:gre"
they_begin
is "we are for tunnel mode, strongSwan asks for the other: up" "$status" 0
like "in tunnel mode, as it was answered" "$(their_sas)" 'INSTALLED, TUNNEL'
is "here, too" "$(of west .child.mode)" tunnel
check "esptund did not crash" agent_stop west
finish
