/*
 * The table of SQL operations.  The order of arguments and columns here, the
 * functions in sql/functions and the encoders in op_*.c are one contract;
 * tests/sql checks this table against pg_proc.
 */

#include "pay_op.h"


#define T  PAY_TEXT
#define B  PAY_BYTES
#define I  PAY_INT
#define J  PAY_JSON

/* outcome, then a checkout's view: merchant_id, checkout_id, checkout_uuid,
 * psp, nonce, handle, token, alias, hosted_url, return_url, base_url,
 * currency, total_minor, expires_s, registration_state, attempt, code,
 * version, orders */
#define VIEW  T, T, T, T, T, T, T, T, T, T, T, T, I, I, T, I, T, I, J

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))


static const pay_type_t  view_out[] = { T, VIEW };

/* outcome, then one order and what its checkout says of it: checkout_id, psp,
 * handle, token, base_url, expires_s, version, first_status (of the checkout's
 * first order; NULL: this is the first), payment_order_id, seller_account,
 * currency, amount_minor, status, reason, authorized_minor, captured_minor,
 * refunding_minor, refunded_minor, charged_back_minor (each NULL: nothing),
 * credit_currency, credit_minor, credit_rate, credit_until (ISO 8601), decline
 * (JSON, NULL: none) */
#define ORDER  T, T, T, T, T, I, I, T, T, T, T, I, T, T, I, I, I, I, I, T, I, \
               T, T, T
static const pay_type_t  order_out[] = { T, ORDER };

/* outcome, kind (register, find, over, replace, poll, refund, change),
 * attempts, operation_id (of a refund or a change), reference (the PSP's
 * payment id), view */
static const pay_type_t  job_out[] = { T, T, I, T, T, VIEW };

static const pay_type_t  json_out[] = { T, J };
static const pay_type_t  outcome_out[] = { T };

/* merchant_id, idempotency_key, fingerprint, checkout_id, checkout_uuid,
 * handle, psp, nonce, return_url, base_url, buyer_info, metadata,
 * credit_card_info, currency, total_minor, expires_s, orders, ttl_s,
 * lease_ms, request_id, psps (names with a blank between, the best first,
 * psp among them), route (why, or NULL), key_windows (of these psps, seconds
 * with a blank between; 0: it has no keys), late_success, terms ({"capture":
 * "manual", "quote_ttl_s": 900, "rate_age_s": 60, "replaces": …,
 * "change_id": …, "can_close": true, "asked_by": see pay_jwt_asker()} or
 * NULL) */
static const pay_type_t  begin_in[] = {
    T, T, B, T, T, T, T, T, T, T, J, J, J, T, I, I, J, I, I, T, T, T, T, T, J
};

/* merchant_id, checkout_id, psp, token, alias, hosted_url, poll_after_ms,
 * request_id */
static const pay_type_t  token_in[] = { T, T, T, T, T, T, I, T };

/* merchant_id, checkout_id, psp, outcome, code, retry_after_ms, request_id,
 * reach, http_status, dead (why there is no next attempt, or NULL), attempt
 * (of the registration, when its call went out) */
static const pay_type_t  no_token_in[] = { T, T, T, T, T, I, T, T, I, T, I };

/* merchant_id, checkout_id, psp, outcome (not_sent or refused), code,
 * lease_ms, request_id, attempt (of the call that came to nothing), reach,
 * http_status */
static const pay_type_t  reroute_in[] = { T, T, T, T, T, I, T, I, T, I };

/* merchant_id, checkout_id, lease_ms, request_id */
static const pay_type_t  release_in[] = { T, T, I, T };

/* merchant_id, payment_order_id or checkout_id */
static const pay_type_t  lookup_in[] = { T, T };

/* merchant_id, status (NULL: any), after_us (NULL: from the first), before_us
 * and before_id (of the last one seen; NULL: the newest), limit */
static const pay_type_t  page_in[] = { T, T, I, I, T, I };

