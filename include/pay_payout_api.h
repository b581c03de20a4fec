/*
 * Requests of a merchant about pay-outs: the body of a POST, from a stranger's
 * bytes to checked values.  Lists are pay_finance.h's.
 */

#ifndef PAY_PAYOUT_API_H
#define PAY_PAYOUT_API_H

#include "pay_op.h"
#include "pay_payment.h"
#include "pay_payout.h"


#define PAY_PAYOUT_BATCH_MAX  1000     /* items */
#define PAY_PAYOUT_HASH       64       /* its digest in hexadecimal digits */
#define PAY_DESTINATION_NONCE  12      /* bytes: PAY_KEYRING_NONCE */


typedef enum {
    PAY_PAYOUT_ACT_RELEASE = 0,        /* of an order */
    PAY_PAYOUT_ACT_MAKE,
    PAY_PAYOUT_ACT_MAKE_BATCH,
    PAY_PAYOUT_ACT_APPROVE,            /* a batch */
    PAY_PAYOUT_ACT_SEND,
    PAY_PAYOUT_ACT_WITHDRAW,
    PAY_PAYOUT_ACT_ENTER,              /* the account of a seller */
    PAY_PAYOUT_ACT_CLOSE,
    PAY_PAYOUT_ACTS
} pay_payout_act_kind_t;

/* A body after every check that needs no database; its texts are the arena's.
 * A member that the kind does not have is empty. */
typedef struct {
    pay_str_t              why;        /* of a release and of an account; has a
                                          default */
    pay_str_t              seller;
    const pay_currency_t  *currency;
    pay_str_t              provider;
    pay_int_t              limit;      /* of a batch: items at most */
    pay_str_t              hash;       /* of the batch that is approved */
    pay_payout_destination_t  to;      /* the account that is entered */
    pay_str_t              shown;      /* its number, masked: "DE…3000" */
    pay_errors_t           errors;     /* of one that is refused */
} pay_payout_act_t;

/* A request; id, subject and body are untrusted, and so is the key but for its
 * form. */
typedef struct {
    pay_payout_act_kind_t  kind;
    pay_str_t              merchant_id;
    pay_str_t              id;         /* of the path, or empty; of ENTER: the
                                          seller */
    pay_str_t              subject;    /* of the token */
    pay_str_t              body;       /* empty: there is none */
    pay_str_t              idempotency_key;
    int64_t                ttl_s;      /* of the key */
    pay_str_t              nonce;      /* of ENTER: PAY_DESTINATION_NONCE random
                                          bytes, for this request alone */
    pay_str_t              base_url;   /* of this gateway */
} pay_payout_act_input_t;


/* The route that a key belongs to, for its fingerprint. */
const char *pay_payout_act_route(pay_payout_act_kind_t kind);

/* Reads the body of a request.  PAY_INVALID with a slug of
 * docs/security.md#hostile-requests and a JSON pointer: the first of
 * act->errors, but for a text that is no JSON and for card data. */
pay_status_t pay_payout_act_parse(pay_arena_t *arena,
    pay_payout_act_kind_t kind, pay_str_t body, pay_payout_act_t *act,
    pay_err_t *err) PAY_MUST_CHECK;


#endif /* PAY_PAYOUT_API_H */
