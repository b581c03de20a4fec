/*
 * PSP adapters: one file per PSP in src/psp filling one const struct, one row
 * in the registry.  An adapter turns a stored order into a request and an
 * untrusted answer into an outcome; it never does I/O.
 */

#ifndef PAY_PSP_H
#define PAY_PSP_H

#include "pay_http.h"
#include "pay_json.h"
#include "pay_money.h"
#include "pay_state.h"


#define PAY_PSP_LINES_MAX      20
#define PAY_PSP_TOKEN_MAX      255
#define PAY_PSP_EVENTS_MAX     16
#define PAY_PSP_CODE_MAX       64

/* From the payments_psp block. */
typedef struct {
    pay_str_t  base_url;               /* no trailing slash */
    pay_str_t  api_key;                /* PayPal: client id ':' secret */
    pay_str_t  account;                /* Adyen's merchantAccount, Square's
                                          location_id; empty: none */
    int        live;                   /* mode: live 1, test 0, unsaid -1 */
} pay_psp_account_t;

typedef struct {
    pay_str_t  payment_order_id;
    pay_str_t  name;                   /* the text that the buyer reads */
    int64_t    amount_minor;           /* ISO 4217 minor units */
} pay_psp_line_t;

/* A registration, a pure function of stored rows: the same on every attempt,
 * so the PSP's idempotency key is one of the nonce alone. */
typedef struct {
    pay_str_t                nonce;    /* the PSP's idempotency key */
    pay_str_t                merchant_reference;   /* our checkout's UUID */
    const pay_currency_t    *currency;
    int64_t                  amount_minor;
    int64_t                  expires_s;
    pay_str_t                return_url;  /* <gateway>/return/<handle> */
    pay_str_t                webhook_url; /* <gateway>/webhooks/<psp>; empty:
                                             the PSP knows it already */
    pay_psp_line_t           lines[PAY_PSP_LINES_MAX];
    unsigned                 line_count;
    int                      capture_later; /* authorise only; for PSPs with
                                             PAY_PSP_AUTHORIZES */
    int                      challenge;   /* the buyer's bank is to ask for
                                             3-D Secure, where the PSP has a
                                             word for it */
    pay_str_t                find_from;   /* find_request alone: the page to
                                             look through; empty: the first */
} pay_psp_checkout_t;

typedef enum {
    PAY_PSP_DONE = 0,          /* accepted; the result is there */
    PAY_PSP_PENDING,           /* a change was accepted; its outcome comes by
                                  webhook or query.  Never a registration's */
    PAY_PSP_REFUSED,           /* definitely not accepted, never will be */
    PAY_PSP_NOT_SENT,          /* provably without effect; may be sent again */
    PAY_PSP_UNKNOWN,           /* may or may not have happened */
    PAY_PSP_OUTCOME_COUNT
} pay_psp_outcome_t;

/* Why something that a PSP has sent cannot be read; literals, for error.log and
 * for the developer of a PSP.  No rule: nothing is wrong. */
typedef struct {
    const char  *member;       /* one of our members to look for, or NULL:
                                  the whole body */
    const char  *rule;
} pay_psp_unread_t;

typedef struct {
    pay_psp_outcome_t  outcome;
    pay_str_t          token;
    pay_str_t          alias;          /* another name that webhooks or changes
                                          know it by (Adyen: our reference,
                                          Square: the link's id), or empty */
    pay_str_t          hosted_url;     /* unchecked: see pay_hosted_url_check */
    pay_str_t          code;           /* PSP's error code made safe:
                                          [a-z0-9_.-]{0,64}, or our literal */
    int64_t            retry_after_s;  /* -1: the PSP did not say */
    pay_str_t          next;           /* find_answer alone, with UNKNOWN: it
                                          is not on this page; ask again with
                                          this as find_from.  Or empty */
    pay_psp_unread_t   unread;
} pay_psp_registered_t;

/* The subject of a PSP event.  An event about anything but the payment itself
 * goes to apply_change: its `fact` is NONE, and `news` says what happened. */
