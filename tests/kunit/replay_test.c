// SPDX-License-Identifier: GPL-2.0
/* The anti-replay window and extended sequence numbers. */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "esp/replay.h"

#define TOP32 0xffffffffULL

static void window_open(struct kunit *test, struct esptun_replay *r, u32 window)
{
	unsigned int words = esptun_replay_words(window);
	u64 *ring = NULL;

	if (words) {
		ring = kunit_kcalloc(test, words, sizeof(*ring), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, ring);
	}
	esptun_replay_init(r, window, ring);
}

struct step {
	u64 seq;
	bool fresh;
};

struct script {
	const char *name;
	u32 window;
	struct step steps[12];
	int n;
};

static const struct script scripts[] = {
	{ "first is 1", 64, { { 0, 0 }, { 1, 1 }, { 1, 0 }, { 0, 0 } }, 4 },
	{ "reordered",
	  64,
	  { { 3, 1 }, { 1, 1 }, { 2, 1 }, { 2, 0 }, { 3, 0 }, { 1, 0 } },
	  6 },
	{ "left edge of 64",
	  64,
	  { { 100, 1 },
	    { 37, 1 },
	    { 36, 0 },
	    { 37, 0 },
	    { 101, 1 },
	    { 37, 0 },
	    { 38, 1 } },
	  7 },
	{ "window of 1",
	  1,
	  { { 5, 1 }, { 5, 0 }, { 4, 0 }, { 6, 1 }, { 5, 0 } },
	  5 },
	{ "window of 65",
	  65,
	  { { 1000, 1 },
	    { 936, 1 },
	    { 935, 0 },
	    { 1001, 1 },
	    { 936, 0 },
	    { 937, 1 } },
	  6 },
	{ "jump by a whole window",
	  128,
	  { { 1, 1 },
	    { 129, 1 },
	    { 1, 0 },
	    { 2, 1 },
	    { 257, 1 },
	    { 129, 0 },
	    { 130, 1 } },
	  7 },
	{ "jump far past the ring",
	  64,
	  { { 10, 1 },
	    { 1000000, 1 },
	    { 999937, 1 },
	    { 999936, 0 },
	    { 10, 0 },
	    { 1000000, 0 } },
	  6 },
	{ "jump to an old number's bit",
	  64,
	  { { 1, 1 }, { 129, 1 }, { 128, 1 }, { 66, 1 }, { 65, 0 } },
	  5 },
	{ "widest",
	  65536,
	  { { 65536, 1 }, { 1, 1 }, { 65537, 1 }, { 1, 0 }, { 2, 1 }, { 2, 0 } },
	  6 },
	{ "end of 32 bits",
	  64,
	  { { TOP32, 1 },
	    { TOP32, 0 },
	    { TOP32 - 63, 1 },
	    { TOP32 - 64, 0 },
	    { 1, 0 } },
	  5 },
	{ "across 32 bits",
	  64,
	  { { TOP32, 1 },
	    { TOP32 + 1, 1 },
	    { TOP32, 0 },
	    { TOP32 - 1, 1 },
	    { TOP32 + 2, 1 },
	    { TOP32 - 61, 1 },
	    { TOP32 - 61, 0 },
	    { TOP32 - 62, 0 } },
	  8 },
	{ "end of 64 bits",
	  64,
	  { { U64_MAX, 1 },
	    { U64_MAX, 0 },
	    { U64_MAX - 63, 1 },
	    { U64_MAX - 64, 0 } },
	  4 },
	{ "no window", 0, { { 5, 1 }, { 5, 1 }, { 1, 1 }, { 6, 1 } }, 4 },
};

/* Each row in order: check says it, twice, and commit says the same. */
static void replay_scripts(struct kunit *test)
{
	const struct script *s;
	struct esptun_replay r;
	u64 top;
	int i;

	for (s = scripts; s < scripts + ARRAY_SIZE(scripts); s++) {
		window_open(test, &r, s->window);
		top = 0;
		for (i = 0; i < s->n; i++) {
			const struct step *t = &s->steps[i];

			KUNIT_EXPECT_EQ_MSG(test,
					    esptun_replay_check(&r, t->seq),
					    t->fresh, "%s, step %d", s->name,
					    i);
			KUNIT_EXPECT_EQ_MSG(test,
					    esptun_replay_check(&r, t->seq),
					    t->fresh, "%s, step %d again",
					    s->name, i);
			KUNIT_EXPECT_EQ_MSG(test,
					    esptun_replay_commit(&r, t->seq),
					    t->fresh, "%s, step %d commit",
					    s->name, i);
			if (t->fresh)
				top = max(top, t->seq);
			KUNIT_EXPECT_EQ_MSG(test, r.top, top, "%s, step %d top",
					    s->name, i);
		}
	}
}

