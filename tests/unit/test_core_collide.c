// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exchanges that meet (RFC 7296 2.8, 2.25), each in one order of its messages. A case is a list
 * of steps; each is played twice, the second time with the roles of both ends swapped, because
 * who initiated the IKE SA must not matter. ESP flies meanwhile, and none may be lost for want
 * of its inbound SA unless the case is about the loss of a pair.
 */
#include "core_util.h"
#include "ike/core/core.h"

enum { STEPS = 16, HOLDS = 4, IDLE_MS = 20000, REST_MS = 100000 };

/* Ends of a case: not those of struct pair if it is played with roles swapped. */
enum end { NONE, A, B };

enum op {
	OP_END,
	OP_HOLD, /* into .hold a message of .end: see world_hold() */
	OP_AWAIT, /* until .hold has it */
	OP_RELEASE,
	OP_DROP,
	OP_REKEY, /* .end's soft limit is reached */
	OP_REKEY_IKE, /* .end's IKE SA is old enough */
	OP_PROBE, /* .end asks for a sign of life */
	OP_DELETE, /* .end's hard limit is reached */
	OP_DOWN, /* .end goes down */
	OP_REFUSE, /* .end's kernel refuses .n pairs */
	OP_WAIT, /* .n ms */
	OP_WORKS, /* there has to be a pair now */
	OP_IS_DOWN, /* .end must not take its tunnel for up */
};

struct step {
	enum op op;
	enum end end;
	unsigned int hold, n;
	uint8_t exchange;
	bool response;
};

#define HOLD_REQUEST(h, who, of)                                          \
	{                                                                 \
		.op = OP_HOLD, .hold = (h), .end = (who), .exchange = of, \
	}
#define HOLD_RESPONSE(h, who, of)                                                          \
	{                                                                                  \
		.op = OP_HOLD, .hold = (h), .end = (who), .exchange = of, .response = true \
	}
#define AWAIT(h)                            \
	{                                   \
		.op = OP_AWAIT, .hold = (h) \
	}
#define RELEASE(h)                            \
	{                                     \
		.op = OP_RELEASE, .hold = (h) \
	}
#define DROP(h)                            \
	{                                  \
		.op = OP_DROP, .hold = (h) \
	}
#define REKEY(who)                           \
	{                                    \
		.op = OP_REKEY, .end = (who) \
	}
#define REKEY_IKE(who)                           \
	{                                        \
		.op = OP_REKEY_IKE, .end = (who) \
	}
#define PROBE(who)                           \
	{                                    \
		.op = OP_PROBE, .end = (who) \
	}
#define DELETE(who)                           \
	{                                     \
		.op = OP_DELETE, .end = (who) \
	}
#define DOWN(who)                           \
	{                                   \
		.op = OP_DOWN, .end = (who) \
	}
#define REFUSE(who, times)                                  \
	{                                                   \
		.op = OP_REFUSE, .end = (who), .n = (times) \
	}
#define WORKS                  \
	{                      \
		.op = OP_WORKS \
	}
#define IS_DOWN(who)                           \
	{                                      \
		.op = OP_IS_DOWN, .end = (who) \
	}
#define WAIT(ms)                         \
	{                                \
		.op = OP_WAIT, .n = (ms) \
	}

#define CREATE IKE_CREATE_CHILD_SA
#define INFORM IKE_INFORMATIONAL

struct play {
	const char *name;
	struct step steps[STEPS];
	enum end low; /* whose request has the lowest of the nonces */
	enum end stays; /* whose exchange made what is left; NONE: either's */
	bool ike; /* the IKE SA is rekeyed, and the pair is not */
	bool gap; /* a pair is lost on purpose */
	bool down; /* nothing is to be left */
	bool roles_matter; /* a is the one that initiated, which asks for what is lost */
	unsigned int asks; /* CREATE_CHILD_SA requests that both together may send; 0: two */
};

