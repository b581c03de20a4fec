/*
 * Settlement files: the payments and payouts that PSPs and banks report, read
 * as a stream.  Bytes come in, rows of one shape go out, and at the end the
 * file proves itself.  One file a format in src/settle, one row each in the
 * registry.  No I/O, no clock; memory does not grow with the file.
 *
 * Signs: + is into our balance (of the PSP or of the bank account).  A fee or
 * a tax that was charged is negative, and net = gross + fee + tax, always.
 * Amounts are ISO 4217 minor units, whatever the medium writes.
 */

#ifndef PAY_SETTLE_H
#define PAY_SETTLE_H

#include "pay_crypto.h"
#include "pay_money.h"


#define PAY_SETTLE_LINE_MAX        65536   /* bytes: a row of CSV, an element
                                              of a JSON list, a tag of XML */
#define PAY_SETTLE_ID_MAX          127     /* bytes of an id of a statement */
#define PAY_SETTLE_TEXT_MAX        1023    /* bytes of a text of a row */
#define PAY_SETTLE_KEY_MAX         511     /* bytes of a row's key */
#define PAY_SETTLE_STATEMENTS_MAX  4096    /* in one file */
#define PAY_SETTLE_COLUMNS_MAX     256     /* in one row of CSV */
#define PAY_SETTLE_WHERE_MAX       80
#define PAY_SETTLE_WHAT_MAX        200

/* A row's kind, one word for all PSPs and banks (pay_settle_kind_name()). */
typedef enum {
    PAY_SETTLE_UNKNOWN = 0,    /* the type is not in our tables: class 3 */
    PAY_SETTLE_SALE,
    PAY_SETTLE_SALE_RETURNED,  /* a sale that was paid out too early is taken
                                  back, or the part that was not captured */
    PAY_SETTLE_REFUND,
    PAY_SETTLE_REFUND_RETURNED,   /* the refund failed or came back */
    PAY_SETTLE_DISPUTE,        /* money taken: opened, or charged back */
    PAY_SETTLE_DISPUTE_RETURNED,
    PAY_SETTLE_FEE,            /* of no payment, or apart from its row; net
                                  > 0: given back */
    PAY_SETTLE_TAX,
    PAY_SETTLE_WITHHELD,       /* into a reserve or a hold */
    PAY_SETTLE_RELEASED,
    PAY_SETTLE_CONVERSION,     /* a leg of a change of currency */
    PAY_SETTLE_PAYOUT,         /* from the PSP to our bank, net < 0 (> 0: the
                                  PSP debits the bank) */
    PAY_SETTLE_PAYOUT_RETURNED,   /* the payout did not arrive */
    PAY_SETTLE_TRANSFER,       /* between balances or batches of ours */
    PAY_SETTLE_SENT,           /* paid to a third party (pay-outs) */
    PAY_SETTLE_SENT_RETURNED,
    PAY_SETTLE_ADJUSTMENT,     /* corrections, for operators to judge */
    PAY_SETTLE_MEMO,           /* no money moved; net 0 */
    PAY_SETTLE_RECEIPT,        /* bank: credit */
    PAY_SETTLE_DEBIT,          /* bank: debit */
    PAY_SETTLE_KIND_COUNT
} pay_settle_kind_t;

/* One row.  Slices live until the row function returns; they are UTF-8 and
 * without NUL.  Texts that the file does not have are empty. */
typedef struct {
    int64_t            line;           /* of the file, the first is 1; of JSON
                                          and XML, too */
    int64_t            ordinal;        /* of the rows of this file, from 1 */
    unsigned           statement;      /* index of its statement */
    pay_str_t          row_key;        /* names it in its source; two rows of
                                          one file with the same key report the
                                          same thing twice */
    pay_settle_kind_t  kind;
    pay_str_t          raw_type;       /* the PSP's own word */
    pay_str_t          psp_ref;        /* of the thing: charge, refund … */
    pay_str_t          parent_ref;     /* of the payment it belongs to */
    pay_str_t          our_ref;        /* merchant reference, EndToEndId */
    int                has_occurred;
    int                is_ambiguous;   /* the text names an hour that happened
                                          twice, or never */
    int64_t            occurred_us;    /* UTC, when has_occurred */
    pay_str_t          occurred_text;  /* as written, the zone behind it */
    pay_str_t          booked_on;      /* YYYY-MM-DD */
    pay_str_t          value_on;       /* YYYY-MM-DD, banks */
    int64_t            gross_minor;
    int64_t            fee_minor;
    int64_t            tax_minor;
    int64_t            net_minor;
    char               currency[4];    /* of these four, upper case */
    int64_t            paid_minor;     /* the customer's amount in another
                                          currency, signed as gross */
    char               paid_currency[4];   /* empty: the same currency */
    pay_str_t          rate;           /* as written */
    pay_str_t          payout_ref;     /* payout, batch, settlement */
    pay_str_t          account;        /* merchant account, IBAN */
    pay_str_t          bank_ref;
    pay_str_t          note;
    int                is_external;    /* settled outside of this balance: not
                                          in the statement's sums */
    int                is_detail;      /* a part of the row whose key is
                                          parent_ref: not in the sums */
} pay_settle_row_t;

