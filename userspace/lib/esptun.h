/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libesptun: make esptun links, program peers and SAs, carry IKE datagrams
 * and follow events.
 *
 * Conventions
 *   - Functions returning int give 0 or a negative errno; after a failure
 *     esptun_error() holds one sentence for the user.
 *   - SPIs, ports, marks and lengths are in host byte order; addresses are
 *     octets in network order. Times are what the comment beside them says.
 *   - A "has" mask tells which optional members of a struct are meant. On a
 *     request, members without their bit are not sent, so the kernel's default
 *     (add) or present value (set) holds. On a reply, a missing bit means the
 *     kernel did not tell.
 *   - Input structs and what they point to stay the caller's and are not
 *     written to. Arrays handed out belong to the caller, who gives them back
 *     with the matching *_free(), which also wipes keys.
 *   - A handle may be used by one thread at a time. It belongs to the network
 *     namespace of the thread that called esptun_open(), for good.
 */
#ifndef LIB_ESPTUN_H
#define LIB_ESPTUN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/esptun.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESPTUN_DEFAULT_PORT 4500 /* RFC 3948 */
#define ESPTUN_SPI_MIN 256 /* RFC 4303 2.1 */

/* ------------------------------------------------------------------ handle */

struct esptun;

/**
 * esptun_open() - get a handle for the calling thread's network namespace
 *
 * Opens the request sockets. Does not need the module: the first call about
 * peers, SAs or IKE looks the family up (which may load the module, as root)
 * and fails with -ENOENT and "esptun: kernel module not loaded; run: modprobe
 * esptun" if it is missing. Making a link loads the module by itself.
 *
 * Return: the handle, or NULL with errno set.
 */
struct esptun *esptun_open(void);

/**
 * esptun_close() - close all sockets of a handle and free it
 * @h: the handle, or NULL
 *
 * Gives the IKE channel back. SAs, peers and links stay.
 */
void esptun_close(struct esptun *h);

/**
 * esptun_error() - one sentence about the last failure on this handle
 * @h: the handle
 *
 * Includes what the kernel said (extended ack) and the name of the offending
 * attribute, such as "invalid key length (sa.encr-key)". Without newline. Valid
 * until the next call on the handle; "" if nothing failed.
 */
const char *esptun_error(const struct esptun *h);

/* --------------------------------------------------------------- addresses */

/* family AF_UNSPEC means absent; AF_INET uses the first 4 octets. */
struct esptun_addr {
	uint8_t family;
	uint8_t bytes[16];
};

struct esptun_endpoint {
	struct esptun_addr addr;
	uint16_t port;
};

/*
 * One traffic selector (RFC 7296 3.13.1), a prefix instead of a range. Any
 * protocol: 0. Any port: 0 to 65535. Octets beyond the prefix must be zero.
 */
struct esptun_ts {
	struct esptun_addr addr;
	uint8_t prefix_len; /* bits */
	uint8_t protocol;
	uint16_t port_start;
	uint16_t port_end;
};

/* Longest text of an address or selector, with the final NUL. */
#define ESPTUN_ADDR_STRLEN 46
#define ESPTUN_TS_STRLEN 80

/**
 * esptun_addr_parse() - numeric IPv4 or IPv6 address
 * @s: text; no host names, no zone
 * @a: filled on success
 * Return: 0 or -EINVAL.
 */
int esptun_addr_parse(const char *s, struct esptun_addr *a);

/** esptun_addr_len() - octets of an address: 4, 16, or 0 if absent */
size_t esptun_addr_len(const struct esptun_addr *a);

/** esptun_addr_equal() - same family and octets */
bool esptun_addr_equal(const struct esptun_addr *a, const struct esptun_addr *b);

/** esptun_addr_format() - text of @a into @buf, "any" if absent; returns @buf */
const char *esptun_addr_format(const struct esptun_addr *a, char buf[ESPTUN_ADDR_STRLEN]);

