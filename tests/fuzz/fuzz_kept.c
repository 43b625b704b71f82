// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as the file of CRLs that are kept: what is taken is printed and read again alike, and is within its bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/kept.h"
#include "ike/pki/pki.h"

static struct kept *new_kept(void)
{
	struct kept *k = kept_new();

	if (!k)
		abort();
	return k;
}

static char *print(struct kept *k, size_t *len)
{
	char *text = kept_print(k, len);

	if (!text || kept_is_changed(k) || *len > KEPT_BYTES + KEPT_ITEMS * (PKI_MAX_URI + 16))
		abort();
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kept *k = new_kept(), *next = new_kept();
	size_t len, len2;
	char *text, *again;

	(void)kept_parse(k, (const char *)data, size);
	text = print(k, &len);
	if (kept_parse(next, text, len))
		abort();
	again = print(next, &len2);
	if (len != len2 || memcmp(text, again, len) != 0)
		abort();
	free(text);
	free(again);
	kept_free(k);
	kept_free(next);
	return 0;
}
