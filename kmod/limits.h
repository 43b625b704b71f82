/* SPDX-License-Identifier: GPL-2.0 */
/* Every number esptun chose for itself. What the ABI fixes is in uapi. */
#ifndef ESPTUN_LIMITS_H
#define ESPTUN_LIMITS_H

#define ESPTUN_KIND "esptun"

/* RFC 3948: the well-known port of UDP encapsulation */
#define ESPTUN_PORT_DEFAULT 4500

/* RFC 4303 2.1: 1 to 255 are reserved by IANA, 0 is the non-ESP marker */
#define ESPTUN_SPI_MIN 256

#define ESPTUN_REPLAY_WINDOW_DEFAULT 1024

/*
 * What a key of a cipher with blocks of 64 bits encrypts, unless told otherwise:
 * 2^20 blocks (NIST SP 800-67 revision 2), long before two equal ones tell of their
 * texts (Sweet32, CVE-2016-2183). A key that was given by hand may never be
 * changed. The agent rekeys, and its SAs have limits of its own (install.c:soft_bytes).
 */
#define ESPTUN_BLOCK64_BYTES (8u << 20)

/* Octets in the longest dummy packet of an SA whose packets are not padded. */
#define ESPTUN_DUMMY_LEN_MAX 1500u

/* RFC 3948 4: seconds */
#define ESPTUN_KEEPALIVE_DEFAULT 20
#define ESPTUN_KEEPALIVE_MAX 3600

/* Without ESN, the peer is told to rekey when this many numbers are left. */
#define ESPTUN_SEQ_WARN (1U << 24)

/*
 * Packets a link keeps while an agent negotiates: of one destination, of all,
 * and for how long. Destinations are told apart by a hash of so many values.
 */
#define ESPTUN_HOLD_ONE 16
#define ESPTUN_HOLD_MAX 128
#define ESPTUN_HOLD_MS 5000
#define ESPTUN_HOLD_SLOTS 32

/*
 * Acquires of a link: one a second for a destination, so many a second caused
 * by one inner source, and by all. Sources are told apart by a hash, too.
 */
#define ESPTUN_ACQUIRE_MS 1000
#define ESPTUN_ACQUIRE_ONE 16
#define ESPTUN_ACQUIRE_MAX 64
#define ESPTUN_ACQUIRE_SOURCES 16

/*
 * Acquires for CPUs, whose packets another SA carries meanwhile: one in this time
 * for each CPU and selectors, so many a second of a link.
 */
#define ESPTUN_ACQUIRE_CPU_MS 60000
#define ESPTUN_ACQUIRE_CPU_MAX 16

/*
 * IKE datagrams given to the agent, per second and in one burst: of one peer or
 * source, and of all sources that are no peer's. Each KB of a datagram, begun,
 * counts as one. Sources are told apart by a hash of so many values.
 */
#define ESPTUN_IKE_ONE_RATE 100
#define ESPTUN_IKE_ONE_BURST 200
#define ESPTUN_IKE_RATE 4000
#define ESPTUN_IKE_BURST 4000
#define ESPTUN_IKE_SOURCES 1024

/*
 * Longest IKE message of a source that is no peer's, in bytes: IKE_SA_INIT has
 * neither certificates nor identities, which is what makes the others long.
 */
#define ESPTUN_IKE_INIT_MAX 8192
#define ESPTUN_IKE_UNKNOWN_MAX 32768

/* Outbound SAs with one SPI that an ICMP error is looked up among. */
#define ESPTUN_SPI_TRIES 16

/*
 * Sequence numbers back that an ICMP error may name: what a second brings at a
 * million packets a second, for the error may be that long on its way.
 */
#define ESPTUN_ICMP_LATELY (1u << 20)

/*
 * Of the MTU of a path that ICMP taught, over IPv4: for how long, as the kernel's
 * routes keep it, and at least, as they do.
 */
#define ESPTUN_PMTU_MS 600000
#define ESPTUN_PMTU_MIN 552u

/* And at least, if the error may be anybody's: as over IPv6. */
#define ESPTUN_PMTU_UNPROVEN 1280u

