/*
 * The contents of the shared zone.  ngx_payments_shm.c owns the buckets,
 * ngx_payments_count*.c write the counters, ngx_http_payments_metrics.c and
 * ngx_http_payments_node.c read them, ngx_payments_health.c owns the health;
 * nobody else includes this.
 */

#ifndef NGX_PAYMENTS_ZONE_H
#define NGX_PAYMENTS_ZONE_H

#include "shm/ngx_payments_calls.h"
#include "shm/ngx_payments_count_cell.h"
#include "shm/ngx_payments_count_replica.h"
#include "shm/ngx_payments_exemplar.h"
#include "shm/ngx_payments_labels.h"
#include "shm/ngx_payments_shm.h"

#include "pay_op.h"


#define NGX_PAYMENTS_WORKERS    256
#define NGX_PAYMENTS_PSP_NAME   64
#define NGX_PAYMENTS_PSP_SLOTS  512              /* a quarter stays empty */
#define NGX_PAYMENTS_ISSUER     128              /* of a certificate */
#define NGX_PAYMENTS_QUESTIONS  2048
#define NGX_PAYMENTS_RATES      16               /* sources, over reloads */
#define NGX_PAYMENTS_SOURCES    32               /* of settlement files, over
                                                    reloads */
#define NGX_PAYMENTS_RISK_RESULTS 15             /* ends of questions */
#define NGX_PAYMENTS_TUPLE_VALUES 3
#define NGX_PAYMENTS_TUPLE_NAME 160              /* bytes of its values, each
                                                    with a NUL behind it */
#define NGX_PAYMENTS_KEYS       128              /* of merchants that have
                                                    signed, over reloads */
#define NGX_PAYMENTS_WEBHOOK_KEYS 512            /* the same of PSPs */
#define NGX_PAYMENTS_ORDERS     128              /* kinds of orders, and of
                                                    declines */
#define NGX_PAYMENTS_CURRENCIES 200              /* places in the table of
                                                    pay_money.h */


/* Not cumulative here; the last slot holds what is above all bounds. */
typedef struct {
    ngx_atomic_t                count[NGX_PAYMENTS_LES + 1];
    ngx_atomic_t                sum_ms;
} ngx_payments_histogram_t;


/* A slot of ngx_payments_tuple.c: numbers with names for labels. */
typedef struct {
    size_t                      len;
    u_char                      name[NGX_PAYMENTS_TUPLE_NAME];
    ngx_atomic_t                n[NGX_PAYMENTS_STATES - 1];
} ngx_payments_tuple_t;


/* Gauges are kept per process, so that a killed worker's share goes away
 * with it.  A slot belongs to `pid`, 0: to nobody. */
struct ngx_payments_gauges_s {
    ngx_atomic_t                pid;
    ngx_atomic_t                flows;
    ngx_atomic_t                connections[NGX_PAYMENTS_CELLS_MAX];
};


/* PSPs are found by name: a reload may renumber them.  Made when first
 * counted and never given back, so that no counter ever runs backwards. */
struct ngx_payments_psp_stat_s {
    size_t                      len;
    u_char                      name[NGX_PAYMENTS_PSP_NAME];
    ngx_atomic_t                calls[PAY_CALL_COUNT]
                                     [NGX_PAYMENTS_RESULTS];
    ngx_payments_histogram_t    duration;
    ngx_payments_exemplar_t     seen[NGX_PAYMENTS_LES + 1];
    ngx_atomic_t                webhooks[NGX_PAYMENTS_OUTCOMES];
    ngx_atomic_t                webhook_at;      /* ngx_time() of the last one
                                                    that was its own; 0: none */
    ngx_atomic_t                quarantined[NGX_PAYMENTS_REASONS];
    ngx_atomic_t                backfill_listed;
    ngx_atomic_t                backfill_missed;
    ngx_atomic_t                cert_at;         /* ngx_time() of the last look
                                                    at its certificate */
    ngx_atomic_t                cert_end;        /* as ngx_time(); 0: none */
    ngx_atomic_t                issuer_len;
    u_char                      issuer[NGX_PAYMENTS_ISSUER];
};


/* The figures of the last sweep on any host. */
typedef struct {
    ngx_atomic_t                at;              /* ngx_time(); 0: never */
    ngx_atomic_t                letters[NGX_PAYMENTS_LETTERS];
    ngx_atomic_t                unknown;
    ngx_atomic_t                parked;
    ngx_atomic_t                overdue_s;
    ngx_atomic_t                risk_modes;      /* merchants that have one */
    ngx_atomic_t                differences;     /* of the books */
    ngx_atomic_t                reviews_open;    /* of risk */
    ngx_atomic_t                reviews_escalated;
    ngx_atomic_t                reviews_overdue; /* of both */
    ngx_atomic_t                reviews_oldest_s;
    ngx_atomic_t                captures_asked;  /* of approved ones */
    ngx_atomic_t                captures_failed;
} ngx_payments_sweep_t;


