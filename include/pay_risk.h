/*
 * Risk: the facts of a checkout before its PSP is asked, the rules that
 * look at them, and the windows in which attempts are counted.  There is no
 * I/O: the caller counts (pay_risk_counts_t), and PostgreSQL decides in the
 * commit that stores the checkout, by the findings that pay_risk_find()
 * makes, by its lists and by the windows that it keeps itself.
 */

#ifndef PAY_RISK_H
#define PAY_RISK_H

#include "pay_keyring.h"
#include "pay_payment.h"
#include "pay_risk_model.h"


#define PAY_RISK_RULES_MAX       64
#define PAY_RISK_TERMS_MAX       16    /* comparisons of a rule */
#define PAY_RISK_VALUES_MAX      32    /* of a comparison */
#define PAY_RISK_VELOCITIES_MAX  16
#define PAY_RISK_NAME_MAX        32    /* bytes of a rule's name */
#define PAY_RISK_HASHES          2     /* keys that lists are looked up by */
#define PAY_RISK_MEMORY_S        3600  /* longer windows are PostgreSQL's */
#define PAY_RISK_WINDOW_MAX_S    (30 * 86400)
#define PAY_RISK_DOCUMENT_MAX    16384 /* bytes */
#define PAY_RISK_AGENT_MAX       512   /* bytes, as buyer_info.user_agent */
#define PAY_RISK_MODELS_MAX      8
#define PAY_RISK_SCALES_MAX      64
#define PAY_RISK_ONE             1000  /* of weights and thresholds */

/* Decisions, from the mildest on: of several the most severe one counts, but a
 * rule or list that allows ends all. */
typedef enum {
    PAY_RISK_ALLOW = 0,
    PAY_RISK_CHALLENGE,        /* the PSP asks for 3-D Secure, where it can */
    PAY_RISK_REVIEW,           /* pay-outs of it wait for an operator */
    PAY_RISK_BLOCK,            /* FAILED with reason risk; nothing is sent */
    PAY_RISK_ACTIONS
} pay_risk_action_t;

typedef enum {
#define ATTRIBUTE(name, type)  PAY_RISK_##name,
#include "risk/attribute.list"
#undef ATTRIBUTE
    PAY_RISK_ATTRIBUTES
} pay_risk_attribute_t;

typedef enum {
#define KEY(name, attribute, personal)  PAY_RISK_BY_##name,
#include "risk/key.list"
#undef KEY
    PAY_RISK_KEYS
} pay_risk_key_t;

typedef enum {
    PAY_RISK_TEXT = 0, PAY_RISK_NUMBER, PAY_RISK_AMOUNT
} pay_risk_type_t;

/* text of PAY_RISK_TEXT, number of the others: minor units of an amount.
 * - is_hidden: with is_known: there is a value, and only that is stored of it.
 * - is_lost: nobody can say whether there is one.  Both are of decisions that
 *   are replayed (pay_risk_trial.h), never of a checkout. */
typedef struct {
    int        is_known;
    int        is_hidden;
    int        is_lost;
    pay_str_t  text;
    int64_t    number;
} pay_risk_value_t;

/* See pay_risk_provider.h. */
typedef struct pay_risk_provider_s  pay_risk_provider_t;

/* The word of an external provider. */
typedef struct {
    const pay_risk_provider_t  *provider;
    pay_risk_action_t           then;
    const char                 *failed;    /* literal: it gave none, and why;
                                            * NULL: it did */
    pay_str_t                   reference; /* its name for the case, or
                                            * empty */
} pay_risk_word_t;

/* The buyer's earlier checkouts with the merchant, as of now; NAN: not known.
 * - ships: 1: one that was paid went to the same country.
 * - devices: from so many was paid, and not disputed as fraud.
 * - device_s: when first from this one; NAN: never.
 * - cents: the amount of this checkout in USD. */
typedef struct {
    double  orders;
    double  failures;
    double  disputes;
    double  ships;
    double  psp_risk;
    double  cents;
    double  devices;
    double  device_s;
} pay_risk_history_t;

