/*
 * Flows: the work of the gateway for one request or one job, as a chain of
 * steps.  A step gets an input and names the next effect; the caller (the nginx
 * glue, the simulator, a unit test) carries the effect out and comes back with
 * the next input.  A flow never waits, never does I/O, never reads a clock.
 */

#ifndef PAY_FLOW_H
#define PAY_FLOW_H

#include "pay_advice.h"
#include "pay_breaker.h"
#include "pay_change.h"
#include "pay_endpoint_api.h"
#include "pay_keyring.h"
#include "pay_payment.h"
#include "pay_payout.h"
#include "pay_problem.h"
#include "pay_psp.h"
#include "pay_retry.h"
#include "pay_risk.h"
#include "pay_risk_provider.h"
#include "pay_risk_api.h"
#include "pay_seller.h"
#include "pay_finance.h"
#include "pay_payout_api.h"
#include "pay_page.h"
#include "pay_sig.h"


/* Kinds of work that are tried again, each with a pay_retry_t of its own. */
typedef enum {
    PAY_RETRY_REGISTER = 0,    /* a registration without a token */
    PAY_RETRY_POLL,            /* the next look at a pending payment; the limit
                                  counts looks that had no answer */
    PAY_RETRY_REFUND,          /* a late payment that is paid back */
    PAY_RETRY_COUNT
} pay_retry_what_t;

/* The merchant's rule for payments that are proved behind the expiry. */
typedef enum {
    PAY_LATE_ACCEPT = 0,       /* it is a sale */
    PAY_LATE_HOLD,             /* an operator decides */
    PAY_LATE_REFUND,           /* it is paid back */
    PAY_LATE_COUNT
} pay_late_t;

/* Configuration, read-only for the life of the process. */
typedef struct {
    pay_str_t                 name;
    const pay_psp_adapter_t  *adapter;
    pay_psp_account_t         account;
    const pay_str_t          *hosted_hosts;
    size_t                    hosted_host_count;
    const pay_sig_scheme_t   *scheme;
    const pay_secret_t       *webhook_keys;
    size_t                    webhook_key_count;
    int64_t                   webhook_tolerance_s;
    pay_sig_settings_t        settings;
    int64_t                   cost_ppm;      /* of an amount, for the score */
    int64_t                   cost_fixed_minor;
    pay_retry_t               retry[PAY_RETRY_COUNT];
    int64_t                   backfill_ms;   /* between looks at its list of
                                                events, 0: never */
    int64_t                   last_look_s;   /* from our calling a checkout
                                                expired to the last question
                                                about it, 0: there is none */
    unsigned                  index;         /* in pay_env_t.psps */
    unsigned                  cell;          /* index of the database of its
                                                events */
} pay_psp_conf_t;


#define PAY_ROUTE_PSPS_MAX   8
#define PAY_ROUTE_WORDS_MAX  32

typedef enum {
    PAY_ROUTE_ORDER = 0,       /* in the sequence of the directive */
    PAY_ROUTE_WEIGHT,          /* a draw by weight; the others follow in order
                                  of weight */
    PAY_ROUTE_SCORE,           /* the best score first */
    PAY_ROUTE_COUNT
} pay_route_by_t;

typedef struct {
    const pay_psp_conf_t  *psp;
    unsigned               weight;           /* 1 unless said, <= 1000 */
} pay_route_target_t;

/* One `route` of a payments_merchant block: the first that fits is taken. */
typedef struct {
    const pay_str_t           *currencies;   /* none: any */
    size_t                     currency_count;
    const pay_str_t           *countries;    /* of buyer_info.country */
    size_t                     country_count;
    const pay_str_t           *methods;      /* of payment_method */
    size_t                     method_count;
    int                        has_range;    /* then it has one currency */
    int64_t                    min_minor;    /* both included */
    int64_t                    max_minor;
    pay_route_by_t             by;
    pay_route_target_t         targets[PAY_ROUTE_PSPS_MAX];
    unsigned                   target_count;
    unsigned                   explore_ppm;  /* share that explores, BY_SCORE */
    unsigned                   floor_ppm;    /* of each PSP, of all checkouts */
    pay_str_t                  explore_seed; /* of its draws, may be empty */
} pay_route_rule_t;