/**
 * esptun_ts_parse() - selector from PREFIX[:PROTO[:PORT[-PORT]]]
 * @s: text, e.g. "10.1.0.0/16", "10.1.0.5:tcp:443", "[2001:db8::/32]:udp:53-54"
 * @ts: filled on success
 *
 * PREFIX is ADDR or ADDR/LEN; an IPv6 one is put in brackets if anything
 * follows. PROTO is a number, "any", or one of tcp udp icmp icmpv6 sctp esp gre.
 * Return: 0; -EINVAL bad text; -EDOM bits set beyond the prefix length.
 */
int esptun_ts_parse(const char *s, struct esptun_ts *ts);

/** esptun_ts_format() - the text esptun_ts_parse() reads, into @buf; returns @buf */
const char *esptun_ts_format(const struct esptun_ts *ts, char buf[ESPTUN_TS_STRLEN]);

/* -------------------------------------------------------------- algorithms */

/*
 * An encryption algorithm, or a combined mode, with a length of key. It is found by
 * its name, and by those others have for it, which may be of several rows: the
 * kernel's and ip xfrm's ("rfc4106(gcm(aes))") and IANA's ("ENCR_AES_GCM_16").
 */
struct esptun_alg {
	const char *name; /* as users type it, e.g. "aes-gcm-256" */
	const char *alias; /* the kernel crypto API's name; NULL: it has none */
	const char *iana;
	uint16_t encr; /* IANA IKEv2 transform type 1 */
	uint8_t key_len; /* octets of the key attribute, salt included */
	uint8_t salt_len; /* of which the last so many are the salt */
	uint8_t icv_len; /* octets; 0: it needs an integrity algorithm */
};

/* An integrity algorithm, found by any of its names. */
struct esptun_integ_alg {
	const char *name; /* as users type it, e.g. "hmac-sha256" */
	const char *alias; /* the kernel crypto API's name */
	const char *iana;
	uint16_t integ; /* IANA IKEv2 transform type 3 */
	uint8_t key_len; /* octets */
	uint8_t icv_len; /* octets */
};

/**
 * esptun_algs() - table of known algorithms, ended by a NULL name
 */
const struct esptun_alg *esptun_algs(void);

/** esptun_integ_algs() - table of known integrity algorithms, ended by a NULL name */
const struct esptun_integ_alg *esptun_integ_algs(void);

/**
 * esptun_alg_by_name() - look an algorithm up by any of its names
 * @name: text
 * @key_len: octets of key and salt, or 0; decides which row when a name is of
 *	several key sizes, as rfc4106(gcm(aes)) is
 * Return: the row, of those that differ in ICV alone the one with the longest, or
 * NULL. Rows are never freed.
 */
const struct esptun_alg *esptun_alg_by_name(const char *name, size_t key_len);

/**
 * esptun_alg_by_icv() - as esptun_alg_by_name(), with a length of ICV
 * @name: text
 * @key_len: octets of key and salt
 * @icv_len: octets
 * Return: a row that fits in all of it, or NULL.
 */
const struct esptun_alg *esptun_alg_by_icv(const char *name, size_t key_len, size_t icv_len);

/** esptun_alg_by_id() - row of transform @encr with a key of @key_len octets, or NULL */
const struct esptun_alg *esptun_alg_by_id(uint16_t encr, size_t key_len);

/** esptun_integ_by_name() - look an integrity algorithm up by any of its names, or NULL */
const struct esptun_integ_alg *esptun_integ_by_name(const char *name);

/** esptun_integ_by_id() - row of transform @integ, or NULL */
const struct esptun_integ_alg *esptun_integ_by_id(uint16_t integ);

#define ESPTUN_ALGO_ENCR 1 /* IKEv2 transform types, RFC 7296 3.3.2 */
#define ESPTUN_ALGO_INTEG 3

