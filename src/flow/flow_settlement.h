/*
 * The state of a look at a source of settlement files.  Private to the files
 * flow_settlement*.c.
 */

#ifndef PAY_FLOW_SETTLEMENT_H
#define PAY_FLOW_SETTLEMENT_H

#include "flow_util.h"
#include "pay_settle.h"

#include <inttypes.h>


#define SETTLEMENT_REASON_MAX  500     /* bytes of why a file is refused */

typedef struct {
    const pay_settle_source_t  *source;
    pay_str_t                   owner;
    pay_flow_t                 *flow;
    int64_t                     renewed_s;   /* the lease, last */
    pay_flow_step_pt            then;        /* behind the next renewal */
    int64_t                     attempt;     /* of the file */
    pay_settle_reader_t        *reader;      /* NULL: none is open */
    pay_settle_verdict_t        verdict;
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
} settlement_t;


#endif /* PAY_FLOW_SETTLEMENT_H */