/* clang-format off */
static const struct play plays[] = {
	{ "a rekeys", { REKEY(A) }, .stays = A, .asks = 1 },
	{ "the request is lost once",
	  { HOLD_REQUEST(0, A, CREATE), REKEY(A), AWAIT(0), DROP(0) }, .stays = A, .asks = 1 },
	{ "the response is lost once",
	  { HOLD_RESPONSE(0, B, CREATE), REKEY(A), AWAIT(0), DROP(0) }, .stays = A, .asks = 1 },
	{ "the response is lost for 20 s",
	  { HOLD_RESPONSE(0, B, CREATE), REKEY(A), AWAIT(0), WAIT(20000), DROP(0) },
	  .stays = A, .asks = 1 },
	{ "request and response come again when all is over",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_RESPONSE(1, B, CREATE), REKEY(A), AWAIT(0), RELEASE(0),
	    AWAIT(1), RELEASE(1), WAIT(100), RELEASE(0), RELEASE(1), WAIT(10000), RELEASE(0),
	    RELEASE(1) },
	  .stays = A, .asks = 1 },
	{ "the delete of the old pair is lost once",
	  { HOLD_REQUEST(0, A, INFORM), REKEY(A), AWAIT(0), DROP(0) }, .stays = A, .asks = 1 },
	{ "the answer to the delete is lost once",
	  { HOLD_RESPONSE(0, B, INFORM), REKEY(A), AWAIT(0), DROP(0) }, .stays = A, .asks = 1 },
	{ "a rekeys again and again",
	  { REKEY(A), WAIT(3000), REKEY(A), WAIT(200), REKEY(A), WAIT(50), REKEY(A) }, .asks = 4 },
	{ "both rekey in turns",
	  { REKEY(A), WAIT(100), REKEY(B), WAIT(100), REKEY(A), WAIT(100), REKEY(B) }, .asks = 4 },

	{ "requests cross, the lowest nonce is a's",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, CREATE), REKEY(A), REKEY(B), AWAIT(0),
	    AWAIT(1), RELEASE(0), RELEASE(1) },
	  .low = A, .stays = B },
	{ "requests cross, the lowest nonce is b's",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, CREATE), REKEY(A), REKEY(B), AWAIT(0),
	    AWAIT(1), RELEASE(0), RELEASE(1) },
	  .low = B, .stays = A },
	{ "requests cross, the loser's is lost once",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, CREATE), REKEY(A), REKEY(B), AWAIT(0),
	    AWAIT(1), DROP(0), RELEASE(1) },
	  .low = A, .stays = B },
	{ "requests cross, the winner's is lost once",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, CREATE), REKEY(A), REKEY(B), AWAIT(0),
	    AWAIT(1), DROP(0), RELEASE(1) },
	  .low = B, .stays = A },
	{ "requests cross, both responses are lost once",
	  { HOLD_RESPONSE(0, A, CREATE), HOLD_RESPONSE(1, B, CREATE), REKEY(A), REKEY(B), AWAIT(0),
	    AWAIT(1), DROP(0), DROP(1) },
	  .low = A, .stays = B },
	{ "requests cross, the winner's response comes first",
	  { HOLD_RESPONSE(0, A, CREATE), HOLD_RESPONSE(1, B, CREATE), REKEY(A), REKEY(B), AWAIT(0),
	    AWAIT(1), RELEASE(0), WAIT(5), RELEASE(1) },
	  .low = A, .stays = B },
	{ "requests cross, the loser's response comes first",
	  { HOLD_RESPONSE(0, A, CREATE), HOLD_RESPONSE(1, B, CREATE), REKEY(A), REKEY(B), AWAIT(0),
	    AWAIT(1), RELEASE(1), WAIT(5), RELEASE(0) },
	  .low = A, .stays = B },
	{ "the winner's delete comes before the loser's response",
	  { HOLD_RESPONSE(0, B, CREATE), HOLD_REQUEST(1, B, INFORM), REKEY(A), REKEY(B), AWAIT(0),
	    AWAIT(1), RELEASE(1), WAIT(50), RELEASE(0) },
	  .low = A, .stays = B },
	{ "the winner's response comes when the loser has waited for 20 s",
	  { HOLD_RESPONSE(0, B, CREATE), REKEY(A), REKEY(B), AWAIT(0), WAIT(20000), RELEASE(0) },
	  .low = B, .stays = A },
	{ "the loser's response comes 10 s after the winner's delete",
	  { HOLD_RESPONSE(0, B, CREATE), HOLD_REQUEST(1, B, INFORM), REKEY(A), REKEY(B), AWAIT(0),
	    AWAIT(1), RELEASE(1), WAIT(10000), RELEASE(0) },
	  .low = A, .stays = B },
	{ "the loser's request comes when the winner's exchange is over",
	  { HOLD_REQUEST(0, A, CREATE), REKEY(A), AWAIT(0), REKEY(B), WAIT(100), RELEASE(0) },
	  .low = A, .stays = B },
	{ "the winner's request comes when the loser's exchange is over",
	  { HOLD_REQUEST(0, A, CREATE), REKEY(A), AWAIT(0), REKEY(B), WAIT(100), RELEASE(0) },
	  .low = B, .stays = A },
	{ "a request comes when the old pair is deleted",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, INFORM), REKEY(A), AWAIT(0), REKEY(B),
	    AWAIT(1), RELEASE(1), WAIT(50), RELEASE(0) },
	  .low = B, .stays = B },
	{ "a request comes 10 s after the old pair is deleted",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, INFORM), REKEY(A), AWAIT(0), REKEY(B),
	    AWAIT(1), RELEASE(1), WAIT(10000), RELEASE(0) },
	  .low = B, .stays = B },

	{ "the loser makes another request before the winner has its response",
	  { HOLD_RESPONSE(0, A, CREATE), REKEY(A), REKEY(B), AWAIT(0), WAIT(50), PROBE(A),
	    WAIT(15000), RELEASE(0) },
	  .low = A, .stays = B },
	{ "the pair of an exchange is rekeyed before the other's request comes, the loser's",
	  { HOLD_REQUEST(0, A, CREATE), REKEY(A), AWAIT(0), REKEY(B), WAIT(50), REKEY(B),
	    WAIT(100), RELEASE(0) },
	  .low = A, .asks = 4 },
	{ "the pair of an exchange is rekeyed before the other's request comes, the winner's",
	  { HOLD_REQUEST(0, A, CREATE), REKEY(A), AWAIT(0), REKEY(B), WAIT(50), REKEY(B),
	    WAIT(100), RELEASE(0) },
	  .low = B, .asks = 4 },

	{ "rekeying meets the delete of the pair, and comes first",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, INFORM), REKEY(A), DELETE(B), AWAIT(0),
	    AWAIT(1), RELEASE(0), WAIT(50), RELEASE(1) },
	  .gap = true, .asks = 4 },
	{ "rekeying meets the delete of the pair, and comes last",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, INFORM), REKEY(A), DELETE(B), AWAIT(0),
	    AWAIT(1), RELEASE(1), WAIT(50), RELEASE(0) },
	  .gap = true, .asks = 4 },
	{ "the response meets the delete of the old pair",
	  { HOLD_RESPONSE(0, B, CREATE), REKEY(A), AWAIT(0), DELETE(B), WAIT(50), RELEASE(0) },
	  .gap = true, .asks = 4 },
	{ "a pair that is being deleted is rekeyed",
	  { HOLD_REQUEST(0, A, INFORM), DELETE(A), AWAIT(0), REKEY(B), WAIT(50), RELEASE(0) },
	  .gap = true, .asks = 4 },
	{ "the deletes of both ends cross",
	  { HOLD_REQUEST(0, A, INFORM), HOLD_REQUEST(1, B, INFORM), DELETE(A), DELETE(B), AWAIT(0),
	    AWAIT(1), RELEASE(0), RELEASE(1) },
	  .gap = true, .asks = 4 },
	{ "the pair is deleted while its rekeying waits for the answer",
	  { HOLD_REQUEST(0, A, CREATE), REKEY(A), AWAIT(0), DELETE(A), WAIT(50), RELEASE(0) },
	  .gap = true, .asks = 4 },

	{ "a new pair is deleted before the response that tells of it",
	  { HOLD_RESPONSE(0, B, CREATE), DELETE(A), AWAIT(0), DELETE(B), WAIT(50), RELEASE(0),
	    WAIT(3000), WORKS },
	  .gap = true, .asks = 4, .roles_matter = true },

	{ "the IKE SA is deleted while its pair is rekeyed",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, INFORM), REKEY(A), AWAIT(0), DOWN(B),
	    AWAIT(1), RELEASE(0), WAIT(50), RELEASE(1), DOWN(A) },
	  .gap = true, .down = true, .asks = 4 },
	{ "the delete of the IKE SA comes before the request for its pair",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, INFORM), REKEY(A), AWAIT(0), DOWN(B),
	    AWAIT(1), RELEASE(1), WAIT(50), RELEASE(0), DOWN(A) },
	  .gap = true, .down = true, .asks = 4 },
	{ "an end goes down while its own rekeying waits for the answer",
	  { HOLD_RESPONSE(0, B, CREATE), REKEY(A), AWAIT(0), DOWN(A), WAIT(50), RELEASE(0), DOWN(B) },
	  .gap = true, .down = true, .asks = 4 },

	{ "the responder's kernel refuses the pair twice",
	  { REFUSE(B, 2), REKEY(A) }, .stays = A, .asks = 3 },
	{ "the initiator's kernel refuses the pair twice",
	  { REFUSE(A, 2), REKEY(A) }, .stays = A, .asks = 3 },
	{ "requests cross, and the winner's kernel refuses its pair",
	  { REFUSE(B, 1), HOLD_RESPONSE(0, A, CREATE), REKEY(A), REKEY(B), AWAIT(0), WAIT(50),
	    RELEASE(0) },
	  .low = A, .asks = 4 },
	{ "the winner's request comes last, and the loser's kernel refuses the outbound half",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, A, INFORM), REKEY(A), AWAIT(0), REKEY(B),
	    WAIT(100), RELEASE(0), AWAIT(1), REFUSE(B, 1), RELEASE(1), WAIT(10000), REKEY(B) },
	  .low = B, .gap = true, .asks = 5 },
	{ "the loser is rekeyed when the winner is gone, whose outbound half the loser's kernel refused",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_RESPONSE(1, B, CREATE), REKEY(A), AWAIT(0), REKEY(B),
	    WAIT(100), RELEASE(0), AWAIT(1), WAIT(1300), REFUSE(B, 1), RELEASE(1), WAIT(100), REKEY(B) },
	  .low = B, .gap = true, .asks = 5 },

	{ "a rekeys the IKE SA", { REKEY_IKE(A) }, .ike = true, .stays = A, .asks = 1 },
	{ "the request for an IKE SA is lost once",
	  { HOLD_REQUEST(0, A, CREATE), REKEY_IKE(A), AWAIT(0), DROP(0) },
	  .ike = true, .stays = A, .asks = 1 },
	{ "the response about an IKE SA is lost for 20 s",
	  { HOLD_RESPONSE(0, B, CREATE), REKEY_IKE(A), AWAIT(0), WAIT(20000), DROP(0) },
	  .ike = true, .stays = A, .asks = 1 },
	{ "the delete of the old IKE SA is lost once",
	  { HOLD_REQUEST(0, A, INFORM), REKEY_IKE(A), AWAIT(0), DROP(0) },
	  .ike = true, .stays = A, .asks = 1 },
	{ "the answer to the delete of the old IKE SA is lost once",
	  { HOLD_RESPONSE(0, B, INFORM), REKEY_IKE(A), AWAIT(0), DROP(0) },
	  .ike = true, .stays = A, .asks = 1 },
	{ "messages about an IKE SA come again when all is over",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_RESPONSE(1, B, CREATE), REKEY_IKE(A), AWAIT(0),
	    RELEASE(0), AWAIT(1), RELEASE(1), WAIT(100), RELEASE(0), RELEASE(1), WAIT(15000),
	    RELEASE(0), RELEASE(1) },
	  .ike = true, .stays = A, .asks = 1 },
	{ "requests for an IKE SA cross, the lowest nonce is a's",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, CREATE), REKEY_IKE(A), REKEY_IKE(B),
	    AWAIT(0), AWAIT(1), RELEASE(0), RELEASE(1) },
	  .ike = true, .low = A, .stays = B },
	{ "requests for an IKE SA cross, the loser's is lost once",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, CREATE), REKEY_IKE(A), REKEY_IKE(B),
	    AWAIT(0), AWAIT(1), DROP(0), RELEASE(1) },
	  .ike = true, .low = A, .stays = B },
	{ "requests for an IKE SA cross, the one that would win comes when the other's is over",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, CREATE), REKEY_IKE(A), REKEY_IKE(B),
	    AWAIT(0), AWAIT(1), DROP(0), RELEASE(1) },
	  .ike = true, .low = B, .stays = B },
	{ "requests for an IKE SA cross, both responses are lost once",
	  { HOLD_RESPONSE(0, A, CREATE), HOLD_RESPONSE(1, B, CREATE), REKEY_IKE(A), REKEY_IKE(B),
	    AWAIT(0), AWAIT(1), DROP(0), DROP(1) },
	  .ike = true, .low = A, .stays = B },
	{ "requests for an IKE SA cross, the winner's response comes first",
	  { HOLD_RESPONSE(0, A, CREATE), HOLD_RESPONSE(1, B, CREATE), REKEY_IKE(A), REKEY_IKE(B),
	    AWAIT(0), AWAIT(1), RELEASE(0), WAIT(5), RELEASE(1) },
	  .ike = true, .low = A, .stays = B },
	{ "requests for an IKE SA cross, the loser's response comes first",
	  { HOLD_RESPONSE(0, A, CREATE), HOLD_RESPONSE(1, B, CREATE), REKEY_IKE(A), REKEY_IKE(B),
	    AWAIT(0), AWAIT(1), RELEASE(1), WAIT(5), RELEASE(0) },
	  .ike = true, .low = A, .stays = B },
	{ "the winner deletes the old IKE SA before the loser's response",
	  { HOLD_RESPONSE(0, B, CREATE), REKEY_IKE(A), REKEY_IKE(B), AWAIT(0), WAIT(8000), RELEASE(0) },
	  .ike = true, .low = A, .stays = B },
	{ "the winner's response about an IKE SA comes after 20 s",
	  { HOLD_RESPONSE(0, B, CREATE), REKEY_IKE(A), REKEY_IKE(B), AWAIT(0), WAIT(20000),
	    RELEASE(0) },
	  .ike = true, .low = B, .stays = A },
	{ "the peer deletes a pair under the new IKE SA before it deletes the old one",
	  { HOLD_REQUEST(0, B, CREATE), HOLD_REQUEST(1, A, INFORM), REKEY_IKE(B), AWAIT(0), REKEY_IKE(A),
	    AWAIT(1), DELETE(A), WAIT(5000), WORKS, RELEASE(1) },
	  .gap = true, .asks = 4 },
	{ "the peer rekeys the pair under the new IKE SA before it deletes the old one",
	  { HOLD_REQUEST(0, B, CREATE), HOLD_REQUEST(1, A, INFORM), REKEY_IKE(B), AWAIT(0), REKEY_IKE(A),
	    AWAIT(1), REKEY(A), HOLD_REQUEST(2, A, INFORM), AWAIT(2), RELEASE(2), WAIT(5000), RELEASE(1) },
	  .stays = A, .asks = 3 },
	{ "an end goes down that does not know that the peer took over the new IKE SA, and is asked there",
	  { HOLD_REQUEST(0, B, CREATE), HOLD_REQUEST(1, A, INFORM), REKEY_IKE(B), AWAIT(0), REKEY_IKE(A),
	    AWAIT(1), DOWN(B), PROBE(A), WAIT(100), IS_DOWN(A), RELEASE(1), DOWN(A) },
	  .gap = true, .down = true, .asks = 2 },
	{ "an end went down that did not know that the peer took over the new IKE SA, and is asked there",
	  { HOLD_REQUEST(0, B, CREATE), HOLD_REQUEST(1, A, INFORM), REKEY_IKE(B), AWAIT(0), REKEY_IKE(A),
	    AWAIT(1), DOWN(B), RELEASE(0), WAIT(100), PROBE(A), WAIT(100), IS_DOWN(A), DOWN(A) },
	  .gap = true, .down = true, .asks = 2 },
	{ "an end goes down that does not know that the peer took over the new IKE SA",
	  { HOLD_REQUEST(0, B, CREATE), HOLD_REQUEST(1, A, INFORM), REKEY_IKE(B), AWAIT(0), REKEY_IKE(A),
	    AWAIT(1), DOWN(B), RELEASE(1), WAIT(100), IS_DOWN(A), DOWN(A) },
	  .gap = true, .down = true, .asks = 2 },
	{ "a request for an IKE SA comes when the other's exchange is over",
	  { HOLD_REQUEST(0, A, CREATE), REKEY_IKE(A), AWAIT(0), REKEY_IKE(B), WAIT(100), RELEASE(0) },
	  .ike = true, .asks = 3 },
	{ "a request for an IKE SA comes when the old one is deleted",
	  { HOLD_REQUEST(0, A, CREATE), REKEY_IKE(A), AWAIT(0), REKEY_IKE(B), WAIT(10000),
	    RELEASE(0) },
	  .ike = true, .asks = 3 },

	{ "IKE SA and pair are rekeyed by either end, the IKE SA's request comes first",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, CREATE), REKEY_IKE(A), REKEY(B), AWAIT(0),
	    AWAIT(1), RELEASE(0), WAIT(50), RELEASE(1) },
	  .asks = 8 },
	{ "IKE SA and pair are rekeyed by either end, the pair's request comes first",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, CREATE), REKEY_IKE(A), REKEY(B), AWAIT(0),
	    AWAIT(1), RELEASE(1), WAIT(50), RELEASE(0) },
	  .asks = 8 },
	{ "IKE SA and pair are rekeyed by either end, both responses are lost once",
	  { HOLD_RESPONSE(0, A, CREATE), HOLD_RESPONSE(1, B, CREATE), REKEY_IKE(A), REKEY(B),
	    AWAIT(0), AWAIT(1), DROP(0), DROP(1) },
	  .asks = 8 },
	{ "the pair is rekeyed when its IKE SA was and is not deleted yet",
	  { HOLD_REQUEST(0, A, INFORM), REKEY_IKE(A), AWAIT(0), REKEY(B), WAIT(3000), DROP(0) },
	  .asks = 4 },
	{ "one end rekeys both at once", { REKEY(A), REKEY_IKE(A) }, .asks = 4 },
	{ "one end rekeys both at once, the IKE SA first", { REKEY_IKE(A), REKEY(A) }, .asks = 4 },
	{ "both ends rekey both at once",
	  { REKEY(A), REKEY_IKE(A), REKEY(B), REKEY_IKE(B) }, .asks = 12 },
	{ "the initiator's kernel refuses the pair when the IKE SA waits to be rekeyed",
	  { REFUSE(A, 1), HOLD_RESPONSE(0, B, CREATE), REKEY(A), AWAIT(0), REKEY_IKE(A), RELEASE(0) },
	  .asks = 6 },
	{ "the IKE SA is rekeyed when its pair is being deleted",
	  { HOLD_REQUEST(0, A, INFORM), DELETE(A), AWAIT(0), REKEY_IKE(B), WAIT(50), RELEASE(0) },
	  .gap = true, .asks = 8 },
	{ "the pair is deleted when its IKE SA is being rekeyed",
	  { HOLD_REQUEST(0, A, CREATE), REKEY_IKE(A), AWAIT(0), DELETE(B), WAIT(50), RELEASE(0) },
	  .gap = true, .asks = 8 },
	{ "the pair is deleted under a new IKE SA that the other end does not know to stay",
	  { HOLD_RESPONSE(0, B, CREATE), HOLD_REQUEST(1, B, INFORM), REKEY_IKE(A), REKEY_IKE(B),
	    AWAIT(0), AWAIT(1), DELETE(B), WAIT(50), RELEASE(1), WAIT(50), RELEASE(0) },
	  .low = A, .gap = true, .asks = 8 },
	{ "the IKE SA is deleted when it is being rekeyed",
	  { HOLD_REQUEST(0, A, CREATE), HOLD_REQUEST(1, B, INFORM), REKEY_IKE(A), AWAIT(0), DOWN(B),
	    AWAIT(1), RELEASE(0), WAIT(50), RELEASE(1), DOWN(A) },
	  .gap = true, .down = true, .asks = 4 },
	{ "an end goes down when it rekeys its IKE SA",
	  { HOLD_RESPONSE(0, B, CREATE), REKEY_IKE(A), AWAIT(0), DOWN(A), WAIT(50), RELEASE(0),
	    DOWN(B) },
	  .gap = true, .down = true, .asks = 4 },
};
/* clang-format on */