/* What module and kernel have of an algorithm. */
struct esptun_algo {
	uint8_t type; /* ESPTUN_ALGO_* */
	uint16_t id; /* IANA IKEv2 transform ID */
	char name[48]; /* IANA's */
	char xfrm_name[64]; /* what ip xfrm calls it, "" if it does not have it */
	bool legacy; /* class: the module takes it only if loaded with legacy=1 */
	enum esptun_algo_state state; /* available or why not */
	char driver[128]; /* kernel crypto driver, "" if there is none */
	uint16_t key_lens[8]; /* octets, salt included */
	size_t n_key_lens; /* 0: no key */
	uint8_t salt_len; /* octets, and below */
	uint8_t iv_len;
	uint8_t icv_len;
	uint8_t align;
};

/**
 * esptun_algo_dump() - read which algorithms there are
 * @h: the handle
 * @algos: gets an array, to be freed with free()
 * @n: gets its length
 * Return: 0; -EOPNOTSUPP the module is too old to tell.
 */
int esptun_algo_dump(struct esptun *h, struct esptun_algo **algos, size_t *n);

/* ------------------------------------------------------------------- links */

#define ESPTUN_LINK_HAS_LOCAL (1U << 0)
#define ESPTUN_LINK_HAS_PORT (1U << 1)
#define ESPTUN_LINK_HAS_FWMARK (1U << 2)
#define ESPTUN_LINK_HAS_TOS (1U << 3)
#define ESPTUN_LINK_HAS_TTL (1U << 4)
#define ESPTUN_LINK_HAS_MTU (1U << 5)
#define ESPTUN_LINK_HAS_UP (1U << 6)
#define ESPTUN_LINK_HAS_DEV (1U << 7)

struct esptun_link {
	unsigned int has; /* ESPTUN_LINK_HAS_* */
	uint32_t ifindex;
	char name[IFNAMSIZ];
	struct esptun_addr local; /* outer source; AF_UNSPEC: routing chooses */
	uint16_t port; /* of the encapsulation socket */
	uint32_t fwmark; /* on outer packets */
	uint8_t tos; /* outer; 1 inherits the inner DSCP */
	uint8_t ttl; /* outer; 0 is the namespace's default */
	uint32_t mtu; /* octets of the largest inner packet */
	bool up; /* IFF_UP */
	uint8_t operstate; /* reply only: RFC 2863, IF_OPER_* of <linux/if.h> */
	uint32_t dev; /* index of the device or VRF for outer packets; 0: any */
};

/**
 * esptun_link_add() - make a link of kind esptun
 * @h: the handle
 * @link: name, and members named by has; ifindex is ignored
 * @ifindex: gets the new link's index; may be NULL
 * Return: 0; -EEXIST name taken; -EADDRINUSE port taken; -EOPNOTSUPP no module.
 */
int esptun_link_add(struct esptun *h, const struct esptun_link *link, uint32_t *ifindex);

/**
 * esptun_link_set() - change a link
 * @h: the handle
 * @link: ifindex, and members named by has
 * Return: 0; -EADDRINUSE port taken; -ENODEV no such link or dev; then nothing changed.
 */
int esptun_link_set(struct esptun *h, const struct esptun_link *link);

/** esptun_link_del() - remove a link with its peers and SAs; -ENODEV if none */
int esptun_link_del(struct esptun *h, uint32_t ifindex);

/**
 * esptun_link_get() - read one link
 * @h: the handle
 * @name: its name, or one of its alternative names
 * @link: filled on success
 * Return: 0; -ENODEV no such device; -EMEDIUMTYPE it is of another kind.
 */
int esptun_link_get(struct esptun *h, const char *name, struct esptun_link *link);

/**
 * esptun_link_dump() - all esptun links of the namespace
 * @h: the handle
 * @links: gets an array, to be freed with free(); NULL if there are none
 * @n: gets its length
 */
int esptun_link_dump(struct esptun *h, struct esptun_link **links, size_t *n);

/*
 * Where the device of a peer, SA, counter or event is now, from the kernel only.
 * A link that was moved keeps its peers, and the namespace it was made in goes on
 * seeing them; its ifindex is another namespace's then. Requests name such a link
 * by ifindex alone, which has to be of one moved link only.
 */
