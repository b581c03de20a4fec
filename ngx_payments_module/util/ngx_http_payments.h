/*
 * The glue's own types: configuration, what a request carries, and who calls
 * whom between the files of this directory.  Names with _http_ have a
 * request; the others have a worker.
 */

#ifndef NGX_HTTP_PAYMENTS_H
#define NGX_HTTP_PAYMENTS_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "pay_audit.h"
#include "pay_flow.h"
#include "pay_id.h"
#include "pay_jwt.h"
#include "pay_op.h"


#define NGX_PAYMENTS_PSPS_MAX       32
#define NGX_PAYMENTS_CONCURRENCY_MAX  100000
#define NGX_PAYMENTS_API_BODY       (64 * 1024)
#define NGX_PAYMENTS_WEBHOOK_BODY   (256 * 1024)
#define NGX_PAYMENTS_AUDIT_MS       10000

/* nginx's and the core's slices have one layout; these only rename. */
#define ngx_payments_str(s)   ((pay_str_t) { (s).len, (s).data })
#define ngx_payments_nstr(s)  ((ngx_str_t) { (s).len, (u_char *) (s).data })


typedef struct ngx_payments_flow_s    ngx_payments_flow_t;
typedef struct ngx_payments_call_s    ngx_payments_call_t;
typedef struct ngx_payments_http_s    ngx_payments_http_t;
typedef struct ngx_payments_shctx_s   ngx_payments_shctx_t;


typedef enum {
    NGX_HTTP_PAYMENTS_NONE = 0,
    NGX_HTTP_PAYMENTS_API,
    NGX_HTTP_PAYMENTS_CHECKOUT,
    NGX_HTTP_PAYMENTS_RETURN,
    NGX_HTTP_PAYMENTS_WEBHOOK,
    NGX_HTTP_PAYMENTS_METRICS,
    NGX_HTTP_PAYMENTS_LIVE,
    NGX_HTTP_PAYMENTS_READY,
    NGX_HTTP_PAYMENTS_PROBLEMS
} ngx_http_payments_kind_e;


/* What the core sees of a PSP (first) and what only the glue needs. */
typedef struct {
    pay_psp_conf_t              psp;
    ngx_str_t                   base_url;
    ngx_msec_t                  connect_timeout;
    ngx_msec_t                  total_timeout;
    ngx_str_t                   pinned;          /* joined by ';' for curl */
    ngx_str_t                   ca_file;
    ngx_array_t                *hosts;           /* pay_str_t */
    ngx_array_t                *keys;            /* pay_secret_t */
    ngx_array_t                *cert_hosts;      /* pay_str_t */
    ngx_uint_t                  cert_rate;       /* fetches per 1000 s */
    ngx_uint_t                  cert_burst;      /* beside the first */
    ngx_str_t                   webhook_ca;      /* file */
    ngx_flag_t                  allow_private;
    ngx_flag_t                  loopback;        /* base_url says so itself */
    ngx_str_t                   proxy;           /* NUL-terminated; "": none */
    pay_breaker_conf_t          breaker;
    ngx_uint_t                  concurrency;     /* 0: no cap */
    ngx_uint_t                  retries;         /* bits of psp.retry[] that
                                                    the block says itself */
} ngx_payments_psp_t;


typedef struct {
    pay_merchant_t              merchant;
    ngx_array_t                *hosts;           /* pay_str_t */
    ngx_array_t                *psps;            /* ngx_str_t names, later
                                                    const pay_psp_conf_t * */
    ngx_array_t                *routes;          /* of the conf_route file */
    ngx_array_t                *jwt_keys;        /* pay_jwt_key_t */
} ngx_payments_merchant_t;


typedef struct {
    ngx_array_t                *dsns;            /* ngx_str_t, each with a NUL
                                                    behind it: one a host */
    ngx_uint_t                  connections;
    ngx_uint_t                  batch;
    ngx_uint_t                  queue;
    ngx_msec_t                  timeout;         /* of a call on the wire */
    ngx_msec_t                  wait;            /* of a call in the queue */
} ngx_payments_db_conf_t;


