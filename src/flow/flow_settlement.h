/*
 * The state of a look at a source of settlement files.  Private to the files
 * flow_settlement*.c.
 */

#ifndef PAY_FLOW_SETTLEMENT_H
#define PAY_FLOW_SETTLEMENT_H

#include "flow_util.h"
#include "pay_crypto.h"
#include "pay_settle.h"
#include "pay_settle_copy.h"

#include <inttypes.h>


#define SETTLEMENT_REASON_MAX  500     /* bytes of why a file is refused */
#define SETTLEMENT_PULL_MAX    1000    /* settlements in one look's list */

/* A settlement that was pulled before. */
typedef struct {
    int            is_on;              /* it is read, or its next version */
    int            is_compared;        /* its rows are compared, not kept */
    int            is_over;            /* none is to be read again by now */
    int64_t        file_id;
    unsigned char  digest[PAY_SHA256_SIZE];
    unsigned char  next_sha256[PAY_SHA256_SIZE];
} settlement_reread_t;

/* A look at a PSP's settlements: first all of the list, then the oldest of
 * them that is not booked, and so on; then those that are to be read again. */
typedef struct {
    int64_t                since_s;
    int64_t                until_s;    /* when the look began */
    pay_str_t              cursor;     /* of the list's next page */
    pay_psp_settlement_t   items[SETTLEMENT_PULL_MAX];
    unsigned               count;      /* those that are left */
    unsigned               opened;     /* that were read */
    int64_t                seen_s;     /* of the last one that was */
    pay_psp_settle_page_t  page;       /* of the one that is read */
    settlement_reread_t    reread;
    int                    has_more;   /* to read again, in the next look */
} settlement_pull_t;

/* A look at reports that were announced, one after the other. */
typedef struct {
    pay_str_t    name;         /* of the one that is read */
    unsigned     count;        /* that were begun */
    const char  *code;         /* literal: why the last one that failed did */
} settlement_report_t;

typedef struct {
    const pay_settle_source_t  *source;
    pay_str_t                   owner;
    pay_flow_t                 *flow;
    int64_t                     renewed_s;   /* the lease, last */
    pay_flow_step_pt            then;        /* behind the next renewal */
    pay_str_t                   name;        /* of the file */
    unsigned char               sha256[PAY_SHA256_SIZE];
    int64_t                     attempt;
    pay_settle_reader_t        *reader;      /* NULL: none is open */
    pay_settle_verdict_t        verdict;
    pay_settle_digest_t         digest;      /* of the rows, where they are
                                                pulled */
    int                         is_end;      /* all bytes were read … */
    int                         is_same;     /* … and are those of the
                                                digest */
    const char                 *column;      /* literal: an id in it is too
                                                long */
    const char                 *why;         /* literal: of a refusal */
    pay_settlement_line_row_t  *lines;       /* of this piece, in the arena of
                                                arguments */
    size_t                      line_count;
    size_t                      line_room;
    int64_t                     files;       /* that have come to their end */
    pay_settled_t               settled;     /* the file */
    pay_settled_t               ended;       /* the last one that has come to
                                                its end: a pull begins the next
                                                one in the same step */
    pay_str_t                   seed;        /* of nonces */
    uint64_t                    nonces;      /* that were made */
    pay_settle_copy_t          *copy;        /* NULL: the digest is enough */
    pay_settlement_piece_row_t *pieces;      /* of this piece of the file, as
                                                `lines` */
    size_t                      piece_count;
    size_t                      piece_room;
    settlement_pull_t          *pull;        /* NULL: none by the API */
    settlement_report_t        *report;      /* NULL: no announced ones */
    int                         is_helper;   /* another worker has the look:
                                                this one books parts of its
                                                file */
    int                         balance_due; /* the PSP is to be asked */
    const char                 *later_why;   /* literal: why a settlement could
                                                not be read again, or the PSP
                                                said nothing of its balance */
} settlement_t;


/* flow_settlement.c, for a pull: opens the file of that name and digest,
 * reads on, ends the look. */
pay_status_t settlement_open(pay_flow_t *flow, pay_str_t name,
    pay_str_t sha256, pay_effect_t *effect) PAY_MUST_CHECK;
pay_status_t settlement_feed(pay_flow_t *flow, const pay_input_t *input,
    pay_str_t bytes, pay_effect_t *effect) PAY_MUST_CHECK;
