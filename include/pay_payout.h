/*
 * Pay-out providers: one file a provider in src/payout filling one const
 * struct, one row in the registry.  An adapter turns stored items into the
 * bytes of a call and an untrusted answer into an outcome and states; it never
 * does I/O and has no clock.  docs/payout-providers.md has the facts and their
 * sources.
 *
 * A parcel is the content of one call or one file: a single item, or a batch.
 * A provider that needs several calls has several steps; the id that a step
 * answers is kept in parcel.ids and goes into the next.
 *
 *    send step 0 ─▶ … ─▶ send the last step ─▶ ask, webhooks ─▶ paid, failed …
 *        │ UNKNOWN
 *        ├─ inside the key's window: the same call again
 *        └─ later: find, until it is found or proven not to exist
 */

#ifndef PAY_PAYOUT_H
#define PAY_PAYOUT_H

#include "pay_iban.h"
#include "pay_keyring.h"
#include "pay_psp.h"


#define PAY_PAYOUT_KEY_MAX     35      /* bytes of an item's key: SEPA's
                                          EndToEndId holds no more */
#define PAY_PAYOUT_NAME_MAX    70      /* bytes of a beneficiary's name */
#define PAY_PAYOUT_TEXT_MAX    140     /* bytes of the text on a statement */
#define PAY_PAYOUT_END_MAX     4       /* characters of an account's end */
#define PAY_PAYOUT_ITEMS_MAX   250     /* of a call; files hold more */
#define PAY_PAYOUT_EVENTS_MAX  250     /* of an answer or a message */
#define PAY_PAYOUT_STEPS_MAX   4
#define PAY_PAYOUT_CURSOR_MAX  255

/* The states of an item, in the words of pay_payout_state_name().  Adapters
 * report SENDING, SENT, PAID, RETURNED, FAILED, CANCELLED and UNKNOWN alone.
 * FAILED and CANCELLED behind SENT are returns; the database knows which. */
typedef enum {
    PAY_PAYOUT_DRAFT = 0,      /* made, its money is reserved */
    PAY_PAYOUT_HELD,           /* a condition, or a person, stops it */
    PAY_PAYOUT_READY,          /* may be approved */
    PAY_PAYOUT_APPROVED,
    PAY_PAYOUT_SENDING,        /* a call was begun, or the provider has it and
                                  has proved nothing yet */
    PAY_PAYOUT_SENT,           /* the provider proves that the money left */
    PAY_PAYOUT_PAID,           /* the provider calls it final; it may come
                                  back nevertheless */
    PAY_PAYOUT_SETTLED,        /* found on a statement */
    PAY_PAYOUT_RETURNED,       /* came back, from SENT, PAID or SETTLED */
    PAY_PAYOUT_FAILED,         /* never left, for good */
    PAY_PAYOUT_CANCELLED,
    PAY_PAYOUT_UNKNOWN,        /* of an item: may or may not have been paid.
                                  In a report: a word that changes nothing */
    PAY_PAYOUT_STATE_COUNT
} pay_payout_state_t;

/* How a destination is named; PAY_PAYOUT_TO() of each makes a set. */
typedef enum {
    PAY_PAYOUT_TO_PAYEE = 0,   /* the provider's own id of it */
    PAY_PAYOUT_TO_IBAN,
    PAY_PAYOUT_TO_EMAIL,       /* a wallet by its e-mail address (PayPal) */
    PAY_PAYOUT_TO_COUNT
} pay_payout_to_t;

#define PAY_PAYOUT_TO(kind)  (1u << (kind))

/* As it was when the item was made; a later change does not touch it. */
typedef struct {
    pay_payout_to_t  kind;
    pay_str_t        payee;            /* [!-~]{1,255} for PAYEE and EMAIL */
    pay_str_t        iban;             /* upper case, no blanks */
    pay_str_t        bic;              /* 8 or 11 characters, or empty */
    pay_str_t        name;             /* as pay_payout_name() makes it: the
                                          approvers saw these bytes */
    pay_str_t        country;          /* ISO 3166-1 alpha-2, or empty */
} pay_payout_destination_t;