/* Classes of work, each with a cap on what is under way at once. */
typedef enum {
    NGX_PAYMENTS_WORK_INTAKE = 0,      /* POST /v1/payments */
    NGX_PAYMENTS_WORK_READ,            /* GETs of the API */
    NGX_PAYMENTS_WORK_CHANGE,          /* captures, cancellations, refunds:
                                          counted, never refused */
    NGX_PAYMENTS_WORK_JOB              /* background jobs */
} ngx_payments_work_e;

#define NGX_PAYMENTS_WORKS  4

/* Why there was no place. */
typedef enum {
    NGX_PAYMENTS_FULL_MERCHANT = 0, NGX_PAYMENTS_FULL_CLASS,
    NGX_PAYMENTS_FULL_PRESSURE,        /* others come first */
    NGX_PAYMENTS_FULL_QUEUE            /* in front of PostgreSQL */
} ngx_payments_full_e;

#define NGX_PAYMENTS_FULLS  4

/* 0: no cap. */
typedef struct {
    ngx_uint_t                  merchant;
    ngx_uint_t                  works[NGX_PAYMENTS_WORKS];
} ngx_payments_bulkhead_conf_t;


/* A source of rates; `client` is what the transport knows of it, with the
 * whole URL in the place of a base_url. */
typedef struct {
    pay_rate_source_t           source;
    ngx_payments_psp_t          client;
    ngx_str_t                   file;            /* or empty */
} ngx_payments_rates_t;


/* How the event log is sealed. */
typedef struct {
    ngx_msec_t                  interval_ms;     /* unset: it is not */
    pay_secret_t                key;
    char                        key_id[PAY_ED25519_KEY_ID + 1];
    ngx_str_t                   next_key;        /* file, or empty */
    ngx_open_file_t            *file;            /* where seals go, too … */
    ngx_syslog_peer_t          *syslog;          /* … or NULL */
} ngx_payments_audit_conf_t;


/* How old a state may grow before people are told; 0: no limit. */
typedef struct {
    time_t                      registering_s;
    time_t                      executing_s;     /* past its expires_at */
    time_t                      unknown_s;
    time_t                      parked_s;
    ngx_msec_t                  interval_ms;     /* between two sweeps */
} ngx_payments_watch_conf_t;


typedef struct {
    ngx_str_t                   status;          /* html/status.html */
    ngx_str_t                   problem;         /* html/problem.html */
    ngx_str_t                   problems;        /* html/problems.html */
    ngx_str_t                   error;           /* html/error.html */
    ngx_str_t                   style;           /* html/style.css */
} ngx_payments_pages_t;


typedef struct {
    pay_env_t                   env;
    ngx_array_t                 psps;            /* ngx_payments_psp_t * */
    ngx_array_t                 merchants;       /* ngx_payments_merchant_t * */
    ngx_array_t                *places;          /* of the conf_place file */
    ngx_array_t                 locations;       /* ngx_payments_location_t */
    ngx_int_t                   psp_concurrency; /* 0: no cap */
    ngx_array_t                 jwt_keys;        /* pay_jwt_key_t, all */
    ngx_str_t                   audience;
    ngx_flag_t                  audience_unset;
    time_t                      jwt_max_lifetime;
    ngx_str_t                   public_url;
    ngx_str_t                   html;            /* directory, or empty */
    ngx_payments_pages_t        pages;
    ngx_payments_db_conf_t      db;
    ngx_shm_zone_t             *zone;
    ngx_flag_t                  active;          /* a location has one of
                                                    our handlers */
    ngx_flag_t                    jobs;
    ngx_uint_t                    jobs_concurrency;
    ngx_msec_t                    jobs_interval;
    ngx_uint_t                    psp_rate;      /* of jobs' calls to one PSP,
                                                    per 1000 s; 0: any */
    ngx_msec_t                    buyer_timeout; /* PSP query on the return */
    pay_retry_t                   retry[PAY_RETRY_COUNT]; /* of every PSP */
    ngx_uint_t                    retries;       /* bits of those said */
    ngx_payments_watch_conf_t     watch;
    ngx_flag_t                    quarantine;    /* of refused webhooks */
    ngx_uint_t                    body_days;     /* of verified ones; or 0 */
    size_t                        body_size;
    ngx_payments_audit_conf_t     audit;
    ngx_array_t                   rates;         /* ngx_payments_rates_t * */
    ngx_msec_t                    quote_ttl;
    ngx_payments_bulkhead_conf_t  bulkhead;
    ngx_msec_t                    stages[PAY_STAGES]; /* 0: no deadline */
} ngx_http_payments_main_conf_t;