pay_status_t settlement_end(pay_flow_t *flow, const char *code,
    pay_effect_t *effect) PAY_MUST_CHECK;
/* 1 when the lease has to be renewed first: it is, and goes on with `then`. */
int settlement_must_renew(pay_flow_t *flow, const pay_input_t *input,
    pay_flow_step_pt then, pay_effect_t *effect, pay_status_t *status);

/* flow_settlement_prove.c: all bytes of the file were read. */
pay_status_t settlement_prove(pay_flow_t *flow, pay_effect_t *effect)
    PAY_MUST_CHECK;
/* flow_settlement.c, for it: the file is refused; PostgreSQL has proven it, or
 * not. */
pay_status_t settlement_refuse(pay_flow_t *flow, pay_effect_t *effect)
    PAY_MUST_CHECK;
pay_status_t settlement_proven(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect) PAY_MUST_CHECK;

/* flow_settlement_copy.c: the file that is opened is copied; seals those pieces
 * that are full with these bytes, and the last one at the end; keeps them and
 * goes on with settlement_fed(). */
pay_status_t settlement_copy_begin(settlement_t *look) PAY_MUST_CHECK;
pay_status_t settlement_copy_seal(settlement_t *look, pay_str_t bytes)
    PAY_MUST_CHECK;
pay_status_t settlement_copy_keep(pay_flow_t *flow, pay_effect_t *effect)
    PAY_MUST_CHECK;
/* flow_settlement.c: stages the rows of the piece, or reads the next one. */
pay_status_t settlement_fed(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect) PAY_MUST_CHECK;

/* flow_settlement.c: a reader of the file that is opened, or compared; closes
 * it.  PAY_NOT_FOUND: there is no such format. */
pay_status_t settlement_reader(settlement_t *look, pay_str_t format,
    pay_str_t account) PAY_MUST_CHECK;
void settlement_close(pay_flow_t *flow);

/* flow_settlement_rows.c: takes a row, a pay_settle_row_pt whose data is a
 * settlement_t; its memory is that of the flow's arguments. */
pay_status_t settlement_row(void *data, const pay_settle_row_t *from)
    PAY_MUST_CHECK;

/* flow_settlement_pull.c: the list begins; the next bytes of the file that
 * is open; the next file. */
pay_status_t settlement_pull_start(pay_flow_t *flow, int64_t since_s,
    const pay_input_t *input, pay_effect_t *effect) PAY_MUST_CHECK;
pay_status_t settlement_pull_page(pay_flow_t *flow, pay_effect_t *effect)
    PAY_MUST_CHECK;
pay_status_t settlement_pull_next(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect) PAY_MUST_CHECK;
/* flow_settlement_reread.c: the settlement that is to be read again next; these
 * bytes of it came, or did not; its next version has come to its end. */
pay_status_t settlement_reread_next(pay_flow_t *flow, pay_effect_t *effect)
    PAY_MUST_CHECK;
pay_status_t settlement_reread_feed(pay_flow_t *flow, const pay_input_t *input,
    pay_str_t bytes, pay_effect_t *effect) PAY_MUST_CHECK;
pay_status_t settlement_reread_failed(pay_flow_t *flow, const char *why,
    pay_effect_t *effect) PAY_MUST_CHECK;
pay_status_t settlement_reread_end(pay_flow_t *flow, pay_effect_t *effect)
    PAY_MUST_CHECK;
/* A literal: why an answer of the PSP says nothing. */
const char *settlement_why_not(const pay_http_answer_t *answer);

/* flow_settlement_balance.c: 1 when the PSP's balance is due; asks for it, and
 * ends the look. */
int settlement_has_balance(const settlement_t *look);
pay_status_t settlement_balance(pay_flow_t *flow, pay_effect_t *effect)
    PAY_MUST_CHECK;

/* flow_settlement_report.c: the next report that was announced; the one that is
 * open has come to its end.  `why`: a literal, it was refused; or NULL. */
pay_status_t settlement_report_next(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect) PAY_MUST_CHECK;
pay_status_t settlement_report_read(pay_flow_t *flow, const char *why,
    pay_effect_t *effect) PAY_MUST_CHECK;


#endif /* PAY_FLOW_SETTLEMENT_H */
