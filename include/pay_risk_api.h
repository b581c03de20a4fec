/*
 * Requests about a merchant's lists and reviews of risk: the body of a POST and
 * the query of a GET, from a stranger's bytes to checked values.
 */

#ifndef PAY_RISK_API_H
#define PAY_RISK_API_H

#include "pay_op.h"
#include "pay_problem.h"
#include "pay_risk.h"


#define PAY_RISK_LEASE_S      900      /* of a claim, when the body is silent */
#define PAY_RISK_LEASE_MAX_S  86400
#define PAY_RISK_LIMIT        100      /* of a page, when the query is silent */
#define PAY_RISK_LIMIT_MAX    1000


/* The subject of a GET. */
typedef enum {
    PAY_RISK_READ_ENTRIES = 0,
    PAY_RISK_READ_REVIEWS
} pay_risk_list_t;

/* Its texts are slices of the query. */
typedef struct {
    pay_risk_list_t  list;
    pay_int_t        id;               /* this one, instead of a page */
    pay_str_t        effect;
    pay_str_t        kind;
    pay_str_t        state;
    pay_int_t        after;
    int64_t          limit;
} pay_risk_query_t;

typedef enum {
    PAY_RISK_ACT_ADD = 0,              /* an entry to a list */
    PAY_RISK_ACT_REMOVE,
    PAY_RISK_ACT_CLAIM,                /* a review */
    PAY_RISK_ACT_APPROVE,
    PAY_RISK_ACT_REJECT,
    PAY_RISK_ACT_ESCALATE,
    PAY_RISK_ACTS
} pay_risk_act_kind_t;

/* A body after every check that needs neither database nor keyring; its texts
 * are the arena's.  A member that the kind does not have is empty.
 * - value: in clear; it goes no further than pay_risk_list_value(). */
typedef struct {
    pay_str_t     effect;
    pay_str_t     kind;
    pay_str_t     value;
    pay_int_t     until_us;
    pay_str_t     why;
    pay_str_t     reason;
    pay_str_t     note;
    int           blocks;              /* the buyer of a rejected checkout */
    int64_t       lease_s;
    pay_errors_t  errors;              /* of one that is refused */
} pay_risk_act_t;

/* A request; id, subject and body are untrusted. */
typedef struct {
    pay_risk_act_kind_t  kind;
    pay_str_t            merchant_id;
    pay_str_t            id;           /* of the path; empty: of ADD */
    pay_str_t            subject;      /* of the token */
    pay_str_t            body;         /* empty: there is none */
    pay_str_t            base_url;     /* of this gateway */
} pay_risk_act_input_t;


/* "claim", "approve", "reject", "escalate": the word of act_on_review; empty of
 * others. */
const char *pay_risk_act_word(pay_risk_act_kind_t kind);

/* The reasons of an act, for the sentence that refuses another; NULL: the kind
 * has none. */
const char *pay_risk_act_reasons(pay_risk_act_kind_t kind);

/* Reads the body of a request.  PAY_INVALID with a slug of
 * docs/security.md#hostile-requests and a JSON pointer: the first of
 * act->errors, but for a text that is no JSON and for card data.  No detail has
 * a value of the body. */
pay_status_t pay_risk_act_parse(pay_arena_t *arena, pay_risk_act_kind_t kind,
    pay_str_t body, pay_risk_act_t *act, pay_err_t *err) PAY_MUST_CHECK;

/* Reads the id of a path.  PAY_NOT_FOUND: nothing can have it. */
pay_status_t pay_risk_id(pay_str_t text, int64_t *id) PAY_MUST_CHECK;

/* Reads the query of a GET, without the '?', and the id of its path, which is
 * empty for a page; query->list is set.  PAY_INVALID "validation-error", whose
 * detail names the parameter, for one that is unknown, comes twice or breaks
 * its rule; PAY_NOT_FOUND: the id is none. */
pay_status_t pay_risk_query_parse(pay_str_t id, pay_str_t text,
    pay_risk_query_t *query, pay_err_t *err) PAY_MUST_CHECK;


#endif /* PAY_RISK_API_H */