/* Shares of the score, directive payments_score; any scale. */
typedef struct {
    unsigned  success;
    unsigned  cost;
    unsigned  latency;
    unsigned  load;
} pay_route_weights_t;

typedef struct {
    pay_str_t                 id;
    unsigned                  cell;          /* index of its database … */
    unsigned                  from;          /* … and of that with older ones */
    int                       disabled;
    int                       refuse_overdraw;   /* by a refund */
    const pay_str_t          *return_hosts;
    size_t                    return_host_count;
    const pay_psp_conf_t    **psps;               /* in order of preference */
    size_t                    psp_count;
    const pay_route_rule_t   *rules;
    size_t                    rule_count;
    pay_str_t                 result_key;    /* empty: results are not signed */
} pay_merchant_t;

/* One `payments_rates` of the configuration. */
typedef struct {
    pay_str_t  name;
    pay_str_t  base;           /* a currency's code */
    int64_t    interval_ms;    /* between looks at it */
    int64_t    max_age_ms;     /* how long its rates are good for */
    unsigned   index;          /* in pay_env_t.rates */
} pay_rate_source_t;

#define PAY_RATE_SOURCES_MAX  5

/* How the files of a source of settlement come to the gateway. */
typedef enum {
    PAY_SETTLE_BY_DIR = 0,     /* others put them into a directory */
    PAY_SETTLE_BY_PULL,        /* of the PSP's API */
    PAY_SETTLE_BY_REPORT,      /* a webhook announces each, to be downloaded */
    PAY_SETTLE_WAY_COUNT
} pay_settle_way_t;

/* One `payments_settlement` of the configuration. */
typedef struct {
    pay_str_t              name;
    pay_str_t              format;
    pay_str_t              merchant_id;
    const pay_psp_conf_t  *psp;        /* NULL: a bank */
    pay_str_t              account;    /* the only one in its files, or
                                          empty */
    pay_settle_way_t       way;
    pay_str_t              reports;    /* BY_REPORT: the URL below which they
                                          are, no trailing slash … */
    pay_str_t              report_user;    /* … and NAME:PASSWORD there */
    int64_t                interval_ms;    /* between looks at it */
    const pay_keyring_t   *keyring;    /* seals a copy of each file; NULL: the
                                          digest is kept alone */
    unsigned               index;      /* in pay_env_t.settlements */
} pay_settle_source_t;

#define PAY_SETTLE_SOURCES_MAX  32
#define PAY_SETTLE_URL_MAX      2048   /* bytes of a report's URL */
#define PAY_SETTLE_SEED         32     /* bytes */

/* One `payments_payout` of the configuration: a merchant's account at a pay-out
 * provider. */
typedef struct {
    pay_str_t                    name;
    pay_str_t                    merchant_id;
    const pay_payout_adapter_t  *adapter;
    pay_payout_account_t         account;
    const pay_psp_conf_t        *client;   /* scheme and keys of its webhooks,
                                              and the name in metrics; it has no
                                              adapter */
    int64_t                      lease_ms; /* of a call, from its claim on */
    unsigned                     index;    /* in pay_env_t.payouts */
} pay_payout_provider_t;

#define PAY_PAYOUT_PROVIDERS_MAX  8

/* One `payments_screening` of the configuration: a merchant's account at a
 * provider of sanctions screening. */
typedef struct {
    pay_str_t              name;
    pay_str_t              merchant_id;
    pay_psp_account_t      account;    /* base_url, api_key */
    const pay_psp_conf_t  *client;     /* the name in metrics */
    int64_t                lease_ms;   /* of a question, from its claim on */
    int64_t                retry_s;    /* behind a question, before the next
                                          one about the same account */
    unsigned               index;      /* for the caller */
} pay_screening_provider_t;

