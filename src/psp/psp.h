/*
 * The common part of the PSP adapters: the rows of the registry, checks of our
 * arguments and of the untrusted answers.  src/payout stands on
 * it, too; nothing else outside src/psp includes this.
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
#define PAY_PSP_LONG_WAIT_S  3600      /* when the PSP forbids to repeat a
                                          call */
#define PAY_PSP_CURRENCY_LEN 3         /* letters of a currency */
#define PAY_PSP_PAGE_MAX     20        /* entries of a page of events */


/* The error of an answer's object. */
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


/* How what an answer repeats stands to what was sent. */
typedef enum {
    PAY_PSP_ECHO_RIGHT = 0,    /* nothing contradicts */
    PAY_PSP_ECHO_WRONG,        /* it is something else */
    PAY_PSP_ECHO_INVALID       /* it cannot be compared */
} pay_psp_echo_t;

/* Tables of a PSP's words.  The last row has no word: what it says holds for
 * any other word. */
typedef struct {
    const char         *word;
    pay_psp_outcome_t   outcome;       /* of a change */
    const char         *code;          /* of the result; NULL: the adapter's
                                          to choose */
} pay_psp_outcome_row_t;

typedef struct {
    const char      *word;
    pay_psp_news_t   news;
} pay_psp_news_row_t;

typedef struct {
    const char  *word;
    pay_fact_t   fact;
    int          must_ask;
} pay_psp_fact_row_t;

/* A currency whose amounts a PSP writes in another unit than ISO 4217. */
typedef struct {
    char     code[PAY_PSP_CURRENCY_LEN + 1];   /* empty: the last row */
    uint8_t  multiply;         /* theirs = ours * multiply / divide */
    uint8_t  divide;
    uint8_t  step;             /* theirs must be a multiple of this */
} pay_psp_unit_t;

/* The functions that an adapter provides for the slots of psp/slots.c.  Each
 * returns PAY_OK and leaves *result as it is (UNKNOWN "answer_invalid") when
 * the object says nothing, and fails for PAY_NO_MEMORY alone unless a comment
 * says otherwise. */
typedef pay_status_t (*pay_psp_register_pt)(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *json,
    pay_psp_registered_t *result);
typedef pay_status_t (*pay_psp_change_pt)(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_changed_t *result);
/* A registration as it stands, into *event, which is all zero before: its
 * token, the PSP's word for its status as `type` (an event without a type says
 * nothing) and the fact.  PAY_INVALID when the object is none. */
typedef pay_status_t (*pay_psp_state_pt)(pay_arena_t *arena,
    const pay_json_t *json, pay_psp_event_t *event);
/* One page of events.  PAY_INVALID when it is none; `root` may be NULL. */
typedef pay_status_t (*pay_psp_page_pt)(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    const pay_json_t *root, pay_psp_listed_t *listed);

/* An entry of a list: is it the order's registration?  Then *result, UNKNOWN
 * "found_unusable" before, is completed. */
typedef pay_status_t (*pay_psp_found_pt)(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_json_t *entry, int *ours,
    pay_psp_registered_t *result);
/* The PSP events of one message of a PSP. */
typedef struct {
    pay_psp_event_t  events[PAY_PSP_EVENTS_MAX];
    unsigned         count;
} pay_psp_told_t;

/* Reads an event object, from a webhook or a list; `told` is all zero before.
 * PAY_INVALID for one whose webhook is refused. */
typedef pay_status_t (*pay_psp_listed_pt)(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *entry,
    pay_psp_told_t *told, pay_err_t *err);


/* How a PSP is spoken to, for the frames of psp/call.c and psp/slots.c: most
 * adapters are these two tables and the functions that stand in them. */

/* The head of a call, as pay_psp_request_init(), which is one. */
typedef pay_status_t (*pay_psp_open_pt)(pay_arena_t *arena,
    const pay_psp_account_t *account, const char *method, const char *path,
    pay_str_t last, pay_http_request_t *request);
/* Fill a JSON body.  PAY_INVALID as register_request and change_request. */
typedef pay_status_t (*pay_psp_checkout_body_pt)(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    pay_json_t *root, pay_err_t *err);
typedef pay_status_t (*pay_psp_change_body_pt)(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_json_t *root, pay_err_t *err);

/* The id that a change must have. */
typedef enum {
    PAY_PSP_ID_TOKEN = 0,
    PAY_PSP_ID_ALIAS,
    PAY_PSP_ID_PAYMENT         /* change->reference */
} pay_psp_id_t;

