// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps what esptun.ko counted when it goes, and tells it in debugfs as text, from
 * which tests/coverage makes files for gcov. Any kernel will do: of it gcov's own
 * support (CONFIG_GCOV_KERNEL) is not asked for.
 *
 * The file has a line for each object, "object NAME VERSION STAMP CHECKSUM", and
 * behind it one for each function: "function IDENT LINENO_CHECKSUM CFG_CHECKSUM",
 * then its counters.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/vmalloc.h>
#include "gcov.h"

static DEFINE_MUTEX(lock);
/* Of the module that is loaded, or NULL. */
static const struct gcov_object *const *first, *const *last;
/* The text of the one that went, and its counters in the order of the text. */
static char *kept_text;
static size_t kept_len;
static s64 *kept;
static size_t n_kept;
static struct dentry *file;

/* Go through all counters: to @kept, or back from there. Return: how many. */
static size_t copy_counters(bool keep)
{
	const struct gcov_object *const *object;
	const struct gcov_counters *arcs;
	unsigned int i;
	size_t n = 0;

	for (object = first; object < last; object++) {
		for (i = 0; i < (*object)->n_functions; i++) {
			arcs = &(*object)->functions[i]->arcs;
			if (n + arcs->n <= n_kept && keep)
				memcpy(kept + n, arcs->values, arcs->n * sizeof(*kept));
			else if (n + arcs->n <= n_kept)
				memcpy(arcs->values, kept + n, arcs->n * sizeof(*kept));
			n += arcs->n;
		}
	}
	return n;
}

static void show_function(struct seq_file *m, const struct gcov_function *f)
{
	unsigned int i;

	seq_printf(m, "function %u %u %u", f->ident, f->lineno_checksum, f->cfg_checksum);
	for (i = 0; i < f->arcs.n; i++)
		seq_printf(m, " %lld", f->arcs.values[i]);
	seq_putc(m, '\n');
}

static void show_live(struct seq_file *m)
{
	const struct gcov_object *const *object;
	unsigned int i;

	for (object = first; object < last; object++) {
		seq_printf(m, "object %s %u %u %u\n", (*object)->name, (*object)->version,
			   (*object)->stamp, (*object)->checksum);
		for (i = 0; i < (*object)->n_functions; i++)
			show_function(m, (*object)->functions[i]);
	}
}

static int counts_show(struct seq_file *m, void *unused)
{
	mutex_lock(&lock);
	if (first)
		show_live(m);
	else
		seq_write(m, kept_text, kept_len);
	mutex_unlock(&lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

int esptun_gcov_begin(const struct gcov_object *const *from, const struct gcov_object *const *to)
{
	int err = 0;

	mutex_lock(&lock);
	first = from;
	last = to;
	if (!kept) {
		n_kept = 0;
		n_kept = copy_counters(true);
		kept = vzalloc(array_size(n_kept, sizeof(*kept)));
		if (!kept)
			err = -ENOMEM;
	} else if (copy_counters(false) != n_kept) {
		err = -ESTALE;
	}
	if (err)
		first = NULL;
	mutex_unlock(&lock);
	return err;
}
EXPORT_SYMBOL_GPL(esptun_gcov_begin);

/* As seq_file has it, but for what it is printed into. */
static void keep_text(void)
{
	struct seq_file m = {};

	vfree(kept_text);
	for (m.size = 1 << 20;; m.size *= 2) {
		m.buf = vzalloc(m.size);
		m.count = 0;
		if (!m.buf)
			break;
		show_live(&m);
		if (!seq_has_overflowed(&m))
			break;
		vfree(m.buf);
	}
	kept_text = m.buf;
	kept_len = m.buf ? m.count : 0;
}

void esptun_gcov_end(void)
{
	mutex_lock(&lock);
	copy_counters(true);
	keep_text();
	first = NULL;
	mutex_unlock(&lock);
}
EXPORT_SYMBOL_GPL(esptun_gcov_end);

static int __init gcov_init(void)
{
	file = debugfs_create_file("esptun_gcov", 0400, NULL, NULL, &counts_fops);
	return 0;
}

static void __exit gcov_exit(void)
{
	debugfs_remove(file);
	vfree(kept_text);
	vfree(kept);
}

module_init(gcov_init);
module_exit(gcov_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What esptun.ko counted, for tests/coverage");
