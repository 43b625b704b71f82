/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration profiles of Apple's systems (.mobileconfig): property lists in XML, of payloads. Apple's "Configuration
 * Profile Reference" and developer.apple.com/documentation/devicemanagement name their keys.
 */
#ifndef CLI_PLIST_H
#define CLI_PLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct plist {
	FILE *out;
	unsigned int depth;
};

/* Each writes a value, with @key before it unless that is NULL; text is escaped. */
void plist_string(struct plist *p, const char *key, const char *value);
void plist_integer(struct plist *p, const char *key, long value);
void plist_data(struct plist *p, const char *key, const uint8_t *data, size_t len);
/* "dict" or "array" */
void plist_open(struct plist *p, const char *key, const char *element);
void plist_close(struct plist *p, const char *element);
/* A comment, which is not escaped: "--" in it is written as "- -". */
void plist_comment(struct plist *p, const char *text);

enum { PLIST_UUID = 37 };

/* An UUID that is the same for the same @name: a profile that is installed again takes the place of the former one. */
char *plist_uuid(char buf[PLIST_UUID], const char *name);

/* The beginning of a profile, to which payloads are added, and its end. @id: as "org.example.vpn". */
void plist_begin_profile(struct plist *p, FILE *out, const char *title, const char *id);
void plist_end_profile(struct plist *p);

/*
 * The beginning of a payload of @type in a profile, its identifier @id and a part; plist_close(p, "dict") ends it. @uuid gets
 * its UUID, by which others name it.
 */
void plist_begin_payload(struct plist *p, const char *type, const char *id, const char *part,
			 const char *title, char uuid[PLIST_UUID]);

/* The payload of a certificate in DER, or of a PKCS#12 file, whose passphrase the system asks for. */
void plist_cert_payload(struct plist *p, bool p12, const char *id, const char *title,
			const uint8_t *data, size_t len, char uuid[PLIST_UUID]);

#endif