static const pay_type_t  handle_in[] = { T };

/* psp, source, event_id, type, fact, token, reference, code, amount_minor,
 * currency, digest, request_id, decline (our code), can_retry, attempt (the
 * PSP's id of it) */
static const pay_type_t  event_in[] = {
    T, T, T, T, T, T, T, T, I, T, B, T, T, T, T
};

/* owner, lease_ms (of check_books: interval_ms) */
static const pay_type_t  claim_in[] = { T, I };

/* merchant_id, checkout_id, kind, operation_id (of a change, else empty),
 * owner, delay_ms (< 0: drop), code, dead (why there is no next attempt, or
 * NULL) */
static const pay_type_t  finish_in[] = { T, T, T, T, T, I, T, T };

/* merchant_id, checkout_id, operation, operation_id, psp, key_window_s,
 * lease_ms, request_id → outcome, attempt, sends */
static const pay_type_t  dispatch_in[] = { T, T, T, T, T, I, I, T };
static const pay_type_t  dispatch_out[] = { T, I, I };

/* merchant_id, checkout_id, operation, operation_id, attempt, state, reach,
 * http_status, code, reference, request_id */
static const pay_type_t  dispatched_in[] = { T, T, T, T, I, T, T, I, T, T, T };

/* psp, reason, digest, headers, body (its beginning), size, request_id */
static const pay_type_t  quarantine_in[] = { T, T, B, J, B, I, T };

/* psp, digest, body (NULL: left out), size, left_out (card_number or
 * too_large; NULL: it is not), days */
static const pay_type_t  body_in[] = { T, B, B, I, T, I };

/* owner, interval_ms, limits ({"registering_s": 900, …}) → outcome, counts */
static const pay_type_t  sweep_in[] = { T, I, J };

/* psp, owner, interval_ms, lease_ms → outcome, since_s, until_s */
static const pay_type_t  backfill_in[] = { T, T, I, I };
static const pay_type_t  backfill_out[] = { T, I, I };

/* psp, owner, until_s (NULL: it failed), listed, missed, code */
static const pay_type_t  backfilled_in[] = { T, T, I, I, I, T };

/* source (name of a source of rates), owner, interval_ms, lease_ms → outcome,
 * age_ms (of its rates; NULL: it has none) */
static const pay_type_t  rates_in[] = { T, T, I, I };
static const pay_type_t  rates_out[] = { T, I };

/* source, owner, base (currency), rates ({"USD": "1.0843"}, NULL: it failed),
 * code, age_ms (of the rates when they were read), max_age_ms */
static const pay_type_t  rated_in[] = { T, T, T, J, T, I, I };

/* merchant_id, seller_account, currency, before_seq (NULL: the newest),
 * limit */
static const pay_type_t  statement_in[] = { T, T, T, I, I };

/* merchant_id, payment_order_id, kind (capture, final_capture: nothing follows
 * it, cancel, refund, covered_refund: its seller has it), change_id (a fresh
 * UUID), idempotency_key, fingerprint, ttl_s, amount_minor (NULL: all that is
 * left), currency (NULL: the order's), reason, metadata, lease_ms,
 * request_id, asked_by (see pay_jwt_asker(), or NULL) */
static const pay_type_t  change_in[] = {
    T, T, T, T, T, B, I, I, T, T, J, I, T, J
};

/* change_id, kind (as above), payment_order_id, status, amount_minor, currency,
 * reason, code, reference (the PSP's id of the change), metadata, created_at,
 * changed_at (ISO 8601), payment_reference (the PSP's id of the payment) */
#define CHANGE  T, T, T, T, I, T, T, T, T, J, T, T, T
static const pay_type_t  change_out[] = { T, CHANGE, VIEW };

/* merchant_id, payment_order_id (NULL: whichever), change_id */
static const pay_type_t  get_change_in[] = { T, T, T };