typedef struct {
    pay_risk_value_t               values[PAY_RISK_ATTRIBUTES];
    const pay_payment_request_t   *request;      /* borrowed */
    pay_str_t                      merchant_id;
    int64_t                        now_s;
    const pay_risk_word_t         *word; /* NULL: no provider was asked */
    const pay_risk_history_t      *history;      /* NULL: nobody has looked */
} pay_risk_facts_t;

typedef enum {
    PAY_RISK_EQ = 0, PAY_RISK_NE, PAY_RISK_LT, PAY_RISK_LE, PAY_RISK_GT,
    PAY_RISK_GE
} pay_risk_compare_t;

/* A comparison.  A value that is not known is neither equal nor different, so
 * that it does not hold, but for `ATTRIBUTE=missing`.
 * - values: PAY_RISK_TEXT, any of which may be equal. */
typedef struct {
    pay_risk_attribute_t   attribute;
    pay_risk_compare_t     compare;
    int                    of_missing;
    int                    of_other;   /* with `other` */
    pay_risk_attribute_t   other;
    pay_str_t             *values;
    unsigned               value_count;
    int64_t                number;
    const pay_currency_t  *currency;   /* of an amount */
    int                    begins_or;  /* behind "or"; "and" binds closer */
} pay_risk_term_t;

typedef struct {
    pay_str_t          name;
    pay_str_t          merchant_id;    /* empty: of all */
    pay_risk_action_t  then;
    int                is_shadow;      /* is stored, and does nothing */
    unsigned           term_count;
    pay_risk_term_t   *terms;
} pay_risk_rule_t;

typedef enum {
    PAY_RISK_ATTEMPTS = 0, PAY_RISK_DECLINES, PAY_RISK_SUM, PAY_RISK_OF_COUNT
} pay_risk_of_t;

/* So many in a window are allowed, one more hits.  Attempts of an hour at most
 * are counted in memory, all others by PostgreSQL in whole hours. */
typedef struct {
    pay_str_t              name;
    pay_str_t              merchant_id;          /* empty: of all */
    pay_risk_key_t         key;
    pay_risk_of_t          of;
    int64_t                window_s;
    int64_t                limit;      /* of a sum: minor units … */
    const pay_currency_t  *currency;   /* … of this one */
    pay_risk_action_t      then;
    int                    is_shadow;
} pay_risk_velocity_t;

/* The parts of a score, each from 0 to 1: see docs/risk-score.md#the-total. */
typedef enum {
    PAY_RISK_PART_MODEL = 0,
    PAY_RISK_PART_RULES,
    PAY_RISK_PART_VELOCITY,
    PAY_RISK_PART_DEVICE,
    PAY_RISK_PARTS
} pay_risk_part_t;

/* A model that scores checkouts.  The champion's probability is a part of the
 * total; that of a challenger is only stored. */
typedef struct {
    pay_str_t                name;
    pay_str_t                merchant_id;        /* empty: of all */
    int                      is_challenger;
    char                     sha256[PAY_RISK_HASH_SIZE];   /* of its text */
    const pay_risk_model_t  *model;
} pay_risk_scorer_t;

/* How parts make a total, and which totals ask for a decision: in thousandths.
 * - weights: their sum is PAY_RISK_ONE.
 * - thresholds: by action, rising with its severity; 0: there is none. */
typedef struct {
    pay_str_t  merchant_id;            /* empty: of all */
    unsigned   weights[PAY_RISK_PARTS];
    unsigned   thresholds[PAY_RISK_ACTIONS];
    int        is_shadow;
} pay_risk_scale_t;