typedef struct {
    pay_str_t                 key;     /* [0-9a-f]{32} "-" attempt of 1 to 99:
                                          the provider dedupes by it and
                                          repeats it to us */
    const pay_currency_t     *currency;
    int64_t                   amount_minor;    /* ISO 4217 minor units, > 0 */
    pay_payout_destination_t  to;
    pay_str_t                 text;    /* for the seller's statement, as
                                          pay_payout_name() makes it, or
                                          empty */
} pay_payout_item_t;

/* A pure function of stored rows, so that every attempt has the same bytes. */
typedef struct {
    pay_str_t                 key;     /* [A-Za-z0-9-]{1,36}: the item's, or of
                                          the batch's approved hash */
    const pay_payout_item_t  *items;   /* all of one currency */
    unsigned                  count;
    unsigned                  step;    /* that is to be sent, from 0 */
    pay_str_t                 ids[PAY_PAYOUT_STEPS_MAX];   /* references that
                                          the steps answered.  To cancel an item
                                          of a batch: its reference behind
                                          them */
    int64_t                   made_s;  /* when the parcel was made, seconds */
    pay_str_t                 execute_on;      /* YYYY-MM-DD; bank files */
    pay_str_t                 cursor;  /* of a page of ask or find; empty: the
                                          first */
} pay_payout_parcel_t;

/* From the provider's block of the configuration. */
typedef struct {
    pay_psp_account_t  call;           /* base_url, api_key; account: Wise's
                                          profile, Adyen's balance account */
    pay_str_t          debtor_name;    /* bank files: our account */
    pay_str_t          debtor_iban;
    pay_str_t          debtor_bic;     /* or empty */
} pay_payout_account_t;

/* A statement of a provider about one item. */
typedef struct {
    pay_str_t           event_id;      /* of a webhook's message; or empty */
    pay_str_t           type;          /* the provider's word, made safe */
    pay_str_t           key;           /* the item's, or empty: by reference */
    pay_str_t           reference;     /* the provider's id of the payout */
    pay_str_t           parcel;        /* the provider's id of the batch, or
                                          of an earlier step; or empty */
    pay_str_t           payee;         /* the provider's id of the payee, or
                                          empty */
    pay_payout_state_t  state;
    pay_str_t           code;          /* why, made safe; or empty */
    int                 is_ours;       /* the cause is ours (no funds, a
                                          limit): the destination is not
                                          suspect */
    int                 has_amount;
    int64_t             amount_minor;
    pay_str_t           currency;
    pay_str_t           account_end;   /* last characters of the account that
                                          the provider names, or empty */
    int                 has_fee;
    int64_t             fee_minor;
    pay_str_t           fee_currency;
    int64_t             occurred_us;   /* on the provider's clock; 0: untold.
                                          Of two, the later counts */
    int64_t             sequence;      /* the provider's own number of it; 0:
                                          it has none */
    int                 must_ask;      /* only a hint: ask before anything
                                          moves */
} pay_payout_event_t;

/* Outcomes of a call.
 *   DONE      it is at the provider; `reference` is the step's id, `events` has
 *             the states of the items that the answer tells, if any
 *   REFUSED   definitely not accepted, and never will be under this key
 *   NOT_SENT  without effect: the same key may be sent again.  Of FIND: the
 *             complete list has none, code "not_found"
 *   UNKNOWN   anything else; it never becomes payable by time
 */
typedef struct {
    pay_psp_outcome_t    outcome;
    pay_str_t            reference;
    pay_str_t            code;         /* [a-z0-9_.-]{0,64} */
    int64_t              retry_after_s;        /* -1: untold */
    int                  is_ours;      /* as in the event, of a refusal */
    pay_payout_event_t  *events;       /* in the arena */
    unsigned             count;
    pay_str_t            next;         /* cursor of the next page (of ASK with
                                          DONE, of FIND with UNKNOWN), or
                                          empty */
    pay_psp_unread_t     unread;
} pay_payout_result_t;

typedef enum {
    PAY_PAYOUT_SEND = 0,       /* the step parcel.step */
    PAY_PAYOUT_ASK,            /* how the parcel stands, by its ids */
    PAY_PAYOUT_FIND,           /* is there one with this key? */
    PAY_PAYOUT_CANCEL,
    PAY_PAYOUT_CALL_COUNT
} pay_payout_call_t;