/* PSPs are sorted by name and merchants by id, each alone, in the order of
 * pay_str_cmp(): searches go by it. */
typedef struct {
    const pay_psp_conf_t     *psps;
    size_t                    psp_count;
    const pay_merchant_t     *merchants;
    size_t                    merchant_count;
    pay_route_weights_t       weights;
    int64_t                   lease_ms;      /* of a registration attempt */
    int64_t                   poll_after_ms;
    pay_late_t                late;
    const pay_rate_source_t  *rates;
    size_t                    rate_count;
    int64_t                   quote_ttl_s;   /* a quote holds so long; 0: as
                                                SQL has it */
    int64_t                   rate_age_s;    /* the longest max_age; 0: there
                                                is no source of rates */
    const pay_settle_source_t *settlements;
    size_t                    settlement_count;
    const pay_payout_provider_t *payouts;
    size_t                    payout_count;
    const pay_keyring_t      *keyring;       /* NULL: there is none */
    const pay_risk_t         *risk;          /* NULL: nothing is looked at */
    pay_hosts_t               endpoint_hosts;    /* of storefronts */
} pay_env_t;

/* By name; NULL: the configuration has none.  Borrowed: they live as long as
 * the process. */
const pay_psp_conf_t *pay_env_psp(const pay_env_t *env, pay_str_t name);
const pay_merchant_t *pay_env_merchant(const pay_env_t *env, pay_str_t id);
const pay_payout_provider_t *pay_env_payout(const pay_env_t *env,
    pay_str_t name);


typedef enum {
    PAY_INPUT_START = 0,
    PAY_INPUT_ROW,             /* the operation's result for this item */
    PAY_INPUT_DB_FAILED,       /* no row; db_failure says whether there was
                                  an effect */
    PAY_INPUT_HTTP,            /* the PSP call has ended, one way or other */
    PAY_INPUT_FILE,            /* behind PAY_DO_FILE */
    PAY_INPUT_COUNTED          /* behind PAY_DO_COUNT */
} pay_input_kind_t;

/* The end of PAY_DO_FILE; its slices die after the step. */
typedef struct {
    pay_failure_t  failure;    /* PAY_FAILURE_NONE: it was done */
    pay_str_t      name;       /* PAY_FILE_NEXT; empty: there is none */
    pay_str_t      sha256;     /* PAY_FILE_NEXT, PAY_FILE_FETCH: 32 bytes */
    unsigned       status;     /* PAY_FILE_FETCH: of HTTP */
    pay_str_t      bytes;      /* PAY_FILE_READ: a bounded piece */
    int            is_end;     /* PAY_FILE_READ: nothing follows */
    int            is_same;    /* at the end: the bytes have the digest of
                                  PAY_FILE_NEXT or PAY_FILE_FETCH */
} pay_file_t;

typedef enum {
    PAY_DB_OVERLOADED = 0,     /* never queued: without effect */
    PAY_DB_UNAVAILABLE,        /* never sent: without effect */
    PAY_DB_UNKNOWN,            /* sent; the commit may have happened */
    PAY_DB_ERROR               /* PostgreSQL refused it: rolled back */
} pay_db_failure_t;

typedef struct {
    pay_input_kind_t          kind;
    int64_t                   now_s;
    const pay_health_t       *health;        /* by index of PSP; NULL: all
                                                are well */
    pay_result_t              result;        /* of PAY_INPUT_ROW, else no
                                                outcome; its rows die after the
                                                step */
    pay_db_failure_t          db_failure;
    int64_t                   retry_after_s; /* of PAY_DB_OVERLOADED; 0: not
                                                known */
    const pay_http_answer_t  *answer;        /* dies after the step */
    int64_t                   age_ms;        /* of a file that answers */
    const pay_file_t         *file;          /* PAY_INPUT_FILE */
    int                       is_stopping;   /* the process ends soon: long work
                                                is left to another one */
} pay_input_t;