struct esptun_where {
	char ifname[IFNAMSIZ]; /* "" if the kernel did not tell */
	bool elsewhere; /* in another namespace than the handle's: */
	int32_t netnsid; /* as the handle's namespace numbers it (ip netns list-id) */
};

/* ------------------------------------------------------------------- peers */

#define ESPTUN_PEER_HAS_REMOTE (1U << 0) /* remote.addr */
#define ESPTUN_PEER_HAS_PORT (1U << 1) /* remote.port */
#define ESPTUN_PEER_HAS_LOCAL (1U << 2)
#define ESPTUN_PEER_HAS_KEEPALIVE (1U << 3)
#define ESPTUN_PEER_HAS_MAY_ROAM (1U << 4)
#define ESPTUN_PEER_HAS_LAST_RX (1U << 5) /* reply only */
#define ESPTUN_PEER_HAS_LAST_TX (1U << 6) /* reply only */
#define ESPTUN_PEER_HAS_MTU (1U << 7) /* reply only */
#define ESPTUN_PEER_HAS_LEARNED (1U << 8) /* reply only */
#define ESPTUN_PEER_HAS_ON_DEMAND (1U << 9)
#define ESPTUN_PEER_HAS_ENCAP (1U << 10)
#define ESPTUN_PEER_HAS_TOS (1U << 11)
#define ESPTUN_PEER_HAS_TTL (1U << 12)
#define ESPTUN_PEER_HAS_DF (1U << 13)
#define ESPTUN_PEER_HAS_FLOW_LABEL (1U << 14)
#define ESPTUN_PEER_HAS_ZERO_CSUM6_TX (1U << 15)
#define ESPTUN_PEER_HAS_ZERO_CSUM6_RX (1U << 16)

struct esptun_peer {
	unsigned int has; /* ESPTUN_PEER_HAS_* */
	uint32_t ifindex;
	uint32_t id; /* chosen by the caller, unique on the link, not 0 */
	struct esptun_endpoint remote;
	struct esptun_addr local; /* outer source; overrides the link's */
	uint32_t keepalive; /* seconds, 0 off */
	bool may_roam; /* follow an authenticated new outer source */
	uint8_t encap; /* ESPTUN_ENCAP_*: what packets to it travel in */
	/* Of its outer packets; ESPTUN_HEADER_OF_LINK, and what is not there: as the link's. */
	uint16_t tos; /* 1 inherits the inner DSCP */
	uint16_t ttl; /* 0 is the namespace's default, ESPTUN_TTL_INHERIT the inner one */
	uint16_t df; /* ESPTUN_DF_* */
	uint16_t flow_label; /* ESPTUN_FLOW_LABEL_* */
	bool zero_csum6_tx; /* send it UDP over IPv6 without checksums (RFC 6935) */
	bool zero_csum6_rx; /* take such from it */
	bool on_demand; /* an agent makes further SAs: what fits none raises an acquire */
	/* By what its maker knows it again; up to a NUL it is for people. identity_len 0: none, or as it was. */
	uint8_t identity[ESPTUN_PEER_IDENTITY_MAX];
	size_t identity_len;

	/* reply only */
	uint64_t rx_packets;
	uint64_t rx_bytes; /* inner octets */
	uint64_t tx_packets; /* dummies included */
	uint64_t tx_bytes; /* inner octets, with padding and dummies */
	uint64_t last_rx; /* milliseconds ago, authenticated */
	uint64_t last_tx; /* milliseconds ago, keepalives included */
	uint64_t keepalives; /* sent */
	uint32_t mtu; /* largest inner packet on the path to this peer */
	struct esptun_addr learned; /* our address it last wrote to; the source without a local */
	struct esptun_where where;
};

/**
 * esptun_peer_add() - add a peer
 * @h: the handle
 * @peer: ifindex, id, and members named by has
 * Return: 0; -EEXIST id taken; -ENODEV no such link; -EINVAL with text.
 */
