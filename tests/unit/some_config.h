/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of configurations: parsing text, and files in a folder of their own. All but parse() and load() fail the test. */
#ifndef ESPTUN_TEST_SOME_CONFIG_H
#define ESPTUN_TEST_SOME_CONFIG_H

#include <sys/types.h>

#include "ike/app/config/config.h"

struct made; /* of cert_maker.h */

#define PSK_LINE "PSK = 5dtRc2sPqYb8Wm1xVn7uKz4L\n"
#define PRIVATE_PEM                                                          \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MC4CAQAwBQYDK2VwBCIEICXzGVl+RYWSFKB5/Wj2WSgNMhEgDGOitYeqB6maK/WA\n" \
	"-----END PRIVATE KEY-----\n"
#define PUBLIC_PEM                                                       \
	"-----BEGIN PUBLIC KEY-----\n"                                   \
	"MCowBQYDK2VwAyEAfU0Of2FTpptiQrUiq77mhf2kQg+INLEIw72uNp71Sfo=\n" \
	"-----END PUBLIC KEY-----\n"
/* Its passphrase is x. */
#define ENCRYPTED_PEM                                                        \
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                            \
	"MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgtNcrxpbbb+AICCAAw\n" \
	"-----END ENCRYPTED PRIVATE KEY-----\n"

/* The complaints of the last parse: "LINE: text\n" each, warnings as "LINE: warning: text\n". */
extern char said[8192];
extern const struct config_report report;

/* As config_parse() of tunnel hq. */
int parse(const char *text, struct config *c);
/* @text is refused, and what is said holds @expected, and nothing of the key of PSK_LINE. */
void refused(const char *text, const char *expected);
/* @text is taken; @c is for config_clear(). */
void accepted(const char *text, struct config *c);

/* The folder that make_dir() made. The test removes it. */
extern char dir[32];
void make_dir(void);
/* File @name of the folder; its path goes to @path. */
void write_file(const char *name, mode_t mode, const char *text, char *path, size_t size);
/* As config_load(). */
int load(const char *path, struct config *c);
/* A file of the folder with the PEM of certificates, the last of which is NULL. */
void write_certs(const char *name, const struct made *const *certs, char *path, size_t size);
/* The same with the private key of @of. */
void write_key(const char *name, const struct made *of, char *path, size_t size);
/* A certificate of an end, which counts from yesterday on; @san is its subjectAltName. */
struct made leaf_now(const char *subject, const struct made *issuer, const char *san);

#endif
