// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/plist.h"

#include <stdlib.h>
#include <string.h>

#include "cli/base64.h"

static void indent(struct plist *p)
{
	for (unsigned int i = 0; i < p->depth; i++)
		fputc('\t', p->out);
}

/* What XML 1.0 has no place for, control characters, is left out. */
static void escape(FILE *out, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '&': fputs("&amp;", out); break;
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		default:
			if ((unsigned char)*s >= ' ')
				fputc(*s, out);
		}
	}
}

static void put_element(struct plist *p, const char *element, const char *text)
{
	indent(p);
	fprintf(p->out, "<%s>", element);
	escape(p->out, text);
	fprintf(p->out, "</%s>\n", element);
}

static void put_key(struct plist *p, const char *key)
{
	if (key)
		put_element(p, "key", key);
}

void plist_string(struct plist *p, const char *key, const char *value)
{
	put_key(p, key);
	put_element(p, "string", value);
}

void plist_integer(struct plist *p, const char *key, long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", value);
	put_key(p, key);
	put_element(p, "integer", text);
}

void plist_data(struct plist *p, const char *key, const uint8_t *data, size_t len)
{
	char *text = malloc(BASE64_SIZE(len));

	if (text)
		base64(text, data, len);
	put_key(p, key);
	put_element(p, "data", text ? text : "");
	if (text)
		explicit_bzero(text, BASE64_SIZE(len));
	free(text);
}

void plist_open(struct plist *p, const char *key, const char *element)
{
	put_key(p, key);
	indent(p);
	fprintf(p->out, "<%s>\n", element);
	p->depth++;
}

void plist_close(struct plist *p, const char *element)
{
	p->depth--;
	indent(p);
	fprintf(p->out, "</%s>\n", element);
}

void plist_comment(struct plist *p, const char *text)
{
	indent(p);
	fputs("<!-- ", p->out);
	for (const char *s = text; *s; s++)
		fputs(*s == '-' && s[1] == '-' ? "- " : (char[2]){ *s }, p->out);
	fputs(" -->\n", p->out);
}

/* FNV-1a of 64 bits; nobody hostile chooses names of payloads. */
static uint64_t hash_name(uint64_t hash, const char *name)
{
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3ULL;
	return hash;
}

char *plist_uuid(char buf[PLIST_UUID], const char *name)
{
	uint64_t a = hash_name(0xcbf29ce484222325ULL, name), b = hash_name(~a, name);

	/* Version 8, of one's own making (RFC 9562 5.8). */
	snprintf(buf, PLIST_UUID, "%08X-%04X-8%03X-%04X-%012llX", (unsigned int)(a >> 32),
		 (unsigned int)(a >> 16 & 0xffff), (unsigned int)(a & 0xfff),
		 (unsigned int)(b >> 48 & 0x3fff) | 0x8000,
		 (unsigned long long)(b & 0xffffffffffffULL));
	return buf;
}

static void put_head(struct plist *p, const char *type, const char *id, const char *title,
		     const char *uuid)
{
	plist_string(p, "PayloadType", type);
	plist_integer(p, "PayloadVersion", 1);
	plist_string(p, "PayloadIdentifier", id);
	plist_string(p, "PayloadUUID", uuid);
	plist_string(p, "PayloadDisplayName", title);
}

void plist_begin_profile(struct plist *p, FILE *out, const char *title, const char *id)
{
	char uuid[PLIST_UUID];

	*p = (struct plist){ .out = out };
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	      "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
	      "<plist version=\"1.0\">\n",
	      out);
	plist_open(p, NULL, "dict");
	put_head(p, "Configuration", id, title, plist_uuid(uuid, id));
	plist_open(p, "PayloadContent", "array");
}

void plist_end_profile(struct plist *p)
{
	plist_close(p, "array");
	plist_close(p, "dict");
	fputs("</plist>\n", p->out);
}

void plist_begin_payload(struct plist *p, const char *type, const char *id, const char *part,
			 const char *title, char uuid[PLIST_UUID])
{
	char name[512];

	snprintf(name, sizeof(name), "%s.%s", id, part);
	plist_open(p, NULL, "dict");
	put_head(p, type, name, title, plist_uuid(uuid, name));
}

void plist_cert_payload(struct plist *p, bool p12, const char *id, const char *title,
			const uint8_t *data, size_t len, char uuid[PLIST_UUID])
{
	plist_begin_payload(p, p12 ? "com.apple.security.pkcs12" : "com.apple.security.root", id,
			    p12 ? "identity" : "ca", title, uuid);
	plist_data(p, "PayloadContent", data, len);
	plist_close(p, "dict");
}