/* The configuration; read-only for the life of the process. */
typedef struct {
    const pay_risk_rule_t      *rules;
    unsigned                    rule_count;
    const pay_risk_velocity_t  *velocities;
    unsigned                    velocity_count;
    const pay_risk_provider_t *const *providers;
    unsigned                    provider_count;
    const pay_risk_scorer_t    *scorers;
    unsigned                    scorer_count;
    const pay_risk_scale_t     *scales;
    unsigned                    scale_count;
    int                         is_shadow;       /* of all */
    pay_str_t                   review;  /* JSON: the terms of reviews, as
                                          * review_terms_ok() of SQL wants
                                          * them; empty: those of SQL */
    int                         voids;   /* blocked after the PSP: the money
                                          * goes back; 0: it is held */
    pay_str_t                   after;   /* as pay_risk_after() makes it */
    unsigned char               keys[PAY_RISK_HASHES][PAY_SHA256_SIZE];
    unsigned                    key_count;       /* the first one counts */
    char                        version[2 * PAY_SHA256_SIZE + 1];
} pay_risk_t;

/* The name that a PSP has for a card in an account. */
typedef struct {
    pay_str_t  psp;
    pay_str_t  account;
    pay_str_t  card;
} pay_risk_card_name_t;

/* A browser that opens a checkout, as the server sees it: all of it is the
 * browser's word but the address.
 * - cookie: PAY_HANDLE_TEXT bytes, as pay_risk_cookie_find() has found them, or
 *   new ones of pay_handle().
 * - is_new: those; they are to be set.
 * - address: of its connection, or empty. */
typedef struct {
    pay_str_t  cookie;
    int        is_new;
    pay_str_t  user_agent;
    pay_str_t  address;
} pay_risk_browser_t;

/* The same as PostgreSQL keeps it: see src/op/read.list. */
typedef struct {
    pay_str_t  browser;
    pay_str_t  before;
    pay_str_t  agent;
    pay_str_t  user_agent;
    pay_str_t  address;
} pay_risk_seen_t;

/* One count in memory: the caller adds one to the key's window at `at_s` and
 * stores how many the window has then. */
typedef struct {
    const pay_risk_velocity_t  *velocity;
    uint64_t                    key;   /* of the velocity, merchant and key */
    uint32_t                    count;
} pay_risk_count_t;

typedef struct {
    unsigned           count;
    int64_t            at_s;
    pay_risk_count_t  *items;
} pay_risk_counts_t;

/* A rule, or a window in memory, that hits. */
typedef struct {
    pay_str_t          name;
    pay_risk_action_t  then;
    int                is_shadow;
} pay_risk_hit_t;

/* A value that lists are looked up by, as they keep it. */
typedef struct {
    const char  *kind;
    pay_str_t    value;
} pay_risk_kept_t;

/* A window that PostgreSQL counts; hash: of its key's value. */
typedef struct {
    const pay_risk_velocity_t  *velocity;
    pay_str_t                   hash;
    int64_t                     hours;
    int                         is_shadow;
} pay_risk_window_t;

/* - json: version, decision of the hits, whether a rule allows, the word of a
 *   provider, and the facts without anything personal: see
 *   sql/functions/28_risk.sql. */
typedef struct {
    pay_str_t              json;
    pay_risk_hit_t        *hits;
    size_t                 hit_count;
    pay_risk_kept_t       *keys;
    size_t                 key_count;
    pay_risk_window_t     *windows;
    size_t                 window_count;
} pay_risk_findings_t;


/* Reads a rule: words are those of a line from "if" to the one before "then=",
 * as in `amount>=5000.00USD and country=DE,FR or email=missing`.  The texts are
 * copied.  PAY_INVALID: err->detail says how to mend it. */
pay_status_t pay_risk_rule_read(pay_arena_t *arena, const pay_str_t *words,
    size_t count, pay_risk_rule_t *rule, pay_err_t *err) PAY_MUST_CHECK;
/* Whether it applies to these facts: unknown when a value that is not stored
 * decides. */
typedef enum {
    PAY_RISK_NO = 0, PAY_RISK_UNKNOWN, PAY_RISK_YES
} pay_risk_truth_t;
pay_risk_truth_t pay_risk_rule_truth(const pay_risk_rule_t *rule,
    const pay_risk_facts_t *facts);
