#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 200
#
# The end of a network namespace, whose peers' routes go through IPsec policies: such a
# route's operations are part of the namespace itself, so it has to be given back before
# the namespace's own exit. Memory is freed later than objects are removed; many SAs make
# that take its time. The kernel says in what order things happen.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

trace=/sys/kernel/tracing
probe() {
	echo "p:$*" >> $trace/kprobe_events || bail "no probe: $*"
}
policy() { # DESTINATION
	must at west ip xfrm state add src 192.0.2.1 dst "$1" proto esp spi 0x1777 mode transport \
		reqid 7 aead "${kernel_name[aes-gcm-128]}" "$(key aes-gcm-128 1)" 128
	must at west ip xfrm policy add src 192.0.2.1/32 dst "$1/32" proto udp dir out \
		tmpl src 192.0.2.1 dst "$1" proto esp mode transport reqid 7
}
# A link of one peer that has sent something, so that the peer has its route.
sending_link() { # DEV PORT REMOTE
	must at west ip link add "$1" type esptun local 192.0.2.1 port "$2"
	must at west ip link set "$1" up
	must at west esptun peer add dev "$1" id 1 remote "$3" keepalive 1
	wait_for 10 sent_keepalive "$1" || bail "no keepalive on $1"
}
sent_keepalive() {
	[ "$(in_quiet west esptun -j peer show dev "$1" | jq '.[0].keepalives')" -gt 0 ]
}

many=4000
two_hosts
load_esptun
for last in 2 3 4; do
	policy 192.0.2.$last
done
sending_link vpn0 4500 192.0.2.2
sending_link vpn1 4501 192.0.2.3
sending_link vpn2 4502 192.0.2.4
# Without an answer for each, which takes its time.
must at west "$PYTHON" - "$VM_LIB" $many <<'END'
import struct, sys
sys.path.insert(0, sys.argv[1])
import genl
family = genl.Family()
request = family.spec.encode("esptun", {"ifindex": genl.ifindex("vpn0"), "sa": {
    "spi": 0x12345678, "dir": "in", "peer": 1, "mode": "tunnel", "encr": 20,
    "encr-key": "5a" * 36}})
for i in range(int(sys.argv[2])):
    body = struct.pack("=BBH", family.spec.ops["sa-new"], 1, 0) + \
        request.replace(b"\x12\x34\x56\x78", struct.pack("!L", 0x10000 + i))
    family.sock.send(struct.pack("=IHHII", 16 + len(body), family.number, 1, 0, 0) + body)
END

probe k_exit xfrm4_net_exit 'net=%di:x64'
probe k_dst dst_release 'dst=%di:x64' 'ops=+8(%di):x64'
probe k_peer esptun:peer_free
probe k_sa esptun:sa_free
echo 'dst != 0' > $trace/events/kprobes/k_dst/filter
echo 8000 > $trace/buffer_size_kb
for name in k_exit k_dst k_peer k_sa; do
	echo 1 > $trace/events/kprobes/$name/enable
done
# Freeing them takes longer that way.
echo stacktrace > $trace/events/kprobes/k_sa/trigger
# While they are freed, one link goes with its namespace, one just before, of one the peer.
must at west esptun sa flush dev vpn0
must at west esptun peer del dev vpn2 id 1
must ip -n west link del vpn1
must ip netns del west
ended() {
	grep -q k_exit $trace/trace && [ "$(grep -c k_sa: $trace/trace)" = $many ] &&
		[ "$(grep -c k_peer: $trace/trace)" = 3 ]
}
check "the namespace ends, and all is freed" wait_for 30 ended
sleep 1
include order "$PYTHON" - $trace/trace $many <<'END'
import os, re, sys
sys.path.insert(0, os.environ["VM_TOP"] + "/tests/vm")
import taplib
from taplib import equal, ok
end = None
routes, freed = [0, 0], [0, 0]
lines = open(sys.argv[1]).readlines()
net = next(int(m.group(1), 16) for m in (re.search(r"k_exit.*net=0x([0-9a-f]+)", l) for l in lines) if m)
for line in lines:
    ended = end is not None
    if "k_exit" in line:
        end = line
    elif "k_peer" in line or "k_sa" in line:
        freed[ended] += 1
    else:
        m = re.search(r"k_dst.*ops=0x([0-9a-f]+)", line)
        # struct net is smaller than two pages.
        routes[ended] += bool(m) and net <= int(m.group(1), 16) < net + 0x2000
ok(routes[0] >= 3, "routes through a policy of the namespace are given back before its exit", routes)
equal(routes[1], 0, "none after it")
equal(freed, [int(sys.argv[2]) + 3, 0], "peers and SAs are freed before it")
taplib.finish()
END
for name in k_exit k_dst k_peer k_sa; do
	echo 0 > $trace/events/kprobes/$name/enable
done
echo '!stacktrace' > $trace/events/kprobes/k_sa/trigger
echo > $trace/kprobe_events
check "rmmod" timeout -k 1 60 rmmod esptun
finish