/* The figures that a statement declares itself. */
#define PAY_SETTLE_HAS_OPENING  0x01
#define PAY_SETTLE_HAS_CLOSING  0x02
#define PAY_SETTLE_HAS_ROWS     0x04
#define PAY_SETTLE_HAS_GROSS    0x08
#define PAY_SETTLE_HAS_FEE      0x10
#define PAY_SETTLE_HAS_NET      0x20   /* net of all its rows */
#define PAY_SETTLE_HAS_PAYOUT   0x40   /* minus the net of its payout row */
#define PAY_SETTLE_IS_COPY      0x80   /* a repeat of one sent before */
#define PAY_SETTLE_MORE_BEFORE  0x100  /* it began on a page of another file */
#define PAY_SETTLE_MORE_AFTER   0x200  /* it goes on in another file */

typedef enum {
    PAY_SETTLE_PROVEN = 0,     /* its declared figures hold */
    PAY_SETTLE_UNDECLARED,     /* its rows hold; it tells no total: to be
                                  compared with the payout */
    PAY_SETTLE_PARTIAL,        /* this part holds; others are missing */
    PAY_SETTLE_REFUSED,
    PAY_SETTLE_VERDICT_COUNT
} pay_settle_verdict_t;

/* The part of a file that balances: a payout, a batch, a section, a bank
 * statement, in one currency. */
typedef struct {
    char      id[PAY_SETTLE_ID_MAX + 1];
    char      account[PAY_SETTLE_ID_MAX + 1];
    char      currency[4];
    char      first_day[11];           /* YYYY-MM-DD, or empty */
    char      last_day[11];
    int64_t   number;                  /* sequence number, 0: none */
    int64_t   page;                    /* of its pages, 0: not said */
    unsigned  has;                     /* PAY_SETTLE_HAS_… */
    int64_t   said_rows;               /* as declared, when `has` says so */
    int64_t   said_gross;
    int64_t   said_fee;
    int64_t   said_net;
    int64_t   said_payout;
    int64_t   opening;
    int64_t   closing;
    int64_t   rows;                    /* as read, without details */
    int64_t   gross;
    int64_t   fee;
    int64_t   tax;
    int64_t   net;
    int64_t   payout;                  /* net of its payout rows alone */
    int64_t   payouts;                 /* rows of kind payout */
    int64_t   line;                    /* where it begins */
    pay_settle_verdict_t  verdict;     /* refused until pay_settle_prove() */
} pay_settle_statement_t;

/* Why a file is refused, whole.  Texts are ours but for names of columns and
 * for amounts. */
typedef struct {
    const char  *reason;               /* a literal: "column-missing" … */
    int64_t      line;                 /* 0: the file as a whole */
    char         column[PAY_SETTLE_WHERE_MAX];
    char         expected[PAY_SETTLE_WHAT_MAX];
} pay_settle_refusal_t;

/* A currency whose number of decimals in this medium was proven by a known
 * payment; formats that cannot know it refuse the currency otherwise.  No
 * importer gives any yet: no source has a setting for them. */
typedef struct {
    char      currency[4];
    unsigned  decimals;
} pay_settle_exponent_t;

/* Takes a row; anything but PAY_OK ends the reading and is handed on. */
typedef pay_status_t (*pay_settle_row_pt)(void *data,
    const pay_settle_row_t *row);

typedef struct {
    pay_settle_row_pt             row;         /* never NULL */
    void                         *data;
    pay_str_t                     account;     /* the only one that may occur
                                                  in the file; empty: any */
    const pay_settle_exponent_t  *exponents;
    size_t                        exponent_count;
} pay_settle_options_t;

typedef struct pay_settle_reader_s  pay_settle_reader_t;
typedef struct pay_settle_format_s  pay_settle_format_t;


/* 1 when a format of that name ("stripe", "camt.053" …) exists. */
int pay_settle_is_known(pay_str_t name);
/* The n-th name of the registry, NULL behind the last. */
const char *pay_settle_name(unsigned n);
const char *pay_settle_kind_name(pay_settle_kind_t kind);
const char *pay_settle_verdict_name(pay_settle_verdict_t verdict);

/* A reader of that format; *options is copied, its slices are not.
 * PAY_NOT_FOUND: there is no such format.  The caller closes the reader,
 * because the libraries' memory is not the arena's. */
pay_status_t pay_settle_open(pay_arena_t *arena, pay_str_t name,
    const pay_settle_options_t *options, pay_settle_reader_t **reader)
    PAY_MUST_CHECK;
/* The same for a camt.054, a bank's notification of debits and credits.  Its
 * entries stand in a camt.053 again, so that it is no format of a source; it
 * has no balances, and its verdict is UNDECLARED. */
pay_status_t pay_settle_open_notice(pay_arena_t *arena,
    const pay_settle_options_t *options, pay_settle_reader_t **reader)
    PAY_MUST_CHECK;