/* A call that makes something at the provider. */
typedef struct {
    const char  *name;         /* "transfer" */
    unsigned     window_hours; /* how long a repeat under the same key gives
                                  the first object; PAY_PSP_ALWAYS_HOURS;
                                  0: there is no key, it is never repeated
                                  when its outcome is unknown */
    int          moves_money;  /* 0: a quote, a recipient: harmless twice */
} pay_payout_step_t;

/* A currency and the amounts in it that the provider takes. */
typedef struct {
    char     code[4];          /* "": all currencies that have no row; the last
                                  row of the table */
    int64_t  min_minor;
    int64_t  max_minor;        /* 0: none */
    int64_t  step_minor;       /* amounts are multiples of it; 0: any */
} pay_payout_limit_t;

/* Traits */
#define PAY_PAYOUT_IS_FILE     0x01    /* no call: pay_payout_file_write() */
#define PAY_PAYOUT_MAY_ROLL    0x02    /* states may go back: by occurred_us */
#define PAY_PAYOUT_NEEDS_ACCOUNT  0x04 /* the account's id is required */
#define PAY_PAYOUT_TAKES_BACK  0x08    /* a failure of the last step leaves the
                                          money behind at the provider: the
                                          item counts as failed when CANCEL of
                                          step 0 is DONE */
#define PAY_PAYOUT_MAY_POLL    0x10    /* its webhooks only make questions come
                                          earlier: they may be left out of the
                                          configuration */

typedef struct pay_payout_adapter_s  pay_payout_adapter_t;


/* NULL when there is none of that name. */
const pay_payout_adapter_t *pay_payout_find(pay_str_t name);
/* Ends with NULL. */
const pay_payout_adapter_t *const *pay_payout_table(void);

/* The adapter's facts. */
const char *pay_payout_adapter_name(const pay_payout_adapter_t *adapter);
/* The name of its webhooks' scheme in pay_sig.h; NULL: none. */
const char *pay_payout_scheme(const pay_payout_adapter_t *adapter);
unsigned pay_payout_traits(const pay_payout_adapter_t *adapter);
/* The n-th step; NULL behind the last one. */
const pay_payout_step_t *pay_payout_step(const pay_payout_adapter_t *adapter,
    unsigned n);
/* 1 when its calls need an access token (pay_payout_auth_request()). */
int pay_payout_wants_token(const pay_payout_adapter_t *adapter);
/* Items that one call takes. */
unsigned pay_payout_items_max(const pay_payout_adapter_t *adapter);
/* The proof that nothing was paid: that many complete look-ups (FIND, all
 * pages) that end with "not_found", each *gap_s after the one before.  0: the
 * provider gives no proof, a person decides; one that has FIND is asked each
 * *gap_s all the same, and may show that it has the payment. */
unsigned pay_payout_looks(const pay_payout_adapter_t *adapter,
    unsigned *gap_s);
/* How many days after PAID a return may still come. */
unsigned pay_payout_return_days(const pay_payout_adapter_t *adapter);
/* 1 when the adapter has that call. */
int pay_payout_can(const pay_payout_adapter_t *adapter,
    pay_payout_call_t call);

/* "draft" … "unknown" */
const char *pay_payout_state_name(pay_payout_state_t state);

/* PAY_OK when the provider can pay this item; else PAY_INVALID with
 * "currency-unsupported", "amount-invalid" or "destination-invalid".  To be
 * asked when the item is made, long before it is sent.  PAY_BUG for an item
 * that our rows must not contain. */
pay_status_t pay_payout_fits(const pay_payout_adapter_t *adapter,
    const pay_payout_item_t *item, pay_err_t *err) PAY_MUST_CHECK;

/* Our code for a reason of pay_payout_fits() that no repeat can mend, so that
 * the item fails: "amount_unfit", "currency_unfit".  NULL for any other: the
 * account and the configuration may be mended. */
const char *pay_payout_unfit(const char *slug);

/* Builds the request of a call.  PAY_INVALID as pay_payout_fits(), and
 * "validation-error" for a call that the adapter does not have; PAY_BUG for a
 * parcel that our rows must not contain. */
pay_status_t pay_payout_request(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, pay_payout_call_t call,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    pay_http_request_t *request, pay_err_t *err) PAY_MUST_CHECK;
/* Reads its answer, which is untrusted.  An amount, a currency or a destination
 * that is not the item's is UNKNOWN "answer_mismatch".  Fails for PAY_NO_MEMORY
 * and PAY_BUG alone; *result is written on success only, its texts live in the
 * arena. */