typedef enum {
    PAY_REPLY_JSON = 0,
    PAY_REPLY_TEXT,            /* text/plain */
    PAY_REPLY_CSV,             /* text/csv, to be saved as a file */
    PAY_REPLY_PROBLEM,
    PAY_REPLY_REDIRECT,        /* 303 */
    PAY_REPLY_PAGE,            /* the status page of `checkout` */
    PAY_REPLY_ADVICE           /* the page of `advice` */
} pay_reply_kind_t;

typedef struct {
    pay_reply_kind_t       kind;
    unsigned               status;
    pay_str_t              body;             /* JSON, text or CSV */
    pay_str_t              location;         /* Location, or empty */
    int64_t                retry_after_s;    /* -1: none */
    int64_t                version;          /* ETag; -1: none */
    int                    replayed;
    const pay_problem_t   *problem;
    const char            *detail;
    pay_str_t              pointer;          /* problem: JSON pointer */
    const pay_errors_t    *errors;           /* problem: or all of them */
    pay_str_t              order_url;        /* problem's "existing" */
    const pay_checkout_t  *checkout;         /* page */
    pay_str_t              shop_url;         /* page: way back; empty: its
                                                host is not allowed any more */
    int                    pending;          /* page: keeps asking */
    int                    psp_pending;      /* page: the PSP says that money is
                                                under way */
    pay_str_t              cookie;           /* Set-Cookie, or empty */
    int                    is_personal;      /* JSON with data of a person that
                                                a member of staff sees */
    const pay_advice_t    *advice;
} pay_reply_t;

typedef enum {
    PAY_DO_DONE = 0,
    PAY_DO_DB,
    PAY_DO_HTTP,
    PAY_DO_RATES,              /* the document of a source of rates, by HTTP
                                  or from a file; PAY_INPUT_HTTP follows */
    PAY_DO_FILE,               /* about a file of a source of settlement;
                                  PAY_INPUT_FILE follows */
    PAY_DO_COUNT               /* in the windows of risk in memory;
                                  PAY_INPUT_COUNTED follows at once */
} pay_effect_kind_t;

typedef enum {
    PAY_FILE_NEXT = 0,         /* the oldest that is whole; it is the one that
                                  the others are about */
    PAY_FILE_FETCH,            /* is downloaded as `http` says; the one that
                                  PAY_FILE_READ is about then */
    PAY_FILE_READ,             /* its next bytes, from the first on */
    PAY_FILE_BOOKED,           /* is put where those lie that are booked … */
    PAY_FILE_STAGED,           /* … or wait for other pages of their report … */
    PAY_FILE_REFUSED           /* … or are refused */
} pay_file_do_t;

/* The kinds of calls to a PSP. */
typedef enum {
    PAY_CALL_REGISTER = 0,
    PAY_CALL_FIND,
    PAY_CALL_QUERY,
    PAY_CALL_CAPTURE,
    PAY_CALL_CANCEL,
    PAY_CALL_REFUND,
    PAY_CALL_EXPIRE,
    PAY_CALL_LIST,
    PAY_CALL_CERTIFICATE,      /* http.url alone, of a stranger: kept by URL,
                                  without the PSP's key */
    PAY_CALL_CONFIRM,          /* a webhook's body, back to its sender, at
                                  settings.confirm_url: without a key */
    PAY_CALL_AUTH,             /* the glue's own: an access token */
    PAY_CALL_RATES,            /* the glue's own, of a source of rates */
    PAY_CALL_SETTLEMENT,       /* a page of settlements, or of one's rows */
    PAY_CALL_PAYOUT_SEND,      /* to a pay-out provider: as
                                  pay_payout_call_t, in its order */
    PAY_CALL_PAYOUT_ASK,
    PAY_CALL_PAYOUT_FIND,
    PAY_CALL_PAYOUT_CANCEL,
    PAY_CALL_SCREENING,        /* to a provider of sanctions screening */
    PAY_CALL_RISK,             /* to an external provider of risk */
    PAY_CALL_DELIVERY,         /* a message to an endpoint of a storefront, at
                                  http.url: to no PSP */
    PAY_CALL_COUNT
} pay_call_t;