typedef enum {
    PAY_ABOUT_PAYMENT = 0,
    PAY_ABOUT_CAPTURE,         /* of an authorised payment; amount: the sum
                                  of all captures so far, or this capture
                                  alone (SINGLE) */
    PAY_ABOUT_REFUND,          /* amount: of this refund */
    PAY_ABOUT_DISPUTE,         /* amount: that is disputed */
    PAY_ABOUT_FEE,             /* amount: charged (SUCCEEDED), or given back
                                  (FAILED) */
    PAY_ABOUT_COUNT
} pay_psp_about_t;

typedef enum {
    PAY_NEWS_PENDING = 0,
    PAY_NEWS_SUCCEEDED,
    PAY_NEWS_FAILED,
    PAY_NEWS_OPENED,           /* disputes */
    PAY_NEWS_WON,              /*   for the merchant */
    PAY_NEWS_LOST,             /*   for the buyer */
    PAY_NEWS_ENDED,            /* captures: succeeded, and the PSP has
                                  released the rest of the money */
    PAY_NEWS_SINGLE,           /* the same of this capture alone, which
                                  `object` names: the PSP gives no sum */
    PAY_NEWS_COUNT
} pay_psp_news_t;

/* A PSP's word about the card of one attempt, as far as it gives one: hints
 * for risk, which move nothing.  Texts are the arena's; empty: not known, or
 * not of the form that is named here.  All empty: nothing is said. */
typedef struct {
    pay_str_t  attempt;                /* the PSP's id of the attempt or of its
                                          warning */
    pay_str_t  card;                   /* the PSP's name for the card, 1 to 128
                                          bytes of visible ASCII.  Personal: it
                                          leaves the flow as a keyed hash */
    pay_str_t  bin;                    /* 6 to 8 digits */
    pay_str_t  country;                /* of the issuer, two capitals */
    pay_str_t  funding;                /* credit, debit or prepaid */
    pay_str_t  three_d;                /* 3-D Secure: authenticated, attempted,
                                          exempted or failed */
    pay_str_t  level;                  /* the PSP's opinion: normal, elevated or
                                          highest */
    int        has_score;
    int64_t    score;                  /*   and its score, 0 to 100 */
    pay_str_t  warning;                /* the issuer's early warning of fraud:
                                          its kind, made safe */
    int        is_hint;                /* not covered by the signature */
} pay_psp_card_t;

/* A PSP event: one statement about one registration, from a webhook, a list or
 * a query.  A webhook with two statements (paid, and its fee) is two events,
 * the second with an event_id of its own ("<id>:fee"). */
typedef struct {
    pay_str_t   event_id;              /* empty in a query's answer */
    pay_str_t   type;                  /* the PSP's word, made safe */
    pay_fact_t  fact;
    pay_str_t   token;                 /* or alias; empty: not about a
                                          registration */
    pay_str_t   reference;             /* the PSP's payment id, or empty */
    pay_str_t   code;                  /* decline code and the like, safe */
    pay_str_t   decline;               /* of a decline: our code for it,
                                          where the PSP states one, or empty */
    int         has_amount;
    int64_t     amount_minor;          /* ISO 4217 minor units */
    pay_str_t   currency;              /* upper case, when has_amount */
    int         must_ask;              /* a webhook that is only a hint: fact
                                          is NONE, the PSP must be asked
                                          before anything moves.  Without an
                                          event_id it is not even stored */
    int         must_capture;          /* a query's answer: the buyer has
                                          approved, the money must be taken
                                          by a PAY_PSP_CAPTURE; fact NONE */
    pay_psp_about_t  about;
    pay_psp_news_t   news;             /* unless about the payment */
    pay_str_t        object;           /* the PSP's id of the refund, dispute,
                                          fee or declined attempt, or empty */
    pay_str_t   operation;             /* our id of the change, where the PSP
                                          echoes it, or empty */
    int64_t           evidence_until_s;        /* of a dispute: evidence may
                                                  come until then; 0: not
                                                  known.  A hint, which moves
                                                  nothing */
    int64_t           said_s;          /* of a dispute: since when it stands so
                                          at the PSP, which tells an appeal
                                          from a late event; 0: not known */
    int               has_fee;         /* of a dispute: its fee */
    int64_t           fee_minor;
    pay_str_t         fee_currency;
    pay_psp_card_t    card;            /* about the payment alone */
    pay_psp_unread_t  unread;          /* of a query's answer that is not
                                          known: why */
    pay_str_t         report;          /* a settlement report that it announces:
                                          its name, [A-Za-z0-9._-]{1,128} and
                                          no leading dot; or empty */
    pay_str_t         report_url;      /* as announced, unchecked; empty: it is
                                          no plain URL */
} pay_psp_event_t;