typedef struct {
    ngx_flag_t                  active;          /* has a payments location */
    ngx_flag_t                  insecure_http;   /* the API without TLS */
} ngx_http_payments_srv_conf_t;


/* A location with one of our handlers, as it was read. */
typedef struct {
    ngx_uint_t                  kind;            /* ngx_http_payments_kind_e */
    ngx_http_core_srv_conf_t   *server;
    ngx_http_core_loc_conf_t   *location;
    const void                 *owner;           /* of its noted place */
} ngx_payments_location_t;


typedef struct {
    ngx_uint_t                  kind;            /* ngx_http_payments_kind_e */
    ngx_str_t                   prefix;          /* the location's name */
    const void                 *owner;           /* of its noted place */
    ngx_uint_t                  rate;            /* requests per 1000 s */
    ngx_uint_t                  burst;
    ngx_uint_t                  address_rate;
    ngx_uint_t                  address_burst;
    ngx_flag_t                  key_required;
    time_t                      key_ttl;
    ngx_uint_t                  in_progress;
    size_t                      max_body;
    ngx_msec_t                  body_timeout;
} ngx_http_payments_loc_conf_t;


typedef struct {
    ngx_uint_t                  limited;         /* a limit was asked */
    ngx_uint_t                  allowed;
    ngx_uint_t                  quota;           /* q */
    ngx_uint_t                  window;          /* w, seconds */
    ngx_uint_t                  remaining;       /* r */
    ngx_uint_t                  reset;           /* t, seconds */
} ngx_http_payments_limit_t;


typedef struct {
    ngx_http_request_t         *request;
    ngx_payments_flow_t        *flow;
    u_char                      request_id[PAY_UUID_TEXT];
    ngx_http_payments_limit_t   limit;
    ngx_event_t                 body_timer;
    void                      (*body_handler)(ngx_http_request_t *r,
                                              pay_str_t body);
    ngx_str_t                   body;            /* read so far */
    size_t                      body_size;       /* room in body.data */
    const pay_merchant_t       *merchant;
    const pay_jwt_key_t        *jwt_key;         /* that signed the token */
    pay_str_t                   subject;         /* the token's, or empty */
    pay_str_t                   key;             /* idempotency key */

    /* for logs; literals or the request pool's */
    ngx_str_t                   merchant_id;
    ngx_str_t                   checkout_id;
    ngx_str_t                   order_id;
    ngx_str_t                   psp;
    ngx_str_t                   outcome;
    ngx_msec_t                  db_ms;
    ngx_msec_t                  psp_ms;
    unsigned                    counted:1;       /* in the metrics */

    unsigned                    ours:1;          /* the reply is made here */
    unsigned                    html:1;          /* … and is a page */
    unsigned                    replace:1;       /* nginx's page goes away */
    unsigned                    replaced:1;
    ngx_str_t                   replacement;
} ngx_http_payments_ctx_t;


extern ngx_module_t  ngx_http_payments_module;


/* ngx_http_payments_conf.c: setters of simple directives */
char *ngx_http_payments_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_payments_location(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_payments_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* ngx_http_payments_conf_retry.c: what goes on without anybody asking */
char *ngx_http_payments_retry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* ngx_http_payments_conf_rates.c */
char *ngx_http_payments_rates(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_payments_rates_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
/* ngx_http_payments_conf_bulkhead.c */
char *ngx_http_payments_stages_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);

/* ngx_http_payments_conf_block.c: payments_psp and payments_merchant */
char *ngx_http_payments_psp_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_payments_merchant_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* After all is read: resolves names, refuses contradictions. */
char *ngx_http_payments_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);