/* merchant_id, payment_order_id, kind (capture, cancel, refund) */
static const pay_type_t  list_changes_in[] = { T, T, T };

/* psp, source (webhook, backfill, query), event_id, type, about (capture,
 * refund, dispute, fee), news (pending, succeeded, failed, opened, won, lost),
 * token, reference, object (the PSP's id of the refund or dispute),
 * operation_id (ours, if it echoes it), amount_minor, currency, fee_minor,
 * fee_currency, code, digest, request_id */
static const pay_type_t  apply_change_in[] = {
    T, T, T, T, T, T, T, T, T, T, I, T, I, T, T, B, T
};

/* owner, interval_ms, lease_ms → outcome, number, message (to be signed) */
static const pay_type_t  seal_in[] = { T, I, I };
static const pay_type_t  seal_out[] = { T, I, T };

/* number, key_id, signature */
static const pay_type_t  sealed_in[] = { I, T, B };


#define OP(name, args, in, out, class)                                        \
    { name, "SELECT * FROM pay_api." name "(" args ")",                       \
      COUNT(in), in, COUNT(out), out, class }

#define ARGS_2   "$1,$2"
#define ARGS_3   ARGS_2 ",$3"
#define ARGS_4   ARGS_3 ",$4"
#define ARGS_5   ARGS_4 ",$5"
#define ARGS_6   ARGS_4 ",$5,$6"
#define ARGS_7   ARGS_6 ",$7"
#define ARGS_8   ARGS_7 ",$8"
#define ARGS_10  ARGS_8 ",$9,$10"
#define ARGS_11  ARGS_10 ",$11"
#define ARGS_12  ARGS_11 ",$12"
#define ARGS_13  ARGS_12 ",$13"
#define ARGS_14  ARGS_13 ",$14"
#define ARGS_15  ARGS_14 ",$15"
#define ARGS_17  ARGS_15 ",$16,$17"
#define ARGS_25  ARGS_17 ",$18,$19,$20,$21,$22,$23,$24,$25"

#define MONEY   PAY_CLASS_MONEY
#define INTAKE  PAY_CLASS_INTAKE
#define JOBS    PAY_CLASS_JOBS

