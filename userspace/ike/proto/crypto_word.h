/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words that Crypto= is made of. Pure. */
#ifndef ESPTUN_IKE_CRYPTO_WORD_H
#define ESPTUN_IKE_CRYPTO_WORD_H

#include "ike/proto/transform.h"

/*
 * The row of transform.def for @text, @len characters of the proposal @whole, whatever their
 * case; NULL with the reason in @err, and with the word that may have been meant.
 */
const struct ike_word *ike_word_find(const char *text, size_t len, const char *whole, char *err,
				     size_t err_size);

/*
 * What @text, @len characters, which may be a word of another program ("aes_gcm256", "dh14"), is called here; NULL if that is
 * not known. Of words that leave the length of keys open, such as "aes", it is the one that is recommended.
 */
const char *ike_word_translate(const char *text, size_t len);

#endif
