/*
 * The deterministic simulator: the core's flows, a model network and model
 * PSPs, driven by one seeded generator on a virtual clock, against the real
 * SQL functions in a real PostgreSQL whose clock is the same.  What happens
 * depends on the seed and the scenario's number alone.
 *
 *   main.c    scenarios one after another, figures      seed → scenario
 *   plan.c    what a scenario has in store              faults, actors
 *   steer.c     of one kind only
 *   sim.c     the clock, the queue, the trace
 *   db.c      PostgreSQL: operations, the virtual clock
 *   ask.c       and questions beside the gateway
 *   cells.c   several of them: nodes and their configurations (cells.h)
 *   mover.c     payctl, which moves the merchant from one to another
 *   moved.c     what must be true over all of them
 *   world.c   workers and their flows, effects, crashes, pauses
 *   jobs.c    what workers do without being asked
 *   net.c     calls to PSPs: lost, late, doubled, cut
 *   psp.c     a model PSP behind the protocol of docs/psp-generic.md
 *   money.c   its money: captures, cancellations, refunds
 *   bank.c      and what others do to it: refunds, disputes, fees
 *   hook.c    its webhooks
 *   shop.c    storefronts: they sell
 *   after.c     and capture, cancel, refund
 *   replace.c or start anew: one page for one purchase
 *   buyer.c   buyers
 *   rates.c   sources of rates, and amounts by them
 *   judge.c   what must be true in between, and at the end
 *   step.c      of the books, behind each operation
 *   books.c     of money, at the end: the gateway's books beside the PSP's
 *   credit.c    of what sellers are owed in another currency
 *   settle.c  what PSPs settle, and workers who read it (settle.h)
 *   write.c     their files
 *   import.c    payctl, which imports them, too
 *   settled.c   what was found
 *   payout.c  sellers are paid out, by workers (payout.h)
 *   people.c    by those who make items and batches, and approve
 *   payer.c     the model providers
 *   told.c      their webhooks
 *   paid.c      what must be true of them
 *   receivers.c storefronts hear of events at endpoints (receivers.h)
 *   publish.c   which workers publish,
 *   deliver.c   and deliver
 *   receive.c   to receivers
 *   heard.c     what must be true of it
 *   risk.c    what is looked at before a PSP is asked (risk.h)
 *   decided.c   what must be true of it
 *   card.c      and behind a PSP, when it names a card
 *   held.c      and of money that waits for reviewers
 *   provider.c  and of an external provider
 *   score.c     and of learned scores
 */

#ifndef SIM_H
#define SIM_H

#include <inttypes.h>
#include <stdlib.h>

#include "pay_crypto.h"
#include "pay_flow.h"
#include "pay_id.h"


#define SIM_MS         INT64_C(1000)
#define SIM_S          INT64_C(1000000)
#define SIM_MIN        (60 * SIM_S)
#define SIM_HOUR       (60 * SIM_MIN)

#define SIM_PSPS       2
#define SIM_CELLS      3
#define SIM_WORKERS    3
#define SIM_DEADLINE   (10 * SIM_S)      /* of a PSP call */
#define SIM_IMPATIENCE (3 * SIM_S)       /* with a buyer waiting */
#define SIM_BATCH_MAX  16
/* Whatever keeps a call from leaving, or a clock from going right, is over
 * after this; PSPs know a key for so much longer than they promise. */
#define SIM_SLACK      (15 * SIM_MIN)
#define SIM_LATE_MAX   (2 * SIM_MIN)     /* of a request under way */
#define SIM_PAUSE_MAX  (5 * SIM_MIN)     /* of a stopped worker */

#define SIM_STR_MAX    (256 * 1024)

#define SIM_CURRENCIES 4
#define SIM_SOURCES    3


typedef struct sim_s       sim_t;
typedef struct sim_call_s  sim_call_t;
typedef struct sim_flow_s  sim_flow_t;
typedef struct sim_psp_s   sim_psp_t;
typedef struct sim_reg_s   sim_reg_t;
typedef struct sim_post_s  sim_post_t;
typedef struct sim_looked_s  sim_looked_t;

typedef void (*sim_event_pt)(sim_t *sim, void *data);
/* result: NULL, there is none */
typedef void (*sim_done_pt)(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);
typedef void (*sim_reply_pt)(sim_flow_t *flow, const pay_reply_t *reply);

typedef struct {
    int64_t        at;
    uint64_t       tie;
    sim_event_pt   run;
    void          *data;
    unsigned       stream;     /* that it draws from */
} sim_event_t;

/* Where chance comes from.  What an event does and has done draws from one
 * stream, so that events for receivers leave the course of payments alone. */
