/*
 * The configuration, as all floors read it.  conf/ fills it in; after
 * nginx has merged it nobody changes it.
 */

#ifndef NGX_PAYMENTS_CONF_TYPES_H
#define NGX_PAYMENTS_CONF_TYPES_H

#include "util/ngx_payments.h"

#include "pay_audit.h"
#include "pay_console.h"
#include "pay_flow.h"
#include "pay_id.h"
#include "pay_jwt.h"
#include "pay_locale.h"
#include "pay_staff.h"


#define NGX_PAYMENTS_PSPS_MAX         256
#define NGX_PAYMENTS_CELLS_MAX        PAY_CELLS_MAX
#define NGX_PAYMENTS_CELL_NAME        PAY_CELL_NAME
#define NGX_PAYMENTS_SCREENINGS_MAX   8
#define NGX_PAYMENTS_CONCURRENCY_MAX  100000
#define NGX_PAYMENTS_API_BODY         (64 * 1024)
#define NGX_PAYMENTS_WEBHOOK_BODY     (256 * 1024)
#define NGX_PAYMENTS_ETAG             34       /* 32 hex digits in quotes */
#define NGX_PAYMENTS_AUDIT_MS         10000
#define NGX_PAYMENTS_DECLARED_MAX     1000     /* lines of
                                                  payments_webhook_endpoint */


typedef enum {
    NGX_HTTP_PAYMENTS_NONE = 0,
    NGX_HTTP_PAYMENTS_API,
    NGX_HTTP_PAYMENTS_CHECKOUT,
    NGX_HTTP_PAYMENTS_RETURN,
    NGX_HTTP_PAYMENTS_WEBHOOK,
    NGX_HTTP_PAYMENTS_METRICS,
    NGX_HTTP_PAYMENTS_LIVE,
    NGX_HTTP_PAYMENTS_READY,
    NGX_HTTP_PAYMENTS_PROBLEMS,
    NGX_HTTP_PAYMENTS_CONSOLE,
    NGX_HTTP_PAYMENTS_KINDS
} ngx_http_payments_kind_e;


/* A PSP: the part that the core sees (first), and the part of the glue. */
typedef struct {
    pay_psp_conf_t              psp;
    const pay_payout_adapter_t *payout;          /* of a pay-out provider, whose
                                                    psp has no adapter */
    const char                 *block;           /* literal, for messages */
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
    ngx_uint_t                  confirm_rate;    /* webhooks posted back, per
                                                    1000 s */
    ngx_uint_t                  confirm_burst;   /* beside the first */
    ngx_str_t                   webhook_ca;      /* file */
    ngx_flag_t                  allow_private;
    ngx_flag_t                  loopback;        /* base_url says so itself */
    ngx_str_t                   proxy;           /* NUL-terminated; "": none */
    pay_breaker_conf_t          breaker;
    ngx_uint_t                  concurrency;     /* 0: no cap */
    ngx_uint_t                  retries;         /* bits of psp.retry[] that
                                                    the block says itself */
    ngx_str_t                   cell;            /* the name, or empty */
    ngx_uint_t                  from;            /* of a provider: where older
                                                    work of its merchant is, or
                                                    psp.cell */
} ngx_payments_psp_t;


/* How a merchant's pages for buyers look; empty: as those of the gateway. */
typedef struct {
    ngx_str_t                   name;            /* display_name */
    ngx_str_t                   logo;            /* bytes of the file */
    ngx_str_t                   logo_file;       /* its name in addresses */
    ngx_uint_t                  logo_is_svg;
    ngx_str_t                   style;           /* made of page_colors */
    ngx_str_t                   style_file;
    ngx_str_t                   text;            /* page_text without … */
    ngx_str_t                   texts[PAY_LOCALES];  /* … and with a
                                                        language */
} ngx_payments_look_t;

/* A file of a look, by which it is found: its style_file or its logo_file. */
typedef struct {
    pay_str_t                   name;
    ngx_payments_look_t        *look;
} ngx_payments_look_file_t;


typedef struct {
    pay_merchant_t              merchant;
    ngx_str_t                   cell;            /* the name, or empty … */
    ngx_str_t                   from;            /* … and of that with its older
                                                    payments */
    ngx_array_t                *hosts;           /* pay_str_t */
    ngx_array_t                *psps;            /* ngx_str_t; these three end
                                                    with the reading */
    ngx_array_t                *routes;          /* of the conf_route file */
    ngx_array_t                *jwt_keys;        /* pay_jwt_key_t */
    ngx_payments_look_t         look;
} ngx_payments_merchant_t;


