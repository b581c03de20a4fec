/*
 * The tables of operations, shapes and outcomes, expanded from the lists, and
 * what must be true of them at compile time.
 */

#include "pay_op.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

/* pay_field_t's type and may_be_null */
#define FIELD_TEXT           PAY_TEXT, 0
#define FIELD_TEXT_OR_NULL   PAY_TEXT, 1
#define FIELD_BYTES          PAY_BYTES, 0
#define FIELD_BYTES_OR_NULL  PAY_BYTES, 1
#define FIELD_JSON           PAY_JSON, 0
#define FIELD_JSON_OR_NULL   PAY_JSON, 1
#define FIELD_INT            PAY_INT, 0
#define FIELD_INT_OR_NULL    PAY_INT, 1

/* Words of OP() as values of pay_op_t's members only_reads, may_be_late and
 * is_kept. */
#define ACCESS_READS    1
#define ACCESS_LATE     1
#define ACCESS_WRITES   0
#define LATE_READS      0
#define LATE_LATE       1
#define LATE_WRITES     0
#define TAKEN_KEPT      1
#define TAKEN_SHED      0


/* The lists' macros add up, so that they cannot stand in parentheses.
 * NOLINTBEGIN(bugprone-macro-parentheses) */

/* Members follow each other without holes: the walk in op_encode.c and
 * op_decode.c needs no offsets. */
#define SHAPE(name)                                                           \
    _Static_assert(sizeof(pay_##name##_row_t) == 0
#define COL(type, name)      + sizeof(PAY_C_##type)
#define SUB(shape, member)   + sizeof(pay_##shape##_row_t)
#define ROWS(shape, member)  + sizeof(void *) + sizeof(size_t)
#define END_SHAPE(name)      , "pay_" #name "_row_t has holes");
#include "rows.list"

#define OP(name, id, class, access, stage, kept)                              \
    _Static_assert(sizeof(pay_##name##_in_t) == 0
#define IN(type, name)       + sizeof(PAY_C_##type)
#define IN_ROWS(shape, name) + sizeof(void *) + sizeof(size_t)
#define END(name)            , "pay_" #name "_in_t has holes");
#include "ops.list"

/* Columns of a shape, and of an operation's arguments; an IN_ROWS has the
 * number of the item, too. */
enum {
#define SHAPE(name)          columns_of_##name = 0
#define COL(type, name)      + 1
#define SUB(shape, member)   + columns_of_##shape
#define ROWS(shape, member)  + columns_of_##shape
#define END_SHAPE(name)      ,
#include "rows.list"
    columns_end
};

#define SHAPE(name)                                                           \
    _Static_assert(columns_of_##name + 2 <= PAY_OP_COLUMNS_MAX, #name);
#include "rows.list"

#define OP(name, id, class, access, stage, kept)                              \
    _Static_assert(0 < 0
#define IN(type, name)       + 1
#define IN_ROWS(shape, name) + 1 + columns_of_##shape
#define END(name)            , #name " takes nothing");
#include "ops.list"

#define OP(name, id, class, access, stage, kept)                              \
    _Static_assert(PAY_OP_COLUMNS_MAX >= 0
#define IN(type, name)       + 1
#define IN_ROWS(shape, name) + 1 + columns_of_##shape
#define END(name)            , #name " takes too many arguments");
#include "ops.list"

/* Operations of the class MONEY post to the ledger, and are never refused for
 * want of room. */
#define OP(name, id, class, access, stage, kept)                              \
    _Static_assert(PAY_CLASS_##class != PAY_CLASS_MONEY                       \
                   || (TAKEN_##kept && PAY_STAGE_##stage == PAY_STAGE_LEDGER  \
                       && !ACCESS_##access), #name);
#include "ops.list"

/* A replica's connection is the gateway's role, and the operations that end
 * work are never read late. */
#define OP(name, id, class, access, stage, kept)                              \
    _Static_assert(!LATE_##access || PAY_CLASS_##class == PAY_CLASS_INTAKE,   \
                   #name);
#include "ops.list"

/* NOLINTEND(bugprone-macro-parentheses) */

_Static_assert(PAY_OUTCOME_COUNT <= 64, "outcomes are bits of 64");


#define SHAPE(name)          static const pay_field_t  name##_columns[] = {
#define COL(type, name)      { #name, FIELD_##type, NULL },
#define SUB(shape, member)   { #member, PAY_SUB, 0, &pay_shape_##shape },
#define ROWS(shape, member)  { #member, PAY_ROWS, 0, &pay_shape_##shape },
#define END_SHAPE(name)      };
#include "rows.list"

#define SHAPE(name)                                                           \
    const pay_shape_t  pay_shape_##name = {                                   \
        #name, name##_columns, COUNT(name##_columns),                         \
        sizeof(pay_##name##_row_t)                                            \
    };
#include "rows.list"

#define OP(name, id, class, access, stage, kept)                              \
    static const pay_field_t  name##_in[] = {
#define IN(type, name)       { #name, FIELD_##type, NULL },
#define IN_ROWS(shape, name) { #name, PAY_ROWS, 0, &pay_shape_##shape },
#define END(name)            };
#include "ops.list"

static const pay_op_t  ops[PAY_OP_COUNT] = {
#define OP(op, op_id, op_class, access, op_stage, kept)                       \
    [PAY_OP_##op_id] = {                                                      \
        .id = PAY_OP_##op_id, .name = #op, .in = op##_in,                     \
        .in_count = COUNT(op##_in), .in_size = sizeof(pay_##op##_in_t),       \
        .class = PAY_CLASS_##op_class, .stage = PAY_STAGE_##op_stage,         \
        .only_reads = ACCESS_##access, .may_be_late = LATE_##access,          \
        .is_kept = TAKEN_##kept,                                              \
        .outcomes = 0
#define OUTCOME(word)        | UINT64_C(1) << PAY_OUTCOME_##word
#define ROW(shape)           , .row = &pay_shape_##shape
#define END(op)              },
#include "ops.list"
};

static const char *const  words[PAY_OUTCOME_COUNT] = {
    [PAY_OUTCOME_NONE] = "",
#define WORD(name, word)     [PAY_OUTCOME_##name] = #word,
#include "outcomes.list"
};


const pay_op_t *
pay_op(pay_op_id_t id)
{
    return &ops[id];
}


const char *
pay_outcome_word(pay_outcome_t outcome)
{
    return ((unsigned) outcome < PAY_OUTCOME_COUNT) ? words[outcome] : "";
}