typedef enum {
    SIM_STREAM_MAIN = 0,
    SIM_STREAM_RECEIVERS,
    SIM_STREAM_CELLS,          /* of the scenarios with several */
    SIM_STREAMS
} sim_stream_t;

/* A kind of scenario that all shall be of (--steer), so that a planted bug of
 * it is met soon.  Nothing else is less likely because of it. */
typedef enum {
    SIM_STEER_RATES = 0,       /* sellers are owed other currencies */
    SIM_STEER_SALES,           /* buyers pay; captures and refunds follow */
    SIM_STEER_MANUAL,          /* one order each, captured by calls */
    SIM_STEER_LATE,            /* buyers pay late, and are paid back */
    SIM_STEER_SETTLEMENT,      /* PSPs settle where nobody is paid out */
    SIM_STEER_IMPORTS,         /* two programmes import each file */
    SIM_STEER_REPLACES,        /* storefronts start anew */
    SIM_STEER_REVERSALS,       /* late webhooks; others take money back */
    SIM_STEER_COPIES,          /* calls are sent again, and refused then */
    SIM_STEER_CLOCKS,          /* they jump */
    SIM_STEER_MOVES,           /* calls are late, and others have not left;
                                  each PSP has another one behind it */
    SIM_STEER_RETURNS,         /* what is paid out comes back, which is told
                                  twice */
    SIM_STEER_FENCE,           /* payments are under way at the fence of a
                                  merchant that moves, and repeated */
    SIM_STEER_REJECTS,         /* reviewers reject what is captured by calls;
                                  captures last, and many are final */
    SIM_STEER_BACK,            /* a merchant that moves comes back soon, and a
                                  node has not heard of it; all is repeated */
    SIM_STEER_TWICE,           /* buyers pay again on the page */
    SIM_STEERS
} sim_steer_t;

/* How a batch comes to its end in PostgreSQL. */
typedef enum {
    SIM_RUN_WHOLE = 0,
    SIM_RUN_HELD,              /* others publish before it is committed */
    SIM_RUN_TORN               /* it is not committed */
} sim_run_t;

/* Chances in thousands, drawn anew for each scenario; 0 after the healing. */
typedef struct {
    unsigned  db_unsent;       /* the gateway hears UNAVAILABLE or OVERLOADED */
    unsigned  db_lost;         /* never came there; it hears UNKNOWN */
    unsigned  db_ack_lost;     /* committed; it hears UNKNOWN */
    unsigned  db_error;        /* rolled back; it hears ERROR */
    unsigned  db_slow;
    unsigned  net_refused;     /* no connection */
    unsigned  net_lost;        /* the request */
    unsigned  net_answer_lost;
    unsigned  net_late;        /* the request comes after the deadline */
    unsigned  net_cut;         /* the answer breaks off */
    unsigned  net_doubled;
    unsigned  net_resent;      /* a kept connection dies behind the request,
                                  and the client library sends a copy */
    unsigned  psp_error;       /* 500, before or after */
    unsigned  psp_busy;        /* 429 with Retry-After, or 401 */
    unsigned  psp_refuses;     /* by nonce */
    unsigned  psp_malformed;   /* done, but the answer is nonsense */
    unsigned  psp_conflict;    /* 409 */
    unsigned  hook_lost;
    unsigned  hook_doubled;
    unsigned  hook_late;
    unsigned  hook_forged;
    unsigned  reply_lost;      /* between the gateway and its clients */
    unsigned  other_body;
    unsigned  twin;            /* two requests of one key at once */
    unsigned  fails_later;     /* what was pending, or a refund comes back */
    unsigned  outside;         /* refunds that somebody makes at the PSP */
    unsigned  disputed;
    unsigned  line_wrong;      /* a row of a settlement file, or it is lost */
    unsigned  file_bad;        /* its sums do not hold */
    unsigned  file_again;      /* the same batch with other bytes */
    unsigned  file_unreadable; /* or changed while it is read */
    unsigned  import_dies;     /* payctl, at each step */
} sim_faults_t;

typedef enum {
    SIM_BUYER_PAYS = 0, SIM_BUYER_DECLINED, SIM_BUYER_RETRIES,
    SIM_BUYER_CANCELS, SIM_BUYER_LEAVES, SIM_BUYER_LATE, SIM_BUYER_TWICE,
    SIM_BUYER_KINDS
} sim_buyer_kind_t;