/* The next bytes of the file, as many as there are at hand; rows are handed
 * out meanwhile.  PAY_INVALID: the file is refused, see
 * pay_settle_refusal(), and stays so. */
pay_status_t pay_settle_feed(pay_settle_reader_t *reader, pay_str_t bytes)
    PAY_MUST_CHECK;
/* There are no more bytes. */
pay_status_t pay_settle_end(pay_settle_reader_t *reader) PAY_MUST_CHECK;
/* After the end: does the file hold?  Sets the verdict of each statement and
 * gives the worst of them.  PAY_INVALID goes with PAY_SETTLE_REFUSED. */
pay_status_t pay_settle_prove(pay_settle_reader_t *reader,
    pay_settle_verdict_t *verdict) PAY_MUST_CHECK;
/* NULL is fine. */
void pay_settle_close(pay_settle_reader_t *reader);

/* NULL as long as nothing was refused. */
const pay_settle_refusal_t *pay_settle_refusal(
    const pay_settle_reader_t *reader);
/* The n-th statement, NULL behind the last. */
const pay_settle_statement_t *pay_settle_statement(
    const pay_settle_reader_t *reader, unsigned n);
/* Rows handed out, and entries left out because they are not booked. */
int64_t pay_settle_rows(const pay_settle_reader_t *reader);
int64_t pay_settle_skipped(const pay_settle_reader_t *reader);

/* After the end: the number of this file in a report that comes in several
 * files, each a page of it; 0: the file is a whole report, or its format knows
 * no pages.  A page is proven by itself, and waits for the others. */
int64_t pay_settle_page(const pay_settle_reader_t *reader);

/* After the proof, as prove_settlement takes it: the batch that the file is
 * (its first statement that has a name; empty: no batch that may come again),
 * the sums of its rows by currency as JSON, and the sums of a page as its
 * footers count them, with those of the whole report on the last page
 * (empty: it is no page). */
pay_status_t pay_settle_batch(pay_arena_t *arena,
    const pay_settle_reader_t *reader, pay_str_t *batch) PAY_MUST_CHECK;
pay_status_t pay_settle_stated(pay_arena_t *arena,
    const pay_settle_reader_t *reader, pay_str_t *stated) PAY_MUST_CHECK;
pay_status_t pay_settle_page_stated(pay_arena_t *arena,
    const pay_settle_reader_t *reader, pay_str_t *stated) PAY_MUST_CHECK;
/* Why the file is refused, for operators: line, column, reason, and the form
 * that was expected. */
pay_status_t pay_settle_why(pay_arena_t *arena,
    const pay_settle_reader_t *reader, pay_settle_verdict_t verdict,
    pay_str_t *reason) PAY_MUST_CHECK;
/* The column of the row whose id is longer than PostgreSQL keeps (255 bytes);
 * NULL: none is. */
const char *pay_settle_too_long(const pay_settle_row_t *row);
/* A rate as it is kept: as written, if it is a number that is not 0, else
 * empty; nothing is computed with it. */
pay_str_t pay_settle_rate(pay_str_t rate);

/* A digest of rows, in any order: of the columns by which two versions of a row
 * are compared. */
#define PAY_SETTLE_DIGEST_LANES  4

typedef struct {
    uint64_t  lanes[PAY_SETTLE_DIGEST_LANES];
    uint64_t  rows;
} pay_settle_digest_t;

/* The digest of no rows. */
void pay_settle_digest_begin(pay_settle_digest_t *digest);
/* PAY_NO_MEMORY: trouble in libcrypto. */
pay_status_t pay_settle_digest_add(pay_settle_digest_t *digest,
    const pay_settle_row_t *row) PAY_MUST_CHECK;
/* The same for the same rows in any order; more may be added behind it. */
pay_status_t pay_settle_digest_end(const pay_settle_digest_t *digest,
    unsigned char out[PAY_SHA256_SIZE]) PAY_MUST_CHECK;

/* The balance of an account at a PSP, in one currency. */
typedef struct {
    const pay_currency_t  *currency;
    int64_t                available_minor;
    int64_t                pending_minor;
    int                    has_reserved;       /* the PSP says it */
    int64_t                reserved_minor;     /* in neither of the others */
} pay_settle_balance_t;

#define PAY_SETTLE_BALANCES_MAX  192   /* ISO 4217 has fewer currencies */

typedef struct {
    pay_settle_balance_t  items[PAY_SETTLE_BALANCES_MAX];
    unsigned              count;
    int                   is_complete; /* the account has no other balance */
} pay_settle_balances_t;

/* The answer of the PSP of that format about its balance, from a stranger.
 * PAY_INVALID: it says nothing; PAY_NOT_FOUND: no such answer is known. */
pay_status_t pay_settle_balances(pay_str_t format, pay_str_t body,
    pay_settle_balances_t *balances) PAY_MUST_CHECK;

/* Known payments through the exponent function of each (PSP, medium): PAY_BUG
 * and *unit, when one comes out wrong.  A programme that reads files calls it
 * before the first one. */
pay_status_t pay_settle_self_test(const char **unit) PAY_MUST_CHECK;


#endif /* PAY_SETTLE_H */