/* ngx_http_payments_conf_warn.c: when all servers are merged.  Refuses the API
 * on a plain listen, and warns of what works and should not stay so. */
ngx_int_t ngx_http_payments_warn(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);

/* ngx_http_payments_secret.c.  A secret's file: exists, regular, not readable
 * by others; bytes in cf->pool, trailing white space removed. */
ngx_int_t ngx_http_payments_read_secret(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t secret, ngx_str_t *bytes);

/* The whole of a file that is no secret. */
ngx_int_t ngx_http_payments_read_file(ngx_conf_t *cf, ngx_str_t *name,
    size_t max, ngx_str_t *bytes);

/* ngx_http_payments_handler.c */
ngx_int_t ngx_http_payments_handler(ngx_http_request_t *r);
ngx_http_payments_ctx_t *ngx_http_payments_get_ctx(ngx_http_request_t *r);
/* Reads the body within limits, then calls handler with its bytes. */
ngx_int_t ngx_http_payments_read_body(ngx_http_request_t *r,
    void (*handler)(ngx_http_request_t *r, pay_str_t body));
/* The scheme and authority that the outside sees; never empty. */
ngx_int_t ngx_http_payments_base_url(ngx_http_request_t *r, pay_str_t *url);
ngx_table_elt_t *ngx_http_payments_find_header(ngx_http_request_t *r,
    const char *name, ngx_uint_t *count);

/* ngx_http_payments_api.c; _buyer.c: buyers, webhooks and /readyz */
ngx_int_t ngx_http_payments_api(ngx_http_request_t *r);
ngx_int_t ngx_http_payments_webhook(ngx_http_request_t *r);
ngx_int_t ngx_http_payments_buyer(ngx_http_request_t *r,
    ngx_uint_t kind);
ngx_int_t ngx_http_payments_ready(ngx_http_request_t *r);

/* ngx_http_payments_create.c: takes the body of POST /v1/payments, and ends
 * the request */
void ngx_http_payments_create(ngx_http_request_t *r, pay_str_t body);
/* A fresh UUID in the arena. */
ngx_int_t ngx_http_payments_uuid(pay_arena_t *arena, pay_str_t *uuid);

/* ngx_http_payments_change.c: begins a capture, a cancellation or a refund;
 * returns what a content handler returns */
ngx_int_t ngx_http_payments_change(ngx_http_request_t *r,
    pay_change_kind_t kind, pay_str_t order_id, pay_str_t body);

/* The checks before a flow: NGX_OK says go on; NGX_DECLINED says refuse, with
 * *err filled and nothing sent yet.  A check never answers by itself: what a
 * sent answer returns is NGX_OK, too. */
ngx_int_t ngx_http_payments_refuse(pay_err_t *err, const char *slug,
    const char *detail);

/* ngx_http_payments_check.c: a POST's header; the second keeps the key in r's
 * context */
ngx_int_t ngx_http_payments_check_media(ngx_http_request_t *r,
    pay_err_t *err);
ngx_int_t ngx_http_payments_check_key(ngx_http_request_t *r, pay_err_t *err);

/* ngx_http_payments_jwt.c: NGX_OK → *merchant is set.  Tokens that were good
 * are remembered; the second forgets them, for a new configuration. */
ngx_int_t ngx_http_payments_authenticate(ngx_http_request_t *r,
    unsigned scope, const pay_merchant_t **merchant, pay_err_t *err);
void ngx_http_payments_auth_forget(void);

/* ngx_http_payments_reply.c.  Each sends a whole answer and returns what a
 * content handler returns. */
ngx_int_t ngx_http_payments_reply(ngx_http_request_t *r,
    const pay_reply_t *reply);
ngx_int_t ngx_http_payments_problem(ngx_http_request_t *r, const char *slug,
    const char *detail, const char *pointer);
/* All that is wrong with a request; `errors` as long as this call lasts. */
ngx_int_t ngx_http_payments_refused(ngx_http_request_t *r,
    const pay_err_t *err, const pay_errors_t *errors);