int esptun_peer_add(struct esptun *h, const struct esptun_peer *peer);

/** esptun_peer_set() - change the members named by has, all or none; -ENOENT no such peer */
int esptun_peer_set(struct esptun *h, const struct esptun_peer *peer);

/** esptun_peer_del() - remove a peer; -EBUSY while it has SAs */
int esptun_peer_del(struct esptun *h, uint32_t ifindex, uint32_t id);

/** esptun_peer_get() - read one peer into @peer; -ENOENT no such peer */
int esptun_peer_get(struct esptun *h, uint32_t ifindex, uint32_t id, struct esptun_peer *peer);

/**
 * esptun_peer_dump() - read all peers
 * @h: the handle
 * @ifindex: of one link, or 0 for all
 * @peers: gets an array, to be freed with free(); NULL if there are none
 * @n: gets its length
 *
 * A dump that raced with a change is read again until it is consistent.
 */
int esptun_peer_dump(struct esptun *h, uint32_t ifindex, struct esptun_peer **peers, size_t *n);

/* ---------------------------------------------------------------- counters */

/*
 * Counters, indexed by ESPTUN_STATS_A_*. Every dropped packet raises exactly
 * one counter for which esptun_stats_is_drop() holds.
 */
struct esptun_stats {
	uint64_t v[ESPTUN_STATS_A_MAX + 1];
	uint64_t told; /* 1 << index: the kernel told this one; others are 0 */
};

/** esptun_stats_name() - "rx-replay" and so on; NULL if @i is no counter */
const char *esptun_stats_name(unsigned int i);

#define ESPTUN_STATS_KEYLEN 32

/**
 * esptun_stats_key() - the name as a key of JSON, in the spelling of ip -j: "rx_replay"
 * Return: @key, or NULL if @i is no counter.
 */
const char *esptun_stats_key(unsigned int i, char key[ESPTUN_STATS_KEYLEN]);

/** esptun_stats_text() - what counter @i means, for users; NULL if no counter */
const char *esptun_stats_text(unsigned int i);

/** esptun_stats_is_drop() - counter @i counts dropped packets */
bool esptun_stats_is_drop(unsigned int i);

/* Counters of one link; ifindex 0 holds what belongs to no link. */
struct esptun_link_stats {
	uint32_t ifindex;
	struct esptun_stats stats;
	struct esptun_where where;
};

/**
 * esptun_stats_dump() - read counters
 * @h: the handle
 * @ifindex: of one link, or 0 for all links and what belongs to none
 * @stats: gets an array, to be freed with free()
 * @n: gets its length
 */
int esptun_stats_dump(struct esptun *h, uint32_t ifindex, struct esptun_link_stats **stats,
		      size_t *n);

/* --------------------------------------------------------------------- SAs */

#define ESPTUN_SA_HAS_REPLAY_WINDOW (1U << 0)
#define ESPTUN_SA_HAS_SOFT_BYTES (1U << 1)
#define ESPTUN_SA_HAS_HARD_BYTES (1U << 2)
#define ESPTUN_SA_HAS_SOFT_PACKETS (1U << 3)
#define ESPTUN_SA_HAS_HARD_PACKETS (1U << 4)
#define ESPTUN_SA_HAS_KEY (1U << 5) /* reply only: key, integ_key are there */
#define ESPTUN_SA_HAS_STATS (1U << 6) /* reply only */
#define ESPTUN_SA_HAS_LAST_USED (1U << 7) /* reply only */
#define ESPTUN_SA_HAS_SEQ (1U << 8) /* request only: seq is meant */
#define ESPTUN_SA_HAS_SOFT_TIME (1U << 9)
#define ESPTUN_SA_HAS_HARD_TIME (1U << 10)
#define ESPTUN_SA_HAS_SOFT_USE_TIME (1U << 11)
#define ESPTUN_SA_HAS_HARD_USE_TIME (1U << 12)
#define ESPTUN_SA_HAS_CPU (1U << 13)
#define ESPTUN_SA_HAS_TFC (1U << 14)
#define ESPTUN_SA_HAS_DUMMY (1U << 15)
#define ESPTUN_SA_HAS_NAT_OA (1U << 16) /* nat_oa_local and nat_oa_remote */