/* The modifications of a registration or its payment. */
typedef enum {
    PAY_PSP_CAPTURE = 0,
    PAY_PSP_CANCEL,            /* an authorised, uncaptured payment */
    PAY_PSP_REFUND,
    PAY_PSP_EXPIRE,            /* the hosted page, while it is unpaid */
    PAY_PSP_CHANGE_COUNT
} pay_psp_change_kind_t;
/* A window that never ends: a repeat of that call does nothing new. */
#define PAY_PSP_ALWAYS_HOURS  8760
#define PAY_PSP_CAN(kind)     (1u << (kind))

typedef struct {
    pay_psp_change_kind_t    kind;
    pay_str_t                key;      /* our UUID of the operation: the PSP's
                                          idempotency key, see pay_psp_key() */
    pay_str_t                token;    /* of the registration */
    pay_str_t                alias;
    pay_str_t                reference;   /* the PSP's payment id (captures,
                                             cancels, refunds), or empty */
    pay_str_t                merchant_reference;  /* our checkout's UUID */
    const pay_currency_t    *currency;
    int64_t                  amount_minor;   /* captures and refunds */
    int                      is_final;       /* captures: nothing follows, the
                                                rest may be released */
    pay_str_t                reason;   /* printable ASCII, <= 100, or empty */
} pay_psp_change_t;

typedef struct {
    pay_psp_outcome_t  outcome;
    pay_str_t          reference;      /* the PSP's id of it, or empty */
    pay_str_t          code;
    int64_t            retry_after_s;
    int                known;          /* 1: `event` has the present state of
                                          the registration */
    pay_psp_event_t    event;
    pay_psp_unread_t   unread;
} pay_psp_changed_t;

/* A page of a PSP's list of events.  The order of events is the PSP's own
 * (Stripe: newest first): a window is seen when its last page is. */
#define PAY_PSP_LIST_MAX     40        /* events of one page: of 20 entries,
                                          since one may be two events */
#define PAY_PSP_CURSOR_MAX   255       /* bytes of a cursor, out of
                                          [A-Za-z0-9._~:%+=,/&-] */

typedef struct {
    int64_t    since_s;                /* events made at or after */
    int64_t    until_s;                /*   and before */
    pay_str_t  cursor;                 /* of the page, an earlier one's
                                          `next`; empty: the first */
} pay_psp_list_t;

typedef struct {
    int              known;            /* 0: the answer says nothing */
    pay_psp_event_t  events[PAY_PSP_LIST_MAX];
    unsigned         count;
    unsigned         left_out;         /* entries whose webhooks would be
                                          refused */
    pay_str_t        next;             /* cursor of the next page, never this
                                          one's; empty: this is the last */
} pay_psp_listed_t;

/* An access token of the PSP. */
typedef struct {
    pay_str_t  token;
    int64_t    lifetime_s;
} pay_psp_auth_t;

#define PAY_PSP_AUTH_MAX  4096         /* bytes of an access token */

/* Traits */
#define PAY_PSP_NEEDS_ACCOUNT   0x01   /* the word `account` is required */
#define PAY_PSP_LINGERS         0x02   /* its pages do not end by themselves
                                          at expires_s: PAY_PSP_EXPIRE is sent
                                          then */
#define PAY_PSP_AUTHORIZES      0x04   /* takes capture_later */
#define PAY_PSP_MULTICAPTURE    0x08   /* several captures of one
                                          authorisation */
#define PAY_PSP_BY_PAYMENT      0x10   /* captures, cancels and refunds name
                                          the PSP's payment, whose id may
                                          become known after the money */
#define PAY_PSP_NAMES_REFUNDS   0x20   /* repeats our id of a refund in every
                                          event about it: a refund without
                                          our id is not ours */
#define PAY_PSP_IS_OURS         0x40   /* its protocol is this project's: its
                                          developer reads why a webhook was
                                          refused */

#define PAY_PSP_REPORTS         0x80   /* its webhooks announce settlement
                                          reports, in the format of its name */

/* A settlement (payout) that the PSP lists, whose rows change no more. */
typedef struct {
    pay_str_t  id;
    int64_t    at_s;                   /* when it was made */
} pay_psp_settlement_t;