typedef struct {
    ngx_array_t                *dsns;            /* ngx_str_t, each with a NUL
                                                    behind it: one a host */
    ngx_uint_t                  connections;
    ngx_uint_t                  batch;
    ngx_uint_t                  queue;
    ngx_msec_t                  timeout;         /* of a call on the wire */
    ngx_msec_t                  wait;            /* of a call in the queue */
    ngx_uint_t                  role;            /* a pay_op_role_t, whose
                                                    operations alone it has */
    ngx_msec_t                  lag;             /* of a replica's answers, at
                                                    most */
} ngx_payments_db_conf_t;


/* A cell: a database that merchants are assigned to, as the roles of the
 * gateway see it.  Nothing of a payment is in two of them. */
typedef struct {
    ngx_str_t                   name;            /* "default" where the
                                                    directive has none */
    ngx_str_t                   note;            /* of it in the log: empty
                                                    where it is the only one */
    ngx_uint_t                  index;           /* in cells */
    u_char                      letter;          /* in front of the handles of
                                                    its buyers; 0: none */
    ngx_payments_db_conf_t      dbs[PAY_ROLE_COUNT];
    ngx_open_file_t            *seals;           /* where they go, too; or
                                                    NULL */
} ngx_payments_cell_t;


/* Classes of work, each with a cap on what is under way at once. */
typedef enum {
    NGX_PAYMENTS_WORK_INTAKE = 0,      /* POST /v1/payments */
    NGX_PAYMENTS_WORK_READ,            /* GETs of the API */
    NGX_PAYMENTS_WORK_CHANGE,          /* captures, cancellations, refunds:
                                          counted, never refused */
    NGX_PAYMENTS_WORK_JOB,             /* background jobs */
    NGX_PAYMENTS_WORK_CONSOLE          /* pages of staff */
} ngx_payments_work_e;

#define NGX_PAYMENTS_WORKS  5

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


/* A source of settlement files.  `client` is for reports that are downloaded:
 * their URL stands in the place of a base_url. */
typedef struct {
    pay_settle_source_t         source;
    ngx_str_t                   psp;             /* the name, or empty */
    ngx_str_t                   dir;             /* NUL-terminated */
    time_t                      age_s;           /* of a file that is whole */
    ngx_msec_t                  pull_ms;         /* 0: it is not pulled */
    ngx_uint_t                  keeps_copy;      /* of each file, encrypted */
    ngx_uint_t                  cell;            /* the PSP's, or the
                                                    merchant's */
    ngx_payments_psp_t          client;
} ngx_payments_settlement_t;


/* A pay-out provider.  The transport knows its `client` alone: its name in
 * circuits and metrics is payout/NAME, and its index stands behind those of
 * PSPs. */
typedef struct {
    ngx_payments_psp_t          client;          /* first: the words of
                                                    PSPs' clients write here */
    pay_payout_provider_t       provider;
    ngx_str_t                   merchant;        /* the name */
    ngx_msec_t                  interval_ms;     /* between questions for a
                                                    call */
} ngx_payments_payout_t;


/* A provider of sanctions screening.  The transport knows its `client` alone:
 * its name in circuits and metrics is screening/NAME. */
typedef struct {
    ngx_payments_psp_t          client;          /* first, as above */
    pay_screening_provider_t    provider;
    ngx_str_t                   merchant;        /* the name */
    ngx_msec_t                  interval_ms;     /* between questions for an
                                                    account */
    time_t                      retry_s;
} ngx_payments_screening_t;


/* How messages go to the endpoints of storefronts.  The transport knows its
 * `client` alone: each call has a URL of its own. */
typedef struct {
    ngx_uint_t                  concurrency;     /* deliveries of a worker */
    ngx_msec_t                  interval_ms;     /* between questions for one
                                                    when there was none */
    ngx_uint_t                  hosts;           /* pay_hosts_t */
    ngx_payments_psp_t          client;
} ngx_payments_endpoints_t;


/* An endpoint of a storefront that stands in nginx.conf.  `args` is all that
 * PostgreSQL gets of it; the secret is there sealed, and nowhere else. */