/* Sources of rates are found by name, as PSPs are. */
typedef struct {
    size_t                      len;             /* 0: of none */
    u_char                      name[NGX_PAYMENTS_PSP_NAME];
    ngx_atomic_t                from;            /* ngx_time() of its rates; 0:
                                                    it has none */
    ngx_atomic_t                failures;
} ngx_payments_rates_stat_t;


/* External providers of risk are found by name, too. */
typedef struct {
    size_t                      len;             /* 0: of none */
    u_char                      name[PAY_RISK_NAME_MAX];
    ngx_atomic_t                results[NGX_PAYMENTS_RISK_RESULTS];
    ngx_payments_histogram_t    duration;
} ngx_payments_risk_provider_stat_t;


/* Sources of settlement files are found by name, too. */
typedef struct {
    size_t                      len;             /* 0: of none */
    u_char                      name[NGX_PAYMENTS_PSP_NAME];
    ngx_atomic_t                files[NGX_PAYMENTS_FILES];
    ngx_atomic_t                failures;        /* of looks */
    ngx_atomic_t                rows[NGX_PAYMENTS_ROWS];
    ngx_atomic_t                file_at;         /* the last one was booked;
                                                    0: not known */
    ngx_atomic_t                balance_at;      /* its PSP's balance was last
                                                    compared; 0: never */
} ngx_payments_source_stat_t;


/* The figures of the last round of settlement on any host.  Times are of
 * ngx_time(), 0: none. */
typedef struct {
    ngx_atomic_t                at;              /* of that round */
    ngx_atomic_t                unexplained[NGX_PAYMENTS_CLASSES];
    ngx_atomic_t                unexplained_at[NGX_PAYMENTS_CLASSES];
    ngx_atomic_t                overdue;
    ngx_atomic_t                differ;          /* balances of PSPs */
    ngx_atomic_t                expected_at;
    ngx_atomic_t                unfinished_at;
    ngx_atomic_t                closed_at;
    ngx_atomic_t                closes;          /* signed by this host … */
    ngx_atomic_t                close_failures;  /* … or not */
    ngx_atomic_t                suspense[NGX_PAYMENTS_CURRENCIES];
    ngx_payments_source_stat_t  sources[NGX_PAYMENTS_SOURCES];
} ngx_payments_settled_t;


/* The figures of the last round of pay-outs on any host.  Times are of
 * ngx_time(), 0: none. */
typedef struct {
    ngx_atomic_t                at;              /* of that round */
    ngx_atomic_t                items[NGX_PAYMENTS_PAYOUTS];
    ngx_atomic_t                items_at[NGX_PAYMENTS_PAYOUTS];
    ngx_atomic_t                runs;
    ngx_atomic_t                due_at;
    ngx_atomic_t                open_at;
    ngx_atomic_t                lists_at;
    ngx_atomic_t                waits;           /* for a screening provider */
    ngx_atomic_t                waits_at;
    ngx_atomic_t                unasked_at;
} ngx_payments_payouts_t;


/* The figures of the last round of events for receivers on any host.  Times are
 * of ngx_time(), 0: none. */
typedef struct {
    ngx_atomic_t                at;              /* of that round */
    ngx_atomic_t                untold;
    ngx_atomic_t                untold_at;
    ngx_atomic_t                due;
    ngx_atomic_t                due_at;
    ngx_atomic_t                failing;         /* endpoints … */
    ngx_atomic_t                disabled;        /* … of any merchant */
    ngx_atomic_t                behind;
    ngx_atomic_t                behind_at;
} ngx_payments_events_t;


/* The figures of the last round of roll-ups on any host. */
typedef struct {
    ngx_atomic_t                at;              /* of that round */
    ngx_atomic_t                due;             /* minutes */
    ngx_atomic_t                counted_at;
} ngx_payments_rollups_t;


/* Figures of the event log. */
typedef struct {
    ngx_atomic_t                total;           /* signed by this host */
    ngx_atomic_t                failures;
    ngx_atomic_t                number;          /* the newest known … */
    ngx_atomic_t                at;              /* … 0: none */
} ngx_payments_seals_t;


/* As a histogram, but a stage may take less than a millisecond. */
typedef struct {
    ngx_atomic_t                count[NGX_PAYMENTS_LES + 1];
    ngx_atomic_t                sum_us;
    ngx_atomic_t                timeouts;
    ngx_payments_exemplar_t     seen[NGX_PAYMENTS_LES + 1];
} ngx_payments_stage_stat_t;


/* The work of one worker that is under way (ngx_payments_bulkhead.c): it alone
 * writes here.  Keys are sorted: the classes of work, then digests of the names
 * of merchants. */
typedef struct {
    uint64_t                    key;
    ngx_atomic_t                n;
} ngx_payments_tally_t;

typedef struct {
    ngx_atomic_t                pid;             /* 0: of nobody */
    ngx_uint_t                  count;
    ngx_uint_t                  room;            /* of tallies */
    ngx_payments_tally_t        tallies[];
} ngx_payments_tallies_t;