/* One case as it is played. */
struct stage {
	const struct play *play;
	bool swapped;
	struct pair *p;
	struct hold *hold[HOLDS];
};

static struct node *node_of(const struct stage *s, enum end end)
{
	return (end == A) != s->swapped ? s->p->a : s->p->b;
}

static void expire(struct stage *s, enum end end, enum ike_expire why)
{
	struct node *n = node_of(s, end);

	assert_non_null(node_out(n, 0));
	n->nonces_begin = s->play->low == end ? 1 : 100;
	ike_core_expire(n->core, "t0", IKE_PEER_FIRST, node_out(n, 0)->spi, false, why, n->w->now);
	n->nonces_begin = 200;
}

static void rekey_ike(struct stage *s, enum end end)
{
	struct node *n = node_of(s, end);
	struct ike_sa *sa = node_sa(n);

	n->nonces_begin = s->play->low == end ? 1 : 100;
	sa->rekey_at = n->w->now;
	sa_touch(n->core, sa);
	ike_core_timer(n->core, n->w->now);
	n->nonces_begin = 200;
}

static void probe(struct node *n)
{
	n->core->now = n->w->now;
	request_probe(n->core, node_sa(n));
}

static void take_step(struct stage *s, const struct step *st)
{
	struct world *w = &s->p->w;
	struct node *n = st->end ? node_of(s, st->end) : NULL;

	switch (st->op) {
	case OP_HOLD: s->hold[st->hold] = world_hold(w, n, st->exchange, st->response, 0); break;
	case OP_AWAIT: assert_true(world_await(w, s->hold[st->hold], 10000)); break;
	case OP_RELEASE: world_release(w, s->hold[st->hold]); break;
	case OP_DROP: world_drop(s->hold[st->hold]); break;
	case OP_REKEY: expire(s, st->end, IKE_EXPIRE_SOFT); break;
	case OP_REKEY_IKE: rekey_ike(s, st->end); break;
	case OP_PROBE: probe(n); break;
	case OP_DELETE: expire(s, st->end, IKE_EXPIRE_HARD); break;
	case OP_DOWN: ike_core_down(n->core, "t0", w->now); break;
	case OP_REFUSE: n->fail_installs = st->n; break;
	case OP_WAIT: pair_run(s->p, st->n); break;
	case OP_WORKS:
		assert_true(direction_works(s->p->a, s->p->b, 0));
		assert_true(direction_works(s->p->b, s->p->a, 0));
		break;
	case OP_IS_DOWN: assert_int_not_equal(n->state[0], IKE_TUNNEL_UP); break;
	case OP_END: break;
	}
	if (w->failed[0])
		fail_msg("%s", w->failed);
}

