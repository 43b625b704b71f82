/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An IKE host without a kernel module: the protocol core on UDP ports 500 and 4500 of this
 * network namespace. In the kernel's place stand a table of SAs, which answers pings that
 * come in ESP (esp.h), and a JSON line on standard output for each thing the core wants done:
 *
 *	{"event": "install", "at": ms, "tunnel", "part": "both|in|out", "spi_in", "spi_out", "cipher"}
 *	{"event": "remove", "at", "tunnel", "spi_in", "spi_out"}	0: not that direction
 *	{"event": "state", "at", "tunnel", "state": "down|connecting|up|closing"}
 *	{"event": "moved", "at", "tunnel", "remote"}
 *	{"event": "settings", "at", "tunnel", "address", "server"}	that a hub gives, of IPv4
 *	{"event": "log", "at", "tunnel", "level", "text"}
 *
 * and on demand one for each IKE SA and pair that there is, and one of totals, see host_report().
 */
#ifndef ESPTUN_SOCK_HOST_H
#define ESPTUN_SOCK_HOST_H

#include "ike/app/config/config.h"
#include "ike/core/core.h"

struct host;
struct loop;

struct host_options {
	bool quiet; /* print no line but those of host_report() */
	enum ike_log_level level; /* of the lines "log" */
	unsigned int loss; /* percent of the IKE datagrams, either way, that get lost; ESP does not */
	unsigned int seed; /* of the loss */
	unsigned int delay; /* milliseconds until an IKE message of ours leaves; ESP does at once */
	/* Called as ike_env's, besides what is done and printed here; may be NULL. */
	void (*state)(void *ctx, const char *tunnel, enum ike_tunnel_state state);
	void (*send)(void *ctx, const char *tunnel, const struct ike_datagram *d);
	void *ctx;
};

/* Binds both ports. @options is copied. NULL with the cause in errno. */
struct host *host_open(const struct host_options *options);
void host_close(struct host *h); /* without a word to any peer; NULL is fine */

/* As ike_core_tunnel_add(), with the tunnel's key, up to 256 octets; it begins with host_start(). */
int host_add(struct host *h, const struct ike_tunnel_conf *conf, const uint8_t *psk,
	     size_t psk_len);
/* The private key of a tunnel that was added, as a configuration has it. */
void host_set_key(struct host *h, const char *tunnel, const uint8_t *key, size_t len);
/* The PPKs of its clients, which are the host's from now on. */
void host_set_ppks(struct host *h, const char *tunnel, struct client_ppks *ppks);
/* The PPK that its configuration names, up to 256 octets. */
void host_set_ppk(struct host *h, const char *tunnel, const uint8_t *key, size_t len);
/* Our password as a user. */
void host_set_password(struct host *h, const char *tunnel, const uint8_t *key, size_t len);
/* Its users of EAP, sorted; they are taken out of @users. */
void host_set_users(struct host *h, const char *tunnel, struct client_keys *users);
/* Clients of the tunnel, which was added, get addresses of the pool, which is the host's then. */
void host_set_pool(struct host *h, const char *tunnel, struct pool *pool);
/* All tunnels begin as their configurations say. */
void host_start(struct host *h);

/* For calls that are not wrapped here: call host_settle() behind each that may plan something. */
struct ike_core *host_core(struct host *h);
struct loop *host_loop(struct host *h);
void host_settle(struct host *h);

/* Sends an IKE message, with the non-ESP marker if it leaves from port 4500. */
void host_send(struct host *h, const struct ike_datagram *d);

/*
 * Prints what there is:
 *
 *	{"event": "ike", "at", "tunnel", "spi_i", "spi_r", "initiator", "state"}
 *	{"event": "pair", "at", "tunnel", "spi_in", "spi_out", "in", "out"}	packets
 *	{"event": "total", "at", "esp", "unknown", "bad", "echoed", "installs", "removes"}
 *
 * Counted are ESP packets; unknown: of no SPI that is installed; bad: that did not authenticate.
 */
void host_report(struct host *h);

#endif
