/*
 * The common part of the pay-out adapters: the row of the registry, the frame
 * of a call, checks of items, readers of untrusted objects.  It stands on the
 * common part of the PSP adapters (psp/psp.h): a call to a provider differs
 * from one to a PSP in its content only.  Nothing outside src/payout includes
 * this.
 */

#ifndef PAY_SRC_PAYOUT_H
#define PAY_SRC_PAYOUT_H

#include "pay_payout.h"
#include "psp/psp.h"


/* Fills *request, which is all zero before; arguments are sane.  PAY_INVALID as
 * pay_payout_request(). */
typedef pay_status_t (*pay_payout_request_pt)(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err);
/* Reads the object of a good answer into *result, which says UNKNOWN
 * "answer_invalid" before.  PAY_INVALID leaves it so. */
typedef pay_status_t (*pay_payout_read_pt)(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *json,
    pay_payout_result_t *result);
/* Reads the object of a refusal into *result, which says REFUSED before: it may
 * say that the call has done its work before.  PAY_INVALID leaves it so. */
typedef pay_status_t (*pay_payout_adopt_pt)(pay_arena_t *arena,
    pay_payout_call_t call, const pay_payout_parcel_t *parcel,
    const pay_json_t *json, pay_payout_result_t *result);
/* Adds the events of a message to *result.  PAY_INVALID refuses it. */
typedef pay_status_t (*pay_payout_hook_pt)(pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_json_t *root,
    pay_payout_result_t *result, pay_err_t *err);

/* The same of a message that is a form. */
typedef pay_status_t (*pay_payout_form_hook_pt)(pay_arena_t *arena,
    const pay_payout_account_t *account, pay_str_t body,
    pay_payout_result_t *result, pay_err_t *err);

/* Reads an entry of a batch into *event, which is all zero before. */
typedef pay_status_t (*pay_payout_entry_pt)(pay_arena_t *arena,
    const pay_json_t *json, pay_payout_event_t *event);

typedef struct {
    pay_payout_request_pt  request;    /* NULL: it has no such call */
    pay_payout_read_pt     read;
} pay_payout_slot_t;

/* A word of a provider and its meaning. */
typedef struct {
    const char          *word;
    pay_payout_state_t   state;
} pay_payout_word_t;

/* An amount of ours in the provider's unit.  PAY_INVALID with
 * "currency-unsupported" or "amount-invalid" where it has no spelling. */
typedef pay_status_t (*pay_payout_unit_pt)(const pay_currency_t *currency,
    int64_t ours, int64_t *theirs, pay_err_t *err);

struct pay_payout_adapter_s {
    const char                *name;
    const char                *scheme;
    unsigned                   traits;
    pay_payout_step_t          steps[PAY_PAYOUT_STEPS_MAX];    /* up to one
                                          without a name */
    unsigned                   items_max;
    unsigned                   looks;
    unsigned                   look_gap_s;
    unsigned                   return_days;
    unsigned                   to;     /* PAY_PAYOUT_TO() of each kind */
    const pay_payout_limit_t  *limits;
    pay_payout_unit_pt         to_theirs;    /* an amount without a unit there
                                          does not fit; NULL: all have one */
    const char *const         *ours;   /* codes whose cause is ours; ends with
                                          NULL; NULL: none */
    pay_psp_error_pt           error;
    /* of each call; the steps of SEND are switched in its slot */
    pay_payout_slot_t          slots[PAY_PAYOUT_CALL_COUNT];
    pay_payout_adopt_pt        adopt;  /* may be NULL */
    pay_payout_hook_pt         hook;   /* one of the two, or none */
    pay_payout_form_hook_pt    form_hook;
    pay_status_t  (*auth_request)(pay_arena_t *arena,
        const pay_payout_account_t *account, pay_http_request_t *request);
    pay_status_t  (*auth_answer)(pay_arena_t *arena,
        const pay_http_answer_t *answer, pay_psp_auth_t *auth);
};


extern const pay_payout_adapter_t  pay_payout_adyen;
extern const pay_payout_adapter_t  pay_payout_generic;
extern const pay_payout_adapter_t  pay_payout_pain001;
extern const pay_payout_adapter_t  pay_payout_paypal;
extern const pay_payout_adapter_t  pay_payout_stripe;
extern const pay_payout_adapter_t  pay_payout_tipalti;
extern const pay_payout_adapter_t  pay_payout_wise;


/* ---- items (item.c) */

/* 1 for a key of an item. */
int pay_payout_key_is_valid(pay_str_t key);
/* 1 when the parcel can be sent, asked for or looked for. */
int pay_payout_parcel_sane(const pay_payout_adapter_t *adapter,
    pay_payout_call_t call, const pay_payout_parcel_t *parcel);
/* The item of that key, NULL: none of this parcel. */
const pay_payout_item_t *pay_payout_item_of(const pay_payout_parcel_t *parcel,
    pay_str_t key);