/* 1 when it applies to these facts. */
int pay_risk_rule_hits(const pay_risk_rule_t *rule,
    const pay_risk_facts_t *facts);

/* A line of words for a rule or window, for its version and for operators. */
const char *pay_risk_action_name(pay_risk_action_t action);
const char *pay_risk_key_name(pay_risk_key_t key);
const char *pay_risk_of_name(pay_risk_of_t of);
const char *pay_risk_part_name(pay_risk_part_t part);
/* The weights of a total without a line of its own: 0.4, 0.3, 0.2, 0.1. */
unsigned pay_risk_part_weight(pay_risk_part_t part);
/* PAY_NOT_FOUND: there is none of that name. */
pay_status_t pay_risk_action_find(pay_str_t name, pay_risk_action_t *action)
    PAY_MUST_CHECK;
pay_status_t pay_risk_key_find(pay_str_t name, pay_risk_key_t *key)
    PAY_MUST_CHECK;

/* The keys of hashes, from the first keys of the ring, which are used for
 * nothing else. */
pay_status_t pay_risk_keys(const pay_keyring_t *ring, pay_risk_t *risk)
    PAY_MUST_CHECK;
/* A value as lists and counters keep it: of a personal kind the hex of its
 * keyed hash, of others itself.  The value is normalised first.  PAY_INVALID:
 * there is no such kind, or no value of it looks like that. */
pay_status_t pay_risk_list_value(pay_arena_t *arena, const pay_risk_t *risk,
    unsigned hash, pay_str_t kind, pay_str_t value, pay_str_t *kept)
    PAY_MUST_CHECK;

/* The keyed hash, in hex, of the name that a PSP has for a card.  It is one of
 * the PSP's and the account's: fingerprints of two are never the same card. */
pay_status_t pay_risk_card(pay_arena_t *arena, const pay_risk_t *risk,
    unsigned hash, const pay_risk_card_name_t *card, pay_str_t *hex)
    PAY_MUST_CHECK;
/* Whether the key is known only when the PSP was asked. */
int pay_risk_is_after(pay_risk_key_t key);
/* The argument of apply_event by which words about cards are judged, as JSON:
 * see sql/functions/29_risk_card.sql. */
pay_status_t pay_risk_after(pay_arena_t *arena, const pay_risk_t *risk,
    pay_str_t *json) PAY_MUST_CHECK;

/* The cookie of a browser in a header field Cookie, which is untrusted: 1 when
 * it is there once and has the form of one of ours.  *cookie borrows. */
int pay_risk_cookie_find(pay_str_t header, pay_str_t *cookie);
/* The value of Set-Cookie for a new one. */
pay_status_t pay_risk_cookie_set(pay_arena_t *arena, pay_str_t cookie,
    pay_str_t *header) PAY_MUST_CHECK;
/* A browser as it is kept.  Of a User-Agent PAY_RISK_AGENT_MAX bytes count; one
 * that is longer, or has a byte that is not printable ASCII, is not compared.
 * A text that is no address counts as none. */
pay_status_t pay_risk_see(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_browser_t *browser, pay_risk_seen_t *seen) PAY_MUST_CHECK;

/* The facts of a request at a time.  Normalised texts are the arena's, the
 * rest borrows. */
pay_status_t pay_risk_facts(pay_arena_t *arena, pay_str_t merchant_id,
    const pay_payment_request_t *request, int64_t now_s,
    pay_risk_facts_t *facts) PAY_MUST_CHECK;
/* The keyed hash of who buys, in hex, by which earlier checkouts of the same
 * buyer are found: of buyer_info.id, or where there is none of the address of
 * mail.  Empty: neither is given, or there is no such key. */
pay_status_t pay_risk_buyer(pay_arena_t *arena, const pay_risk_t *risk,
    unsigned hash, const pay_risk_facts_t *facts, pay_str_t *hex)
    PAY_MUST_CHECK;
/* The same of its device; empty: it is not given, or there is no such key. */
pay_status_t pay_risk_device(pay_arena_t *arena, const pay_risk_t *risk,
    unsigned hash, const pay_risk_facts_t *facts, pay_str_t *hex)
    PAY_MUST_CHECK;
