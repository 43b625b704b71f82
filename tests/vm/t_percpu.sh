#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 180
#
# Outbound SAs of a CPU (RFC 9611), on two CPUs: each carries what its CPU sends, the one without a
# CPU the rest. An agent is asked for the missing one, by the number of the CPU.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

nl=$VM_LIB/nl

# sent SPI: packets of an outbound SA in the west.
sent() {
	in_quiet west esptun -j -s sa show dev vpn0 dir out spi "$1" | jq '.[0].packets'
}

# on CPU: three pings from it, none lost.
on() {
	in_quiet west taskset -c "$1" ping -n -q -c 3 -i 0.2 -W 20 10.9.0.2 | grep -q ' 3 received'
}

# by CPU SPI: three pings from a CPU are sent on this SA, and arrive.
by() {
	local before
	before=$(sent "$2")
	on "$1" && [ $(($(sent "$2") - before)) = 3 ]
}

out() { # SPI KEY [OPTION...]
	local spi=$1 key=$2
	shift 2
	must at east esptun sa add dev vpn0 dir in spi "$spi" peer 1 algo aes-gcm-128 key "$(key aes-gcm-128 "$key")"
	at west esptun sa add dev vpn0 dir out spi "$spi" peer 1 algo aes-gcm-128 key "$(key aes-gcm-128 "$key")" "$@"
}

# acquires FILE CPU: of this CPU, in what watch wrote.
acquires() {
	grep acquire "$1" | grep -c "\"cpu\": $2"
}

two_peers
# Only what the test sends: no multicast of IPv6.
for end in west east; do
	in_quiet $end sysctl -qw net.ipv6.conf.vpn0.disable_ipv6=1
done
must at east esptun sa add dev vpn0 dir out spi $SPI_WEST peer 1 algo aes-gcm-128 key "$(key aes-gcm-128 0x50)"
must at west esptun sa add dev vpn0 dir in spi $SPI_WEST peer 1 algo aes-gcm-128 key "$(key aes-gcm-128 0x50)"

# ---- refused -----------------------------------------------------------------------------

refuse "an SA of a CPU alone" 'cpu: the peer needs an outbound SA without cpu' \
	at west esptun sa add dev vpn0 dir out spi 0x4001 peer 1 algo aes-gcm-128 key "$(key aes-gcm-128 1)" cpu 0
must out 0x4000 0x10
refuse "a CPU that is not there" 'cpu: this machine has no such CPU' \
	at west esptun sa add dev vpn0 dir out spi 0x4001 peer 1 algo aes-gcm-128 key "$(key aes-gcm-128 1)" cpu 4096
refuse "an inbound one, by the command" 'belongs to an outbound SA' \
	at west esptun sa add dev vpn0 dir in spi 0x4001 peer 1 algo aes-gcm-128 key "$(key aes-gcm-128 1)" cpu 0
refuse "and by the module" 'only an outbound SA has one' at west "$nl" sa-new '{"ifindex":'"$(
	ip -n west -j link show vpn0 | jq '.[0].ifindex')"',"sa":{"spi":16385,"dir":"in","peer":1,"mode":"tunnel","encr":20,
	"encr-key":"'"$(key aes-gcm-128 1 | cut -c3-)"'","cpu":0}}'
refuse "other selectors than any SA without a CPU has" 'with the same selectors and mode first' \
	at west esptun sa add dev vpn0 dir out spi 0x4001 peer 1 algo aes-gcm-128 key "$(key aes-gcm-128 1)" \
	cpu 0 remote-ts 10.9.0.0/24

# ---- chosen by CPU -----------------------------------------------------------------------