/* ---- bodies (call.c) */

/* `before`, a quote, the text as JSON has it, a quote. */
void pay_payout_text(pay_buf_t *body, const char *before, pay_str_t text);
/* `before`, the amount as a decimal number in major units. */
void pay_payout_major(pay_buf_t *body, const char *before, int64_t minor,
    const pay_currency_t *currency);
/* Ends a JSON body. */
pay_status_t pay_payout_body(pay_buf_t *body, pay_http_request_t *request)
    PAY_MUST_CHECK;
/* path, id, tail as one text of at most PAY_PSP_URL_MAX bytes. */
pay_status_t pay_payout_path(pay_arena_t *arena, const char *path,
    pay_str_t id, const char *tail, pay_str_t *out) PAY_MUST_CHECK;
/* A UUID (RFC 9562, with the bits of version 5) of a key: the first bytes of
 * its SHA-256.  For providers that take no other text as a key. */
pay_status_t pay_payout_uuid(pay_arena_t *arena, pay_str_t key,
    const char *suffix, pay_str_t *uuid) PAY_MUST_CHECK;

/* ---- answers (answer.c) */

/* The state of a word; UNKNOWN when it is not in the table. */
pay_payout_state_t pay_payout_word(const pay_payout_word_t *rows,
    pay_str_t word);
/* Room for `max` events, all zero; PAY_INVALID over PAY_PAYOUT_EVENTS_MAX. */
pay_status_t pay_payout_events(pay_arena_t *arena, size_t max,
    pay_payout_result_t *result) PAY_MUST_CHECK;
/* The member's key into the event, when it is one of an item's form. */
pay_status_t pay_payout_key_in(pay_arena_t *arena, pay_str_t text,
    pay_payout_event_t *event) PAY_MUST_CHECK;
/* Amounts into the event: a decimal text, a JSON number of major units.
 * Anything that is no amount of that currency is reported as 0, which no item
 * has. */
pay_status_t pay_payout_amount_in(pay_arena_t *arena, pay_str_t text,
    pay_str_t currency, pay_payout_event_t *event) PAY_MUST_CHECK;
pay_status_t pay_payout_number_in(pay_arena_t *arena,
    const pay_json_t *number, pay_str_t currency, pay_payout_event_t *event)
    PAY_MUST_CHECK;
/* An amount in minor units that is known already. */
pay_status_t pay_payout_minor_in(pay_arena_t *arena, int64_t minor,
    pay_str_t currency, pay_payout_event_t *event) PAY_MUST_CHECK;
/* The last characters of an account's text that may be masked. */
pay_status_t pay_payout_end_in(pay_arena_t *arena, pay_str_t account,
    pay_payout_event_t *event) PAY_MUST_CHECK;
/* RFC 3339 in any spelling of a zone; 0 for anything else. */
int64_t pay_payout_time_us(pay_str_t text);
/* A decimal text of a currency, with any number of zeros behind it. */
int pay_payout_decimal(pay_str_t text, const pay_currency_t *currency,
    int64_t *minor);
/* A JSON number of major units; 0 when it is no amount. */
int pay_payout_number(const pay_json_t *number,
    const pay_currency_t *currency, int64_t *minor);

/* Completes the result of a single item's object: key, amount, currency and
 * account's end of the event are held against the item (an amount must be
 * there), then it is DONE with that event, else UNKNOWN "answer_mismatch".
 * The event needs a reference.  Copied. */
pay_status_t pay_payout_done(pay_arena_t *arena,
    const pay_payout_item_t *item, const pay_payout_event_t *event,
    pay_payout_result_t *result) PAY_MUST_CHECK;
/* The entries of a batch's list as events, in their order: DONE.  Entries of
 * other keys, and those that `read` refuses with PAY_INVALID, are left out; one
 * that contradicts its item is UNKNOWN "answer_mismatch".  PAY_INVALID when it
 * is no list. */
pay_status_t pay_payout_list(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, const pay_json_t *list,
    pay_payout_entry_pt read, pay_payout_result_t *result) PAY_MUST_CHECK;
/* How an event stands to its item; a member that the provider does not tell
 * contradicts nothing. */
int pay_payout_contradicts(const pay_payout_item_t *item,
    const pay_payout_event_t *event);
/* DONE with this id, for a step that is not the last. */
pay_status_t pay_payout_made(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_payout_result_t *result) PAY_MUST_CHECK;
/* NOT_SENT "not_found", or, when `next` is not empty, UNKNOWN with that page.
 * PAY_INVALID when `next` is this page. */
pay_status_t pay_payout_none(pay_arena_t *arena,
    const pay_payout_parcel_t *parcel, pay_str_t next,
    pay_payout_result_t *result) PAY_MUST_CHECK;
/* UNKNOWN "answer_mismatch". */
void pay_payout_mismatch(pay_payout_result_t *result, const char *member);


#endif /* PAY_SRC_PAYOUT_H */