#define PAY_PSP_SETTLEMENTS_MAX  100   /* in a page */

typedef struct {
    int                   known;       /* 0: the answer says nothing */
    pay_psp_settlement_t  items[PAY_PSP_SETTLEMENTS_MAX];
    unsigned              count;
    pay_str_t             next;        /* cursor of the next page; empty: this
                                          is the last */
} pay_psp_settlements_t;

/* An answer of those that are one settlement together: the settlement
 * itself, then the pages of each of its lists. */
typedef struct {
    pay_str_t  id;
    unsigned   part;                   /* 0: the settlement, else a list */
    pay_str_t  cursor;                 /* of the page; empty: the first */
} pay_psp_settle_page_t;

typedef struct pay_psp_settle_api_s  pay_psp_settle_api_t;

/* Functions get sane arguments; all answers and bodies are untrusted.  They
 * never fail but for PAY_NO_MEMORY and PAY_BUG unless it says so. */
typedef struct {
    const char   *name;                /* "stripe", "generic" */
    const char   *scheme;              /* default webhook scheme */
    unsigned      key_window_hours;    /* life of the idempotency key of a
                                          registration; 0: there are no
                                          registrations.  A PSP that has a
                                          page and no key cannot be an
                                          adapter: see docs/adapters.md */
    /* of a change, by its kind; 0: it has none and must not be repeated, or
     * the kind is not in `changes` */
    unsigned      change_window_hours[PAY_PSP_CHANGE_COUNT];
    unsigned      min_expiry_s;        /* shortest and longest life of a */
    unsigned      max_expiry_s;        /*   hosted page at this PSP, or that
                                            the gateway gives one (LINGERS) */
    unsigned      hold_hours;          /* authorised money can be captured for
                                          so long at least; 0: not known */
    unsigned      traits;
    unsigned      changes;             /* PAY_PSP_CAN() of each kind */

    /* Builds the request of a registration.  PAY_INVALID "currency-unsupported"
     * or "amount-invalid" when this PSP cannot take it (for example a
     * three-decimal currency with a last digit at Stripe).  NULL, and so are
     * the next three: the PSP has no hosted page, only its webhooks are
     * understood. */
    pay_status_t  (*register_request)(pay_arena_t *arena,
        const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
        pay_http_request_t *request, pay_err_t *err);
    /* Reads the answer of a registration; an error is an outcome.  An echoed
     * amount, currency or reference that differs from the checkout's is
     * PAY_PSP_UNKNOWN with code "answer_mismatch". */
    pay_status_t  (*register_answer)(pay_arena_t *arena,
        const pay_psp_checkout_t *checkout, const pay_http_answer_t *answer,
        pay_psp_registered_t *result);

    pay_status_t  (*query_request)(pay_arena_t *arena,
        const pay_psp_account_t *account, pay_str_t token,
        pay_http_request_t *request);
    /* *known 0: the answer says nothing (failure, malformed, other token). */
    pay_status_t  (*query_answer)(pay_arena_t *arena, pay_str_t token,
        const pay_http_answer_t *answer, pay_psp_event_t *event, int *known);

    /* Searches by our reference or nonce for a registration whose answer was
     * lost and whose key window is over.
     *   DONE      found, as register_answer
     *   NOT_SENT  code "not_found": the PSP's complete list has none (this page
     *             was its last, and those before had none)
     *   UNKNOWN   anything else, a call that never left included; with `next`,
     *             this page has none and another one follows
     * Never REFUSED.  The checkout needs no lines.  PAY_BUG for a find_from
     * that is not a `next`.  NULL, both: this PSP has no such search. */
    pay_status_t  (*find_request)(pay_arena_t *arena,
        const pay_psp_account_t *account, const pay_psp_checkout_t *checkout,
        pay_http_request_t *request);
    pay_status_t  (*find_answer)(pay_arena_t *arena,
        const pay_psp_checkout_t *checkout, const pay_http_answer_t *answer,
        pay_psp_registered_t *result);

    /* Lists events that the PSP has made, to find those whose webhook never
     * came; the same events with the same event_ids as by webhook.  Entries
     * whose webhook would be refused (422) are left out.  PAY_BUG for a cursor
     * that is not a `next`.  NULL, both: the PSP has no list. */
    pay_status_t  (*list_request)(pay_arena_t *arena,
        const pay_psp_account_t *account, const pay_psp_list_t *list,
        pay_http_request_t *request);
    pay_status_t  (*list_answer)(pay_arena_t *arena,
        const pay_psp_account_t *account, const pay_psp_list_t *list,
        const pay_http_answer_t *answer, pay_psp_listed_t *listed);

    /* For the kinds in `changes`; PAY_INVALID as register_request, and
     * "validation-error" for a kind that is not in it.  NULL when `changes`
     * is 0. */
    pay_status_t  (*change_request)(pay_arena_t *arena,
        const pay_psp_account_t *account, const pay_psp_change_t *change,
        pay_http_request_t *request, pay_err_t *err);
    pay_status_t  (*change_answer)(pay_arena_t *arena,
        const pay_psp_change_t *change, const pay_http_answer_t *answer,
        pay_psp_changed_t *result);

    /* Requests an access token by OAuth2 client credentials; NULL when api_key
     * is sent as it is.  With them the other requests carry no Authorization:
     * their sender adds "Bearer <token>", and requests a new one well before
     * lifetime_s is over. */
    pay_status_t  (*auth_request)(pay_arena_t *arena,
        const pay_psp_account_t *account, pay_http_request_t *request);
    /* PAY_INVALID when the answer brings no usable token. */
    pay_status_t  (*auth_answer)(pay_arena_t *arena,
        const pay_http_answer_t *answer, pay_psp_auth_t *auth);

    /* A verified webhook body → events.  `event_id` comes from the scheme's
     * headers (may be empty).  PAY_INVALID "invalid-json" or
     * "validation-error" when it is no event of this PSP or of the account's
     * mode. */
    pay_status_t  (*webhook_events)(pay_arena_t *arena,
        const pay_psp_account_t *account, pay_str_t event_id, pay_str_t body,
        pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
        pay_err_t *err);

    /* How its settlements are pulled, in the format of its name; NULL: they
     * are not. */
    const pay_psp_settle_api_t  *settlements;
} pay_psp_adapter_t;