/* One kind of change. */
typedef struct {
    const char              *method;   /* NULL: the PSP has no such change */
    const char              *path;
    pay_psp_id_t             id;
    const char              *tail;     /* behind path and id; NULL: the id
                                          stands in the body alone */
    const char              *suffix;   /* of the idempotency key, ":refund":
                                          ':' stands in no id of ours, so no
                                          order has such a nonce.  NULL: the
                                          call has no key in its header */
    pay_psp_change_body_pt   body;     /* NULL: none */
    pay_psp_change_pt        read;     /* of a good answer */
} pay_psp_call_t;

typedef struct {
    pay_psp_open_pt         open;
    const char             *accept;    /* NULL: application/json */
    const char             *key_header;    /* of the idempotency key; NULL: it
                                              stands in the body */
    size_t                  key_max;   /* bytes, see pay_psp_key() */
    const char *const      *currencies;    /* it takes, NULL behind the last
                                              one; NULL: the bodies refuse */
    const char             *registrations; /* where they are made (POST) */
    const char             *registration;  /* before the token of one (GET) */
    pay_psp_checkout_body_pt  body;    /* of a registration */
    pay_psp_error_pt        error;     /* in any answer */
    pay_psp_error_pt        change_error;  /* in a change's; NULL: as error */
    pay_psp_register_pt     registered;    /* a good answer */
    pay_psp_state_pt        state;     /* a registration that was asked for */
    pay_psp_register_pt     look;      /* a page of registrations */
    pay_psp_page_pt         page;      /* a page of events */
    pay_psp_listed_pt       event;     /* a webhook's one JSON object */
    const pay_psp_call_t   *calls;     /* [PAY_PSP_CHANGE_COUNT] */
} pay_psp_wire_t;

/* Makes the functions <name>_register_request, <name>_register_answer and so
 * on, for the slots of pay_psp_adapter_t, out of the table <name>_wire.  An
 * adapter puts those into its row that it has no function of its own for. */