ngx_int_t ngx_http_payments_overloaded(ngx_http_request_t *r,
    int64_t retry_after_s);
ngx_int_t ngx_http_payments_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body);
ngx_int_t ngx_http_payments_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t value);
ngx_int_t ngx_http_payments_method_not_allowed(ngx_http_request_t *r,
    const char *allow);
/* The JSON of a problem for this request, in r->pool. */
ngx_int_t ngx_http_payments_problem_json(ngx_http_request_t *r,
    const pay_reply_t *reply, ngx_str_t *json);

/* ngx_http_payments_filter.c: security headers on all, problem documents in
 * place of nginx's own error pages */
ngx_int_t ngx_http_payments_filter_init(ngx_conf_t *cf);

/* ngx_http_payments_variables.c */
ngx_int_t ngx_http_payments_add_variables(ngx_conf_t *cf);

/* ngx_http_payments_limit.c: GCRA in shared memory; merchant's bucket, or the
 * address' when merchant_id is empty.  NGX_OK: go on (r's ctx->limit filled);
 * NGX_BUSY: over quota; NGX_ERROR: the zone is full (fail closed). */
ngx_int_t ngx_http_payments_limit(ngx_http_request_t *r,
    pay_str_t merchant_id);

/* ngx_http_payments_metrics.c: the /metrics document */
ngx_int_t ngx_http_payments_metrics(ngx_http_request_t *r);

/* ngx_payments_shm.c: the zone, its counters and buckets */
ngx_int_t ngx_payments_shm_init_zone(ngx_shm_zone_t *zone, void *data);
typedef enum {
    NGX_PAYMENTS_GCRA_ALLOWED, NGX_PAYMENTS_GCRA_LIMITED,
    NGX_PAYMENTS_GCRA_FULL
} ngx_payments_gcra_e;
/* One request of `key`'s bucket at now_ms (monotonic); rate in requests per
 * 1000 s.  wait_ms: until the next one would pass; left: how many now. */
ngx_payments_gcra_e ngx_payments_shm_gcra(ngx_shm_zone_t *zone,
    pay_str_t key, ngx_uint_t rate, ngx_uint_t burst, uint64_t now_ms,
    ngx_uint_t *left, uint64_t *wait_ms);

/* ngx_payments_quarantine.c: may a refused webhook of that PSP be stored?  The
 * first only looks, before it is known whether it is refused; the second is
 * for one that will be. */
ngx_uint_t ngx_payments_quarantine_may(const pay_psp_conf_t *psp);
ngx_uint_t ngx_payments_quarantine_take(const pay_psp_conf_t *psp);

/* Counters; each is a no-op without a zone. */
void ngx_payments_count_request(const char *flow, ngx_uint_t status,
    ngx_msec_t ms);
void ngx_payments_count_limited(ngx_uint_t per_merchant);
void ngx_payments_count_card_data(void);
void ngx_payments_count_webhook(const char *outcome);
void ngx_payments_count_db(pay_op_id_t op, ngx_uint_t items, ngx_uint_t failed,
    ngx_msec_t ms);
void ngx_payments_count_db_rejected(void);          /* queue full or too old */
void ngx_payments_count_db_connect(ngx_uint_t up);  /* 1 connected, 0 lost */
/* A call that has ended, by http->call and http->answer. */
void ngx_payments_count_psp(const ngx_payments_http_t *http, ngx_msec_t ms);
void ngx_payments_count_job(const char *outcome);
void ngx_payments_count_change(const char *kind, const char *status);
void ngx_payments_count_quarantined(pay_str_t psp, const char *reason);
void ngx_payments_count_backfill(pay_str_t psp, int64_t listed,
    int64_t missed);
/* How old the rates of a source are (NULL: it has none), and that it has given
 * none this time. */