struct esptun_sa {
	unsigned int has; /* ESPTUN_SA_HAS_* */
	uint32_t ifindex;
	uint32_t spi;
	uint32_t peer; /* id */
	enum esptun_sa_dir dir;
	enum esptun_sa_mode mode;
	uint16_t encr; /* IANA IKEv2 transform type 1 */
	uint16_t integ; /* IANA IKEv2 transform type 3; 0 with an AEAD */
	bool esn; /* 64-bit sequence numbers */
	uint8_t key[ESPTUN_KEY_MAX]; /* encr-key; for an AEAD the salt follows */
	size_t key_len; /* octets; on a reply told even if the key is not */
	uint8_t integ_key[ESPTUN_KEY_MAX];
	size_t integ_key_len;
	uint32_t replay_window; /* packets, inbound only; 0 turns the check off */
	struct esptun_ts *ts_local; /* our side; none means any */
	size_t n_ts_local; /* at most ESPTUN_TS_MAX */
	struct esptun_ts *ts_remote; /* the peer's side; none means any */
	size_t n_ts_remote;
	uint64_t soft_bytes; /* inner octets; outbound with padding and dummy packets, as all limits */
	uint64_t hard_bytes;
	uint64_t soft_packets;
	uint64_t hard_packets;
	uint64_t soft_time; /* seconds since it was added */
	uint64_t hard_time;
	uint64_t soft_use_time; /* seconds since its first packet */
	uint64_t hard_use_time;
	uint32_t tfc; /* outbound, tunnel mode: octets to pad to, 0 none, ESPTUN_TFC_MTU what fits */
	uint32_t dummy; /* outbound: dummy packets a second, up to ESPTUN_DUMMY_MAX */
	uint64_t seq; /* last sent, or highest received; on an outbound add: goes on after it */
	uint32_t cpu; /* outbound only: for what this CPU sends (RFC 9611) */
	/* Inbound, transport mode: both ends as the peer knows them, before a NAT (RFC 3948 3.1.2). */
	struct esptun_addr nat_oa_local, nat_oa_remote;

	/* reply only */
	enum esptun_sa_state state;
	char driver[264]; /* kernel crypto driver in use, or two with "+" between them */
	uint64_t packets; /* outbound with dummies, inbound without */
	uint64_t bytes; /* inner octets; outbound with padding and dummies, inbound without */
	uint64_t age; /* milliseconds since made */
	uint64_t last_used; /* milliseconds ago */
	struct esptun_stats stats; /* drops on this SA */
	struct esptun_where where;
};

/**
 * struct esptun_limit - one of the limits of an SA
 * @name: "soft-bytes" and so on; NULL ends the table
 * @xfrm: the word of "ip xfrm" for it
 * @has: ESPTUN_SA_HAS_*
 * @attr: ESPTUN_SA_A_*
 * @offset: of its member, uint64_t, in struct esptun_sa
 * @max: greatest value
 */
struct esptun_limit {
	const char *name;
	const char *xfrm;
	unsigned int has;
	uint16_t attr;
	size_t offset;
	uint64_t max;
};

/** esptun_limits() - all of them */
const struct esptun_limit *esptun_limits(void);

/** esptun_limit_get() - the value of @l in @sa, 0 if there is none */
uint64_t esptun_limit_get(const struct esptun_sa *sa, const struct esptun_limit *l);

/** esptun_limit_set() - @sa has @l from now on */
void esptun_limit_set(struct esptun_sa *sa, const struct esptun_limit *l, uint64_t value);