/* Whether a model scores this checkout, and the buyer's history or the rate of
 * a currency is to be looked up for it. */
int pay_risk_looks_back(const pay_risk_t *risk, const pay_risk_facts_t *facts);
/* The windows in memory that this attempt belongs to, to be counted. */
pay_status_t pay_risk_count(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, pay_risk_counts_t *counts) PAY_MUST_CHECK;
/* Whether a rule or a window in memory has decided already: it blocks, or a
 * rule allows, which ends all. */
pay_status_t pay_risk_is_decided(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, const pay_risk_counts_t *counts,
    int *is_decided) PAY_MUST_CHECK;
/* Finds the arguments of begin_payment about an attempt, once the counts are
 * there.  All of it is the arena's or the configuration's. */
pay_status_t pay_risk_find(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, const pay_risk_counts_t *counts,
    pay_risk_findings_t *findings) PAY_MUST_CHECK;


/* How long the answer about a blocked checkout waits, so that its time does not
 * tell it from one that was registered: mean_ms, the time that calls to its PSP
 * take at present, a quarter more or less, and at least least_ms, which is 0
 * where nothing waits.  draw: 16 random bits. */
int64_t pay_risk_delay_ms(int64_t least_ms, int64_t mean_ms, unsigned draw);


/* The windows in memory: a table in `size` bytes that are shared by all workers
 * of a host, under a lock of the caller's.  A key that has not come for the
 * longest time makes room for a new one. */
typedef struct pay_risk_table_s  pay_risk_table_t;

/* Makes an empty one; NULL: the memory is too small.  `memory` is aligned for
 * any type. */
pay_risk_table_t *pay_risk_table(void *memory, size_t size);
/* Adds one to the window of a key and returns how many it has: those of the
 * last window_s seconds, and at most a fifteenth of that more.  A time before
 * that of the last one counts as the last one's. */
uint32_t pay_risk_table_add(pay_risk_table_t *table, uint64_t key,
    int64_t window_s, int64_t at_s);
/* Takes one back that was added at that time, if it is still there. */
void pay_risk_table_take(pay_risk_table_t *table, uint64_t key,
    int64_t window_s, int64_t at_s);
/* Adds one that came at a time which may be before the last one's; nothing
 * where the window has passed it. */
void pay_risk_table_put(pay_risk_table_t *table, uint64_t key,
    int64_t window_s, int64_t at_s);
/* Whether it has the attempts from before it was made, of each part (below 64:
 * of each database) for itself; a new one has not. */
int pay_risk_table_is_whole(const pay_risk_table_t *table, unsigned part);
void pay_risk_table_set_whole(pay_risk_table_t *table, unsigned part);
/* How many keys have made room for others while their window was not over. */
uint64_t pay_risk_table_evicted(const pay_risk_table_t *table);


/* One that an attempt of the past adds to a window in memory. */
typedef struct {
    uint64_t  key;
    int64_t   window_s;
    int64_t   at_s;
} pay_risk_past_t;

/* A page of them.  next_us: where the next page begins, with next_merchant_id
 * and next_checkout_id; 0: this is the last one. */
typedef struct {
    pay_risk_past_t  *items;
    size_t            count;
    size_t            attempts;
    int64_t           next_us;
    pay_str_t         next_merchant_id;
    pay_str_t         next_checkout_id;
} pay_risk_past_page_t;

/* Seconds of the longest window in memory and a fifteenth more; 0: there is
 * none. */
int64_t pay_risk_memory_s(const pay_risk_t *risk);
/* Reads a page of list_past_attempts (sql/functions/61_risk_past.sql).  All of
 * it is the arena's.  PAY_INVALID: it is no such page. */
pay_status_t pay_risk_past(pay_arena_t *arena, const pay_risk_t *risk,
    pay_str_t json, pay_risk_past_page_t *page) PAY_MUST_CHECK;


#endif /* PAY_RISK_H */
