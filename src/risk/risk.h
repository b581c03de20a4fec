/*
 * Types and functions that the files of risk share.  Private to src/risk.
 */

#ifndef PAY_SRC_RISK_H
#define PAY_SRC_RISK_H

#include "pay_risk.h"


#define PAY_RISK_PREFIX_TEXT  50       /* bytes of an address with its bits */
#define PAY_RISK_PREFIXES     4

/* An address of a buyer. */
typedef struct {
    int            is_v6;
    unsigned char  bytes[16];          /* of IPv4 the first four */
} pay_risk_address_t;

typedef struct {
    const char       *name;
    pay_risk_type_t   type;
} pay_risk_attribute_row_t;

extern const pay_risk_attribute_row_t  pay_risk_attributes[];

/* A key: its attribute, and whether the value is kept as a hash. */
typedef struct {
    const char            *name;
    pay_risk_attribute_t   attribute;
    int                    is_personal;
} pay_risk_key_row_t;

extern const pay_risk_key_row_t  pay_risk_key_rows[];


/* PAY_INVALID: no address in text. */
pay_status_t pay_risk_address(pay_str_t text, pay_risk_address_t *address)
    PAY_MUST_CHECK;
/* The network of so many bits, as PostgreSQL writes a cidr with its bits. */
pay_status_t pay_risk_prefix(pay_arena_t *arena,
    const pay_risk_address_t *address, unsigned bits, pay_str_t *text)
    PAY_MUST_CHECK;
/* The lengths of prefixes that lists have, from the shortest on. */
const unsigned *pay_risk_prefix_bits(const pay_risk_address_t *address);

/* As the facts have them. */
pay_status_t pay_risk_email(pay_arena_t *arena, pay_str_t text,
    pay_str_t *email) PAY_MUST_CHECK;
pay_status_t pay_risk_phone(pay_arena_t *arena, pay_str_t text,
    pay_str_t *phone) PAY_MUST_CHECK;
/* The keyed hash of a value in hex. */
pay_status_t pay_risk_hash(pay_arena_t *arena, const pay_risk_t *risk,
    unsigned hash, pay_str_t kind, pay_str_t value, pay_str_t *hex)
    PAY_MUST_CHECK;

/* The values by which a velocity counts this attempt: several where the
 * checkout has several sellers, none where nothing is known.  *values is the
 * arena's; the hash of a personal one. */
pay_status_t pay_risk_key_values(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, pay_risk_key_t key, pay_str_t **values,
    unsigned *count) PAY_MUST_CHECK;
/* The windows of the features that are counts of attempts, which are counted
 * whenever a model scores. */
extern const pay_risk_velocity_t  pay_risk_feature_windows[];
#define PAY_RISK_FEATURE_WINDOWS  4

/* Whether the window is one of those. */
int pay_risk_is_feature(const pay_risk_velocity_t *velocity);
/* The vector of an attempt that was counted, in the units of
 * docs/risk-score.md#features; NAN: not known. */
void pay_risk_vector(const pay_risk_facts_t *facts,
    const pay_risk_counts_t *counts, double values[PAY_RISK_FEATURES]);
/* Whether the amount is in USD, and needs no rate. */
int pay_risk_is_dollar(const pay_risk_facts_t *facts);
/* Whether a model scores checkouts of this merchant. */
int pay_risk_has_model(const pay_risk_t *risk, const pay_risk_facts_t *facts);

#define PAY_RISK_MILLION  INT64_C(1000000)

/* A scored checkout.  All numbers but features are in millionths, so that the
 * stored parts give the stored total exactly.
 * - is_scored: 0, and nothing else is written: no model and no weights apply.
 * - champion: NULL: there is none; score: its.
 * - then: of the threshold that was reached; PAY_RISK_ALLOW: of none. */
typedef struct {
    int                       is_scored;
    double                    features[PAY_RISK_FEATURES];
    int64_t                   parts[PAY_RISK_PARTS];
    int64_t                   total;
    const pay_risk_scorer_t  *champion;
    pay_risk_score_t          score;
    const pay_risk_scorer_t  *challengers[PAY_RISK_MODELS_MAX];
    int64_t                   probabilities[PAY_RISK_MODELS_MAX];
    unsigned                  challenger_count;
    pay_risk_action_t         then;
    int                       is_shadow;
} pay_risk_total_t;

/* Scores an attempt that was counted; rules: the most severe live rule that
 * hits. */
void pay_risk_total(const pay_risk_t *risk, const pay_risk_facts_t *facts,
    const pay_risk_counts_t *counts, pay_risk_action_t rules,
    pay_risk_total_t *total);
/* The members features and score of the document for begin_payment, each with
 * a comma before it; nothing where nothing was scored. */
void pay_risk_total_write(const pay_risk_total_t *total, pay_buf_t *buf);

/* Whether the window is one in memory. */
int pay_risk_in_memory(const pay_risk_velocity_t *velocity);
/* The key of a value's window in the table; value: of pay_risk_key_values(). */
pay_status_t pay_risk_slot(const pay_risk_t *risk, pay_str_t merchant_id,
    const pay_risk_velocity_t *velocity, pay_str_t value, uint64_t *slot)
    PAY_MUST_CHECK;
/* Bits of the network by which the key counts addresses. */
unsigned pay_risk_key_bits(pay_risk_key_t key, int is_v6);
/* Whether it counts checkouts of this merchant. */
int pay_risk_is_of(pay_str_t merchant_id, const pay_risk_facts_t *facts);


#endif /* PAY_SRC_RISK_H */
