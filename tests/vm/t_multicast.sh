#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 200
#
# Routing daemons on a tunnel (OSPF, OSPFv3) want its netdevice to do multicast, and a
# link-local address. Both are the user's to give; then their groups are heard at the other
# end, whenever multicast was switched on.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

cat > /run/multicast.py <<'END'
import socket, struct, sys
mode, group, dev = sys.argv[1:]
six, i = ":" in group, socket.if_nametoindex(dev)
s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
if mode == "hear":
    s.bind((group, 6000, 0, i) if six else (group, 6000))
    if six:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                     socket.inet_pton(socket.AF_INET6, group) + struct.pack("I", i))
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     socket.inet_aton(group) + struct.pack("4sI", bytes(4), i))
    s.settimeout(30)
    print("ready", flush=True)
    print(s.recvfrom(99), flush=True)
elif six:
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, i)
    s.sendto(b"hello", (group, 6000, 0, i))
else:
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, bytes(8) + struct.pack("I", i))
    s.sendto(b"hello", (group, 6000))
END
heard() { # FROM TO GROUP
	start "$2" /run/heard.log "$PYTHON" /run/multicast.py hear "$3" vpn0
	wait_for 10 holds /run/heard.log ready || { cat /run/heard.log; return 1; }
	at "$1" "$PYTHON" /run/multicast.py say "$3" vpn0
	wait_for 5 holds /run/heard.log hello
}

load_esptun
two_hosts
static_west aes-gcm-256 off
static_east aes-gcm-256 off
must at west ip addr add fe80::1/64 dev vpn0 nodad
must at east ip addr add fe80::2/64 dev vpn0 nodad
for ns in west east; do
	must at $ns ip link set vpn0 multicast on
	like "$ns: the flag" "$(ip -n $ns link show vpn0)" MULTICAST
done
check "link-local addresses" pings west fe80::2%vpn0
for group in 224.0.0.5 ff02::5; do
	check "$group is heard in the east" heard west east $group
	check "$group is heard in the west" heard east west $group
done
# Down and up, as configuration tools do, and without SAs for a while.
for ns in west east; do
	must at $ns esptun sa flush dev vpn0
	must at $ns ip link set vpn0 down
	must at $ns ip link set vpn0 up
done
must at west ip addr replace fe80::1/64 dev vpn0 nodad
must at east ip addr replace fe80::2/64 dev vpn0 nodad
esptun_sas west 1 aes-gcm-256 off $SPI_WEST 0x51 $SPI_EAST 0xa1
esptun_sas east 1 aes-gcm-256 off $SPI_EAST 0xa1 $SPI_WEST 0x51
for group in 224.0.0.5 ff02::5; do
	check "after down and up: $group is heard in the east" heard west east $group
done
finish
