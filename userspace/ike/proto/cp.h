/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration payload (RFC 7296 2.19, 3.15; RFC 8598): what a client asks for, and what it is
 * given. Pure. What is read here comes from the peer: addresses may be any, domains are names that a
 * resolver takes.
 */
#ifndef ESPTUN_IKE_CP_H
#define ESPTUN_IKE_CP_H

#include "ike/proto/msg.h"

enum ike_cp_type { IKE_CP_REQUEST = 1, IKE_CP_REPLY = 2, IKE_CP_SET = 3, IKE_CP_ACK = 4 };

enum ike_cp_limits {
	IKE_CP_SERVERS = 4, /* name servers … */
	IKE_CP_SUBNETS = 32, /* … networks … */
	IKE_CP_DOMAINS = 512, /* … and bytes of domains that are kept, with the NUL */
	IKE_CP_VERSION = 64, /* bytes of APPLICATION_VERSION, with the NUL */
	IKE_CP_BODY = 4096, /* more than the body of one with all of that takes */
};

/* Place of each attribute in cp.def. */
enum ike_cp_row {
#define CP_ATTR(name, ...) IKE_CP_ROW_##name,
#include "ike/proto/cp.def"
#undef CP_ATTR
	IKE_CP_ROWS,
};

/* For ike_cp.has. */
#define IKE_CP_HAS(name) (1u << IKE_CP_ROW_##name)

struct ike_cp_subnet {
	struct ike_addr addr;
	uint8_t len; /* bits */
};

struct ike_cp {
	uint8_t type; /* enum ike_cp_type, or another number */
	uint32_t has; /* the attributes that are there, empty or not: IKE_CP_HAS() */
	struct ike_addr address[2]; /* IPv4 and IPv6, the first of each; family 0: none, or empty */
	unsigned int n_servers;
	struct ike_addr server[IKE_CP_SERVERS]; /* of names, in order */
	unsigned int n_subnets;
	struct ike_cp_subnet subnet[IKE_CP_SUBNETS]; /* host bits are zero */
	char domains[IKE_CP_DOMAINS]; /* names with a blank between two of them */
	char version[IKE_CP_VERSION]; /* printable ASCII */
};

/*
 * 0, or -IKE_N_INVALID_SYNTAX if attributes do not fill the payload. Values of another length than
 * they should have are ignored, and so are those for which there is no room.
 */
int ike_cp_parse(const struct ike_payload *p, struct ike_cp *out);

/*
 * Append it: each attribute of @cp->has, with all values of its kind and family, or empty if there is
 * none. SUPPORTED_ATTRIBUTES of a reply lists those that a request may have.
 */
void ike_build_cp(struct ike_builder *b, const struct ike_cp *cp);

/* One more for ike_cp.domains, without a dot at its end; false if it is no name, or does not fit. */
bool ike_cp_add_domain(char domains[IKE_CP_DOMAINS], const char *name, size_t len);

/* Could they have been made so? */
bool ike_cp_domains_ok(const char *domains);

/* The peer told domains, and none of them is a name, or fits: they are not all names there are. */
bool ike_cp_odd_domains(const struct ike_cp *cp);

#endif
