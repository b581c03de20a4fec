/*
 * The common part of the generic adapter's files.  generic.c (registrations,
 * queries, lists) uses generic_change.c (modifications) and generic_event.c
 * (PSP events), and all three use generic_state.c.  No other file includes
 * this.
 */

#ifndef PAY_SRC_PSP_GENERIC_H
#define PAY_SRC_PSP_GENERIC_H

#include "psp/psp.h"


#define PAY_GENERIC_RULE_STATUS  "must be one of the words for a status"
#define PAY_GENERIC_RULE_AMOUNT  "must be a decimal string, with a currency " \
                                 "of three capital letters beside it"


#define PAY_GENERIC_PATH  "/v1/registrations"


/* Sets "amount", the decimal text. */
pay_status_t pay_generic_set_amount(pay_arena_t *arena, pay_json_t *json,
    int64_t minor, const pay_currency_t *currency) PAY_MUST_CHECK;
/* 1 and the borrowed text when the member is a string. */
int pay_generic_string(const pay_json_t *json, const char *member,
    pay_str_t *text);
/* The amount in `member` and "currency", when both are there.  An amount
 * that no order of ours can have is reported as 0: it lands in the mismatch
 * queue. */
pay_status_t pay_generic_amount_in(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_psp_event_t *event) PAY_MUST_CHECK;
/* The sum of captures so far, when "captured" has it: then the event is about a
 * capture, unless all of it was captured. */
pay_status_t pay_generic_captured_in(pay_arena_t *arena,
    const pay_json_t *json, pay_psp_event_t *event) PAY_MUST_CHECK;
/* Reads an error; fails for PAY_NO_MEMORY alone. */
pay_status_t pay_generic_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error) PAY_MUST_CHECK;
/* A registration as it stands, a pay_psp_state_pt.  PAY_INVALID without a
 * status that we know or a token, or when paid or authorised without an
 * amount. */
pay_status_t pay_generic_state(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event) PAY_MUST_CHECK;
/* The meaning of a registration's status, or of the part of its event's type
 * after "registration."; returns the word again, or NULL when it is unknown. */
const char *pay_generic_status(pay_str_t name, pay_psp_event_t *event);
/* The members that webhooks and queries have alike about a registration. */
pay_status_t pay_generic_facts(pay_arena_t *arena, const pay_json_t *json,
    pay_psp_event_t *event) PAY_MUST_CHECK;

/* An event's body; `event_id` is that of the headers, or empty. */
pay_status_t pay_generic_event(pay_arena_t *arena, pay_str_t event_id,
    const pay_json_t *root, pay_psp_told_t *told, pay_err_t *err)
    PAY_MUST_CHECK;
pay_status_t pay_generic_webhook_events(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err) PAY_MUST_CHECK;

pay_status_t pay_generic_change_request(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_http_request_t *request, pay_err_t *err) PAY_MUST_CHECK;
pay_status_t pay_generic_change_answer(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_http_answer_t *answer,
    pay_psp_changed_t *result) PAY_MUST_CHECK;


#endif /* PAY_SRC_PSP_GENERIC_H */