/* For logs, and the label value in metrics. */
const char *pay_call_name(pay_call_t call);
/* 1 for a call to another server than the API's: it carries no key, none of the
 * API's pins is its own, and it says nothing about the API's health. */
int pay_call_is_aside(pay_call_t call);

/* A step may answer the request and still go on: `reply` is looked at first. */
typedef struct {
    pay_effect_kind_t    kind;
    const pay_reply_t   *reply;              /* NULL: not yet, or never */
    pay_op_id_t          op;                 /* PAY_DO_DB */
    const void          *args;               /* pay_<operation>_in_t; alive
                                                until its row comes */
    const pay_psp_conf_t     *psp;           /* PAY_DO_HTTP, or … */
    const pay_payout_provider_t *payout;     /* … the call goes to that one */
    const pay_screening_provider_t *screening;   /* … or to that one … */
    const pay_risk_provider_t *risk_provider;    /* … or to that one; a
                                                PAY_CALL_DELIVERY to none */
    pay_call_t                call;          /* PAY_DO_HTTP */
    pay_http_request_t        http;
    int                       buyer_waits;   /* PAY_DO_HTTP: short deadline */
    const pay_rate_source_t  *rates;         /* PAY_DO_RATES */
    const pay_settle_source_t *settlement;   /* PAY_DO_FILE */
    pay_file_do_t             file;          /* PAY_DO_FILE */
    pay_risk_counts_t        *counts;        /* PAY_DO_COUNT: filled in */
    const pay_risk_counts_t  *uncounts;      /* of any effect: taken back first;
                                                NULL: none */
} pay_effect_t;


typedef struct pay_flow_s  pay_flow_t;

typedef pay_status_t (*pay_flow_step_pt)(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);

typedef enum {
    PAY_CLOCK_WALL = 0,
    PAY_CLOCK_STEADY           /* without the wall clock's jumps: for flows
                                  that end checkouts */
} pay_clock_t;

/* The counter that the end of a flow goes to, by pay_flow_label(). */
typedef enum {
    PAY_TALLY_NONE = 0,
    PAY_TALLY_WEBHOOKS,
    PAY_TALLY_JOBS
} pay_tally_t;

/* The properties of a kind of flow, for the caller that runs it: one constant
 * each, in the file of the flow. */
typedef struct {
    const char        *name;                 /* for logs only */
    pay_flow_step_pt   start;                /* takes PAY_INPUT_START */
    pay_clock_t        clock;                /* of pay_input_t.now_s */
    int                routes;               /* its first step chooses PSPs:
                                                PAY_STAGE_ROUTING */
    int                needs_health;         /* pay_input_t.health is read */
    pay_tally_t        tally;
    int                is_patient;           /* an operation that had no effect
                                                is asked for again, for a
                                                minute, before the flow hears
                                                of it */
    int                may_be_late;          /* a request's GET, of which
                                                nothing is decided: a replica
                                                may answer its operations */
    void             (*end)(pay_flow_t *flow);   /* frees memory of libraries;
                                                NULL: nothing is */
} pay_flow_type_t;

/* The end of a settlement file, for logs and metrics. */
typedef struct {
    pay_str_t    source;
    int64_t      file_id;
    int64_t      rows;         /* that were read */
    const char  *state;        /* literal: booked, staged, known, refused */
    const char  *why;          /* literal, of a refusal; else NULL */
    int64_t      line;         /* of a refusal, 0: the whole file */
} pay_settled_t;

/* The members that all flows share; the rest of a flow's state is behind
 * `state`. */