void ngx_payments_count_rates_age(pay_str_t source, pay_int_t age_ms);
void ngx_payments_count_rates_failed(pay_str_t source);
/* What a sweep has counted; the text is SQL's (pay_api.sweep). */
void ngx_payments_count_sweep(pay_str_t json);
/* The same of pay_api.check_books; returns how many differences there are. */
int64_t ngx_payments_count_books(pay_str_t json);
/* A seal of the event log was signed here, or it or its export failed. */
void ngx_payments_count_seal(ngx_uint_t is_signed);
/* The newest signed seal that is known, and when it was made. */
void ngx_payments_note_seal(int64_t number, time_t at);
void ngx_payments_gauge_flows(ngx_int_t delta);
/* ngx_payments_count_stage.c: a stage took so long, or its deadline ran out;
 * PAY_STAGE_NONE is not counted. */
void ngx_payments_count_stage(pay_stage_t stage, uint64_t us);
void ngx_payments_count_stage_timeout(pay_stage_t stage);
void ngx_payments_count_refused(ngx_payments_work_e work,
    ngx_payments_full_e why);

/* ngx_payments_bulkhead.c: what is under way at once, all workers of this
 * host.  A place is held until it is left; leaving one that is not held does
 * nothing. */
typedef struct {
    ngx_uint_t            held;
    ngx_payments_work_e   work;
    ngx_uint_t            merchant;              /* its cell */
} ngx_payments_place_t;

ngx_int_t ngx_payments_bulkhead_init(ngx_cycle_t *cycle);
void ngx_payments_bulkhead_stop(void);
/* NGX_OK: *place is held; NGX_BUSY: there is none, counted.  `merchant`: of
 * the configuration, or NULL. */
ngx_int_t ngx_payments_bulkhead_enter(ngx_payments_place_t *place,
    ngx_payments_work_e work, const pay_merchant_t *merchant);
void ngx_payments_bulkhead_leave(ngx_payments_place_t *place);
/* When to come again after NGX_BUSY. */
int64_t ngx_payments_bulkhead_retry_s(const ngx_payments_place_t *place);
/* 1 when requests are near their cap, so that jobs should wait. */
ngx_uint_t ngx_payments_bulkhead_is_pressed(void);
ngx_uint_t ngx_payments_bulkhead_total(ngx_payments_work_e work);

/* ngx_payments_health.c: how the PSPs do, in shared memory for all workers;
 * calls in flight are counted in a slot of each worker, which the worker that
 * follows a dead one clears */
ngx_int_t ngx_payments_health_init(ngx_cycle_t *cycle);
/* NGX_OK: a call may go, and is in flight until one of the next two is called;
 * NGX_DECLINED: the circuit is open; NGX_BUSY: as many as may be are in
 * flight.  `can_wait`: one that leaves the last places to others.  Without a
 * zone always NGX_OK. */
ngx_int_t ngx_payments_health_begin(const ngx_payments_psp_t *psp,
    ngx_uint_t can_wait);
void ngx_payments_health_end(const ngx_payments_psp_t *psp, ngx_uint_t ok,
    ngx_msec_t ms);
/* It never reached the network: says nothing about the PSP. */
void ngx_payments_health_forget(const ngx_payments_psp_t *psp);
/* How long a job's call must wait, so that jobs keep within psp_rate, all
 * workers together; its place is taken.  NGX_BUSY: too long, no place. */
ngx_int_t ngx_payments_health_pace(const ngx_payments_psp_t *psp,
    ngx_msec_t *wait);
/* How far ahead places are taken, at the PSP that is furthest. */
ngx_msec_t ngx_payments_health_ahead(void);
/* One entry for each PSP by its index, at most a millisecond old, valid until
 * the next call; NULL without a zone. */
const pay_health_t *ngx_payments_health(void);

/* ngx_payments_oauth.c: access tokens of PSPs with an auth_request, one per PSP
 * and worker, renewed before they end */
typedef struct ngx_payments_auth_wait_s  ngx_payments_auth_wait_t;
struct ngx_payments_auth_wait_s {
    ngx_queue_t   queue;
    ngx_msec_t    deadline;                      /* in ngx_current_msec */
    void        (*ready)(ngx_payments_auth_wait_t *wait, ngx_uint_t ok);
    void         *data;
};
/* NGX_OK: *field is the Authorization to send, in `pool`; NGX_AGAIN: `ready`
 * will be called once, never from inside, with 1 when there is a token now;
 * NGX_BUSY: too many wait; NGX_DECLINED: the PSP gives none, ask again later;
 * NGX_ERROR: no memory. */