pay_status_t pay_payout_answer(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, pay_payout_call_t call,
    const pay_payout_parcel_t *parcel, const pay_http_answer_t *answer,
    pay_payout_result_t *result) PAY_MUST_CHECK;

/* A verified webhook's body as events, at most PAY_PAYOUT_EVENTS_MAX of them in
 * the arena; none for a message about something else.  PAY_INVALID
 * "invalid-json" or "validation-error" when it is no message of this
 * provider. */
pay_status_t pay_payout_webhook(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, const pay_payout_account_t *account,
    pay_str_t body, pay_payout_event_t **events, unsigned *count,
    pay_err_t *err) PAY_MUST_CHECK;

/* An access token by OAuth2 client credentials, as pay_psp_adapter_t has it;
 * PAY_NOT_FOUND for an adapter that sends its key as it is. */
pay_status_t pay_payout_auth_request(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, const pay_payout_account_t *account,
    pay_http_request_t *request) PAY_MUST_CHECK;
pay_status_t pay_payout_auth_answer(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, const pay_http_answer_t *answer,
    pay_psp_auth_t *auth) PAY_MUST_CHECK;


/* ---- accounts of sellers (src/payout/account.c) */

/* The account of an item as PostgreSQL keeps it. */
typedef struct {
    pay_str_t  payout_id;
    pay_str_t  merchant_id;
    pay_str_t  seller_account;
    pay_str_t  currency;
    pay_str_t  kind;           /* "iban" or "payee" */
    pay_str_t  country;
    pay_str_t  key_id;         /* of the keyring */
    pay_str_t  details;        /* nonce and sealed bytes */
} pay_payout_sealed_t;

/* The name of the row that an account stands in, the AAD of its seal. */
pay_status_t pay_payout_place(pay_arena_t *arena, pay_str_t merchant_id,
    pay_str_t seller, pay_str_t currency, pay_str_t *place) PAY_MUST_CHECK;
/* Fills currency, destination and text of the item, in the arena; the ring may
 * be NULL.  PAY_INVALID: *why, a literal, is the code why it cannot be paid
 * to ("no_keyring", "key_missing", "details_unreadable" …). */
pay_status_t pay_payout_open(pay_arena_t *arena, const pay_keyring_t *ring,
    const pay_payout_sealed_t *row, pay_payout_item_t *item,
    const char **why) PAY_MUST_CHECK;
/* The columns of pay.payout_adapter but its name, as JSON. */
pay_status_t pay_payout_facts(pay_arena_t *arena,
    const pay_payout_adapter_t *adapter, pay_str_t *facts) PAY_MUST_CHECK;


/* ---- sanctions screening by a provider (src/payout/screening.c) */

typedef enum {
    PAY_SCREENING_FAILED = 0,  /* no answer: the holder is not clear */
    PAY_SCREENING_CLEAR,
    PAY_SCREENING_HIT,
    PAY_SCREENING_COUNT
} pay_screening_t;

typedef struct {
    pay_screening_t   answer;
    pay_str_t         reference;       /* of a hit, a token; or empty */
    pay_str_t         code;            /* of a failure, [a-z0-9_.-]{0,64} */
    int64_t           retry_after_s;   /* -1: untold */
    pay_psp_unread_t  unread;
} pay_screening_result_t;

/* Asks about the holder of an account, whose name is not empty.  id:
 * [A-Za-z0-9-]{1,255}, one for each question. */
pay_status_t pay_screening_request(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t id,
    const pay_payout_destination_t *to, pay_http_request_t *request)
    PAY_MUST_CHECK;
/* Reads the answer, which is untrusted: one that does not repeat the id is
 * FAILED.  Fails for PAY_NO_MEMORY and PAY_BUG alone; *result is written on
 * success only, its texts live in the arena. */
pay_status_t pay_screening_answer(pay_arena_t *arena, pay_str_t id,
    const pay_http_answer_t *answer, pay_screening_result_t *result)
    PAY_MUST_CHECK;


/* ---- files for a bank (src/payout/pain001.c), for adapters with
 * PAY_PAYOUT_IS_FILE */