#define PAY_PSP_SLOTS(name)                                                   \
    PAY_PSP_SLOT(name, register_request, (pay_arena_t *arena,                 \
        const pay_psp_account_t *account, const pay_psp_checkout_t *checkout, \
        pay_http_request_t *request, pay_err_t *err),                         \
        pay_psp_call_register(arena, account, checkout, &name##_wire,         \
                              request, err))                                  \
    PAY_PSP_SLOT(name, register_answer, (pay_arena_t *arena,                  \
        const pay_psp_checkout_t *checkout, const pay_http_answer_t *answer,  \
        pay_psp_registered_t *result),                                        \
        pay_psp_register_answer(arena, checkout, answer, name##_wire.error,   \
                                name##_wire.registered, result))              \
    PAY_PSP_SLOT(name, query_request, (pay_arena_t *arena,                    \
        const pay_psp_account_t *account, pay_str_t token,                    \
        pay_http_request_t *request),                                         \
        pay_psp_call_query(arena, account, token, &name##_wire, request))     \
    PAY_PSP_SLOT(name, query_answer, (pay_arena_t *arena, pay_str_t token,    \
        const pay_http_answer_t *answer, pay_psp_event_t *event, int *known), \
        pay_psp_query_answer(arena, token, answer, name##_wire.state, event,  \
                             known))                                          \
    PAY_PSP_SLOT(name, find_answer, (pay_arena_t *arena,                      \
        const pay_psp_checkout_t *checkout, const pay_http_answer_t *answer,  \
        pay_psp_registered_t *result),                                        \
        pay_psp_find_answer(arena, checkout, answer, name##_wire.error,       \
                            name##_wire.look, result))                        \
    PAY_PSP_SLOT(name, list_answer, (pay_arena_t *arena,                      \
        const pay_psp_account_t *account, const pay_psp_list_t *list,         \
        const pay_http_answer_t *answer, pay_psp_listed_t *listed),           \
        pay_psp_list_answer(arena, account, list, answer, name##_wire.page,   \
                            listed))                                          \
    PAY_PSP_SLOT(name, change_request, (pay_arena_t *arena,                   \
        const pay_psp_account_t *account, const pay_psp_change_t *change,     \
        pay_http_request_t *request, pay_err_t *err),                         \
        pay_psp_call_change(arena, account, change, &name##_wire, request,    \
                            err))                                             \
    PAY_PSP_SLOT(name, change_answer, (pay_arena_t *arena,                    \
        const pay_psp_change_t *change, const pay_http_answer_t *answer,      \
        pay_psp_changed_t *result),                                           \
        pay_psp_change_answer(arena, change, answer,                          \
                              name##_wire.change_error != NULL                \
                              ? name##_wire.change_error                      \
                              : name##_wire.error,                            \
                              name##_wire.calls[change->kind].read, result))  \
    PAY_PSP_SLOT(name, webhook_events, (pay_arena_t *arena,                   \
        const pay_psp_account_t *account,                                     \
        __attribute__((unused)) pay_str_t event_id, pay_str_t body,           \
        pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,          \
        pay_err_t *err),                                                      \
        pay_psp_webhook(arena, account, body, name##_wire.event, events,      \
                        count, err))

#define PAY_PSP_SLOT(name, slot, arguments, call)                             \
    static __attribute__((unused)) pay_status_t                               \
    name##_##slot arguments                                                   \
    {                                                                         \
        return call;                                                          \
    }


extern const pay_psp_settle_api_t  pay_psp_mollie_settlements;
extern const pay_psp_settle_api_t  pay_psp_square_settlements;
extern const pay_psp_settle_api_t  pay_psp_stripe_settlements;

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
int pay_psp_checkout_sane(const pay_psp_checkout_t *checkout);
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
/* "Accept" is that and nothing else. */
void pay_psp_accept(pay_http_request_t *request, const char *type);
/* "Authorization: Basic" of "user:password". */
pay_status_t pay_psp_basic_add(pay_arena_t *arena, pay_str_t pair,
    pay_http_request_t *request) PAY_MUST_CHECK;
/* 1 for a key that cannot break out of a header: [!-~]{1,512}. */
int pay_psp_api_key_is_plain(pay_str_t key);
/* The PSP's idempotency key: a pure function of our key.  `id` and `suffix`
 * joined when that is at most `max` bytes, else the first `max` (>= 32) bytes
 * of ':' and its SHA-256 in hex.  No id of ours has a ':', so no merchant can
 * choose an order's id that equals the key of another call. */
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
 * one.  200 or 201 with an object that has no error: *json is set, the caller
 * frees it and completes *result, which says UNKNOWN "answer_invalid" until
 * then.  Everything else: *json is NULL and *result is final. */
pay_status_t pay_psp_answer_open(pay_arena_t *arena,
    const pay_http_answer_t *answer, pay_psp_error_pt read, pay_json_t **json,
    pay_psp_registered_t *result) PAY_MUST_CHECK;
/* The same for a change, where every 2xx is good.  A 204 has no object: look
 * at the status first. */
pay_status_t pay_psp_change_open(pay_arena_t *arena,
    const pay_http_answer_t *answer, pay_psp_error_pt read, pay_json_t **json,
    pay_psp_changed_t *result) PAY_MUST_CHECK;
/* Reads {"error":{"type","code"}}, as Stripe has it; `reused` is the type or
 * code that says that the nonce came with other parameters before, NULL when
 * the PSP has no word for that.  pay_psp_error_plain() is the same with NULL, a
 * pay_psp_error_pt. */
pay_status_t pay_psp_error_object(pay_arena_t *arena, const pay_json_t *root,
    const char *reused, pay_psp_error_t *error) PAY_MUST_CHECK;
pay_status_t pay_psp_error_plain(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error) PAY_MUST_CHECK;
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
int pay_psp_find_sane(const pay_psp_checkout_t *checkout);
/* When the order can have been registered first, on the PSP's clock. */
int64_t pay_psp_find_since(const pay_psp_checkout_t *checkout,
    unsigned max_expiry_s);
/* pay_psp_answer_open for a search: UNKNOWN in each case, since a failed search
 * proves nothing about the registration. */
pay_status_t pay_psp_find_open(pay_arena_t *arena,
    const pay_http_answer_t *answer, pay_psp_error_pt read, pay_json_t **json,
    pay_psp_registered_t *result) PAY_MUST_CHECK;
/* Searches the list for the checkout's entry; *found says whether it was there,
 * then *result is final: DONE, or UNKNOWN with "found_unusable" or
 * "found_twice" or the code of `read`.  PAY_INVALID when it is no list. */
pay_status_t pay_psp_find_in(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout,
    const pay_json_t *entries, pay_psp_found_pt read,
    pay_psp_registered_t *result, int *found) PAY_MUST_CHECK;
/* It is not on this page, and the next one begins at `next`; empty: there is
 * none, and *result is NOT_SENT.  PAY_INVALID when `next` is this page. */
pay_status_t pay_psp_find_none(const pay_psp_checkout_t *checkout,
    pay_str_t next, pay_psp_registered_t *result) PAY_MUST_CHECK;

/* 1 for a window and a cursor that can be asked for. */
int pay_psp_list_sane(const pay_psp_list_t *list);
/* Reads the one JSON object of a webhook with `read`. */
pay_status_t pay_psp_webhook(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t body, pay_psp_listed_pt read,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err) PAY_MUST_CHECK;
/* The next event, all zero; the last one again when there is no room. */
pay_psp_event_t *pay_psp_told_add(pay_psp_told_t *told);
/* The first event of a message: its id and type out of those members.
 * PAY_INVALID "validation-error" unless both are there. */
pay_status_t pay_psp_told_open(pay_arena_t *arena, const pay_json_t *root,
    const char *id, const char *type, pay_psp_told_t *told, pay_err_t *err)
    PAY_MUST_CHECK;
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

/* psp/card.c: the words of PSPs about cards.  A member that is absent, or has
 * another form, leaves *to as it is: these are hints, and refuse no event.
 * PAY_NO_MEMORY alone is an error. */

/* A word of a PSP, and ours for it. */
typedef struct {
    const char  *word;                 /* NULL behind the last one */
    const char  *ours;
} pay_psp_said_t;

pay_status_t pay_psp_card_name(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *to) PAY_MUST_CHECK;
/* 6 to 8 digits: more might be a card's number. */
pay_status_t pay_psp_card_bin(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *to) PAY_MUST_CHECK;
pay_status_t pay_psp_card_country(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *to) PAY_MUST_CHECK;
void pay_psp_card_word(const pay_psp_said_t *words, const pay_json_t *json,
    const char *member, pay_str_t *to);
/* An integer of 0 to 100, or the same in digits. */
void pay_psp_card_score(const pay_json_t *json, const char *member,
    pay_psp_card_t *card);
extern const pay_psp_said_t  pay_psp_fundings[];   /* lower case */

/* psp/read.c */

/* 1 when the member is that text. */
int pay_psp_is(const pay_json_t *json, const char *member, const char *text);
/* 1 when the text is one of the words; NULL stands behind the last one. */
int pay_psp_is_one_of(pay_str_t text, const char *const *words);
/* 1 when the member is there and not null. */
int pay_psp_is_there(const pay_json_t *json, const char *member);
/* How a text stands to what was sent.  pay_psp_echo_text() takes a member that
 * is absent or null for right, pay_psp_echo_needed() for invalid. */
pay_psp_echo_t pay_psp_echo_text(const pay_json_t *json, const char *member,
    pay_str_t expected);
pay_psp_echo_t pay_psp_echo_needed(const pay_json_t *json, const char *member,
    pay_str_t expected);
/* 1 when the echo is right; sets *code to "answer_mismatch" when it is
 * wrong. */
int pay_psp_believed(pay_psp_echo_t echo, pay_str_t *code);
/* The row of the word in "status" or in `member`, else the last one. */
const pay_psp_outcome_row_t *pay_psp_outcome_row(
    const pay_psp_outcome_row_t *rows, const pay_json_t *json);
const pay_psp_news_row_t *pay_psp_news_row(const pay_psp_news_row_t *rows,
    const pay_json_t *json, const char *member);
const pay_psp_fact_row_t *pay_psp_fact_row(const pay_psp_fact_row_t *rows,
    const pay_json_t *json);
/* pay_psp_token_get() for a member that must be there (else PAY_INVALID) and
 * for one that may be absent (*token stays as it is). */
pay_status_t pay_psp_token_need(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *token) PAY_MUST_CHECK;
pay_status_t pay_psp_token_may(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *token) PAY_MUST_CHECK;
/* Begins the event's amount, when `code` is a currency's: it is 0, which no
 * order has, and lands in the mismatch queue unless the caller finds an amount
 * of *currency.  *currency is NULL when we do not know it. */
pay_status_t pay_psp_amount_open(pay_arena_t *arena, pay_str_t code,
    pay_psp_event_t *event, const pay_currency_t **currency) PAY_MUST_CHECK;
/* How an integer in the currency's smallest unit, with "currency" beside it,
 * stands to the sent one: both must be there. */
pay_psp_echo_t pay_psp_echo_minor(const pay_json_t *json, const char *member,
    int64_t minor, const pay_currency_t *currency);
/* Such an amount into the event, when both are there.  One that no order of
 * ours can have is reported as 0. */
pay_status_t pay_psp_minor_in(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_psp_event_t *event) PAY_MUST_CHECK;
/* The row of the currency, else the last one. */
const pay_psp_unit_t *pay_psp_unit(const pay_psp_unit_t *rows,
    const pay_currency_t *currency);
/* Amounts in the PSP's unit and ours, never rounded.  0 when there is no such
 * amount (to ours: 0 is the amount), or to ours for NULL. */
int pay_psp_unit_to_theirs(const pay_psp_unit_t *unit, int64_t ours,
    int64_t *theirs);
int64_t pay_psp_unit_to_ours(const pay_psp_unit_t *unit, int64_t theirs);

/* psp/call.c: the requests that a pay_psp_wire_t describes.  All memory is the
 * arena's.  PAY_INVALID: the PSP cannot be asked for it, and *err says why;
 * nothing was sent. */

pay_status_t pay_psp_call_register(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
    const pay_psp_wire_t *wire, pay_http_request_t *request, pay_err_t *err)
    PAY_MUST_CHECK;
pay_status_t pay_psp_call_query(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t token,
    const pay_psp_wire_t *wire, pay_http_request_t *request) PAY_MUST_CHECK;
pay_status_t pay_psp_call_change(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    const pay_psp_wire_t *wire, pay_http_request_t *request, pay_err_t *err)
    PAY_MUST_CHECK;
/* The beginning of pay_psp_call_change(): method, URL, key, no body yet. */
pay_status_t pay_psp_call_head(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    const pay_psp_wire_t *wire, pay_http_request_t *request, pay_err_t *err)
    PAY_MUST_CHECK;
/* A pay_psp_change_body_pt for the body {}. */
pay_status_t pay_psp_body_empty(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_change_t *change,
    pay_json_t *root, pay_err_t *err) PAY_MUST_CHECK;

/* psp/slots.c: the slots of pay_psp_adapter_t around what an adapter brings.
 * They judge by the transport and the status how far the call came, and call
 * the adapter's functions only for an answer that can be read.  PAY_NO_MEMORY,
 * or PAY_OK and *result; an answer that says nothing is UNKNOWN, never an
 * error. */

pay_status_t pay_psp_register_answer(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_http_answer_t *answer,
    pay_psp_error_pt error, pay_psp_register_pt read,
    pay_psp_registered_t *result) PAY_MUST_CHECK;
pay_status_t pay_psp_change_answer(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_http_answer_t *answer,
    pay_psp_error_pt error, pay_psp_change_pt read,
    pay_psp_changed_t *result) PAY_MUST_CHECK;
pay_status_t pay_psp_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_state_pt state,
    pay_psp_event_t *event, int *known) PAY_MUST_CHECK;
/* `look` may return PAY_INVALID for what is no list. */
pay_status_t pay_psp_find_answer(pay_arena_t *arena,
    const pay_psp_checkout_t *checkout, const pay_http_answer_t *answer,
    pay_psp_error_pt error, pay_psp_register_pt look,
    pay_psp_registered_t *result) PAY_MUST_CHECK;
pay_status_t pay_psp_list_answer(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_psp_list_t *list,
    const pay_http_answer_t *answer, pay_psp_page_pt page,
    pay_psp_listed_t *listed) PAY_MUST_CHECK;
/* The answer to a change is the registration as it stands: result->known and
 * result->event say how, the outcome is left to the caller.
 * pay_psp_expired(): DONE when it has expired. */
pay_status_t pay_psp_change_state(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_state_pt state, pay_psp_changed_t *result) PAY_MUST_CHECK;
pay_status_t pay_psp_expired(pay_arena_t *arena,
    const pay_psp_change_t *change, const pay_json_t *json,
    pay_psp_state_pt state, pay_psp_changed_t *result) PAY_MUST_CHECK;
/* Ends a body: pay_psp_json_body() when filling it went well, else the status
 * of that.  Frees `json`, which may be NULL then, in any case. */
pay_status_t pay_psp_json_done(pay_arena_t *arena, pay_status_t status,
    pay_json_t *json, pay_http_request_t *request) PAY_MUST_CHECK;
/* A whole GET under our key. */
pay_status_t pay_psp_get(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *path, pay_str_t last, pay_http_request_t *request)
    PAY_MUST_CHECK;
/* The text that the buyer reads: the name, or the order's id. */
pay_str_t pay_psp_line_name(const pay_psp_line_t *line);
/* The query that the return URL has for a buyer who cancels. */
const char *pay_psp_cancelled_query(pay_str_t return_url);


#endif /* PAY_SRC_PSP_H */
