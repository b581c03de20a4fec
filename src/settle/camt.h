/*
 * The state of a camt.053 or camt.054 between its elements: the statement, the
 * balance and the entry that are open.  camt.c reads statements, camt_entry.c
 * entries; camt_shared.c has the parts that both use.
 */

#ifndef PAY_SETTLE_CAMT_H
#define PAY_SETTLE_CAMT_H

#include "pay_time.h"
#include "settle/settle.h"


#define CAMT_REF_MAX   142             /* Max140Text, and a prefix */
#define CAMT_NOTE_MAX  1024

/* A balance (Bal) while it is read.  `day` is YYYY-MM-DD; `amount` is in minor
 * units without a sign, and `sign` 1 or -1. */
typedef struct {
    char                   code[8];
    char                   day[11];
    int64_t                amount;
    int                    sign;       /* 0: not said */
    const pay_currency_t  *currency;
} camt_balance_t;

/* An entry (Ntry), or a part of it (TxDtls).  `end_to_end` is the reference of
 * the payer (EndToEndId), `bank_ref` the bank's (AcctSvcrRef), `structured`
 * the creditor's reference; `note` is the free text, of note_len bytes and
 * without a NUL. */
typedef struct {
    int                    sign;
    int                    has_amount;
    int64_t                amount;
    const pay_currency_t  *currency;
    char                   end_to_end[CAMT_REF_MAX];
    char                   bank_ref[CAMT_REF_MAX];
    char                   structured[CAMT_REF_MAX];
    char                   reason[CAMT_REF_MAX];
    char                   note[CAMT_NOTE_MAX];
    size_t                 note_len;
} camt_part_t;

/* The entry that is open: codes of its kind of transaction, its days, the
 * whole of it, and the part that was read last.  `emitted` numbers the details
 * that have been handed out. */
typedef struct {
    int64_t      line;
    char         status[8];
    char         booked_on[11];
    char         booked_text[64];
    char         value_on[11];
    char         domain[8];
    char         family[8];
    char         sub_family[8];
    char         own_code[CAMT_REF_MAX];
    int          is_reversal;
    unsigned     details;              /* TxDtls so far */
    unsigned     emitted;
    camt_part_t  whole;
    camt_part_t  part;                 /* the TxDtls that was read last */
} camt_entry_t;

/* The pages of the message, which are those of its statements that say nothing
 * about pages.  `last` is the statement that ended last, if it goes on behind
 * the message when no other statement follows. */
typedef struct {
    int64_t                  page;     /* 0: not said */
    int                      has_more;
    int                      has_begun;        /* a statement of it has */
    pay_settle_statement_t  *last;
} camt_message_t;

/* The statement that is open.  `statement` and `index` are of the reader,
 * which keeps it beyond this page. */
typedef struct {
    int64_t                  line;
    char                     id[PAY_SETTLE_ID_MAX + 1];
    char                     account[PAY_SETTLE_ID_MAX + 1];
    int64_t                  number;
    int64_t                  page;
    int                      has_pages;        /* its own (StmtPgntn) */
    int                      has_more;
    int                      is_copy;
    int                      has_count;
    int64_t                  count;    /* of entries, as declared */
    int64_t                  entries;
    int                      has_opening;
    int                      has_closing;
    int64_t                  opening;
    int64_t                  closing;
    char                     first_day[11];
    char                     last_day[11];
    const pay_currency_t    *balances_in;
    camt_balance_t           balance;
    camt_entry_t             entry;
    pay_settle_statement_t  *statement;        /* from the first entry on */
    unsigned                 index;
    int                      is_first; /* the first page in this file */
    const pay_currency_t    *currency;
    camt_message_t           message;  /* stays from statement to statement */
} camt_t;


/* An element of an entry begins; `path` behind the statement's. */
pay_status_t pay_settle_camt_opened(pay_settle_reader_t *reader,
    camt_t *state, const char *path) PAY_MUST_CHECK;
/* And ends. */
pay_status_t pay_settle_camt_closed(pay_settle_reader_t *reader,
    camt_t *state, const char *path, pay_str_t text, pay_str_t currency)
    PAY_MUST_CHECK;

/* Finds the open statement; its id and account must be known. */
pay_status_t pay_settle_camt_begin(pay_settle_reader_t *reader, camt_t *state,
    const pay_currency_t *currency) PAY_MUST_CHECK;
/* The day (YYYY-MM-DD and a NUL) of a date, with or without a zone, or of a
 * date and a time; refused with the name of `column` when it is neither. */
pay_status_t pay_settle_camt_day(pay_settle_reader_t *reader,
    const char *column, pay_str_t text, char *day) PAY_MUST_CHECK;
/* CRDT 1, DBIT -1. */
pay_status_t pay_settle_camt_side(pay_settle_reader_t *reader, pay_str_t text,
    int *sign) PAY_MUST_CHECK;


#endif /* PAY_SETTLE_CAMT_H */
