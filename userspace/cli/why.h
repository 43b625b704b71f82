/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a tunnel does not work: a table of checks in the order of the path, from the kernel module to packets in the
 * tunnel. The first fault is the diagnosis, for what comes later depends on it. What checks ask of the world is
 * in struct why_asks, so that tests answer in its place.
 */
#ifndef CLI_WHY_H
#define CLI_WHY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/esptun.h"

enum why_verdict {
	WHY_OK,
	WHY_FAULT,
	WHY_UNKNOWN, /* it cannot be told; later checks are done nevertheless */
};

/* What a packet socket saw of packets to the peer and from it, on all devices but the tunnel. */
struct why_seen {
	bool watched; /* else nothing is known */
	unsigned int ike_left, ike_arrived; /* of the port that was asked for */
	unsigned int esp_left, esp_arrived;
	char device[IFNAMSIZ]; /* by which they left last */
	enum why_icmp {
		WHY_ICMP_NONE,
		WHY_ICMP_CLOSED, /* nothing listens on the port */
		WHY_ICMP_PROHIBITED,
		WHY_ICMP_UNREACHABLE,
	} icmp; /* about the port, last */
	char icmp_from[ESPTUN_ADDR_STRLEN];
};

/* What came of the agent's command probe. */
struct why_probe {
	char refused[256]; /* why there was none; "" if there was */
	char local[80], remote[80]; /* ADDRESS:PORT */
	unsigned int sent;
	char send_error[128]; /* why the last datagram could not be sent, "" if it was */
	bool answered;
	struct why_seen seen;
};

/* Echo requests through the tunnel. */
struct why_ping {
	const char *dev; /* of the tunnel */
	struct esptun_addr to;
	uint32_t peer_id; /* whose packets are counted; 0: the one peer's */
	struct esptun_addr peer; /* outer, to watch; AF_UNSPEC: not known */
	uint32_t size; /* of the IP packet, at most the link's MTU; or less */
	bool df; /* IPv4: it must not be fragmented */
	unsigned int tries; /* as long as there is no answer, one second for each */
};

struct why_pong {
	char failed[160]; /* why there was none; "" if there was */
	bool answered;
	uint32_t too_big; /* somebody said that no more than so much fits; 0: nobody did */
	char error[128]; /* what else was said, "" if nothing */
	uint64_t tx, rx; /* packets of the peer that the kernel counted meanwhile */
	char drop[ESPTUN_STATS_KEYLEN]; /* the counter of drops that rose most, "" if none */
	const char *drop_text; /* what it means */
	struct why_seen seen;
};

/* A pause in which nothing is sent, until just before the next NAT keepalive. */
struct why_pause {
	const char *dev; /* of the tunnel */
	struct esptun_addr to; /* IPv4, and has just answered an echo request */
	struct esptun_addr peer; /* outer, to watch; AF_UNSPEC: not known */
};

struct why_paused {
	char failed[160]; /* why there was none; "" if there was */
	uint32_t keepalive; /* s */
	uint32_t pause; /* s that nothing was sent, at least, before anything of the peer was expected */
	bool busy; /* something else was sent meanwhile */
	unsigned int late; /* packets of the peer that came at the end of it */
	unsigned int afterwards; /* that came when it was over, and something had been sent again */
};

/* @ctx is passed to each. */
struct why_asks {
	void *ctx;
	/* 0; -ENOENT: the module is missing; or another negative errno. With a sentence. */
	int (*module)(void *ctx, char *said, size_t size);
	/* Has another program than esptund the UDP port? Its name. */
	bool (*holder)(void *ctx, uint16_t port, char *name, size_t size);
	/* Ask the agent; takes @request. NULL with a sentence in @said. */
	json_t *(*agent)(void *ctx, json_t *request, char *said, size_t size);
	/* Has the peer answer on @port, 0: that of Endpoint. @peer: to watch. */
	void (*probe)(void *ctx, const char *tunnel, uint16_t port, struct why_probe *out);
	void (*ping)(void *ctx, const struct why_ping *what, struct why_pong *out);
	/* Takes most of a minute. */
	void (*pause)(void *ctx, const struct why_pause *what, struct why_paused *out);
};

/* Called for each check that was made, in order; @said is a sentence. */
typedef void (*why_step_fn)(void *ctx, const char *check, enum why_verdict v, const char *said);

struct why_result {
	enum why_verdict verdict; /* unknown: no fault, and not all could be told */
	const char *check; /* the fault's, or that of the first unknown; NULL: all is well */
	char said[2048];
	char note[256]; /* something else to know, "" if there is nothing */
};

/**
 * why_run() - make the checks, until one finds a fault
 * @tunnel: its name
 * @to: address inside that answers echo requests; NULL: one is guessed
 * @step: may be NULL
 */
void why_run(const struct why_asks *asks, const char *tunnel, const struct esptun_addr *to,
	     why_step_fn step, void *ctx, struct why_result *r);

/**
 * why_find_target() - whom to ask inside of a tunnel
 * @t: it, as the agent's status has it
 * @to: as was said; AF_UNSPEC: a host that must be the peer's
 * Return: true with @a; false, and AF_UNSPEC there, if none is known.
 */
bool why_find_target(json_t *t, const struct esptun_addr *to, struct esptun_addr *a);

/** why_word() - "ok", "fault", "unknown" */
const char *why_word(enum why_verdict v);

#endif