/* An operation on its way: sent by a worker, run at once or never. */
struct sim_call_s {
    sim_t              *sim;
    unsigned            worker;
    unsigned            life;            /* of that worker when it was sent */
    unsigned            cell;
    pay_op_id_t         op;
    const void         *args;            /* pay_<operation>_in_t */
    sim_done_pt         done;
    void               *data;
    int                 waiting;         /* has not come to PostgreSQL yet */
    int                 is_lost;         /* it hears nothing of the outcome */
    pay_result_t        result;          /* PAY_OUTCOME_NONE: none */
    const pay_cell_t   *cells;           /* what it was read from */
    size_t              cell_count;
    pay_db_failure_t    failure;
    sim_call_t         *next;            /* of those waiting */
};

struct sim_flow_s {
    sim_t          *sim;
    unsigned        number;
    unsigned        worker;
    unsigned        life;
    pay_heap_t     *heap;
    pay_heap_t     *args;                /* until its operation's row came */
    pay_flow_t      core;
    pay_effect_t    effect;
    int             ended;
    sim_reply_pt    replied;             /* or NULL: nobody waits */
    void           *data;
    sim_flow_t     *next;
};

typedef struct {
    unsigned   life;                     /* counts crashes */
    int        up;
    int64_t    paused_until;
    int64_t    clock_off;
    pay_str_t  owner;
} sim_worker_t;

/* A call that left, or may have left, for a PSP. */
typedef struct sim_sent_s  sim_sent_t;

struct sim_sent_s {
    sim_flow_t   *flow;
    sim_psp_t    *psp;
    pay_call_t    call;
    pay_str_t     method;
    pay_str_t     path;                  /* behind base_url */
    pay_str_t     body;
    pay_str_t     key;
    int64_t       at;
    int64_t       deadline;
    int           changes;               /* is journaled */
    int           over;                  /* an end is under way or was heard */
    int           nothing_happened;      /* says the PSP, and so it is */
    int           definite;              /* its end will say: nothing came
                                            of it */
    int                heard;
    int                is_copy;
    unsigned           unheard;          /* copies before the one answered */
    pay_http_answer_t  answer;
    sim_sent_t        *next;
};

typedef struct sim_hook_s  sim_hook_t;

/* Money and promises as the model PSP keeps them. */
struct sim_reg_s {
    sim_psp_t    *psp;
    pay_str_t     token, nonce, reference, amount, currency, payment_id;
    const char   *status;
    const char   *code;
    int64_t       expires_at;            /* as we were told */
    int64_t       close_at;              /* INT64_MAX: must be told */
    unsigned      payments;
    sim_hook_t   *second;                /* the page took money twice */
    pay_str_t     second_id;
    int64_t       total;                 /* minor units, as the rest */
    int           is_manual;             /* held first, captured by calls */
    int64_t       held;                  /* of what is authorised */
    int64_t       capturing;             /*   of that, is on its way */
    int64_t       captured;
    int64_t       refunding;             /* on its way back to the buyer */
    int64_t       refunded;
    int64_t       disputed;              /* open, or lost */
    int           is_late;               /* paid after expires_at */
    int           was_final;             /* so the gateway may have stopped
                                            asking */
    sim_reg_t    *next;
};

/* What the PSP has done, or is about to do, to a registration's money. */
typedef struct sim_move_s  sim_move_t;

typedef enum {
    SIM_CAPTURE = 0, SIM_CANCEL, SIM_REFUND, SIM_DISPUTE
} sim_move_kind_t;

typedef enum {
    SIM_MOVE_OPEN = 0, SIM_MOVE_DONE, SIM_MOVE_FAILED,
    SIM_MOVE_RETURNED          /* done, and taken back: a refund's money, or
                                  a dispute that is won */
} sim_move_state_t;

struct sim_move_s {
    sim_t             *sim;
    sim_reg_t         *reg;
    sim_move_kind_t    kind;
    sim_move_state_t   state;
    pay_str_t          id;
    pay_str_t          nonce;            /* empty: nobody has asked us */
    int64_t            minor;
    int                is_final;
    int                is_slow;          /* answered before it is decided */
    sim_move_t        *next;
};

/* What it remembers of an idempotency key. */
typedef struct sim_key_s  sim_key_t;

struct sim_key_s {
    pay_str_t    key;
    pay_str_t    body;
    unsigned     status;
    pay_str_t    answer;
    int          is_over;                /* refused for ever, whatever body */
    int64_t      made_at;
    sim_key_t   *next;
};

struct sim_hook_s {
    sim_reg_t    *reg;
    pay_str_t     id;
    pay_str_t     body;
    const char   *type;
    int64_t       at;
    unsigned      tries;
    int           settled;
    int           is_gone;               /* is never delivered */
    sim_hook_t   *next;
};

