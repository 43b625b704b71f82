// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs that t_filters.sh attaches to a tunnel's device, built by clang -target bpf with
 * -DVPN0=INDEX -DWG0=INDEX. Nothing of a kernel's headers is needed for them. A packet begins
 * with its IP header: the devices have no link-layer header.
 */
#define SECTION(name) __attribute__((section(name), used))

/* enum xdp_action, struct xdp_md and a helper function of <linux/bpf.h> */
#define XDP_DROP 1
#define XDP_PASS 2
#define XDP_TX 3

struct xdp_md {
	unsigned int data;
	unsigned int data_end;
	unsigned int data_meta;
	unsigned int ingress_ifindex;
};

static long (*const redirect)(unsigned int ifindex, unsigned long long flags) = (void *)23;

struct ping {
	unsigned char version_ihl, tos;
	unsigned short len, id, offset;
	unsigned char ttl, protocol;
	unsigned short header_check;
	unsigned int saddr, daddr;
	unsigned char type, code;
	unsigned short check;
};

#define IPPROTO_ICMP 1
#define ICMP_ECHOREPLY 0
#define ICMP_ECHO 8

/* The packet, if it is an ICMP packet of IPv4 without options, as those of ping are. */
static __attribute__((always_inline)) struct ping *find_ping(struct xdp_md *md)
{
	struct ping *p = (void *)(long)md->data;

	if ((void *)(p + 1) > (void *)(long)md->data_end)
		return (void *)0;
	return p->version_ihl == 0x45 && p->protocol == IPPROTO_ICMP ? p : (void *)0;
}

SECTION("xdp_pass") int pass_all(struct xdp_md *md)
{
	(void)md;
	return XDP_PASS;
}

SECTION("xdp_drop") int drop_all(struct xdp_md *md)
{
	(void)md;
	return XDP_DROP;
}

SECTION("xdp_no_icmp") int drop_icmp(struct xdp_md *md)
{
	return find_ping(md) ? XDP_DROP : XDP_PASS;
}

/* Answers pings and sends the answer back out of the device. */
SECTION("xdp_answer") int answer_ping(struct xdp_md *md)
{
	struct ping *p = find_ping(md);
	unsigned int address, sum;

	if (!p || p->type != ICMP_ECHO)
		return XDP_PASS;
	address = p->saddr;
	p->saddr = p->daddr;
	p->daddr = address;
	p->type = ICMP_ECHOREPLY;
	/* RFC 1624: the checksum without the type of a request, which stands in its first byte. */
	sum = p->check + ICMP_ECHO;
	p->check = (sum & 0xffff) + (sum >> 16);
	return XDP_TX;
}

/* ICMP that came by one tunnel leaves by the other. */
SECTION("xdp_other") int send_by_other(struct xdp_md *md)
{
	if (!find_ping(md))
		return XDP_PASS;
	return redirect(md->ingress_ifindex == VPN0 ? WG0 : VPN0, 0);
}

char gpl[] SECTION("license") = "GPL";