/* For an adapter that has `settlements` (src/psp/settlement.c).  A page of the
 * settlements that were made since then; the answer leaves out those that are
 * older or still change. */
pay_status_t pay_psp_settlements_request(pay_arena_t *arena,
    const pay_psp_adapter_t *adapter, const pay_psp_account_t *account,
    int64_t since_s, pay_str_t cursor, pay_http_request_t *request)
    PAY_MUST_CHECK;
pay_status_t pay_psp_settlements_answer(pay_arena_t *arena,
    const pay_psp_adapter_t *adapter, int64_t since_s, pay_str_t cursor,
    const pay_http_answer_t *answer, pay_psp_settlements_t *page)
    PAY_MUST_CHECK;
/* An answer of one settlement; its body is a part of the file as it is. */
pay_status_t pay_psp_settlement_request(pay_arena_t *arena,
    const pay_psp_adapter_t *adapter, const pay_psp_account_t *account,
    const pay_psp_settle_page_t *page, pay_http_request_t *request)
    PAY_MUST_CHECK;
/* *page becomes the one behind it; *is_end: there is none.  PAY_INVALID for an
 * answer that says nothing. */
pay_status_t pay_psp_settlement_next(pay_arena_t *arena,
    const pay_psp_adapter_t *adapter, const pay_http_answer_t *answer,
    pay_psp_settle_page_t *page, int *is_end) PAY_MUST_CHECK;
/* 1 when the PSP tells the balance of the account; then its request.  The
 * answer is read by pay_settle_balances(). */
int pay_psp_has_balance(const pay_psp_adapter_t *adapter);
pay_status_t pay_psp_balance_request(pay_arena_t *arena,
    const pay_psp_adapter_t *adapter, const pay_psp_account_t *account,
    pay_http_request_t *request) PAY_MUST_CHECK;


/* 1 when something is said of the card. */
int pay_psp_card_says(const pay_psp_card_t *card);

/* NULL when there is none of that name. */
const pay_psp_adapter_t *pay_psp_find(pay_str_t name);
/* Ends with NULL. */
const pay_psp_adapter_t *const *pay_psp_table(void);


#endif /* PAY_PSP_H */