struct sim_psp_s {
    unsigned      index;
    int           captures;              /* buyers approve, we take */
    int           lingers;
    int64_t       close_lag;
    int64_t       down_from, down_until;
    int           goes_mute;             /* some time: it works, and no … */
    int64_t       mute_from, mute_until; /* … answer arrives */
    int64_t       window;
    sim_reg_t    *regs;
    sim_move_t   *moves;                 /* newest first */
    int64_t       fees;                  /* charged so far */
    sim_key_t    *keys;
    sim_hook_t   *hooks;
};

/* What a PSP answers; refused: nothing has come of it. */
typedef struct {
    unsigned   status;
    pay_str_t  body;
    int        refused;
} sim_said_t;

/* A checkout as its storefront sees it. */
struct sim_post_s {
    unsigned                number;
    pay_str_t               key, body, other_body;
    pay_str_t               checkout_id;
    pay_str_t               orders[3];
    unsigned                order_count;
    unsigned                credits[3];  /* what their sellers are owed in */
    int64_t                 expires_in_s;
    int64_t                 stop_at;     /* tries no more */
    unsigned                tries;
    unsigned                looks;
    int                     answered;    /* the shop is content */
    int                     accepted;    /* by 2xx: 1 the body, 2 the other */
    pay_str_t               redirect;    /* of the first 201 that had one */
    int                     bought;      /* the buyer is on the way */
    int64_t                 minor;       /* of each order */
    int                     is_manual;   /* captured by calls */
    sim_buyer_kind_t        buyer;
    const sim_post_t       *replaces;    /* or NULL */
    const sim_post_t       *first;       /* of this purchase; it may be it */
    sim_looked_t           *looked;      /* by risk, or NULL */
    sim_post_t             *next;
};

/* A rate has 18 decimals. */
__extension__ typedef __int128  sim_wide_t;

#define SIM_RATE_ONE  ((sim_wide_t) INT64_C(1000000000000000000))

typedef struct {
    const char  *code;
    unsigned     decimals;
    int64_t      about;                  /* millionths for one euro */
} sim_currency_t;

/* The buyer's is the first. */
extern const sim_currency_t  sim_currencies[SIM_CURRENCIES];

/* A source of rates, and what was stored of it. */
typedef struct {
    const pay_rate_source_t  *rates;
    unsigned                  base;
    int64_t                   fetched_at;     /* 0: never */
    int64_t                   said[SIM_CURRENCIES];   /* millionths */
} sim_source_t;

/* A converted order as it must be booked. */
typedef struct sim_credit_s  sim_credit_t;

struct sim_credit_s {
    pay_str_t      order;
    unsigned       currency;
    sim_wide_t     rate;
    int64_t        minor;
    int64_t        until;
    int            booked;
    sim_credit_t  *next;
};

/* Where the worker of a pay-out may die. */
typedef enum {
    SIM_STEP_ASKS = 0,         /* begin_payout_call is under way */
    SIM_STEP_CLAIMED,          /* and committed; nobody has heard of it */
    SIM_STEP_CALLS,            /* no byte has left */
    SIM_STEP_CALLED,
    SIM_STEP_TAKEN,            /* the provider has it */
    SIM_STEP_ANSWERED,         /* end_payout_call is under way */
    SIM_STEP_ENDED,
    SIM_STEP_MESSAGE,          /* tell_payout_event is under way */
    SIM_STEP_TOLD,
    SIM_STEP_REQUEST,          /* of an operator, or a schedule is due */
    SIM_STEP_DONE,
    SIM_STEPS
} sim_step_t;

typedef struct {
    uint64_t  scenarios, steps, operations, batches, calls, crashes, pauses;
    uint64_t  lost_commits, webhooks, forged, twice, jobs, violations;
    uint64_t  changes, moves;          /* asked for; made at PSPs */
    uint64_t  judged, converted;       /* books, after an operation; orders */
    uint64_t  closing, replaced;       /* pages: to be; for good */
    uint64_t  files, rows, imports;    /* of settlement; by hand */
    uint64_t  paid_out;                /* payments of the model providers */
    uint64_t  payers, items;           /* scenarios with pay-outs; items */
    uint64_t  expired;                 /* look-ups behind a key's window */
    uint64_t  came_back;               /* payments, of which so many … */
    uint64_t  silent;                  /* … without a message */
    uint64_t  payout_crashes[SIM_STEPS];
    uint64_t  receivers;               /* scenarios with them */
    uint64_t  published, messages;     /* operations; what they have told */
    uint64_t  letters, heard, again;   /* sent; taken, of which so many twice */
    uint64_t  refused;                 /* by receivers, for their signature */
    uint64_t  held, torn, letter_crashes;
    uint64_t  read, reread;            /* by the reader; more than once */
    uint64_t  looked, risks;           /* creates; scenarios with risk */
    uint64_t  holds, held_captures;    /* for reviews; at PSPs */
    uint64_t  questions, no_words, scored;
    uint64_t  words[PAY_RISK_ACTIONS]; /* new checkouts by decision */
    uint64_t  card_holds, card_voids;
    uint64_t  taken_back;              /* creates */
    uint64_t  celled, moves_done, moves_back, movers_killed, cancelled;
    uint64_t  begun_old, begun_new;    /* accepted, by cell */
    uint64_t  holds_open, holds_fenced, letters_forged, carried;
} sim_figures_t;

