/*
 * What the PSP adapters share: the rows of the registry, checks of what goes
 * out and of what strangers send back.  Nothing outside src/psp includes this.
 */

#ifndef PAY_SRC_PSP_H
#define PAY_SRC_PSP_H

#include "pay_psp.h"


#define PAY_PSP_BODY_MAX     262144    /* bytes of a webhook or an answer */
#define PAY_PSP_WIDTH_MAX    256       /* Stripe's objects are wide */
#define PAY_PSP_VALUES_MAX   32768     /* a page of events */
#define PAY_PSP_DEPTH_MAX    32
#define PAY_PSP_REQUEST_MAX  65536
#define PAY_PSP_URL_MAX      2048
#define PAY_PSP_KEY_MAX      512
#define PAY_PSP_LONG_WAIT_S  3600      /* when told not to repeat a call */
#define PAY_STRIPE_CODE      3         /* letters of a currency */
#define PAY_PSP_PAGE_MAX     20        /* entries of a page of events */


/* The error that an answer's object tells. */
typedef struct {
    int        found;
    int        unsure;         /* it leaves open whether something happened:
                                  the nonce came with other parameters before,
                                  a concurrent request, "try again" */
    pay_str_t  code;           /* made safe; empty: the status will do */
} pay_psp_error_t;

/* Reads it, the adapter's way; *error is all zero before.  Fails for
 * PAY_NO_MEMORY alone. */
typedef pay_status_t (*pay_psp_error_pt)(pay_arena_t *arena,
    const pay_json_t *root, pay_psp_error_t *error);


/* An entry of a list: is it the order's registration?  Then *result, UNKNOWN
 * "found_unusable" before, is completed. */
typedef pay_status_t (*pay_psp_found_pt)(pay_arena_t *arena,
    const pay_psp_order_t *order, const pay_json_t *entry, int *ours,
    pay_psp_registered_t *result);
/* What one message of a PSP tells. */
typedef struct {
    pay_psp_event_t  events[PAY_PSP_EVENTS_MAX];
    unsigned         count;
} pay_psp_told_t;

/* An event object, from a webhook or a list; *told is all zero before.
 * PAY_INVALID for one whose webhook is refused. */
typedef pay_status_t (*pay_psp_listed_pt)(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *entry,
    pay_psp_told_t *told, pay_err_t *err);


extern const pay_psp_adapter_t  pay_psp_adyen;
extern const pay_psp_adapter_t  pay_psp_braintree;
extern const pay_psp_adapter_t  pay_psp_generic;
extern const pay_psp_adapter_t  pay_psp_gocardless;
extern const pay_psp_adapter_t  pay_psp_mollie;
extern const pay_psp_adapter_t  pay_psp_paypal;
extern const pay_psp_adapter_t  pay_psp_razorpay;
extern const pay_psp_adapter_t  pay_psp_square;
extern const pay_psp_adapter_t  pay_psp_stripe;


/* 1 when the order can be sent: ids of our own alphabet, lines that sum up to
 * the amount, a return URL.  0 is a mistake of the caller: PAY_BUG. */
int pay_psp_order_sane(const pay_psp_order_t *order);
/* The same for a change: a kind, ids of our own alphabet, a currency, an
 * amount where money moves, a printable reason of at most 100 bytes.  The
 * PSP's ids (token, alias, reference) are the adapter's to check. */
int pay_psp_change_sane(const pay_psp_change_t *change);

/* Method, URL (base_url, path, last; `last` may be empty) and "Authorization:
 * Bearer" of a call.  PAY_BUG for a key that would break out of its header. */
pay_status_t pay_psp_request_init(pay_arena_t *arena,
    const pay_psp_account_t *account, const char *method, const char *path,
    pay_str_t last, pay_http_request_t *request) PAY_MUST_CHECK;
/* The same without Authorization: the caller adds what its PSP wants. */
pay_status_t pay_psp_request_open(pay_arena_t *arena,
    const pay_psp_account_t *account, const char *method, const char *path,
    pay_str_t last, pay_http_request_t *request) PAY_MUST_CHECK;
void pay_psp_field_add(pay_http_request_t *request, const char *name,
    pay_str_t value);