/* Which end began the exchange that made the pair, or the IKE SA, that is left? */
static enum end maker(const struct stage *s)
{
	const struct ike_sa *sa = node_sa(s->p->a);
	bool by_a = s->play->ike ? sa->initiator : TAILQ_FIRST(&sa->children)->ours;

	return by_a != s->swapped ? A : B;
}

/* Requests of CREATE_CHILD_SA that were sent, without their copies. */
static unsigned int count_asks(const struct pair *p)
{
	unsigned int i, j, count = 0;

	for (i = 0; i < p->n_sent; i++) {
		const struct sent *m = &p->sent[i], *o = NULL;

		if (m->h.exchange != CREATE || m->h.flags & IKE_FLAG_RESPONSE)
			continue;
		for (j = 0; j < i && !o; j++) {
			if (p->sent[j].len == m->len && !memcmp(p->sent[j].data, m->data, m->len))
				o = &p->sent[j];
		}
		count += !o;
	}
	return count;
}

static void check_end(struct stage *s)
{
	const struct play *play = s->play;
	struct pair *p = s->p;
	char why[200] = "";

	if (!link_at_rest(&p->w, 0, !play->down, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(node_stats(p->a).ike_sas, !play->down);
	assert_int_equal(node_stats(p->b).ike_sas, !play->down);
	assert_int_equal(node_stats(p->a).children, !play->down);
	assert_int_equal(node_stats(p->b).children, !play->down);
	if (!play->gap)
		assert_int_equal(p->w.link[0].esp_unknown, 0);
	if (play->stays)
		assert_int_equal(maker(s), play->stays);
	assert_in_range(count_asks(p), 1, play->asks ? play->asks : 2);
}

static void play_case(void **state)
{
	struct stage *s = *state;
	const struct step *st;
	struct ike_status before;
	uint32_t old;

	s->p = pair_new();
	s->p->w.traffic = true;
	s->p->w.esp_jitter = 500;
	pair_start(s->p, true);
	pair_run(s->p, IDLE_MS);
	s->p->w.link[0].watch = !s->play->gap;
	s->p->w.link[0].esp_unknown = 0;
	old = node_out(s->p->a, 0)->spi;
	before = node_status(s->p->a, 0);
	for (st = s->play->steps; st->op != OP_END; st++)
		take_step(s, st);
	pair_run(s->p, REST_MS);
	check_end(s);
	if (s->play->ike) {
		assert_int_equal(node_out(s->p->a, 0)->spi, old);
		assert_memory_not_equal(node_status(s->p->a, 0).spi_i, before.spi_i, IKE_SPI_LEN);
	} else if (!s->play->down) {
		assert_int_not_equal(node_out(s->p->a, 0)->spi, old);
	}
	pair_free(s->p);
}

enum { PLAYS = sizeof(plays) / sizeof(plays[0]) };

int main(void)
{
	static struct CMUnitTest tests[2 * PLAYS];
	static struct stage stages[2 * PLAYS];
	static char names[2 * PLAYS][100];
	unsigned int i, n = 0;

	for (i = 0; i < 2 * PLAYS; i++) {
		const struct play *play = &plays[i / 2];
		bool swapped = i % 2;

		if (swapped && play->roles_matter)
			continue; /* cmocka passes over the empty ones at the end */
		stages[n] = (struct stage){ .play = play, .swapped = swapped };
		snprintf(names[n], sizeof(names[n]), "%s%s", play->name,
			 swapped ? ", roles swapped" : "");
		tests[n].name = names[n];
		tests[n].test_func = play_case;
		tests[n].initial_state = &stages[n];
		n++;
	}
	return cmocka_run_group_tests_name("core_collide", tests, NULL, NULL);
}