/**
 * esptun_sa_add() - add an SA, or give a larval one its key
 * @h: the handle
 * @sa: ifindex, spi, peer, dir, mode, encr, integ, keys, esn, selectors, and
 *	members named by has
 *
 * The copy of the keys in the message is wiped before return; the caller wipes
 * @sa. Return: 0; -EEXIST SPI in use; -EINVAL with text; -ENOENT no such peer.
 */
int esptun_sa_add(struct esptun *h, const struct esptun_sa *sa);

/**
 * esptun_sa_set() - change limits and selectors of an SA
 * @h: the handle
 * @sa: ifindex, dir, spi and, outbound, peer name it; limits named by has are changed;
 *	a side with selectors gets these instead of those it had (for any: 0.0.0.0/0 and
 *	::/0), one without keeps its own
 *
 * Sequence numbers and replay window go on. All or none is changed.
 */
int esptun_sa_set(struct esptun *h, const struct esptun_sa *sa);

/**
 * esptun_sa_del() - remove one SA
 * @h: the handle
 * @ifindex: the link
 * @dir: direction
 * @spi: SPI
 * @peer: peer id, needed for an outbound SA, whose SPI the peer chose; else 0
 * Return: 0; -ENOENT no such SA.
 */
int esptun_sa_del(struct esptun *h, uint32_t ifindex, enum esptun_sa_dir dir, uint32_t spi,
		  uint32_t peer);

#define ESPTUN_SHOW_KEYS (1U << 0) /* ask for keys; needs CAP_NET_ADMIN */

/**
 * esptun_sa_get() - read one SA
 * @h: the handle
 * @ifindex: the link
 * @dir: direction
 * @spi: SPI
 * @peer: peer id, needed for an outbound SA
 * @flags: 0 or ESPTUN_SHOW_KEYS
 * @sa: filled on success; give it back with esptun_sa_clear()
 */
int esptun_sa_get(struct esptun *h, uint32_t ifindex, enum esptun_sa_dir dir, uint32_t spi,
		  uint32_t peer, unsigned int flags, struct esptun_sa *sa);

/**
 * esptun_sa_dump() - read all SAs
 * @h: the handle
 * @ifindex: of one link, or 0 for all
 * @flags: 0 or ESPTUN_SHOW_KEYS
 * @sas: gets an array, to be freed with esptun_sas_free(); NULL if none
 * @n: gets its length
 *
 * A dump that raced with a change is read again until it is consistent.
 */
int esptun_sa_dump(struct esptun *h, uint32_t ifindex, unsigned int flags, struct esptun_sa **sas,
		   size_t *n);

/** esptun_sa_clear() - free selectors the library allocated, wipe the struct */
void esptun_sa_clear(struct esptun_sa *sa);

/** esptun_sas_free() - esptun_sa_clear() each of @n, free the array */
void esptun_sas_free(struct esptun_sa *sas, size_t n);

/**
 * esptun_sa_flush() - remove all SAs of a link
 * @h: the handle
 * @ifindex: the link
 * @peer: only those of this peer, or 0
 */
int esptun_sa_flush(struct esptun *h, uint32_t ifindex, uint32_t peer);

/**
 * esptun_spi_alloc() - reserve an unused inbound SPI as a larval SA
 * @h: the handle
 * @ifindex: the link
 * @peer: peer id
 * @spi: gets the SPI; esptun_sa_add() gives it a key, esptun_sa_del() frees it
 */
int esptun_spi_alloc(struct esptun *h, uint32_t ifindex, uint32_t peer, uint32_t *spi);

/* ------------------------------------------------------------------ events */

enum esptun_event_type {
	ESPTUN_EVENT_ACQUIRE, /* u.acquire: a packet found no outbound SA */
	ESPTUN_EVENT_EXPIRE, /* u.expire */
	ESPTUN_EVENT_PEER_MOVED, /* u.peer, with its new remote endpoint */
	ESPTUN_EVENT_PEER_ADD, /* u.peer */
	ESPTUN_EVENT_PEER_CHANGE, /* u.peer */
	ESPTUN_EVENT_PEER_DEL, /* u.peer: id only */
	ESPTUN_EVENT_SA_ADD, /* u.sa, without keys */
	ESPTUN_EVENT_SA_CHANGE, /* u.sa */
	ESPTUN_EVENT_SA_DEL, /* u.sa: spi, dir, peer */
	ESPTUN_EVENT_SA_FLUSH, /* u.sa: peer, 0 if all of the link */
	ESPTUN_EVENT_IKE, /* u.ike: a datagram, on the IKE channel only */
	ESPTUN_EVENT_OVERRUN, /* messages were lost: read the state again */
};

