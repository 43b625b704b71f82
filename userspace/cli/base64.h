/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_BASE64_H
#define CLI_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the text of @len bytes, with its NUL. */
#define BASE64_SIZE(len) (4 * (((len) + 2) / 3) + 1)

/** base64() - RFC 4648 section 4, in one line; @out holds BASE64_SIZE(@len) */
void base64(char *out, const uint8_t *in, size_t len);

#endif