/* A reproducible stream; the suite must fail the same way twice. */
static u32 next_random(u32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

#define MODEL 200000

/* The definition: fresh if in the window or ahead of it, and never seen. */
static bool model_fresh(const unsigned long *seen, u64 top, u32 window, u64 seq)
{
	return seq &&
	       (seq > top || (top - seq < window && !test_bit(seq, seen)));
}

static void replay_model(struct kunit *test)
{
	static const u32 windows[] = { 1,   2,	 31,   32,   63,   64,	 65,
				       127, 128, 1000, 1024, 4096, 65536 };
	unsigned long *seen;
	unsigned int w, i;
	u32 state = 1;

	seen = kunit_kcalloc(test, BITS_TO_LONGS(MODEL), sizeof(long),
			     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (w = 0; w < ARRAY_SIZE(windows); w++) {
		struct esptun_replay r;
		u64 top = 0;

		bitmap_zero(seen, MODEL);
		window_open(test, &r, windows[w]);
		for (i = 0; i < 20000; i++) {
			u32 span = windows[w] + windows[w] / 2 + 3;
			u64 low = top > windows[w] + 2 ? top - windows[w] - 2 :
							 0;
			u64 seq = low + next_random(&state) % span;
			bool want;

			if (seq >= MODEL) {
				/* The next SA. */
				bitmap_zero(seen, MODEL);
				window_open(test, &r, windows[w]);
				top = 0;
				continue;
			}
			want = model_fresh(seen, top, windows[w], seq);
			KUNIT_ASSERT_EQ_MSG(test, esptun_replay_check(&r, seq),
					    want, "window %u top %llu seq %llu",
					    windows[w], top, seq);
			if (next_random(&state) & 1)
				continue;
			KUNIT_ASSERT_EQ_MSG(test, esptun_replay_commit(&r, seq),
					    want, "window %u top %llu seq %llu",
					    windows[w], top, seq);
			if (want) {
				set_bit(seq, seen);
				top = max(top, seq);
			}
		}
	}
}

struct infer_row {
	u64 top;
	u32 window;
	u32 seq;
	bool possible;
	u64 full;
};

/* RFC 4303 appendix A2.2, both cases, and the edges between them. */
static const struct infer_row infer_rows[] = {
	/* The window lies inside one subspace. */
	{ 0x1000, 64, 0x1001, 1, 0x1001 },
	{ 0x1000, 64, 0x1000, 1, 0x1000 },
	{ 0x1000, 64, 0x0fc1, 1, 0x0fc1 },
	{ 0x1000, 64, 0x0fc0, 1, 0x100000fc0 },
	{ 0x1000, 64, 0, 1, 0x100000000 },
	{ 0x1000, 64, 0xffffffff, 1, 0xffffffff },
	{ 0xfffffff0, 64, 5, 1, 0x100000005 },
	{ 0xffffffff, 64, 0, 1, 0x100000000 },
	{ 0xffffffff, 64, 0xffffffff, 1, 0xffffffff },
	{ 0x5000000ffULL, 256, 0, 1, 0x500000000ULL },
	{ 0x5000000ffULL, 256, 0xffffffff, 1, 0x5ffffffffULL },
	/* It spans two. */
	{ 0x100000005ULL, 64, 0xfffffff0, 1, 0xfffffff0 },
	{ 0x100000005ULL, 64, 0x00000006, 1, 0x100000006ULL },
	{ 0x100000005ULL, 64, 0xffffffc6, 1, 0xffffffc6 },
	{ 0x100000005ULL, 64, 0xffffffc5, 1, 0x1ffffffc5ULL },
	{ 0x7000000feULL, 256, 0xffffffff, 1, 0x6ffffffffULL },
	/* Below zero is nobody's number. */
	{ 0, 64, 0xffffffff, 0, 0 },
	{ 5, 64, 0xfffffff0, 0, 0 },
	{ 0, 64, 1, 1, 1 },
	{ 0, 1024, 0, 1, 0 },
};

static void replay_infer(struct kunit *test)
{
	const struct infer_row *row;

	for (row = infer_rows; row < infer_rows + ARRAY_SIZE(infer_rows);
	     row++) {
		struct esptun_replay r = { .top = row->top,
					   .window = row->window };
		u64 full = 0;

		KUNIT_EXPECT_EQ_MSG(
			test, esptun_replay_infer(&r, row->seq, true, &full),
			row->possible, "top %llx seq %x", row->top, row->seq);
		if (row->possible)
			KUNIT_EXPECT_EQ_MSG(test, full, row->full,
					    "top %llx seq %x", row->top,
					    row->seq);

		KUNIT_EXPECT_TRUE(test, esptun_replay_infer(&r, row->seq, false,
							    &full));
		KUNIT_EXPECT_EQ(test, full, (u64)row->seq);
	}
}

/* 2^32 - 8 to 2^32 + 8 in order, with ESN: every one fresh, none twice. */
static void replay_esn_wrap(struct kunit *test)
{
	struct esptun_replay r;
	u64 seq, full;

	window_open(test, &r, 1024);
	r.top = TOP32 - 8;
	for (seq = TOP32 - 7; seq < TOP32 + 9; seq++) {
		KUNIT_ASSERT_TRUE(test,
				  esptun_replay_infer(&r, lower_32_bits(seq),
						      true, &full));
		KUNIT_EXPECT_EQ(test, full, seq);
		KUNIT_EXPECT_TRUE(test, esptun_replay_commit(&r, full));
	}
	for (seq = TOP32 - 7; seq < TOP32 + 9; seq++) {
		KUNIT_ASSERT_TRUE(test,
				  esptun_replay_infer(&r, lower_32_bits(seq),
						      true, &full));
		KUNIT_EXPECT_FALSE(test, esptun_replay_commit(&r, full));
	}
}

static struct kunit_case replay_cases[] = { KUNIT_CASE(replay_scripts),
					    KUNIT_CASE(replay_model),
					    KUNIT_CASE(replay_infer),
					    KUNIT_CASE(replay_esn_wrap),
					    {} };

static struct kunit_suite replay_suite = {
	.name = "esptun_replay",
	.test_cases = replay_cases,
};

kunit_test_suite(replay_suite);

MODULE_DESCRIPTION("KUnit suites of esptun");
MODULE_LICENSE("GPL");