/* Peers at one endpoint that have a share. */
#define ESPTUN_IKE_TRIES 16

/*
 * Jobs that wait for a CPU: so many at most, so many when more are given to it
 * (enough to keep it at work until the next one comes), and how many CPUs are
 * asked whether they have time.
 */
#define ESPTUN_SPREAD_MAX 512
#define ESPTUN_SPREAD_DEPTH 4
#define ESPTUN_SPREAD_TRIES 8

/*
 * Items of an order (order.h): so many wait at most, and so many, or for so many
 * jiffies, a CPU hands over before it leaves the rest to a worker.
 */
#define ESPTUN_ORDER_MAX 512u
#define ESPTUN_ORDER_BUDGET 64u
#define ESPTUN_ORDER_TICKS 2u

/*
 * Tunnels in one another (nest.h): as many as the stack lets devices be in one
 * another (XMIT_RECURSION_LIMIT); half of them on one kernel stack.
 */
#define ESPTUN_NEST_MAX 8u
#define ESPTUN_NEST_FRAMES 4u

/*
 * Most peers a link, SAs a peer and SAs a netns: keeps one netns from eating
 * all. Two pairs for each of 65,536 peers, one of them being replaced; 2 KB an
 * SA, so less than 540 MB.
 */
#define ESPTUN_PEERS_MAX 65536
#define ESPTUN_SAS_PER_PEER_MAX 4096
#define ESPTUN_SAS_MAX (4 * ESPTUN_PEERS_MAX)

/* With ESN, where an SA may start: nobody sends 2^63 packets after it. */
#define ESPTUN_SEQ_START_MAX (U64_MAX >> 1)

/* Up to here, going through all peers of a link costs nothing. */
#define ESPTUN_FEW_PEERS 16

/* How often limits of time are looked at, at least: time asleep counts. */
#define ESPTUN_LIFETIME_MS 60000

/* A reserved SPI that got no key is given up. */
#define ESPTUN_LARVAL_MS 60000

/*
 * Packets that come for such an SPI before the key: so many of one SA, taking so
 * much memory, so much for all SAs of a namespace, and of all, and for how long: an answer that got
 * lost may come with the third copy of the agent's request, after 3.5 s.
 */
#define ESPTUN_EARLY_ONE 256u
#define ESPTUN_EARLY_SIZE (1u << 20)
#define ESPTUN_EARLY_NET (4 << 20)
#define ESPTUN_EARLY_MAX (32 << 20)
#define ESPTUN_EARLY_MS 4000

/* A peer that keeps moving is told of this often. */
#define ESPTUN_MOVED_MS 1000

/* Bytes of per-CPU memory set aside for one request of the crypto API. */
#define ESPTUN_CRYPTO_REQ_MAX 2048

/*
 * Queues of a link for packets on their way up: one for each CPU, up to this
 * many; and packets in each, which is what the kernel's own have.
 */
#define ESPTUN_CELLS_MAX 64
#define ESPTUN_CELL_MAX 1000

/* Link MTU: what "ip link set mtu" accepts. */
#define ESPTUN_MTU_MIN 68
#define ESPTUN_MTU_MAX 65000

/*
 * Packets of one UDP super-packet, the kernels' UDP_MAX_SEGMENTS, and octets of
 * all of them: the outer datagram has to stay below 64 KiB.
 */
#define ESPTUN_BATCH_MAX 64u
#define ESPTUN_SEALED_MAX 65500u

/* Inner super-packets: so that one of full segments makes one outer one. */
#define ESPTUN_GSO_MAX 61440u

/* Longest inner super-packet made of received packets: IPv4's total length. */
#define ESPTUN_MERGED_MAX 65535u

/* Where a CPU builds the packets of a batch; longer ones go singly. */
#define ESPTUN_WORK_LEN 16384u

/* Largest inner packet: its ESP packet must still fit an IPv4 datagram. */
#define ESPTUN_INNER_MAX 65400u

#endif /* ESPTUN_LIMITS_H */