ngx_int_t ngx_payments_auth_get(const ngx_payments_psp_t *psp,
    ngx_pool_t *pool, pay_str_t *field, ngx_payments_auth_wait_t *wait);
/* The PSP answered 401 to that field: the next call asks for a new token. */
void ngx_payments_auth_forget(const ngx_payments_psp_t *psp, pay_str_t field);
void ngx_payments_auth_stop(void);

/* ngx_payments_cert.c: certificates by URL, a few per worker, for an hour;
 * one that could not be fetched is not asked for again for a while, and how
 * many are fetched for a PSP in a time is limited (webhook_cert_rate).  NGX_OK:
 * *pem is it, in `pool`; NGX_DECLINED: fetch it, then call cert_put, whatever
 * came of it; NGX_BUSY: not now; NGX_ERROR: no memory. */
ngx_int_t ngx_payments_cert_get(const ngx_payments_psp_t *psp, pay_str_t url,
    ngx_pool_t *pool, pay_str_t *pem);
void ngx_payments_cert_put(pay_str_t url, pay_str_t pem);   /* empty: failed */

/* ngx_payments_flow.c: carries a core flow's effects out */
/* Memory until the step of a flow that runs now is over, or the next one;
 * NULL: there is none. */
ngx_pool_t *ngx_payments_scratch(void);
/* A flow with its own pool, not yet started; NULL: no memory. */
ngx_payments_flow_t *ngx_payments_flow_create(
    ngx_http_payments_main_conf_t *pmcf);
pay_flow_t *ngx_payments_flow_core(ngx_payments_flow_t *flow);
/* Subscribes the request (or NULL: nobody) and takes the first step. Returns
 * what a content handler returns. */
ngx_int_t ngx_payments_flow_start(ngx_payments_flow_t *flow,
    ngx_http_request_t *r);
/* A place for it until its end.  NGX_BUSY: there is none; *retry_after_s says
 * when to come again. */
ngx_int_t ngx_payments_flow_admit(ngx_payments_flow_t *flow,
    ngx_payments_work_e work, const pay_merchant_t *merchant,
    int64_t *retry_after_s);
/* Drops one that was never started. */
void ngx_payments_flow_discard(ngx_payments_flow_t *flow);

/* ngx_payments_db.c: operations on PostgreSQL.  `done` is called exactly once,
 * never from inside ngx_payments_db_call(). */
struct ngx_payments_call_s {
    ngx_queue_t           queue;
    pay_op_id_t           op;
    const void           *args;                  /* pay_<operation>_in_t; alive
                                                    until done */
    void                (*done)(ngx_payments_call_t *call,
                                const pay_result_t *result,
                                pay_db_failure_t failure);  /* of NULL */
    void                 *data;
    ngx_msec_t            timeout;               /* of its stage, which bounds
                                                    its wait in the queue, and
                                                    its statement; 0: none */
    ngx_uint_t            money;                 /* for a change: as if of
                                                    PAY_CLASS_MONEY */

    /* private to ngx_payments_db.c but the last, which says when to come
     * again after NGX_BUSY or PAY_DB_OVERLOADED */
    ngx_msec_t            queued;                /* ngx_current_msec */
    ngx_msec_t            since;                 /* waits so long, after a try
                                                    anew */
    ngx_uint_t            alone;                 /* after its batch failed */
    int64_t               retry_after_s;
};
ngx_int_t ngx_payments_db_start(ngx_cycle_t *cycle,
    ngx_payments_db_conf_t *conf);
/* NGX_OK: queued; NGX_BUSY: the queue is full; NGX_DECLINED: PostgreSQL is
 * down. */
ngx_int_t ngx_payments_db_call(ngx_payments_call_t *call);
/* ngx_payments_pq_conf.c: NGX_OK: a libpq connection string (the text ends
 * with a NUL) without a password; NGX_DECLINED: none; NGX_ABORT: a password
 * is in it.  No connection is made. */