typedef struct {
    ngx_str_t                   merchant;        /* the name */
    ngx_str_t                   url;
    ngx_str_t                   secret_file;
    pay_str_t                   types;           /* JSON */
    ngx_uint_t                  is_ordered;
    time_t                      overlap_s;
    const pay_merchant_t       *owner;           /* in both of its cells */
    pay_declare_endpoints_in_t  args;
} ngx_payments_declared_t;


/* An external provider of risk.  The transport knows its `client` alone: its
 * name in circuits and logs is risk/NAME. */
typedef struct {
    ngx_payments_psp_t          client;          /* first, as above */
    pay_risk_provider_t         provider;
    ngx_str_t                   merchant;        /* the name, or empty */
    ngx_uint_t                  fail;            /* unset: it is not said */
    ngx_uint_t                  is_shadow;
} ngx_payments_risk_provider_t;


enum { NGX_PAYMENTS_RISK_OFF, NGX_PAYMENTS_RISK_ON, NGX_PAYMENTS_RISK_SHADOW };

/* The look at checkouts before their PSPs are asked. */
typedef struct {
    ngx_uint_t                  mode;
    size_t                      memory;          /* of windows, bytes */
    ngx_msec_t                  block_delay;     /* at least; 0: none */
    ngx_array_t                 rules;           /* pay_risk_rule_t */
    ngx_array_t                 velocities;      /* pay_risk_velocity_t */
    ngx_array_t                 providers;       /* ngx_payments_risk_provider_t
                                                    * */
    ngx_array_t                 scorers;         /* pay_risk_scorer_t */
    ngx_array_t                 scales;          /* pay_risk_scale_t */
    u_char                      digest[PAY_SHA256_SIZE];  /* of the lines */
    ngx_shm_zone_t             *zone;            /* NULL: it is off */
    time_t                      review_deadline_s;
    ngx_uint_t                  review_overdue;
    ngx_str_t                   review_second;   /* an amount, or empty */
    ngx_uint_t                  testing_share;   /* percent; 0: no mode */
    ngx_uint_t                  testing_min;     /* attempts */
    time_t                      testing_window_s;
    time_t                      testing_for_s;
    ngx_uint_t                  testing_then;    /* pay_risk_action_t */
    pay_risk_t                  core;
} ngx_payments_risk_conf_t;


/* How the event log is sealed, and days are closed. */
typedef struct {
    ngx_msec_t                  interval_ms;     /* unset: it is not */
    ngx_msec_t                  close_ms;        /* behind midnight a day is
                                                    closed; unset: none is */
    pay_secret_t                key;
    char                        key_id[PAY_ED25519_KEY_ID + 1];
    ngx_str_t                   next_key;        /* file, or empty */
    ngx_str_t                   file;            /* where seals go, too … */
    ngx_syslog_peer_t          *syslog;          /* … or empty and NULL */
} ngx_payments_audit_conf_t;


/* The age of a state at which the sweep reports it; 0: no limit. */
typedef struct {
    time_t                      registering_s;
    time_t                      executing_s;     /* past its expires_at */
    time_t                      unknown_s;
    time_t                      parked_s;
    ngx_msec_t                  interval_ms;     /* between two sweeps */
} ngx_payments_watch_conf_t;


/* A file of the console's pages. */
typedef struct {
    ngx_str_t                   name;            /* below the location */
    ngx_str_t                   type;            /* Content-Type, a literal */
    ngx_str_t                   text;
    u_char                      etag[NGX_PAYMENTS_ETAG + 1];
} ngx_payments_asset_t;


/* A line of payments_console_refund, in decimals of its currency. */
typedef struct {
    pay_str_t                   currency;
    pay_str_t                   each;            /* of one refund */
    pay_str_t                   person;          /* of a person in a day */
    pay_str_t                   day;             /* of all in a day */
} ngx_payments_refund_limit_t;


/* Staff: who may look, and where the pages of the console come from. */
typedef struct {
    ngx_array_t                *keys;            /* pay_jwt_key_t; the owner of
                                                    each is no merchant */
    ngx_array_t                *groups;          /* pay_staff_group_t */
    ngx_str_t                   issuer;
    ngx_str_t                   audience;
    time_t                      max_lifetime;
    ngx_str_t                   html;            /* directory, or empty */
    ngx_array_t                 assets;          /* ngx_payments_asset_t */
    ngx_uint_t                  is_set;          /* payments_staff is there */
    ngx_uint_t                  is_served;       /* payments_console is */
    ngx_uint_t                  cell;            /* whose database is asked
                                                    where none is named */
    pay_console_facts_t         facts;
    ngx_array_t                *refunds;         /* ngx_payments_refund_limit_t
                                                    of each currency, or NULL */
    pay_str_t                   terms;           /* of refunds, JSON */
} ngx_payments_console_conf_t;