struct pay_flow_s {
    const pay_flow_type_t  *type;
    pay_arena_t            *arena;
    pay_arena_t            *scratch;         /* freed after a step, when its
                                                effect has been copied */
    pay_arena_t       *args;                 /* for an operation: gone before
                                                the step that gets its row, */
    int                keeps_args;           /* unless this says: but for the
                                                next operation's */
    const pay_env_t   *env;
    unsigned           cell;                 /* of the next operation */
    pay_flow_step_pt   step;                 /* takes the next event */
    pay_str_t          request_id;
    pay_str_t          trace;                /* traceparent of the payment, or
                                                empty; for logs, too */
    void              *state;
    void              *sub;                  /* of the sub-flow under way */

    /* For logs and variables, filled as they become known. */
    const char        *outcome;              /* literal */
    const char        *label;                /* literal: the counter's label,
                                                if it differs from the
                                                outcome; else NULL */
    const pay_psp_conf_t *explored;          /* the PSP at which a new checkout
                                                explores, or NULL */
    int                differs;              /* the PSP's amount or token from
                                                the order's */
    int                is_proven;            /* a webhook is its PSP's … */
    unsigned           signed_by;            /* … bit n is set where key n of
                                                its block has signed it */
    const char        *quarantined;          /* literal: why a webhook was
                                                put there, NULL: it was not */
    pay_str_t          invalid_event;        /* id of a PSP's event that cannot
                                                be read; empty: none */
    unsigned           left_out;             /* entries of a PSP's list that
                                                are no events */
    const char        *risk;                 /* literal: the decision of a new
                                                checkout, NULL: nothing was
                                                looked at */
    const pay_risk_provider_t *risk_provider;    /* that was asked about it;
                                                NULL: none was */
    const char        *risk_said;            /* literal: its word, or why it
                                                gave none */
    int                risk_failed;          /* it gave none */
    int64_t            risk_ms;              /* how long it took; 0: nothing
                                                was sent */
    int                is_blocked;           /* a new checkout is: its answer
                                                waits as others do */
    const char        *change_kind;          /* literals: of a change that was
                                                sent, NULL: none was */
    const char        *change_status;
    const char        *unread;               /* literals: "webhook" or the
                                                call whose answer cannot be
                                                read; NULL: none */
    const char        *unread_rule;
    pay_str_t          unread_member;        /* or empty: all of it */
    const pay_settled_t *settled;            /* NULL: no file has come to an
                                                end in this step */
    pay_str_t          merchant_id;
    pay_str_t          checkout_id;
    pay_str_t          order_id;
    pay_str_t          psp_name;
};


/* The word that the flow's end counts as in its type's counter. */
const char *pay_flow_label(const pay_flow_t *flow);

/* Runs one step.  PAY_OK and *effect; a failing step (out of memory, a bug)
 * becomes PAY_DO_DONE with the 500 problem as reply, so callers need no
 * second path. */