typedef struct sim_db_s      sim_db_t;
typedef struct sim_cells_s   sim_cells_t;
typedef struct sim_settle_s  sim_settle_t;
typedef struct sim_payouts_s  sim_payouts_t;
typedef struct sim_receivers_s  sim_receivers_t;
typedef struct sim_risk_s    sim_risk_t;

/* When the jobs of a cell are due. */
typedef struct {
    int64_t  pump_at;
    int64_t  due;                        /* the next one, as last seen */
} sim_due_t;

struct sim_s {
    uint64_t               seed, scenario;
    uint64_t               randoms[SIM_STREAMS];
    sim_stream_t           stream;       /* that is drawn from now */
    uint64_t               payouts_in;   /* one of so many scenarios */
    uint64_t               receivers_in;
    uint64_t               risks_in;
    uint64_t               cells_in;
    unsigned               steers;       /* bits of sim_steer_t */
    int                    trace;
    int64_t                now;          /* microseconds since 1970 */
    int64_t                started;
    int64_t                heal_at;
    int                    healed;
    int64_t                db_off;
    sim_db_t              *db;           /* dbs[cell] */
    sim_db_t              *dbs[SIM_CELLS];
    unsigned               cell;         /* that the present step is about */
    sim_due_t              dues[SIM_CELLS];
    pay_heap_t            *heap;
    sim_event_t           *events;
    size_t                 event_count, event_size;
    size_t                 queued[SIM_STREAMS];    /* of them */
    uint64_t               digest;
    uint64_t               steps;
    sim_faults_t           faults;
    pay_env_t              env;
    pay_psp_conf_t         psps[SIM_PSPS];
    const pay_psp_conf_t  *offered[SIM_PSPS];
    pay_psp_adapter_t      adapters[SIM_PSPS];
    pay_merchant_t         merchant;
    pay_secret_t           webhook_key;
    int                    keeps_clock;  /* no clock jumps in this scenario */
    int                    comes_late;   /* so do all buyers in this one */
    int                    sells;        /* buyers pay, and faults last */
    int                    backfills;    /* PSPs are asked for their lists */
    int                    replaces;     /* storefronts start anew */
    unsigned               post_count;
    sim_psp_t              books[SIM_PSPS];
    sim_worker_t           workers[SIM_WORKERS];
    sim_flow_t            *flows;
    unsigned               flow_count;
    sim_call_t            *waiting;
    sim_sent_t            *sent;
    sim_post_t            *posts;
    unsigned               source_count; /* 0: nothing is converted */
    pay_rate_source_t      rate_sources[SIM_SOURCES];
    sim_source_t           sources[SIM_SOURCES];
    sim_credit_t          *credits;
    sim_settle_t          *settle;       /* NULL: PSPs make no files */
    sim_payouts_t         *payouts;      /* NULL: nobody is paid out */
    sim_receivers_t       *receivers;    /* NULL: nobody hears of events */
    sim_risk_t            *risk;         /* NULL: nothing is looked at */
    sim_cells_t           *cells;        /* NULL: all is in one */
    unsigned               dirty;        /* cells whose jobs may have moved */
    size_t                 rounds;       /* events that come round anyway */
    unsigned               violations;   /* of this scenario */
    unsigned               names;        /* for ids */
    sim_figures_t          figures;      /* of the run */
};


/* sim.c */
uint64_t sim_random(sim_t *sim);
/* What is drawn and put into the queue from now on is of this stream; returns
 * the one before. */
