/*
 * Small words that every flow uses: effects, replies, backoff.  Private to
 * src/flow.
 */

#ifndef PAY_FLOW_UTIL_H
#define PAY_FLOW_UTIL_H

#include "pay_route.h"


/* An operation; `in` is its argument struct, which is copied (the bytes are
 * not: they live until the next event, which goes to `step`). */
pay_status_t pay_do_db(pay_flow_t *flow, pay_effect_t *effect, pay_op_id_t op,
    const void *in, pay_flow_step_pt step) PAY_MUST_CHECK;

/* The same by its name: pay_do_begin_payment(flow, effect, in, step) … */
#define OP(name, id, class, access, stage, kept)                              \
    PAY_MUST_CHECK static inline pay_status_t                                 \
    pay_do_##name(pay_flow_t *flow, pay_effect_t *effect,                     \
        const pay_##name##_in_t *in, pay_flow_step_pt step)                   \
    {                                                                         \
        return pay_do_db(flow, effect, PAY_OP_##id, in, step);                \
    }
#include "op/ops.list"

/* Makes it ready for PAY_INPUT_START, which goes to type->start. */
void pay_flow_begin(pay_flow_t *flow, const pay_flow_type_t *type,
    void *state);

/* A call, whose request is in effect->http; its end goes to `step`. */
void pay_do_call(pay_flow_t *flow, pay_effect_t *effect,
    const pay_psp_conf_t *psp, pay_call_t call, pay_flow_step_pt step);

/* Ends the flow; `reply` may be NULL when no client waits. */
void pay_do_done(pay_effect_t *effect, const pay_reply_t *reply);

/* Ends the flow behind the operation that stored its result; the outcome is
 * "not_stored" when the operation failed. */
pay_status_t pay_done_stored(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect) PAY_MUST_CHECK;

/* A fresh reply with everything unset. */
pay_status_t pay_reply_new(pay_flow_t *flow, pay_reply_kind_t kind,
    unsigned status, pay_reply_t **reply) PAY_MUST_CHECK;

/* Ends the flow with a problem. */
pay_status_t pay_done_problem(pay_flow_t *flow, pay_effect_t *effect,
    const char *slug, const char *detail) PAY_MUST_CHECK;
/* The same; *reply is its reply, to be completed in the same step. */
pay_status_t pay_done_problem_reply(pay_flow_t *flow, pay_effect_t *effect,
    const char *slug, const char *detail, pay_reply_t **reply) PAY_MUST_CHECK;

/* Ends the flow with what a failed operation means to a caller. */
pay_status_t pay_done_db_failed(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect) PAY_MUST_CHECK;

/* The same for what was found wrong with the request. */
pay_status_t pay_done_refused(pay_flow_t *flow, pay_effect_t *effect,
    const pay_err_t *err) PAY_MUST_CHECK;
/* The same with all that is wrong, which lives as long as the flow. */
pay_status_t pay_done_refused_all(pay_flow_t *flow, pay_effect_t *effect,
    const pay_err_t *err, const pay_errors_t *errors) PAY_MUST_CHECK;

/* The same for a request whose twin is still at it. */
pay_status_t pay_done_in_progress(pay_flow_t *flow, pay_effect_t *effect,
    unsigned status) PAY_MUST_CHECK;
/* The same for something new behind a restore, while the PSPs are searched. */
pay_status_t pay_done_recovering(pay_flow_t *flow, pay_effect_t *effect)
    PAY_MUST_CHECK;

/* A merchant that moves to another cell (flow_move.c).
 * pay_move_asks: whether its older payments are in another cell.
 * pay_move_ask: asks by explain_begin in that cell, one of its two, for a
 * payment that is about to begin; flow->args stay.
 * pay_done_moving: ends the flow with the answer to "moving", and to "moved"
 * from a node which does not know of the move.
 * pay_move_next: 1 when an operation in the merchant's own cell has found
 * nothing and there is another one; the flow is in that then, to repeat it. */
int pay_move_asks(const pay_merchant_t *merchant);
pay_status_t pay_move_ask(pay_flow_t *flow, const pay_create_input_t *in,
    unsigned cell, pay_effect_t *effect, pay_flow_step_pt step) PAY_MUST_CHECK;
pay_status_t pay_done_moving(pay_flow_t *flow, pay_effect_t *effect)
    PAY_MUST_CHECK;
int pay_move_next(pay_flow_t *flow, const pay_input_t *input);

/* Keeps for error.log that the answer to `call` (a literal) cannot be read,
 * when it cannot; members are literals, too. */
void pay_flow_unread(pay_flow_t *flow, const char *call,
    const pay_psp_unread_t *unread);

/* Takes the ids of `checkout` over into the flow, for logs. */
void pay_flow_note(pay_flow_t *flow, const pay_checkout_t *checkout);

/* The PSP of a registration; NULL when none of that name is configured, or
 * one that only sends webhooks is (the block's adapter has been changed). */
const pay_psp_conf_t *pay_flow_psp(const pay_flow_t *flow, pay_str_t name);

/* Why there is no next attempt, for `dead`. */
#define PAY_DEAD_CANCELLED   "cancelled"
#define PAY_DEAD_LIMIT       "retry_limit"
#define PAY_DEAD_KEY_WINDOW  "key_window_over"
#define PAY_DEAD_REFUSED     "refused"

/* Milliseconds until the next attempt by the retry directives (psp NULL: it is
 * not configured any more), and why there is none, or NULL. */
int64_t pay_retry_ms(const pay_psp_conf_t *psp, pay_retry_what_t what,
    int64_t attempt, int64_t retry_after_s, pay_str_t seed);
const char *pay_retry_dead(const pay_psp_conf_t *psp, pay_retry_what_t what,
    int64_t attempt);

/* The dispatch journal (flow_dispatch.c) of a change: begin_dispatch → call →
 * end_dispatch. */
typedef struct {
    const pay_checkout_t   *checkout;
    const pay_psp_conf_t   *psp;
    pay_psp_change_kind_t   kind;
    const char             *operation; /* the journal's word for it */
    pay_str_t               operation_id;
    int64_t                 attempt;   /* of begin_dispatch's row */
} pay_dispatch_t;

typedef enum {
    PAY_DISPATCH_SEND = 0,     /* it is journaled: send it now */
    PAY_DISPATCH_LATER,        /* another worker has the call, or its state
                                  is unknown */
    PAY_DISPATCH_ASK,          /* its key is over: never again */
    PAY_DISPATCH_ENDED         /* it was done, or taken */
} pay_dispatch_verdict_t;

/* capture, cancel, refund, expire: the journal's words. */
const char *pay_psp_change_name(pay_psp_change_kind_t kind);
pay_call_t pay_psp_change_call(pay_psp_change_kind_t kind);
pay_status_t pay_dispatch_begin(pay_flow_t *flow, pay_dispatch_t *dispatch,
    pay_effect_t *effect, pay_flow_step_pt step) PAY_MUST_CHECK;
pay_dispatch_verdict_t pay_dispatch_begun(pay_dispatch_t *dispatch,
    const pay_input_t *input);
/* NOT_SENT and REFUSED become UNKNOWN where an earlier copy of the request may
 * have arrived; call it behind each answer to a call that may change
 * something, before the outcome is looked at. */
void pay_dispatch_doubt(const pay_http_answer_t *answer,
    pay_psp_outcome_t *outcome, pay_str_t *code);
pay_status_t pay_dispatch_end(pay_flow_t *flow,
    const pay_dispatch_t *dispatch, const pay_psp_changed_t *result,
    const pay_http_answer_t *answer, pay_effect_t *effect,
    pay_flow_step_pt step) PAY_MUST_CHECK;

/* Webhooks that prove nothing (flow_quarantine.c): why, and the arguments of
 * quarantine_webhook. */
const char *pay_quarantine_why(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_sig_input_t *input, const pay_sig_result_t *result);
pay_status_t pay_quarantine_fill(pay_flow_t *flow,
    const pay_webhook_input_t *input, const char *why,
    pay_quarantine_webhook_in_t *in) PAY_MUST_CHECK;

/* The reply that the scheme's sender expects behind the commit, with the
 * flow's outcome (flow_webhook_reply.c). */
pay_status_t pay_webhook_ack(pay_flow_t *flow, const pay_sig_scheme_t *scheme,
    pay_reply_t **reply) PAY_MUST_CHECK;
/* Its body cannot be read, and *err may say why (flow_webhook_reply.c). */
pay_status_t pay_webhook_unread(pay_flow_t *flow, pay_err_t *err, int is_ours,
    pay_effect_t *effect) PAY_MUST_CHECK;
/* The rest of the flow of a pay-out provider's message, whose signature is
 * right (flow_payout_event.c). */
pay_status_t pay_payout_told(pay_flow_t *flow, const pay_webhook_input_t *in,
    pay_str_t message_id, pay_effect_t *effect) PAY_MUST_CHECK;

/* Arguments of begin_payment (flow_begin.c), which live as long as
 * flow->args. */
pay_status_t pay_begin_orders(pay_flow_t *flow,
    const pay_payment_request_t *request, const pay_new_order_row_t **rows)
    PAY_MUST_CHECK;
pay_status_t pay_begin_psps(pay_flow_t *flow, const pay_route_t *route,
    pay_str_t *names) PAY_MUST_CHECK;
/* In seconds, in the same order. */
pay_status_t pay_begin_windows(pay_flow_t *flow, const pay_route_t *route,
    pay_str_t *windows) PAY_MUST_CHECK;
/* Whether the PSP can hold the money of such a checkout for captures. */
int pay_begin_can_hold(const pay_payment_request_t *request,
    const pay_psp_conf_t *psp);
/* p_terms.  can_close: the PSP of the replaced checkout closes pages. */
pay_status_t pay_begin_terms(pay_flow_t *flow, const pay_create_input_t *in,
    const pay_route_t *route, int can_close, pay_str_t *json) PAY_MUST_CHECK;

/* Ends the flow with a refusal of begin_payment, but for NOT_REPLACED, whose
 * answer leads to a checkout. */
pay_status_t pay_begin_refused(pay_flow_t *flow, pay_outcome_t outcome,
    unsigned in_progress_status, pay_effect_t *effect) PAY_MUST_CHECK;
/* The other answers (flow_begin_end.c).  replaces: a checkout, or empty.
 * pay_done_exists: another key has the checkout. */
pay_status_t pay_done_not_replaced(pay_flow_t *flow,
    const pay_checkout_t *checkout, pay_str_t replaces, int replayed,
    pay_effect_t *effect) PAY_MUST_CHECK;
pay_status_t pay_done_exists(pay_flow_t *flow, const pay_checkout_t *checkout,
    pay_effect_t *effect) PAY_MUST_CHECK;
pay_status_t pay_done_begun(pay_flow_t *flow, const pay_checkout_t *checkout,
    pay_str_t replaces, int replayed, pay_effect_t *effect) PAY_MUST_CHECK;

/* Risk (flow_risk.c): an attempt is counted, judged, and taken back from the
 * counts where nothing new was stored.  *check is the flow's and lives until
 * its end; NULL for the latter two: nothing was looked at. */
typedef struct pay_risk_check_s  pay_risk_check_t;

pay_status_t pay_risk_check(pay_flow_t *flow, const pay_create_input_t *in,
    pay_risk_check_t **check, pay_effect_t *effect, pay_flow_step_pt counted)
    PAY_MUST_CHECK;
/* Looks up the buyer's history for an attempt that was counted, where a model
 * scores it, and asks an external provider about it, unless there is none to be
 * asked, it is decided already, or the checkout is stored: `next` goes on, at
 * once or behind the answers. */
pay_status_t pay_risk_ask(pay_flow_t *flow, pay_risk_check_t *check,
    const pay_input_t *input, pay_effect_t *effect, pay_flow_step_pt next)
    PAY_MUST_CHECK;
/* Puts the findings into the arguments of begin_payment. */
pay_status_t pay_risk_judged(pay_flow_t *flow, const pay_risk_check_t *check,
    pay_begin_payment_in_t *in) PAY_MUST_CHECK;
/* With the end of begin_payment in `input`. */
void pay_risk_ended(pay_flow_t *flow, const pay_risk_check_t *check,
    const pay_input_t *input, pay_effect_t *effect);
/* flow_risk_card.c: adds the PSP's word about the card, and how it and a sale
 * are judged, where the gateway looks at risk.  Memory is flow->args'. */
pay_status_t pay_risk_card_row(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_psp_event_t *event, pay_apply_event_in_t *in) PAY_MUST_CHECK;

/* Registration (flow_register.c).  The request is a pure function of the
 * stored checkout: the same bytes on every attempt. */
pay_status_t pay_register_build(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_checkout_t *checkout, pay_http_request_t *request,
    pay_err_t *err) PAY_MUST_CHECK;

/* A sub-flow: call → keep what came of it, at the next PSP when nothing can
 * have happened at this one → `done` takes the row of store_token or
 * store_no_token (or that there is none). */
typedef struct {
    pay_checkout_t         checkout;
    const pay_psp_conf_t  *psp;
    pay_psp_registered_t   result;     /* of the last call */
    pay_reach_t            reach;      /* how far it came */
    unsigned               http_status;
    int                    finding;    /* only asks, by nonce or reference */
    int64_t                looks;      /* attempts of its job, 0: it has none */
    unsigned               pages;      /* of the PSP's list, this time */
    int                    had_page;   /* it was accepted; then not by us */
    unsigned               moves;
    pay_flow_step_pt       done;
} pay_register_t;

pay_status_t pay_register_start(pay_flow_t *flow, pay_register_t *reg,
    pay_effect_t *effect) PAY_MUST_CHECK;
/* The key of a call of unknown outcome is over: the PSP is asked whether it
 * has the registration, where it can be asked so; nothing is sent again. */
pay_status_t pay_register_find(pay_flow_t *flow, pay_register_t *reg,
    pay_effect_t *effect) PAY_MUST_CHECK;

/* A sub-flow (flow_ask.c): how does a registration stand at its PSP?  Takes
 * an approved payment's money on the way when `may_capture`.  `done` gets the
 * last event, and finds known and fact set. */
typedef struct {
    const pay_checkout_t  *checkout;
    const pay_psp_conf_t  *psp;
    int                    buyer_waits;
    int                    may_capture;
    int                    known;
    pay_psp_event_t        fact;
    pay_psp_change_t       change;     /* the last one asked for */
    pay_dispatch_t         dispatch;   /* of it */
    pay_flow_step_pt       done;
} pay_ask_t;

pay_status_t pay_ask_start(pay_flow_t *flow, pay_ask_t *ask,
    pay_effect_t *effect) PAY_MUST_CHECK;
/* Ends the hosted page at the PSP; `done` and the rest as above. */
pay_status_t pay_ask_expire(pay_flow_t *flow, pay_ask_t *ask,
    pay_effect_t *effect) PAY_MUST_CHECK;

/* A sub-flow (flow_send.c): a change goes to its PSP through the journal, once
 * or, while the PSP knows its key, again.  `done` gets the last event, and
 * finds `end` set. */
typedef enum {
    PAY_SENT_DONE = 0,         /* the PSP has done it */
    PAY_SENT_PENDING,          /* it has it; the outcome comes later */
    PAY_SENT_REFUSED,
    PAY_SENT_NOT_SENT,         /* provably without effect */
    PAY_SENT_UNKNOWN,
    PAY_SENT_BUSY,             /* another worker has the call, or its state
                                  is unknown */
    PAY_SENT_OVER,             /* its key is over: never again */
    PAY_SENT_ENDED,            /* it was done before */
    PAY_SENT_NOT_STORED        /* sent; the journal has not heard how it went */
} pay_sent_end_t;

typedef struct {
    const pay_checkout_t  *checkout;
    const pay_psp_conf_t  *psp;
    const char            *operation;  /* the journal's word for it */
    pay_psp_change_t       change;     /* change.key: its id there, too */
    pay_dispatch_t         dispatch;
    pay_sent_end_t         end;
    int64_t                retry_after_s;        /* that the PSP asked for */
    pay_psp_event_t        fact;       /* other news that the answer brought */
    pay_flow_step_pt       done;
} pay_send_t;

pay_status_t pay_send_start(pay_flow_t *flow, pay_send_t *send,
    pay_effect_t *effect) PAY_MUST_CHECK;

/* A stored change, ready to be sent (flow_change_job.c).  PAY_NOT_FOUND:
 * there is nothing to send it to as long as the registration has no token,
 * or the payment no id where the PSP goes by that.
 * PAY_INVALID: the PSP has no such call. */
pay_status_t pay_change_prepare(pay_flow_t *flow, const pay_change_t *change,
    pay_send_t *send) PAY_MUST_CHECK;
/* Whether the PSP of that checkout can be asked for it as it stands. */
int pay_change_is_supported(const pay_psp_conf_t *psp,
    const pay_checkout_t *checkout, pay_change_kind_t kind);
/* Whether the PSP closes hosted pages on request; psp may be NULL. */
int pay_psp_closes(const pay_psp_conf_t *psp);
/* Notes how it stands, for metrics. */
void pay_change_note(pay_flow_t *flow, const pay_change_t *change);

/* A sub-flow (flow_replace.c): the page that a new checkout replaces is closed
 * by a stored change; `done` gets the row of release_replacement, or that
 * there is none. */
typedef struct {
    pay_send_t             send;       /* first: flow->sub is both */
    const pay_checkout_t  *checkout;   /* the new one */
    pay_str_t              change_id;
    pay_change_t           change;
    pay_checkout_t         old;
    pay_flow_step_pt       done;
} pay_replace_t;

pay_status_t pay_replace_start(pay_flow_t *flow, pay_replace_t *replace,
    pay_effect_t *effect) PAY_MUST_CHECK;
/* Whether it may be registered now. */
pay_status_t pay_release(pay_flow_t *flow, const pay_checkout_t *checkout,
    pay_effect_t *effect, pay_flow_step_pt step) PAY_MUST_CHECK;

/* A claimed job (flow_job.c), for those that stand in a file of their own. */
typedef struct {
    pay_str_t         kind;
    pay_str_t         owner;
    pay_str_t         operation_id;    /* of a refund or a change */
    pay_str_t         reference;       /* the PSP's payment id, or empty */
    int64_t           attempts;
    pay_register_t    reg;             /* its checkout is the job's */
    pay_ask_t         ask;
    pay_send_t        send;            /* of a refund or a change */
    pay_change_t      change;
    int               expiring;
    int               ended;           /* its time is over by our word */
} pay_job_t;

/* How a job ends (flow_job_end.c).  It is due again after delay_ms (< 0: it is
 * done), or goes to the dead letters for the reason `dead`. */
typedef struct {
    int64_t      delay_ms;
    const char  *code;                 /* literal */
    const char  *dead;                 /* literal, or NULL */
} pay_job_end_t;

pay_status_t pay_job_finish(pay_flow_t *flow, pay_job_t *job,
    const pay_job_end_t *end, pay_effect_t *effect) PAY_MUST_CHECK;
/* The same without finish_job, behind an operation that has failed. */
pay_status_t pay_job_ended(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect) PAY_MUST_CHECK;
/* A late payment is paid back (flow_refund.c). */
pay_status_t pay_refund_start(pay_flow_t *flow, pay_job_t *job,
    pay_effect_t *effect) PAY_MUST_CHECK;
/* A change goes on (flow_change_job.c). */
pay_status_t pay_change_job_start(pay_flow_t *flow, pay_job_t *job,
    pay_effect_t *effect) PAY_MUST_CHECK;
/* How a job ends whose send.end is set; `good` is the code of one that is
 * done. */
pay_status_t pay_send_finish(pay_flow_t *flow, pay_job_t *job,
    const char *good, pay_effect_t *effect) PAY_MUST_CHECK;
/* Later, as payments_retry says, and not before send.retry_after_s; at its
 * limit the job is a dead letter.  `code` is a literal. */
pay_status_t pay_send_again(pay_flow_t *flow, pay_job_t *job,
    const char *code, pay_effect_t *effect) PAY_MUST_CHECK;

/* One fact of a PSP goes to apply_event, or to apply_change when it is about
 * something else than the payment (flow_psp_event.c). */
pay_status_t pay_do_event(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const char *source, const pay_psp_event_t *event, pay_str_t digest,
    pay_effect_t *effect, pay_flow_step_pt step) PAY_MUST_CHECK;
/* Whether there is anything to take into account in it. */
int pay_psp_event_says(const pay_psp_event_t *event);
/* 1 when the operation's row says that `said` cannot be read: it is noted for
 * the log, and the mismatch queue has it. */
int pay_psp_event_refused(pay_flow_t *flow, const pay_psp_event_t *said,
    const pay_input_t *input);
/* A copy of one that dies with its answer. */
pay_status_t pay_psp_event_keep(pay_flow_t *flow, const pay_psp_event_t *from,
    pay_psp_event_t *to) PAY_MUST_CHECK;


#endif /* PAY_FLOW_UTIL_H */