/* 1 for a key that cannot break out of a header: [!-~]{1,512}. */
int pay_psp_api_key_is_plain(pay_str_t key);
/* The PSP's idempotency key: a pure function of ours.  `id` and `suffix`
 * joined when that is at most `max` bytes, else the first `max` (>= 32) bytes
 * of ':' and its SHA-256 in hex: ':' stands in no id of ours, so nobody can
 * choose an order's id that comes out as the key of another call. */
pay_status_t pay_psp_key(pay_arena_t *arena, pay_str_t id, const char *suffix,
    size_t max, pay_str_t *key) PAY_MUST_CHECK;
/* A JSON body with its two header fields; frees `json` in any case. */
pay_status_t pay_psp_json_body(pay_arena_t *arena, pay_json_t *json,
    pay_http_request_t *request) PAY_MUST_CHECK;

/* [A-Za-z0-9_-]{1,255} */
int pay_psp_token_is_valid(pay_str_t token);
/* Printable ASCII, 1 to PAY_PSP_URL_MAX bytes: fit to be stored. */
int pay_psp_url_is_plain(pay_str_t url);
/* A PSP's word made safe: lower case, other bytes than [a-z0-9_.-] replaced by
 * '_', cut at PAY_PSP_CODE_MAX; "redacted" when it looks like a card number. */
pay_status_t pay_psp_safe(pay_arena_t *arena, pay_str_t text,
    pay_str_t *safe) PAY_MUST_CHECK;

/* An object out of untrusted text, owned by the caller.  PAY_INVALID with
 * "invalid-json", or "validation-error" for JSON that is no object. */
pay_status_t pay_psp_parse(pay_str_t body, pay_json_t **json, pay_err_t *err)
    PAY_MUST_CHECK;
/* Copies the member when it is a token, else (absent, too) PAY_NOT_FOUND. */
pay_status_t pay_psp_token_get(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *token) PAY_MUST_CHECK;
/* Copies the member made safe; empty when it is absent or no string. */
pay_status_t pay_psp_word_get(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *word) PAY_MUST_CHECK;

/* Judges everything about a registration's answer but the content of a good
 * one.  200 or 201 with an object that tells no error: *json is set, the
 * caller frees it and completes *result, which says UNKNOWN "answer_invalid"
 * until then.  Everything else: *json is NULL and *result is final. */
pay_status_t pay_psp_answer_open(pay_arena_t *arena,
    const pay_http_answer_t *answer, pay_psp_error_pt read, pay_json_t **json,
    pay_psp_registered_t *result) PAY_MUST_CHECK;
/* The same for a change, where every 2xx is good.  A 204 has no object: look
 * at the status first. */
pay_status_t pay_psp_change_open(pay_arena_t *arena,
    const pay_http_answer_t *answer, pay_psp_error_pt read, pay_json_t **json,
    pay_psp_changed_t *result) PAY_MUST_CHECK;
/* Reads {"error":{"type","code"}}, as Stripe has it; `reused` is the type or
 * code that says that the nonce came with other parameters before. */
pay_status_t pay_psp_error_object(pay_arena_t *arena, const pay_json_t *root,
    const char *reused, pay_psp_error_t *error) PAY_MUST_CHECK;
/* Completes it: token and URL are copied when both are fit, else the result
 * stays as it is. */
pay_status_t pay_psp_answer_done(pay_arena_t *arena, const pay_json_t *json,
    const char *token, const char *url, pay_psp_registered_t *result)
    PAY_MUST_CHECK;

/* Keeps why an answer or an event cannot be read. */
static inline void
pay_psp_unread(pay_psp_unread_t *unread, const char *member, const char *rule)
{
    unread->member = member;
    unread->rule = rule;
}

#define PAY_PSP_RULE_TOKEN  "must be 1 to 255 of A-Z a-z 0-9 _ -"
#define PAY_PSP_RULE_URL    "must be a URL of visible ASCII"

/* A query's answer: *json is an object that the caller frees, or NULL when
 * there is nothing to read. */
pay_status_t pay_psp_query_open(const pay_http_answer_t *answer,
    pay_json_t **json) PAY_MUST_CHECK;
/* Hands *made on when reading it went well and it is about that token. */
pay_status_t pay_psp_query_done(pay_status_t status, pay_str_t token,
    const pay_psp_event_t *made, pay_psp_event_t *event, int *known)
    PAY_MUST_CHECK;