sim_stream_t sim_stream(sim_t *sim, sim_stream_t stream);
uint64_t sim_below(sim_t *sim, uint64_t n);
int64_t sim_between(sim_t *sim, int64_t from, int64_t to);
/* 1 in `permille` of a thousand cases; never after the healing. */
int sim_fault(sim_t *sim, unsigned permille);
int sim_chance(sim_t *sim, unsigned permille);
void sim_at(sim_t *sim, int64_t at, sim_event_pt run, void *data);
void sim_after(sim_t *sim, int64_t delay, sim_event_pt run, void *data);
/* 1 when an event was run. */
int sim_step(sim_t *sim);
void *sim_alloc(sim_t *sim, size_t size);
pay_str_t sim_format(sim_t *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
pay_str_t sim_dup(sim_t *sim, pay_str_t from);
/* NUL-terminated copy. */
const char *sim_text(sim_t *sim, pay_str_t from);
/* Of PAY_SHA256_SIZE bytes. */
const char *sim_hex(sim_t *sim, const unsigned char *digest);
/* Where `part` begins; NULL: it is not there. */
const char *sim_find(pay_str_t text, const char *part);
void sim_say(sim_t *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_violation(sim_t *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_digest(sim_t *sim, const char *text, size_t len);
_Noreturn void sim_die(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* plan.c: fills faults, env, workers, actors. */
void sim_plan(sim_t *sim);

/* steer.c: bits of the kinds that these words name, with commas between */
unsigned sim_steer(const char *words);
int sim_steered(const sim_t *sim, sim_steer_t kind);

/* db.c */
sim_db_t *sim_db_open(const char *host, const char *clock_file);
void sim_db_close(sim_db_t *db);
/* Another database of the same cluster, not made yet; it is closed before the
 * first one. */
sim_db_t *sim_db_add(const sim_db_t *first, unsigned cell);
/* A fresh database, a copy of the migrated one. */
void sim_db_renew(sim_db_t *db);
void sim_db_leave(sim_db_t *db);
int sim_db_is_made(const sim_db_t *db);
/* Everybody's clock there says so from now on. */
void sim_db_clock(sim_db_t *db, int64_t now);
/* Runs the calls of one operation as one batch: fills result or failure. */
void sim_db_run(sim_t *sim, sim_call_t **calls, unsigned count,
    sim_run_t how);
/* As sim_db_run(), and it is not committed before sim_db_end(): until then only
 * explain_begin runs there. */
void sim_db_hold(sim_t *sim, sim_call_t **calls, unsigned count);
void sim_db_end(sim_db_t *db, int is_committed);
/* A call of a worker's beside a batch that is not committed: the first cell. */
const char *sim_db_beside(sim_db_t *db, const char *sql, unsigned count, ...);
/* PostgreSQL's random() goes on from here. */
void sim_db_seed(sim_db_t *db, uint64_t seed);
/* Rows of a question of the judge's, beside the gateway.  The result stays
 * until the next question. */
typedef struct {
    int  rows, columns;
} sim_rows_t;
sim_rows_t sim_db_ask(sim_db_t *db, const char *sql, unsigned count, ...);
/* Microseconds of PostgreSQL's clock, when the next job is due, or "". */
const char *sim_db_due(sim_db_t *db);
const char *sim_db_cell(sim_db_t *db, int row, int column);
/* One call as payctl makes it: the first cell of its only row, the others by
 * sim_db_said(); NULL: it fails, sim_db_error() has the SQLSTATE. */
const char *sim_db_operate(sim_db_t *db, const char *sql, unsigned count,
    ...);
const char *sim_db_said(sim_db_t *db, int column);
const char *sim_db_error(sim_db_t *db);
const char *sim_db_why(sim_db_t *db);
/* Its PGconn. */
void *sim_db_operator(sim_db_t *db);
/* Unlogged tables are empty. */
void sim_db_crash(sim_db_t *db);

/* cells.c, of which the rest is in cells.h.  Not by chance, so that the other
 * scenarios depend on no draw. */
int sim_has_cells(const sim_t *sim);

/* world.c */
void sim_call(sim_t *sim, sim_call_t *call);
/* They are committed. */
void sim_calls_done(sim_t *sim, sim_call_t **calls, unsigned count);
sim_flow_t *sim_flow_new(sim_t *sim, unsigned worker, sim_reply_pt replied,
    void *data);
void sim_flow_start(sim_flow_t *flow);
void sim_flow_event(sim_flow_t *flow, pay_input_t *input);
/* A worker that takes a new request; 0: none does. */
int sim_worker_pick(sim_t *sim, unsigned *worker);
int64_t sim_worker_now_s(sim_t *sim, unsigned worker);
void sim_worker_kill(sim_t *sim, void *worker);
void sim_worker_pause(sim_t *sim, void *worker);
void sim_heal(sim_t *sim, void *unused);

/* jobs.c */
/* Sees to it that jobs are claimed when they are due. */
void sim_pump(sim_t *sim);
void sim_backfill(sim_t *sim, sim_psp_t *psp);
void sim_sweep(sim_t *sim, void *unused);

/* net.c */
void sim_send(sim_flow_t *flow);

/* psp.c */
void sim_psp_take(sim_t *sim, sim_sent_t *sent, pay_http_answer_t *answer);
void sim_psp_settle(sim_t *sim, sim_reg_t *reg, const char *status,
    const char *code);
/* A payment that is under way gets its end. */
void sim_psp_clear(sim_t *sim, sim_reg_t *reg);
sim_reg_t *sim_psp_reg(sim_t *sim, pay_str_t token);
int sim_psp_is_open(sim_t *sim, sim_reg_t *reg);
sim_said_t sim_psp_refuse(sim_t *sim, unsigned status, const char *code);
/* Faults of any model that is called, drawn from the seed: it has no time, and
 * nothing has happened; it answers 500 to 504. */
int sim_psp_is_busy(sim_t *sim, sim_sent_t *sent, pay_http_answer_t *answer);
int sim_psp_is_broken(sim_t *sim, pay_http_answer_t *answer);

/* money.c */
pay_str_t sim_amount(sim_t *sim, int64_t minor);
int64_t sim_minor(pay_str_t amount);
/* A change that is not a repeat. */
sim_said_t sim_money_take(sim_t *sim, sim_sent_t *sent, sim_reg_t *reg,
    pay_str_t verb);
/* The buyer is done: the money is there, or held. */
void sim_money_paid(sim_t *sim, sim_reg_t *reg);
/* Ours of this nonce, or NULL. */
sim_move_t *sim_money_find(sim_psp_t *psp, pay_str_t nonce);
/* nonce: empty, nobody has asked us */
sim_move_t *sim_money_add(sim_t *sim, sim_reg_t *reg, sim_move_kind_t kind,
    pay_str_t nonce, int64_t minor);
void sim_money_refund_ends(sim_t *sim, void *move);
/* Nothing more of it is captured. */
void sim_money_release(sim_t *sim, sim_reg_t *reg);

/* bank.c: what others may do to money from now on. */
void sim_bank_taken(sim_t *sim, sim_reg_t *reg);
void sim_bank_capture(sim_t *sim, const sim_move_t *move, int failed);
/* must_come: it can be learned in no other way, but from a list. */
void sim_bank_tell(sim_t *sim, const sim_move_t *move, const char *type,
    int must_come);

/* hook.c */
void sim_hook_add(sim_t *sim, sim_reg_t *reg, const char *type);
/* data: members that follow the registration's names; must_come: it can be
 * learned in no other way, but from a list. */
void sim_hook_tell(sim_t *sim, sim_reg_t *reg, const char *type,
    pay_str_t data, int must_come);
void sim_hook_again(sim_t *sim);
pay_str_t sim_hook_json(sim_t *sim, const sim_hook_t *hook);

/* payout.c, payer.c and paid.c */
/* Whether sellers are paid out in this scenario; not by chance, so that the
 * others depend on no draw. */
int sim_pays_out(const sim_t *sim);
void sim_payouts_plan(sim_t *sim);
sim_psp_t *sim_payouts_psp(sim_t *sim, const pay_payout_provider_t *provider);
void sim_payer_take(sim_t *sim, sim_sent_t *sent, pay_http_answer_t *answer);
void sim_judge_payout_call(sim_t *sim, const sim_sent_t *sent);
void sim_judge_payouts(sim_t *sim);
/* Behind an operation: lines, items and the ledger as they are now. */
void sim_judge_items(sim_t *sim);
/* At times the worker is killed here. */
void sim_payout_step(sim_t *sim, unsigned worker, sim_step_t step);
/* The steps before and behind an operation; SIM_STEPS: none. */
sim_step_t sim_payout_before(const sim_call_t *call);
sim_step_t sim_payout_behind(const sim_call_t *call);

/* receivers.c, publish.c, deliver.c and heard.c */
int sim_has_receivers(const sim_t *sim);
void sim_receivers_plan(sim_t *sim);
/* At times the worker is killed here. */
void sim_receivers_step(sim_t *sim, unsigned worker, pay_op_id_t op);
sim_run_t sim_receivers_before(sim_t *sim, pay_op_id_t op);
/* In the middle of SIM_RUN_HELD. */
void sim_receivers_beside(sim_t *sim);
void sim_receivers_behind(sim_t *sim, const sim_call_t *call);
/* Nothing else moves any more: 1 when something is still to be told. */
int sim_receivers_more(sim_t *sim);
void sim_letter_send(sim_flow_t *flow);
void sim_judge_receivers(sim_t *sim);
/* Endpoints of this scenario hear nothing of the next one. */
void sim_receivers_end(sim_t *sim);

/* card.c: the member risk of an event, with a comma in front; empty: none. */
pay_str_t sim_card_member(sim_t *sim, const sim_reg_t *reg, const char *type);

/* risk.c and decided.c */
int sim_has_risk(const sim_t *sim);
void sim_risk_plan(sim_t *sim);
void sim_risk_lists(sim_t *sim);
/* Members of buyer_info, drawn at first. */
pay_str_t sim_risk_buyer(sim_t *sim, sim_post_t *post);
/* PAY_DO_COUNT; and what an effect takes back. */
void sim_risk_count(sim_flow_t *flow);
void sim_risk_take(sim_flow_t *flow);
/* A live flow hears the end of begin_payment. */
void sim_risk_heard(sim_flow_t *flow, const pay_input_t *input);
/* PAY_CALL_RISK */
void sim_provider_send(sim_flow_t *flow);
/* Behind a sweep (review: NULL), or the end of this review. */
void sim_judge_review(sim_t *sim, const char *review);
/* Behind begin_payment, before a call leaves, and at the end. */
void sim_judge_decided(sim_t *sim, sim_call_t **calls, unsigned count);
void sim_judge_sent(sim_t *sim, const sim_sent_t *sent);
void sim_judge_risk(sim_t *sim);

/* shop.c, after.c and buyer.c */
void sim_shop_open(sim_t *sim, sim_post_t *post, int64_t at);
/* The storefront of this create repeats it soon, although it has heard
 * nothing. */
void sim_shop_repeats(sim_flow_t *flow, int64_t within);
/* A UUID of chance, on the scenario's heap. */
pay_str_t sim_uuid(sim_t *sim);
/* The storefront has sold, as far as it knows. */
void sim_after_sale(sim_t *sim, sim_post_t *post);
void sim_buyer_send(sim_t *sim, sim_post_t *post);

/* replace.c */
int64_t sim_replace_at(sim_t *sim, int64_t at);
/* Behind a registration that the PSP has made. */
void sim_judge_beside(sim_t *sim, const sim_reg_t *reg);
void sim_judge_purchases(sim_t *sim);

/* rates.c */
void sim_rates_plan(sim_t *sim);
/* PAY_DO_RATES */
void sim_rates_get(sim_flow_t *flow);
void sim_rates_stored(sim_t *sim, const sim_call_t *call);
sim_wide_t sim_rates_median(const sim_t *sim, unsigned currency, int64_t age);
int64_t sim_rates_convert(int64_t minor, unsigned currency, sim_wide_t rate);
sim_wide_t sim_half_even(sim_wide_t n, sim_wide_t d);

/* fee.c */
void sim_fee_plan(sim_t *sim);
pay_str_t sim_fee_member(sim_t *sim, int64_t minor);
const char *sim_fee_method(const sim_t *sim, int64_t minor);

/* settle.c */
void sim_settle_plan(sim_t *sim);
/* kind: a literal, as docs/settlement-files.md has it; minor: into the
 * balance */
void sim_settle_line(sim_t *sim, sim_reg_t *reg, const char *kind,
    pay_str_t object, int64_t minor);
/* PAY_DO_FILE */
void sim_file_do(sim_flow_t *flow);
/* All is quiet: the last files. */
void sim_settle_last(sim_t *sim);
/* settled.c */
void sim_judge_settled(sim_t *sim);
int64_t sim_settled_fees(const sim_t *sim, const sim_psp_t *psp);

/* judge.c */
void sim_judge_call(sim_t *sim, const sim_sent_t *sent);
void sim_judge_reply(sim_flow_t *flow, const pay_reply_t *reply);
void sim_judge_webhook(sim_t *sim, const sim_hook_t *hook);
/* Opens what was given up again, as people would; 1 when there was any. */
int sim_judge_requeue(sim_t *sim);
void sim_judge_end(sim_t *sim);
void sim_judge_checks(sim_t *sim);
/* step.c: calls of one operation that were committed together; the books as
 * they are now. */
void sim_judge_step(sim_t *sim, sim_call_t **calls, unsigned count);
void sim_judge_now(sim_t *sim);
/* books.c */
void sim_judge_money(sim_t *sim);
/* Whether operators know that something about it is not known. */
int sim_reg_is_open(sim_t *sim, const sim_reg_t *reg);
/* credit.c: how converted orders stand now, if they have just been sold by
 * the rates of now; and what refunds and disputes took of them. */
void sim_judge_credits(sim_t *sim);
void sim_judge_shares(sim_t *sim);


#endif /* SIM_H */
