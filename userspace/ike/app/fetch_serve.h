/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent and the process that fetches tell each other, over a socket that keeps messages apart: one struct
 * fetch_order, and for each, in whatever order, a struct fetch_outcome with so many bytes behind it. The agent has
 * chosen the addresses; the process knows no names, and follows no redirect.
 */
#ifndef ESPTUN_IKE_FETCH_SERVE_H
#define ESPTUN_IKE_FETCH_SERVE_H

#include <stdint.h>

#include "ike/core/core.h"
#include "ike/io/http.h"

enum {
	FETCH_AT_ONCE = 8, /* orders that are under way */
	FETCH_ADDRESSES = 4, /* of a server, that are tried */
	FETCH_HOST = PKI_MAX_URI,
	FETCH_LONGEST = IKE_MAX_FETCHED + 1024, /* bytes of a message */
};

struct fetch_order {
	uint32_t number;
	uint32_t n_addrs;
	struct ike_addr addr[FETCH_ADDRESSES];
	uint32_t port;
	uint32_t max; /* bytes of what is fetched */
	uint32_t ms; /* that it may take */
	uint32_t request_len; /* of OCSP; 0: none */
	char host[FETCH_HOST], path[PKI_MAX_URI];
	uint8_t request[PKI_MAX_OCSP_REQUEST];
};

struct fetch_outcome {
	uint32_t number;
	uint32_t end; /* enum http_end */
	uint32_t status;
	uint32_t len; /* of what follows */
	char location[PKI_MAX_URI]; /* of HTTP_MOVED; "": it does not say, or what is too long */
};

/* Serves @fd until it ends. It is called when all rights are gone. */
_Noreturn void fetch_serve(int fd);

#endif