#define PAY_PAYOUT_FILE_ROOM  4096     /* bytes handed out at once, at most */

typedef struct {
    int64_t  count;            /* items of the file */
    int64_t  minor;            /* their sum, in cents */
} pay_payout_sums_t;

/* Takes the next bytes of the file; anything but PAY_OK is handed on, and the
 * file is to be dropped. */
typedef pay_status_t (*pay_payout_write_pt)(void *data, pay_str_t bytes);

/* A file that is being written; the caller owns it and looks at nothing in
 * it. */
typedef struct {
    pay_payout_write_pt  write;
    void                *data;
    pay_payout_sums_t    said;
    pay_payout_sums_t    seen;
    int                  has_ended;
    int                  is_full;
    size_t               len;
    unsigned char        out[PAY_PAYOUT_FILE_ROOM];
} pay_payout_file_t;

/* Writes the head.  The parcel's key is the MsgId: [A-Za-z0-9-]{1,35}, never
 * used twice; execute_on a day that the bank works; items and count of the
 * parcel are not looked at.  The arena needs to live no longer than the call.
 * PAY_INVALID "configuration" for a debtor's account that is none; PAY_BUG for
 * sums or an id of ours that cannot be. */
pay_status_t pay_payout_file_begin(pay_payout_file_t *file,
    pay_arena_t *arena, const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, const pay_payout_sums_t *sums,
    pay_payout_write_pt write, void *data, pay_err_t *err) PAY_MUST_CHECK;
/* Writes an item.  PAY_INVALID as pay_payout_fits(). */
pay_status_t pay_payout_file_item(pay_payout_file_t *file,
    const pay_payout_item_t *item, pay_err_t *err) PAY_MUST_CHECK;
/* Writes the foot.  PAY_BUG when the items were not those that the head has
 * announced: the file is to be dropped. */
pay_status_t pay_payout_file_end(pay_payout_file_t *file) PAY_MUST_CHECK;


/* ---- answers of a bank (src/payout/pain002.c) */

typedef struct pay_payout_report_s  pay_payout_report_t;

/* Takes an event; its texts live until the call returns.  `key` is the item's,
 * or empty for a status of the file as a whole, whose MsgId is `parcel`.
 * Anything but PAY_OK ends the reading and is handed on. */
typedef pay_status_t (*pay_payout_event_pt)(void *data,
    const pay_payout_event_t *event);

/* Reads pain.002 (03 or 10), untrusted, as a stream.  Events are handed out
 * meanwhile: they count when pay_payout_report_end() is PAY_OK, since a file
 * may be cut off.  The event's id is the report's MsgId, a sign of the level
 * and the id that the status is about, so that a report that comes twice
 * repeats its ids and no other event has them.  The caller closes it. */
pay_status_t pay_payout_report_open(pay_arena_t *arena,
    pay_payout_event_pt event, void *data, pay_payout_report_t **report)
    PAY_MUST_CHECK;
/* PAY_INVALID: it is refused, see pay_payout_report_refusal(). */
pay_status_t pay_payout_report_feed(pay_payout_report_t *report,
    pay_str_t bytes) PAY_MUST_CHECK;
pay_status_t pay_payout_report_end(pay_payout_report_t *report)
    PAY_MUST_CHECK;
/* NULL is fine. */
void pay_payout_report_close(pay_payout_report_t *report);
/* A literal ("xml-invalid") and the line, or NULL when nothing was refused. */
const char *pay_payout_report_refusal(const pay_payout_report_t *report,
    int64_t *line);


/* ---- texts (src/payout/name.c) */

/* UTF-8 in the characters that SEPA takes (EPC217-08: a-z A-Z 0-9 / - ? : ( ) .
 * , ' + and blanks): ü becomes ue, é e, & +, everything else a blank; runs of
 * blanks become one, those at both ends go.  At most `max` bytes of it.
 * PAY_INVALID for bytes that are no UTF-8, or when no letter or digit is left
 * of it. */
pay_status_t pay_payout_name(pay_arena_t *arena, pay_str_t text, size_t max,
    pay_str_t *name) PAY_MUST_CHECK;
/* 1 for 1 to `max` bytes of those characters, no blank at either end. */
int pay_payout_is_latin(pay_str_t text, size_t max);


#endif /* PAY_PAYOUT_H */