/* The buyer's pages stand here once for each language. */
typedef struct {
    ngx_str_t                   status[PAY_LOCALES];  /* html/status.html */
    ngx_str_t                   error[PAY_LOCALES];   /* html/error.html */
    pay_locale_t               *locales[PAY_LOCALES];
    ngx_str_t                   problem;         /* html/problem.html */
    ngx_str_t                   problems;        /* html/problems.html */
    ngx_str_t                   advice;          /* html/advice.html */
    ngx_str_t                   style;           /* html/style.css */
} ngx_payments_pages_t;


typedef struct ngx_http_payments_places_s  ngx_http_payments_places_t;

/* `psps` and `merchants` are sorted by name when they have been read, as those
 * of `env` are, in which each has the same index. */
typedef struct {
    pay_env_t                   env;
    ngx_array_t                 psps;            /* ngx_payments_psp_t * */
    ngx_array_t                 merchants;       /* ngx_payments_merchant_t * */
    ngx_http_payments_places_t *places;          /* of the conf_place file */
    ngx_array_t                 look_files;      /* ngx_payments_look_file_t,
                                                    sorted by name */
    ngx_array_t                *lines;           /* these three of the
                                                    conf_lines file */
    ngx_array_t                *blocks;
    ngx_array_t                *files;
    ngx_array_t                 locations;       /* ngx_payments_location_t */
    ngx_int_t                   psp_concurrency; /* 0: no cap */
    ngx_array_t                 jwt_keys;        /* pay_jwt_key_t, all */
    ngx_str_t                   audience;
    ngx_flag_t                  audience_unset;
    time_t                      jwt_max_lifetime;
    ngx_str_t                   public_url;
    ngx_str_t                   html;            /* directory, or empty */
    ngx_payments_pages_t        pages;
    ngx_array_t                 cells;           /* ngx_payments_cell_t *; one
                                                    at least */
    ngx_shm_zone_t             *zone;
    ngx_flag_t                  active;          /* a location has one of
                                                    our handlers */
    ngx_flag_t                  jobs;
    ngx_uint_t                  jobs_concurrency;
    ngx_msec_t                  jobs_interval;
    ngx_uint_t                  psp_rate;        /* of jobs' calls to one PSP,
                                                    per 1000 s; 0: any */
    ngx_msec_t                  buyer_timeout;   /* PSP query on the return */
    pay_retry_t                 retry[PAY_RETRY_COUNT];  /* of every PSP */
    ngx_uint_t                  retries;         /* bits of those said */
    ngx_payments_watch_conf_t   watch;
    ngx_flag_t                  quarantine;      /* of refused webhooks */
    ngx_uint_t                  body_days;       /* of verified ones; or 0 */
    size_t                      body_size;
    ngx_payments_audit_conf_t   audit;
    pay_keyring_t               keyring;         /* no key: none is named */
    ngx_array_t                 rates;           /* ngx_payments_rates_t * */
    ngx_msec_t                  quote_ttl;
    ngx_array_t                 settlements;     /* ngx_payments_settlement_t
                                                    * */
    ngx_array_t                 payouts;         /* ngx_payments_payout_t * */
    ngx_array_t                 screenings;      /* ngx_payments_screening_t
                                                    * */
    ngx_payments_endpoints_t    endpoints;
    ngx_array_t                 declared;        /* ngx_payments_declared_t
                                                    * */
    ngx_payments_risk_conf_t    risk;
    ngx_payments_console_conf_t  console;
    ngx_payments_bulkhead_conf_t  bulkhead;
    ngx_msec_t                  stages[PAY_STAGES];  /* 0: no deadline */
} ngx_http_payments_main_conf_t;


typedef struct {
    ngx_flag_t                  active;          /* has a payments location */
    ngx_flag_t                  insecure_http;   /* the API without TLS */
    ngx_str_t                   checkout;        /* prefix of the location, or
                                                    empty */
    ngx_str_t                   back;            /* of payments_return */
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
    size_t                      max_body;        /* unset: not written */
    size_t                      body_limit;      /* max_body or its default */
    ngx_msec_t                  body_timeout;
} ngx_http_payments_loc_conf_t;


#endif /* NGX_PAYMENTS_CONF_TYPES_H */
