/*
 * Events in the simulator: the endpoints of a storefront, workers who publish
 * and deliver, and a reader that follows the log.
 *
 *   receivers.c  endpoints, their secrets and their ends   sim_receivers_plan()
 *   publish.c    the log grows, and a reader follows it    sim_publish_soon()
 *   deliver.c    workers, and the network to receivers     sim_deliver_soon()
 *   receive.c    the receivers                             sim_receiver_take()
 *   heard.c      what must be true
 *
 * Chance is drawn from a stream of its own, so that payments take the course
 * that they have without receivers; only a scenario in which workers die at a
 * step of a delivery takes another one.
 */

#ifndef SIM_RECEIVERS_H
#define SIM_RECEIVERS_H

#include "sim.h"


#define SIM_ENDPOINTS     3
#define SIM_SIGNERS       3              /* secrets of an endpoint */
#define SIM_PATTERNS      2
#define SIM_TOLERANCE_S   300            /* of receivers, as to timestamps */

typedef struct sim_endpoint_s  sim_endpoint_t;
typedef struct sim_letter_s    sim_letter_t;
typedef struct sim_heard_s     sim_heard_t;

/* Types as the API takes them, and one by one; "payment." stands for all that
 * begin so, none for all. */
typedef struct {
    const char  *json;
    const char  *patterns[SIM_PATTERNS];
} sim_types_t;

/* What a receiver does while it is down. */
typedef enum {
    SIM_DOWN_REFUSES = 0,      /* no connection */
    SIM_DOWN_FAILS,            /* 500 */
    SIM_DOWN_BUSY,             /* 503 with Retry-After */
    SIM_DOWN_MOVED,            /* 302 */
    SIM_DOWN_HANGS,            /* no answer until the deadline */
    SIM_DOWN_GONE,             /* 410 */
    SIM_DOWN_KINDS
} sim_down_t;

typedef struct {
    pay_secret_t  secret;
    int64_t       made_at;
    int64_t       until;                 /* INT64_MAX: not over */
} sim_signer_t;

struct sim_endpoint_s {
    pay_str_t           id, url;
    const sim_types_t  *types;
    int                 is_ordered;
    unsigned            scheme;          /* pay_endpoint_scheme_t */
    sim_signer_t        signers[SIM_SIGNERS];
    unsigned            signer_count;
    unsigned            known;           /* the receiver verifies with this */
    int64_t             down_from, down_until;
    sim_down_t          down;
    int64_t             disabled_at;     /* 0: it is enabled */
    int                 was_replayed;    /* enabled again, all brought back */
    sim_heard_t        *heard;           /* newest first, repetitions, too */
};

/* A message that a receiver has taken. */
struct sim_heard_s {
    pay_str_t     id, body, type, subject;
    unsigned      sequence;
    int           is_again;
    sim_heard_t  *next;
};

/* An attempt on its way. */
struct sim_letter_s {
    sim_flow_t         *flow;
    sim_endpoint_t     *endpoint;
    pay_str_t           id, timestamp, signature, body;
    int64_t             asked_at;        /* for a delivery */
    int64_t             begun_at;        /* it was had */
    int                 over;            /* an end was heard, or is to be */
    int                 is_copy;
    pay_http_answer_t   answer;
};

struct sim_receivers_s {
    sim_endpoint_t   endpoints[SIM_ENDPOINTS];
    unsigned         count;
    pay_keyring_t    ring;
    unsigned         dies;               /* a worker, at each step: permille */
    unsigned         holds;              /* commits, while others publish */
    unsigned         tears;              /* transactions that do not commit */
    int              publishes;          /* a look is on its way */
    int64_t          deliver_at;         /* the next look for deliveries */
    unsigned         idle;               /* looks that found one due, and had
                                            none, since the faults are over */
    int              is_stuck;           /* so many that nobody looks more */
    int64_t          tests, ends;        /* messages about endpoints */
    sim_heard_t     *read;               /* by the reader, newest first */
    unsigned         steps;              /* since all else was quiet */
};


/* receivers.c */
sim_endpoint_t *sim_endpoint_find(sim_t *sim, pay_str_t url);
int sim_endpoint_wants(const sim_endpoint_t *endpoint, pay_str_t type);

/* publish.c */
void sim_publish_soon(sim_t *sim);
void sim_reader_plan(sim_t *sim);
void sim_reader_reads(sim_t *sim, void *unused);

/* deliver.c */
void sim_deliver_soon(sim_t *sim, int64_t at);

/* receive.c */
/* The gateway has stored its 410. */
void sim_receiver_gone(sim_t *sim, pay_str_t endpoint_id);
int sim_receiver_is_down(const sim_t *sim, const sim_endpoint_t *endpoint);
/* 0: there is no answer. */
int sim_receiver_take(sim_t *sim, const sim_letter_t *letter,
    pay_http_answer_t *answer);

/* heard.c: of a message of a reader or a receiver; NULL: not yet */
const sim_heard_t *sim_heard_find(const sim_heard_t *heard, pay_str_t id);


#endif /* SIM_RECEIVERS_H */