static const pay_op_t  ops[PAY_OP_COUNT] = {
    [PAY_OP_BEGIN_PAYMENT] =
        OP("begin_payment", ARGS_25, begin_in, view_out, INTAKE),
    [PAY_OP_STORE_TOKEN] =
        OP("store_token", ARGS_8, token_in, view_out, MONEY),
    [PAY_OP_STORE_NO_TOKEN] =
        OP("store_no_token", ARGS_11, no_token_in, view_out, MONEY),
    [PAY_OP_REROUTE] = OP("reroute", ARGS_10, reroute_in, view_out, MONEY),
    [PAY_OP_GET_ORDER] =
        OP("get_order", ARGS_2, lookup_in, order_out, INTAKE),
    [PAY_OP_GET_PAYMENT] =
        OP("get_payment", ARGS_2, lookup_in, view_out, INTAKE),
    [PAY_OP_GET_CHECKOUT] =
        OP("get_checkout", ARGS_2, lookup_in, view_out, INTAKE),
    [PAY_OP_GET_EVENTS] =
        OP("get_events", ARGS_2, lookup_in, json_out, INTAKE),
    [PAY_OP_GET_HANDLE] = OP("get_handle", "$1", handle_in, view_out, INTAKE),
    [PAY_OP_APPLY_EVENT] =
        OP("apply_event", ARGS_15, event_in, view_out, MONEY),
    [PAY_OP_CLAIM_JOBS] = OP("claim_jobs", ARGS_2, claim_in, job_out, JOBS),
    [PAY_OP_FINISH_JOB] =
        OP("finish_job", ARGS_8, finish_in, outcome_out, JOBS),
    [PAY_OP_BEGIN_DISPATCH] =
        OP("begin_dispatch", ARGS_8, dispatch_in, dispatch_out, MONEY),
    [PAY_OP_END_DISPATCH] =
        OP("end_dispatch", ARGS_11, dispatched_in, outcome_out, MONEY),
    [PAY_OP_QUARANTINE_WEBHOOK] =
        OP("quarantine_webhook", ARGS_7, quarantine_in, outcome_out, JOBS),
    [PAY_OP_KEEP_WEBHOOK] =
        OP("keep_webhook", ARGS_6, body_in, outcome_out, JOBS),
    [PAY_OP_EXPLAIN_PAYMENT] =
        OP("explain_payment", ARGS_2, lookup_in, json_out, INTAKE),
    [PAY_OP_EXPLAIN_CHECKOUT] =
        OP("explain_checkout", ARGS_2, lookup_in, json_out, INTAKE),
    [PAY_OP_LIST_CHECKOUTS] =
        OP("list_checkouts", ARGS_6, page_in, json_out, INTAKE),
    [PAY_OP_SWEEP] = OP("sweep", ARGS_3, sweep_in, json_out, JOBS),
    [PAY_OP_BEGIN_BACKFILL] =
        OP("begin_backfill", ARGS_4, backfill_in, backfill_out, JOBS),
    [PAY_OP_END_BACKFILL] =
        OP("end_backfill", ARGS_6, backfilled_in, outcome_out, JOBS),
    [PAY_OP_BEGIN_RATES] =
        OP("begin_rates", ARGS_4, rates_in, rates_out, JOBS),
    [PAY_OP_END_RATES] =
        OP("end_rates", ARGS_7, rated_in, outcome_out, JOBS),
    [PAY_OP_GET_BALANCE] =
        OP("get_balance", ARGS_2, lookup_in, json_out, INTAKE),
    [PAY_OP_GET_STATEMENT] =
        OP("get_statement", ARGS_5, statement_in, json_out, INTAKE),
    [PAY_OP_BEGIN_CHANGE] =
        OP("begin_change", ARGS_14, change_in, change_out, MONEY),
    [PAY_OP_GET_CHANGE] =
        OP("get_change", ARGS_3, get_change_in, change_out, INTAKE),
    [PAY_OP_LIST_CHANGES] =
        OP("list_changes", ARGS_3, list_changes_in, json_out, INTAKE),
    [PAY_OP_APPLY_CHANGE] =
        OP("apply_change", ARGS_17, apply_change_in, view_out, MONEY),
    [PAY_OP_CHECK_BOOKS] =
        OP("check_books", ARGS_2, claim_in, json_out, JOBS),
    [PAY_OP_BEGIN_SEAL] = OP("begin_seal", ARGS_3, seal_in, seal_out, JOBS),
    [PAY_OP_RELEASE_REPLACEMENT] =
        OP("release_replacement", ARGS_4, release_in, view_out, MONEY),
    [PAY_OP_END_SEAL] = OP("end_seal", ARGS_3, sealed_in, outcome_out, JOBS),
};


const pay_op_t *
pay_op(pay_op_id_t id)
{
    return &ops[id];
}


/* What is of the class MONEY books, and nothing else does. */
pay_stage_t
pay_op_stage(pay_op_id_t id)
{
    if (id == PAY_OP_BEGIN_PAYMENT) {
        return PAY_STAGE_KEY;
    }

    return (ops[id].class == PAY_CLASS_MONEY) ? PAY_STAGE_LEDGER
                                              : PAY_STAGE_NONE;
}


int
pay_op_is_kept(pay_op_id_t id)
{
    return ops[id].class == PAY_CLASS_MONEY || id == PAY_OP_FINISH_JOB
           || id == PAY_OP_CHECK_BOOKS || id == PAY_OP_END_BACKFILL;
}


int
pay_op_only_reads(pay_op_id_t id)
{
    return ops[id].class == PAY_CLASS_INTAKE && id != PAY_OP_BEGIN_PAYMENT;
}