/* The packet that raised an acquire; its peer is 0 if none was found. */
struct esptun_flow {
	uint32_t peer;
	struct esptun_addr source;
	struct esptun_addr destination;
	uint8_t protocol;
	uint16_t source_port;
	uint16_t destination_port;
	bool has_cpu; /* cpu is meant: it has no SA, others with the same selectors have (RFC 9611) */
	uint32_t cpu;
};

/* An IKE datagram without the non-ESP marker; the kernel adds and removes it. */
struct esptun_ike {
	struct esptun_endpoint local;
	struct esptun_endpoint remote;
	const uint8_t *data;
	size_t len; /* octets, at most ESPTUN_IKE_MAX */
};

struct esptun_event {
	enum esptun_event_type type;
	uint32_t ifindex; /* 0 for IKE and OVERRUN */
	struct esptun_where where;
	union {
		struct esptun_flow acquire;
		struct {
			uint32_t spi;
			uint32_t peer;
			enum esptun_sa_dir dir;
			enum esptun_expire_reason reason;
		} expire;
		struct esptun_peer peer;
		struct esptun_sa sa;
		struct esptun_ike ike;
	} u;
};

/**
 * esptun_event_fn - called for one event
 * @ev: the event; it and all it points to are gone when the call returns
 * @arg: as given
 *
 * May call any function of the library but esptun_close().
 */
typedef void (*esptun_event_fn)(const struct esptun_event *ev, void *arg);

/**
 * esptun_events_open() - subscribe to the events of this namespace
 * @h: the handle
 * Return: a non-blocking descriptor to poll for reading, owned by the handle
 * (do not close it), or a negative errno. The same one on every call.
 */
int esptun_events_open(struct esptun *h);

/**
 * esptun_events_read() - decode what has arrived, without blocking
 * @h: the handle
 * @fn: called per event; ESPTUN_EVENT_OVERRUN if the kernel dropped some
 * @arg: for @fn
 *
 * Handles a bounded number of datagrams (64), so an event loop stays live; call
 * it again when the descriptor is readable. Undecodable messages are skipped.
 * Return: number of events given to @fn, or a negative errno.
 */
int esptun_events_read(struct esptun *h, esptun_event_fn fn, void *arg);

/**
 * esptun_event_name() - "acquire", "sa-add" and so on
 */
const char *esptun_event_name(enum esptun_event_type type);

/* ------------------------------------------------------------- IKE channel */

/**
 * esptun_ike_open() - claim the IKE channel of this namespace
 * @h: the handle
 * Return: a non-blocking descriptor as from esptun_events_open(), or a negative
 * errno: -EBUSY if another agent holds the channel, -EPERM.
 */
int esptun_ike_open(struct esptun *h);

/** esptun_ike_read() - as esptun_events_read(), for IKE datagrams */
int esptun_ike_read(struct esptun *h, esptun_event_fn fn, void *arg);

/**
 * esptun_ike_send() - send an IKE message from a link's encapsulation socket
 * @h: the handle
 * @ifindex: the link
 * @ike: remote endpoint, data; local.addr AF_UNSPEC lets the kernel choose,
 *	local.port is ignored (it is the link's)
 *
 * A failure may be temporary (-EAGAIN, -ENETUNREACH): IKE retransmits.
 */
int esptun_ike_send(struct esptun *h, uint32_t ifindex, const struct esptun_ike *ike);

#ifdef __cplusplus
}
#endif

#endif