check "without any the one SA carries all" by 1 0x4000
check "one of CPU 0" out 0x4001 0x20 cpu 0
is "it shows" "$(in_quiet west esptun -j sa show dev vpn0 dir out | jq -c '[.[].cpu]')" '[null,0]'
check "carries what CPU 0 sends" by 0 0x4001
check "the one without what CPU 1 sends" by 1 0x4000
check "one of CPU 1" out 0x4002 0x30 cpu 1
check "carries what CPU 1 sends" by 1 0x4002
check "and the other still CPU 0's" by 0 0x4001
refuse "their selectors stay" 'remove those with a cpu first' \
	at west esptun sa set dev vpn0 dir out spi 0x4000 peer 1 remote-ts 10.9.0.0/24
refuse "another mode than any SA without a CPU has" 'with the same selectors and mode first' \
	at west esptun sa add dev vpn0 dir out spi 0x4006 peer 1 algo aes-gcm-128 key "$(key aes-gcm-128 1)" \
	cpu 0 mode transport
must out 0x4006 0x70 remote-ts 10.9.0.2/32
must out 0x4007 0x80 remote-ts 10.9.0.2/32 cpu 1
must out 0x4008 0x90 remote-ts 10.9.7.0/24
check "one without a CPU gets the selectors of some" \
	at west esptun sa set dev vpn0 dir out spi 0x4008 peer 1 remote-ts 10.9.0.2/32
check "and leads to them" by 1 0x4007
for spi in 0x4008 0x4007 0x4006; do
	must at west esptun sa del dev vpn0 dir out spi $spi peer 1
done
check "TCP both ways" iperf west east 10.9.0.2 --bidir
is "nothing was lost on receipt" "$(dropped_on_receipt east)" ''

# ---- rekeyed -----------------------------------------------------------------------------

check "another one of CPU 0 takes over" out 0x4003 0x40 cpu 0
check "at once" by 0 0x4003
must at west esptun sa del dev vpn0 dir out spi 0x4001 peer 1
check "without the former one, too" by 0 0x4003
check "another one without a CPU" out 0x4004 0x50
check "leads to the same" by 0 0x4003
must at west esptun sa del dev vpn0 dir out spi 0x4000 peer 1
check "also alone" by 1 0x4002
must at west esptun sa del dev vpn0 dir out spi 0x4002 peer 1
check "CPU 1 falls back" by 1 0x4004

# ---- asked for ---------------------------------------------------------------------------

start west watch "$nl" --watch 600
wait_for 10 holds watch ready || bail "watch: $(cat watch)"
watch=$started
check "without an agent packets of CPU 1 are sent" by 1 0x4004
is "and nobody is asked" "$(acquires watch 1)" 0
start west agent "$PYTHON" -c '
import sys, time
sys.path.insert(0, sys.argv[1])
import genl
family = genl.Family()
family.call("ike-bind")
print("ready", flush=True)
time.sleep(600)' "$VM_LIB"
wait_for 10 holds agent ready || bail "agent: $(cat agent)"
check "with one, packets of CPU 1 are sent" by 1 0x4004
check "and raise an acquire that names it" wait_for 10 holds watch '"cpu": 1'
check "packets of CPU 0 are sent" by 0 0x4003
in_quiet west taskset -c 1 ping -n -q -c 40 -i 0.01 -W 5 10.9.0.2 > /dev/null
check "one that has an SA asks for none" [ "$(acquires watch 0)" = 0 ]
check "and forty packets raise no other" [ "$(acquires watch 1)" = 1 ]
check "the SA asked for" out 0x4005 0x60 cpu 1
check "sends from then on" by 1 0x4005
must at west esptun sa del dev vpn0 dir out spi 0x4004 peer 1
at west ping -n -c 1 -W 1 10.9.0.2 > /dev/null
check "without the one for all, an acquire names no CPU" \
	wait_for 10 sh -c "grep acquire watch | grep -qv '\"cpu\"'"
stop "$watch"

# ---- the end -----------------------------------------------------------------------------

must at west esptun sa flush dev vpn0 peer 1
is "all go at once" "$(in_quiet west esptun -j sa show dev vpn0 | jq length)" 0
finish
