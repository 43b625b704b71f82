/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent and the process that runs the core tell each other, over a socket that keeps
 * messages apart (SOCK_SEQPACKET). A call of the core's functions is one message and its answer
 * another; in between come the core's effects, of which some are answered, too.
 *
 * Both ends are one program, so structures go as they are. The ike process parses what comes from
 * the network: the agent takes no byte of its messages that wire_get() has not checked against
 * the tables of wire.c. A field that is added to a structure below needs a line there if it
 * counts, indexes, points, is a bool or is text.
 */
#ifndef ESPTUN_IKE_WIRE_H
#define ESPTUN_IKE_WIRE_H

#include "ike/core/core.h"

enum wire_type {
#define WIRE(name, ...) WIRE_##name,
#include "ike/app/wire.def"
#undef WIRE
	WIRE_TYPES,
};

#define WIRE_FIRST_OF_IKE WIRE_RETURN

enum {
	WIRE_BODY = 20 << 14, /* the longest body, in octets: the configuration of a tunnel */
	WIRE_TEXT = 1024,
	WIRE_STEP = 32,
	WIRE_KEYS = 64, /* of one WIRE_STATUS */
	WIRE_OCTETS = 16384, /* of each part of what a job signs */
	WIRE_AUTH = 512, /* of a value to verify; longer ones than a PRF's are wrong */
	WIRE_ADDRS = 65, /* of one WIRE_ADDRESSES: as many as the core keeps */
	WIRE_CLIENTS_MAX = 2 * IKE_MAX_CLIENTS, /* numbers in one WIRE_RETURN_CLIENTS */
};

/* Before each body. What a message does not need is 0. */
struct wire_head {
	uint32_t type; /* enum wire_type */
	uint32_t len; /* of the body */
	char tunnel[16]; /* "": none */
	int32_t result; /* 0 or a negative errno */
	uint32_t value; /* enum ike_expire, ike_tunnel_state, ike_log_level; see wire.def */
	uint32_t peer; /* number of the tunnel's peer */
	uint32_t spi_in, spi_out;
	uint32_t inbound; /* 0 or 1 */
	uint32_t have_spis; /* 0 or 1: spi_i and spi_r are given */
	uint8_t spi_i[IKE_SPI_LEN], spi_r[IKE_SPI_LEN];
	struct ike_endpoint local, remote;
	uint64_t time; /* ms: now; with WIRE_RETURN* ike_core_next(); answer to WIRE_ENV_LAST_RX */
};

struct wire {
	struct wire_head h;
	uint8_t body[WIRE_BODY] __attribute__((aligned(16)));
};

/* What the head of a WIRE_ADOPT has no room for. */
struct wire_adopted {
	struct ike_id id;
	uint32_t n; /* of the selectors that follow, struct ike_ts */
};

/* A struct ike_child and what its pointers lead to; they are set by wire_child_open(). */
struct wire_child {
	struct ike_child child;
	uint8_t key_in[IKE_MAX_KEY], key_out[IKE_MAX_KEY];
	uint8_t integ_in[IKE_MAX_KEY], integ_out[IKE_MAX_KEY];
	struct ike_ts_list local_ts, remote_ts;
};

/* Whose status is asked for. */
struct wire_key {
	char tunnel[16];
	uint32_t peer; /* 0: the tunnel's own */
};

/*
 * A row of the answer: a peer, or a child SA that is configured for it (have_child, child_name and
 * what belongs to them). First the peer's, then those of its child SAs, in order; of a key that there
 * is no peer for, none. The status's pointers are set by wire_status_open().
 */
struct wire_status {
	uint32_t key; /* index in what was asked */
	uint32_t child; /* 0: the peer; else number of the configured child SA, plus 1 */
	struct ike_status status;
	char tunnel[16], child_name[IKE_CHILD_NAME];
	char last_error[WIRE_TEXT], step[WIRE_STEP];
};

/* A struct ike_job. The octets that it points to follow: what is signed, then the AUTH value. */
struct wire_job {
	uint64_t id;
	uint32_t kind, n_tunnels, prf, alg;
	uint32_t octets_len[IKE_JOB_OCTETS], auth_len;
	char tunnels[IKE_JOB_TUNNELS][IKE_JOB_NAME];
	struct ike_id peer;
};

/* Of WIRE_FETCHED: whether one of struct ike_fetched's flags is set. */
enum wire_fetched_kind { WIRE_FETCHED_NOW, WIRE_FETCHED_REFUSED, WIRE_FETCHED_KEPT };

/* A struct ike_fetched. */
struct wire_fetched {
	uint32_t request_len, data_len; /* of what follows */
	char uri[PKI_MAX_URI], fault[256]; /* "": none */
};

struct wire_keylog {
	uint32_t is_child; /* 0 or 1: child is given, and nothing else */
	uint32_t sk_e_len, sk_a_len;
	uint8_t spi_i[IKE_SPI_LEN], spi_r[IKE_SPI_LEN];
	uint8_t sk_ei[IKE_MAX_KEY], sk_er[IKE_MAX_KEY], sk_ai[IKE_MAX_KEY], sk_ar[IKE_MAX_KEY];
	struct ike_cipher cipher;
	struct wire_child child;
};

/* Fill @w from @child, whose keys and selectors must not be NULL unless their length is 0. */
void wire_child_fill(struct wire_child *w, const struct ike_child *child);
/* Point the child in @w to what belongs to it; @tunnel is that of the message. */
const struct ike_child *wire_child_open(struct wire_child *w, const char *tunnel);

void wire_status_fill(struct wire_status *w, uint32_t key, uint32_t child,
		      const struct ike_status *status);
const struct ike_status *wire_status_open(struct wire_status *w);

/* A secret of @len octets; nothing if it is NULL or too long. */
void wire_copy_key(uint8_t to[IKE_MAX_KEY], const uint8_t *from, size_t len);

/* Cut to @size octets with the NUL; "?" takes the place of control characters. NULL is "". */
void wire_copy_text(char *to, size_t size, const char *from);

/* Of a message without more; @tunnel NULL: of none. */
struct wire_head wire_head(enum wire_type type, const char *tunnel);
const char *wire_tunnel(const struct wire_head *h); /* NULL: none */

/* Have the socket take a message of @longest octets, whatever the system's limits. 0 or a negative errno. */
int wire_make_room(int fd, size_t longest);

enum wire_got { WIRE_OK, WIRE_GONE, WIRE_LATE, WIRE_BAD };

/* Waits until there is room. WIRE_GONE: the other end has ended; WIRE_LATE: SO_SNDTIMEO is over. */
enum wire_got wire_put(int fd, const struct wire_head *h, const void *body);

/*
 * The next message. WIRE_GONE: the other end has ended; WIRE_LATE: the socket's SO_RCVTIMEO is
 * over; WIRE_BAD: it is not one that @from_ike may send.
 */
enum wire_got wire_get(int fd, bool from_ike, struct wire *w);
/* The same without waiting: WIRE_LATE if there is none. */
enum wire_got wire_look(int fd, bool from_ike, struct wire *w);

/* The check alone, of @len octets in @w. */
bool wire_is_good(const struct wire *w, size_t len, bool from_ike);

#endif