typedef struct {
    ngx_atomic_t                answers;
    ngx_atomic_t                passed[NGX_PAYMENTS_REPLICA_WHYS];
    ngx_atomic_t                as_of;           /* ngx_current_msec; 0: there
                                                    is none */
} ngx_payments_replica_stat_t;


/* The counters of a cell, which is found by its name, as PSPs are. */
struct ngx_payments_cell_stat_s {
    size_t                      len;
    u_char                      name[NGX_PAYMENTS_CELL_NAME];
    ngx_uint_t                  place;           /* in cells, and in the gauge
                                                    of connections */
    ngx_atomic_t                db_calls[PAY_OP_COUNT][2];  /* ok, failed */
    ngx_atomic_t                db_items[PAY_OP_COUNT];
    ngx_payments_histogram_t    db_duration[PAY_OP_COUNT];
    ngx_atomic_t                refused[NGX_PAYMENTS_WORKS]
                                       [NGX_PAYMENTS_FULLS];
    ngx_atomic_t                db_rejected;
    ngx_atomic_t                db_connects;
    ngx_payments_sweep_t        sweep;
    ngx_payments_tuple_t       *orders[NGX_PAYMENTS_ORDERS];
    ngx_payments_tuple_t       *declines[NGX_PAYMENTS_ORDERS];
    ngx_payments_rates_stat_t   rates[NGX_PAYMENTS_RATES];
    ngx_payments_events_t       events;
    ngx_payments_rollups_t      rollups;
    ngx_payments_seals_t        seals;
    ngx_payments_settled_t      settled;
    ngx_payments_payouts_t      payouts;
    ngx_payments_replica_stat_t  replica;
};


/* All counters of /metrics, of all workers and over reloads.  They are written
 * without a lock: two that belong together may differ by a call that is just
 * being counted. */
struct ngx_payments_counters_s {
    ngx_atomic_t                requests[NGX_PAYMENTS_FLOWS]
                                        [NGX_PAYMENTS_CODES];
    ngx_payments_histogram_t    request_duration[NGX_PAYMENTS_FLOWS];
    ngx_payments_exemplar_t     request_seen[NGX_PAYMENTS_FLOWS]
                                            [NGX_PAYMENTS_LES + 1];
    ngx_atomic_t                card_data;       /* requests refused */
    ngx_atomic_t                limited[2];      /* address, merchant */
    ngx_atomic_t                jobs[NGX_PAYMENTS_JOBS];
    ngx_atomic_t                changes[NGX_PAYMENTS_CHANGES]
                                       [NGX_PAYMENTS_STATES];
    ngx_atomic_t                risk[PAY_RISK_ACTIONS];     /* decisions */
    ngx_payments_risk_provider_stat_t  risk_providers[PAY_RISK_PROVIDERS_MAX];
    ngx_payments_cell_stat_t   *cells[NGX_PAYMENTS_CELLS_MAX];
    ngx_payments_psp_stat_t    *psps[NGX_PAYMENTS_PSP_SLOTS];  /* NULLs among
                                                    them */
    ngx_uint_t                  psp_count;       /* under the pool's mutex */
    ngx_payments_psp_stat_t     other_psp;       /* no place was left */
    ngx_payments_tuple_t       *jwt_keys[NGX_PAYMENTS_KEYS];
    ngx_payments_tuple_t       *webhook_keys[NGX_PAYMENTS_WEBHOOK_KEYS];
    ngx_atomic_t                deliveries[NGX_PAYMENTS_DELIVERIES];
    ngx_payments_histogram_t    delivery_duration;
    ngx_payments_stage_stat_t   stages[PAY_STAGES];
    ngx_payments_gauges_t       gauges[NGX_PAYMENTS_WORKERS];
};


/* When the return of a buyer last asked a PSP about a payment (ms of
 * ngx_current_msec), and how often it has; a hash and a count of 0 are free. */
typedef struct {
    uint64_t                    asked_ms;
    uint32_t                    hash;            /* of the call's URL */
    uint32_t                    count;
} ngx_payments_question_t;


/* The root of the zone: made once, when the zone is new, and kept over reloads
 * as long as the size stays. */
struct ngx_payments_shctx_s {
    ngx_rbtree_t                tree;            /* buckets, by hash and key */
    ngx_rbtree_node_t           sentinel;
    ngx_queue_t                 lru;             /* the latest used first */
    ngx_atomic_t                changing;        /* the two above are not
                                                    in step */
    ngx_payments_counters_t     counters;
    ngx_payments_healths_t      healths;         /* under the pool's mutex */
    ngx_payments_tallies_t     *tallies[NGX_PAYMENTS_WORKERS];
    ngx_atomic_t                tallies_end;     /* never given back */
    ngx_payments_question_t     questions[NGX_PAYMENTS_QUESTIONS];  /* under the
                                                    pool's mutex */
};


#endif /* NGX_PAYMENTS_ZONE_H */
