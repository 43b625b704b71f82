/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A KEM with the number and the lengths of ML-KEM-768 (FIPS 203), made of X25519, so that it needs no
 * newer libcrypto. A test whose line in the Makefile has --wrap=kex_find takes it for a method like any.
 */
#ifndef ESPTUN_UNIT_KEM_H
#define ESPTUN_UNIT_KEM_H

#include "ike/crypto/kex.h"

enum {
	KEM = 36,
	KEM_EK_LEN = 1184, /* the initiator's value */
	KEM_CT_LEN = 1088, /* the responder's */
	KEM_SHARED_LEN = 32,
};

/* Responders' values that were made of initiators'. */
extern unsigned int kem_responses;

const struct kex_method *__wrap_kex_find(uint16_t id);

#endif
