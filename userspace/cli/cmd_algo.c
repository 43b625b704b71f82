// SPDX-License-Identifier: GPL-2.0-or-later
/* esptun algo */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

const char usage_algo[] =
	"Usage: esptun algo show    (with -br a line each, with -j and -p for programs)\n"
	"Lists the algorithms of ESP: IANA's name and number, the name of ip xfrm, whether this\n"
	"kernel has it, its driver, and lengths in bits. Class legacy is taken only if the\n"
	"module was loaded with legacy=1.\n";

static const char *const state_names[] = {
	[ESPTUN_ALGO_STATE_AVAILABLE] = "available",
	[ESPTUN_ALGO_STATE_MISSING] = "missing",
	[ESPTUN_ALGO_STATE_REFUSED] = "refused",
};

static const char *type_name(const struct esptun_algo *algo)
{
	return algo->type == ESPTUN_ALGO_INTEG ? "auth" : "encr";
}

static const char *class_name(const struct esptun_algo *algo)
{
	return algo->legacy ? "legacy" : "modern";
}

static json_t *json_algo(const struct esptun_algo *algo)
{
	json_t *o, *keys = json_array();
	size_t i;

	for (i = 0; i < algo->n_key_lens; i++)
		json_array_append_new(keys, json_integer(8 * (algo->key_lens[i] - algo->salt_len)));
	o = json_pack("{ss si ss ss ss so si si}", "type", type_name(algo), "id", algo->id, "name",
		      algo->name, "class", class_name(algo), "state", state_names[algo->state],
		      "key_bits", keys, "salt_bits", 8 * algo->salt_len, "icv_bits",
		      8 * algo->icv_len);
	if (o && algo->xfrm_name[0])
		json_object_set_new(o, "xfrm", json_string(algo->xfrm_name));
	if (o && algo->driver[0])
		json_object_set_new(o, "driver", json_string(algo->driver));
	if (o && algo->type == ESPTUN_ALGO_ENCR) {
		json_object_set_new(o, "iv_bits", json_integer(8 * algo->iv_len));
		json_object_set_new(o, "align", json_integer(algo->align));
	}
	return o;
}

static void text_algo(const struct cli *cli, const struct esptun_algo *algo)
{
	size_t i;

	printf("%s %s id %u class %s state ", type_name(algo), algo->name, algo->id,
	       class_name(algo));
	print_color(cli, algo->state == ESPTUN_ALGO_STATE_AVAILABLE ? COLOR_UP : COLOR_DOWN, "%s",
		    state_names[algo->state]);
	if (algo->driver[0])
		printf(" driver %s", algo->driver);
	printf("\n   ");
	if (algo->xfrm_name[0])
		printf(" xfrm %s", algo->xfrm_name);
	for (i = 0; i < algo->n_key_lens; i++)
		printf("%s%d", i ? "," : " key ", 8 * (algo->key_lens[i] - algo->salt_len));
	if (algo->salt_len)
		printf(" salt %d", 8 * algo->salt_len);
	if (algo->iv_len)
		printf(" iv %d", 8 * algo->iv_len);
	if (algo->icv_len)
		printf(" icv %d", 8 * algo->icv_len);
	putchar('\n');
}

static void brief_algo(const struct cli *cli, const struct esptun_algo *algo)
{
	printf("%s %-30s ", type_name(algo), algo->name);
	print_color(cli, algo->state == ESPTUN_ALGO_STATE_AVAILABLE ? COLOR_UP : COLOR_DOWN, "%-9s",
		    state_names[algo->state]);
	printf(" %s\n", algo->driver[0] ? algo->driver : "-");
}

static void print_algo(const struct cli *cli, const struct esptun_algo *algo)
{
	begin_object(cli);
	if (cli->brief)
		brief_algo(cli, algo);
	else
		text_algo(cli, algo);
	end_object(cli);
}

static int algo_show(struct cli *cli, struct args *a)
{
	struct esptun_algo *algos;
	json_t *list = NULL;
	size_t i, n;
	int err;

	if (args_end(a, "esptun algo show"))
		return cli_usage_error(a);
	err = cli_open(cli);
	if (err)
		return err;
	if (esptun_algo_dump(cli->h, &algos, &n))
		return cli_kernel_error(cli);
	if (cli->json)
		list = json_array();
	for (i = 0; i < n; i++) {
		if (list)
			json_array_append_new(list, json_algo(&algos[i]));
		else
			print_algo(cli, &algos[i]);
	}
	free(algos);
	if (list)
		print_json(cli, list);
	return 0;
}

const struct subcommand algo_commands[] = {
	{ "show", algo_show, 0, 0 },
	{ "list", algo_show, 0, 0 },
	{ "lst", algo_show, 0, 0 },
	{ NULL, NULL, 0, 0 },
};

int cmd_algo(struct cli *cli, struct args *a)
{
	return cli_subcommand(cli, a, algo_commands, algo_show, usage_algo);
}