ngx_int_t ngx_payments_pq_check(ngx_str_t *dsn);
/* 1 when it names the user postgres. */
ngx_uint_t ngx_payments_pq_superuser(ngx_str_t *dsn);
/* One connection string for each host of `dsn`, which pq_check has passed, in
 * the order it names them: *dsns (ngx_str_t, each with a NUL behind it, in
 * cf->pool).  NGX_CONF_OK, or what is wrong with the hosts, to be logged. */
char *ngx_payments_pq_hosts(ngx_conf_t *cf, ngx_str_t *dsn,
    ngx_array_t **dsns);
/* ngx_payments_pq.c */
void ngx_payments_pq_stop(void);

/* One HTTP call. */
struct ngx_payments_http_s {
    const pay_http_request_t  *request;          /* alive until done */
    const ngx_payments_psp_t  *psp;
    pay_call_t                 call;             /* a certificate's: no key, no
                                                    pins; says nothing about
                                                    the PSP's health */
    ngx_uint_t                 can_wait;         /* a question of a job */
    ngx_msec_t                 timeout;
    ngx_pool_t                *pool;             /* for the answer */
    void                     (*done)(ngx_payments_http_t *http,
                                     const pay_http_answer_t *answer);
    void                      *data;

    pay_http_answer_t          answer;

    /* private to ngx_payments_psp.c */
    ngx_payments_auth_wait_t   wait;
    pay_str_t                  authorization;    /* empty: none is added */
    ngx_msec_t                 deadline;
    ngx_uint_t                 repeated;         /* after a 401 */
    ngx_uint_t                 unheard;          /* of all its tries */

    /* private to ngx_payments_curl*.c */
    void                     (*finished)(ngx_payments_http_t *http);
    void                      *easy;
    void                      *headers;
    ngx_queue_t                queue;            /* while `sending` */
    size_t                     body_len;         /* of the request */
    u_char                    *buf;
    size_t                     len;
    size_t                     size;
    ngx_msec_t                 started;
    ngx_uint_t                 begun;            /* copies of the request
                                                    itself */
    unsigned                   too_large:1;
    unsigned                   sending:1;        /* begun, and was not whole at
                                                    the last look */
    unsigned                   headed:1;         /* the answer's header is
                                                    whole */
    unsigned                   private_address:1;    /* was refused */
};

/* ngx_payments_psp.c: calls with all that belongs to them: the access token,
 * the circuit, the metrics, and a second try after a 401.  NGX_OK: `done` will
 * be called once, never from inside; NGX_DECLINED: nothing was sent, and
 * http->answer says why; `done` will not be called. */
ngx_int_t ngx_payments_psp_call(ngx_payments_http_t *http);

/* ngx_payments_curl.c: the transport; `finished` is called once, never from
 * inside, with http->answer filled. */
ngx_int_t ngx_payments_curl_start(ngx_cycle_t *cycle);
/* NGX_OK: under way; NGX_BUSY: half of nginx's connections are with PSPs
 * already; NGX_ERROR: no memory.  In the last two nothing was sent. */
ngx_int_t ngx_payments_curl_call(ngx_payments_http_t *http);
void ngx_payments_curl_stop(void);

/* ngx_payments_worker.c: init and exit of a worker, background jobs */
ngx_int_t ngx_payments_init_process(ngx_cycle_t *cycle);
void ngx_payments_exit_process(ngx_cycle_t *cycle);
ngx_http_payments_main_conf_t *ngx_payments_main_conf(void);
/* The core's view of a pool. */
pay_arena_t ngx_payments_arena(ngx_pool_t *pool);
/* Random bytes from libcrypto; NGX_ERROR when it has none. */
ngx_int_t ngx_payments_random(u_char *buf, size_t size);

/* The wall clock, but for jumps of more than half a minute: then the time
 * goes on as before until a reload.  For what ends checkouts. */
time_t ngx_payments_steady_time(void);


#endif /* NGX_HTTP_PAYMENTS_H */