void pay_flow_run(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


/* The request and all texts may be in the flow's `args`. */
typedef struct {
    const pay_merchant_t   *merchant;
    pay_payment_request_t  *request;         /* return_url already checked */
    const pay_psp_conf_t   *psp;             /* chosen; NULL: routes decide */
    const pay_err_t        *refused;         /* by configuration, or NULL */
    pay_str_t               idempotency_key;
    pay_str_t               fingerprint;     /* 32 bytes */
    pay_str_t               base_url;        /* of this gateway */
    int64_t                 ttl_s;
    unsigned                in_progress_status;   /* 429 or 409 */
    pay_str_t               checkout_uuid;   /* fresh */
    pay_str_t               handle;          /* fresh, of merchant->cell … */
    pay_str_t               from_handle;     /* … and of merchant->from */
    pay_str_t               change_id;       /* fresh, where it replaces */
    pay_str_t               asked_by;        /* of pay_jwt_asker(), or empty */
    pay_str_t               trace;           /* of pay_trace_parse(), or empty;
                                                lives as long as the flow */
    int64_t                 now_s;
} pay_create_input_t;

/* Each fills *flow (arena, env, request_id already set by the caller) and
 * makes it ready for PAY_INPUT_START. */
pay_status_t pay_flow_create(pay_flow_t *flow, const pay_create_input_t *input)
    PAY_MUST_CHECK;

/* POST /v1/payments/{order}/refunds, /capture, /cancel */
typedef struct {
    const pay_merchant_t   *merchant;
    pay_change_kind_t       kind;
    pay_str_t               order_id;        /* unchecked */
    pay_str_t               body;            /* unchecked; may be empty */
    pay_str_t               idempotency_key;
    int64_t                 ttl_s;
    unsigned                in_progress_status;   /* 429 or 409 */
    pay_str_t               change_id;       /* fresh */
    pay_str_t               asked_by;        /* of pay_jwt_asker(), or empty */
} pay_change_input_t;

/* As pay_flow_create(), and so are all below.  *input is copied, and its slices
 * live as long as the flow. */
pay_status_t pay_flow_change(pay_flow_t *flow, const pay_change_input_t *input)
    PAY_MUST_CHECK;

typedef enum {
    PAY_READ_PAYMENT, PAY_READ_CHECKOUT, PAY_READ_EVENTS, PAY_READ_EXPLAIN,
    PAY_READ_EXPLAIN_CHECKOUT
} pay_read_t;

/* GET of one object by its id, which is not checked yet; another merchant's is
 * not found.  Both slices live as long as the flow.  sees_risk: an explanation
 * shows the decision of risk, which would teach a storefront's attackers. */
pay_status_t pay_flow_read(pay_flow_t *flow, pay_read_t what,
    pay_str_t merchant_id, pay_str_t id, int sees_risk) PAY_MUST_CHECK;

/* The changes of that kind of an order, or with change_id that one. */
pay_status_t pay_flow_read_change(pay_flow_t *flow, pay_change_kind_t kind,
    pay_str_t merchant_id, pay_str_t order_id, pay_str_t change_id)
    PAY_MUST_CHECK;

/* A seller's balance, or with `statement` a page of that. */
pay_status_t pay_flow_read_seller(pay_flow_t *flow, pay_str_t merchant_id,
    pay_str_t seller, const pay_statement_t *statement) PAY_MUST_CHECK;

/* A page of the merchant's checkouts. */
pay_status_t pay_flow_read_page(pay_flow_t *flow, pay_str_t merchant_id,
    const pay_page_t *page) PAY_MUST_CHECK;

/* A list for finance, or one of its items; the slices of *query live as long as
 * the flow. */
pay_status_t pay_flow_finance(pay_flow_t *flow, pay_str_t merchant_id,
    const pay_finance_query_t *query) PAY_MUST_CHECK;

/* An operator's act on an exception; its slices live as long as the flow. */
pay_status_t pay_flow_finance_act(pay_flow_t *flow,
    const pay_finance_act_input_t *input) PAY_MUST_CHECK;

/* A request about pay-outs; its slices live as long as the flow. */
pay_status_t pay_flow_payout_act(pay_flow_t *flow,
    const pay_payout_act_input_t *input) PAY_MUST_CHECK;

/* A request about an endpoint for webhooks; its slices live as long as the
 * flow. */
pay_status_t pay_flow_endpoint(pay_flow_t *flow,
    const pay_endpoint_act_input_t *input) PAY_MUST_CHECK;

/* Events, endpoints or deliveries; the slices of *query live as long as the
 * flow. */
pay_status_t pay_flow_events(pay_flow_t *flow, pay_str_t merchant_id,
    const pay_events_query_t *query) PAY_MUST_CHECK;

/* Lists or reviews of risk; the slices of *query live as long as the flow. */
pay_status_t pay_flow_risk_list(pay_flow_t *flow, pay_str_t merchant_id,
    const pay_risk_query_t *query) PAY_MUST_CHECK;

/* A request about them; its slices live as long as the flow. */
pay_status_t pay_flow_risk_act(pay_flow_t *flow,
    const pay_risk_act_input_t *input) PAY_MUST_CHECK;

typedef enum {
    PAY_BUYER_CHECKOUT, PAY_BUYER_STATUS, PAY_BUYER_RETURN
} pay_buyer_t;

/* A page of a buyer, who is known by the handle alone, which is not checked
 * yet and lives as long as the flow. */
pay_status_t pay_flow_buyer(pay_flow_t *flow, pay_buyer_t what,
    pay_str_t handle) PAY_MUST_CHECK;
/* The first of them for a browser that is seen, where risk is looked at: its
 * slices live as long as the flow. */
pay_status_t pay_flow_buyer_seen(pay_flow_t *flow, pay_str_t handle,
    const pay_risk_browser_t *browser) PAY_MUST_CHECK;

typedef struct {
    const pay_psp_conf_t  *psp;
    const pay_payout_provider_t *payout;     /* whose client is psp; NULL: it is
                                                a PSP's */
    const pay_header_t    *headers;
    size_t                 header_count;
    pay_str_t              body;
    int                    may_quarantine;   /* if it is not valid; 0: there
                                                are too many at this moment */
    unsigned             keep_days;          /* how long its body is kept if
                                                it is valid; 0: it is not … */
    size_t               keep_max;           /* … and how large it may be */
} pay_webhook_input_t;

/* A message whose header fields and body nobody has looked at: the signature is
 * verified first.  The slices of *input live as long as the flow. */
pay_status_t pay_flow_webhook(pay_flow_t *flow,
    const pay_webhook_input_t *input) PAY_MUST_CHECK;

/* The readiness probe: 200 when an operation comes back, else 503. */
pay_status_t pay_flow_ready(pay_flow_t *flow) PAY_MUST_CHECK;

/* A claimed job: a row of claim_jobs. */
pay_status_t pay_flow_job(pay_flow_t *flow, const pay_job_row_t *job,
    pay_str_t owner) PAY_MUST_CHECK;

/* Compares a PSP's list of events with the inbox, when that is due: for PSPs
 * whose adapter lists events and whose backfill_ms is not 0. */
pay_status_t pay_flow_backfill(pay_flow_t *flow, const pay_psp_conf_t *psp,
    pay_str_t owner) PAY_MUST_CHECK;

/* One kept body of a webhook that an operator wants read again, if there is
 * any: its events go the way of a webhook's. */
pay_status_t pay_flow_replay(pay_flow_t *flow, pay_str_t owner)
    PAY_MUST_CHECK;

/* A look at a source of rates, when it is due. */
pay_status_t pay_flow_rates(pay_flow_t *flow, const pay_rate_source_t *source,
    pay_str_t owner) PAY_MUST_CHECK;

/* A look at a source of settlement files, when it is due: one file of it is
 * read, proven and booked.  seed: PAY_SETTLE_SEED random bytes, for the nonces
 * of copies. */
pay_status_t pay_flow_settlement(pay_flow_t *flow,
    const pay_settle_source_t *source, pay_str_t owner, pay_str_t seed)
    PAY_MUST_CHECK;

/* The next call to a pay-out provider, if one is due. */
pay_status_t pay_flow_payout(pay_flow_t *flow,
    const pay_payout_provider_t *provider, pay_str_t owner) PAY_MUST_CHECK;

/* The next question to a provider of sanctions screening, if one is due. */
pay_status_t pay_flow_screening(pay_flow_t *flow,
    const pay_screening_provider_t *provider) PAY_MUST_CHECK;

/* One attempt to deliver a message to an endpoint of a storefront: a row of
 * begin_delivery, which is copied. */
pay_status_t pay_flow_delivery(pay_flow_t *flow,
    const pay_delivery_row_t *row) PAY_MUST_CHECK;


#endif /* PAY_FLOW_H */
