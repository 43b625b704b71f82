// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a tunnel takes of memory before its peer is there: as many as asked for of one configuration, each
 * with a name, an address and an identity of its own, as the agent keeps it and as the core does. One
 * JSON line: bytes of each, with what malloc() needs for them.
 */
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"

static void die(const char *text)
{
	fprintf(stderr, "ikesize: %s\n", text);
	exit(1);
}

static size_t allocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	(void)ctx;
	fprintf(stderr, "ikesize: line %u: %s: %s\n", line, error ? "error" : "warning", text);
}

static struct tunnel *load(const char *path, unsigned int n)
{
	struct config_report report = { .fn = on_report };
	struct tunnel *t = calloc(1, sizeof(*t));

	if (!t || config_load(path, &t->conf, &report))
		die(path);
	snprintf(t->conf.name, sizeof(t->conf.name), "t%u", n);
	t->conf.local_id = (struct ike_id){ .type = IKE_ID_FQDN };
	t->conf.local_id.len =
		(uint16_t)snprintf((char *)t->conf.local_id.data, IKE_MAX_ID, "i%u.example", n);
	t->conf.local.b[2] += (uint8_t)(n >> 8);
	t->conf.local.b[3] += (uint8_t)n;
	return t;
}

static void add(struct ike_core *core, const struct tunnel *t)
{
	struct ike_tunnel_conf conf;

	config_tunnel(&t->conf, &conf);
	if (ike_core_tunnel_add(core, &conf))
		die("the core does not take a tunnel");
}

int main(int argc, char **argv)
{
	static const struct ike_env env = { .rng = { .fill = ike_crypto_random } };
	unsigned int n = argc == 3 ? (unsigned int)strtoul(argv[2], NULL, 10) : 0;
	struct tunnel **tunnels = calloc(n, sizeof(*tunnels));
	struct ike_core *core = ike_core_new(&env);
	size_t at[3];

	if (!n || !tunnels || !core)
		die("usage: ikesize TEMPLATE.conf TUNNELS");
	at[0] = allocated();
	for (unsigned int i = 0; i < n; i++)
		tunnels[i] = load(argv[1], i);
	at[1] = allocated();
	for (unsigned int i = 0; i < n; i++)
		add(core, tunnels[i]);
	at[2] = allocated();
	json_dumpf(json_pack("{s:f, s:f}", "agent", (double)(at[1] - at[0]) / n, "core",
			     (double)(at[2] - at[1]) / n),
		   stdout, JSON_COMPACT);
	putchar('\n');
	ike_core_free(core);
	for (unsigned int i = 0; i < n; i++) {
		config_clear(&tunnels[i]->conf);
		free(tunnels[i]);
	}
	free(tunnels);
	return 0;
}
