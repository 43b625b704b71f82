/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test vectors and captures from tests/data. Paths are relative to that folder;
 * tests run from the top of the tree, or with ESPTUN_TOP naming it. Everything here
 * fails the running test when a file is not there or not in its form.
 */
#ifndef ESPTUN_TESTS_VECTORS_H
#define ESPTUN_TESTS_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct ike_rng;

/* Hexadecimal text, blanks allowed, to octets; returns their number, at most @cap. */
size_t hex_decode(const char *text, uint8_t *out, size_t cap);

/* A JSON file; the caller drops the reference. */
json_t *vectors_load(const char *path);

/* Member @key of @object as text, and as octets. */
const char *vectors_text(const json_t *object, const char *key);
size_t vectors_hex(const json_t *object, const char *key, uint8_t *out, size_t cap);

/* A UDP datagram of a capture. */
struct datagram {
	uint16_t from, to; /* ports */
	const uint8_t *data;
	size_t len;
};

struct capture {
	uint8_t *file;
	unsigned int n;
	struct datagram d[256];
};

/* The UDP datagrams over IPv4 in a pcap or pcapng file (Ethernet, "cooked" or raw IP). */
void capture_load(const char *path, struct capture *out);
void capture_free(struct capture *c);

/*
 * Keep the IKE messages alone: port 500, or 4500 with the non-ESP marker (RFC 3948 2.2),
 * which is cut off.
 */
void capture_ike(struct capture *c);

/* The strongSwan session's keys: value number @nth (from 0) of the events called @name. */
size_t strongswan_secret(const json_t *root, const char *name, unsigned int nth, uint8_t *out,
			 size_t cap);

/* Random numbers that are the same in every run. */
struct ike_rng seeded_rng(uint64_t *state);

#endif