/* 1 for the ids, currency and expiry of an order that was sent, and a
 * find_from of a token's alphabet. */
int pay_psp_find_sane(const pay_psp_order_t *order);
/* When the order can have been registered first, on the PSP's clock. */
int64_t pay_psp_find_since(const pay_psp_order_t *order,
    unsigned max_expiry_s);
/* pay_psp_answer_open for a find: UNKNOWN in each case, since trouble with the
 * question tells nothing of the registration. */
pay_status_t pay_psp_find_open(pay_arena_t *arena,
    const pay_http_answer_t *answer, pay_psp_error_pt read, pay_json_t **json,
    pay_psp_registered_t *result) PAY_MUST_CHECK;
/* Looks through the list for the one of the order; *found tells whether it
 * was there, then *result is final: DONE, or UNKNOWN with "found_unusable" or
 * "found_twice" or what `read` said.  PAY_INVALID when it is no list. */
pay_status_t pay_psp_find_in(pay_arena_t *arena, const pay_psp_order_t *order,
    const pay_json_t *entries, pay_psp_found_pt read,
    pay_psp_registered_t *result, int *found) PAY_MUST_CHECK;
/* It is not on this page: NOT_SENT when there is no other, else go on. */
void pay_psp_find_none(pay_str_t next, pay_psp_registered_t *result);

/* 1 for a window and a cursor that can be asked for. */
int pay_psp_list_sane(const pay_psp_list_t *list);
/* The one JSON object of a webhook, as `read` tells it. */
pay_status_t pay_psp_webhook(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t body, pay_psp_listed_pt read,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err) PAY_MUST_CHECK;
/* The next event, all zero; the last one again when there is no room. */
pay_psp_event_t *pay_psp_told_add(pay_psp_told_t *told);
/* Says what happened to something else than the payment. */
void pay_psp_about(pay_psp_event_t *event, pay_psp_about_t about,
    pay_psp_news_t news);
/* One event more: the fee that the first one names the payment of.  Below 0:
 * it was given back; 0: there is none.  `id` is the event's, before ":fee". */
pay_status_t pay_psp_fee_add(pay_arena_t *arena, pay_str_t id, int64_t minor,
    pay_str_t currency, pay_psp_told_t *told) PAY_MUST_CHECK;
/* Our id of a change out of what the PSP repeats: an UUID, else empty. */
pay_status_t pay_psp_operation(pay_arena_t *arena, pay_str_t text,
    pay_str_t *operation) PAY_MUST_CHECK;
/* Three capital letters. */
int pay_psp_is_currency(pay_str_t code);

/* Adds the events of the list, each once; what `read` refuses with
 * PAY_INVALID is left out, as its webhook would be.  PAY_INVALID when it is
 * no list, is too long, or one of its entries has no id. */
pay_status_t pay_psp_list_in(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *entries,
    pay_psp_listed_pt read, pay_psp_listed_t *listed) PAY_MUST_CHECK;
/* Notes the next page.  PAY_INVALID for a cursor that is none, or this
 * page's: that would go round for ever. */
pay_status_t pay_psp_list_next(pay_arena_t *arena, const pay_psp_list_t *list,
    pay_str_t cursor, pay_psp_listed_t *listed) PAY_MUST_CHECK;
/* Hands *made on when reading it went well: all of a page or nothing. */
pay_status_t pay_psp_list_done(pay_status_t status, pay_psp_listed_t *made,
    pay_psp_listed_t *listed) PAY_MUST_CHECK;

/* ISO 4217 minor units to Stripe's (docs/psp/stripe.md#amounts).  PAY_INVALID
 * with "currency-unsupported", or "amount-invalid" when Stripe has no spelling
 * for that amount. */
pay_status_t pay_stripe_to_theirs(const pay_currency_t *currency,
    int64_t ours, int64_t *theirs, pay_err_t *err) PAY_MUST_CHECK;
/* Stripe's units to ISO's; 0 when there is no such ISO amount. */
int64_t pay_stripe_to_ours(const pay_currency_t *currency, int64_t theirs);
/* The code in lower case, as Stripe writes it, in `text`. */
pay_str_t pay_stripe_currency(const pay_currency_t *currency,
    unsigned char text[PAY_STRIPE_CODE]);


#endif /* PAY_SRC_PSP_H */
