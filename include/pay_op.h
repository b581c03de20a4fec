/*
 * The seam: everything that the gateway may ask PostgreSQL.  Each operation is
 * one set-based function of schema pay_api, or of pay_console for staff: an
 * array for each argument in, one row or more for each item out, the item's
 * 1-based number in the first column and the outcome in the second.
 *
 * src/op/ops.list says which there are, with their arguments and outcomes,
 * src/op/rows.list the shapes of their rows.  From these come, here, for each
 * operation pay_<operation>_in_t, for each shape pay_<shape>_row_t; and the
 * tables by which one encoder and one decoder serve all of them.  This knows
 * PostgreSQL's types, not libpq.
 */

#ifndef PAY_OP_H
#define PAY_OP_H

#include "pay_arena.h"


#define PAY_OP_COLUMNS_MAX  64         /* arguments, or columns of a row */
#define PAY_OP_SQL_MAX      4096

/* The types of arguments and columns. */
typedef enum {
    PAY_TEXT = 0,              /* text; UTF-8 without NUL */
    PAY_BYTES,                 /* bytea */
    PAY_INT,                   /* bigint */
    PAY_JSON,                  /* jsonb, of its text; arguments only */
    PAY_SUB,                   /* the columns of another shape */
    PAY_ROWS                   /* rows of another shape, any number of them:
                                  a pointer to the first, and how many */
} pay_type_t;

/* An INT_OR_NULL; the zero value is NULL.  Of the other _OR_NULL types the
 * empty slice is NULL, in both directions. */
typedef struct {
    int64_t  number;
    int64_t  is_set;
} pay_int_t;

typedef struct pay_shape_s  pay_shape_t;

/* One member of an argument or row struct.  Members follow each other in the
 * order of the list and without holes. */
typedef struct {
    const char         *name;
    pay_type_t          type;
    int                 may_be_null;
    const pay_shape_t  *shape;         /* of PAY_SUB and PAY_ROWS */
} pay_field_t;

struct pay_shape_s {
    const char         *name;
    const pay_field_t  *fields;
    unsigned            field_count;
    size_t              size;          /* of the row struct */
};

/* Under pressure the better class goes first. */
typedef enum {
    PAY_CLASS_MONEY = 0,       /* webhooks, changes of existing orders, and
                                  the end of a call to a PSP */
    PAY_CLASS_INTAKE,          /* new payments, reads of a request */
    PAY_CLASS_JOBS,            /* background work, for which no client waits */
    PAY_CLASS_CONSOLE,         /* reads of staff: functions of pay_console, as
                                  a role and on connections of their own */
    PAY_CLASS_ACT              /* acts of staff: of pay_console_act, the same
                                  with another role */
} pay_class_t;

/* Parts of a request with a deadline and a histogram each. */
typedef enum {
    PAY_STAGE_KEY = 0,         /* the idempotency key, and the rows stored
                                  with it */
    PAY_STAGE_RISK,            /* windows in memory, and rules */
    PAY_STAGE_ROUTING,         /* which PSPs may take the order */
    PAY_STAGE_PSP,             /* one call to a PSP */
    PAY_STAGE_LEDGER,          /* an operation that books */
    PAY_STAGE_NONE
} pay_stage_t;

#define PAY_STAGES  PAY_STAGE_NONE

/* PAY_OP_BEGIN_PAYMENT … */
typedef enum {
#define OP(name, id, class, access, stage, kept)  PAY_OP_##id,
#include "op/ops.list"
    PAY_OP_COUNT
} pay_op_id_t;

/* PAY_OUTCOME_CREATED …; the zero value is none. */
typedef enum {
    PAY_OUTCOME_NONE = 0,
#define WORD(name, word)  PAY_OUTCOME_##name,
#include "op/outcomes.list"
    PAY_OUTCOME_COUNT
} pay_outcome_t;

typedef struct {
    pay_op_id_t         id;
    const char         *name;          /* the statement's and function's */
    const pay_field_t  *in;
    unsigned            in_count;
    size_t              in_size;       /* of the argument struct */
    const pay_shape_t  *row;           /* NULL: item and outcome are all */
    uint64_t            outcomes;      /* 1 << PAY_OUTCOME_… */
    pay_class_t         class;
    pay_stage_t         stage;         /* PAY_STAGE_KEY, _LEDGER or _NONE */
    int                 only_reads;    /* its function is STABLE */
    int                 may_be_late;   /* … and no decision is made of it: a
                                          replica may answer a request */
    int                 is_kept;       /* admitted although no new work is:
                                          reconciliation, and operations that
                                          end work which has begun */
} pay_op_t;


/* The members' types. */
#define PAY_C_TEXT           pay_str_t
#define PAY_C_TEXT_OR_NULL   pay_str_t
#define PAY_C_BYTES          pay_str_t
#define PAY_C_BYTES_OR_NULL  pay_str_t
#define PAY_C_JSON           pay_str_t
#define PAY_C_JSON_OR_NULL   pay_str_t
#define PAY_C_INT            int64_t
#define PAY_C_INT_OR_NULL    pay_int_t

/* pay_checkout_row_t …; of ROWS() a member points to the first, <member>_count
 * says how many there are. */
#define SHAPE(name)          typedef struct {
#define COL(type, name)      PAY_C_##type  name;
#define SUB(shape, member)   pay_##shape##_row_t  member;
#define ROWS(shape, member)                                                   \
    const pay_##shape##_row_t  *member;                                       \
    size_t                      member##_count;
#define END_SHAPE(name)      } pay_##name##_row_t;
#include "op/rows.list"

/* pay_begin_payment_in_t …; IN_ROWS() as ROWS(). */
#define OP(name, id, class, access, stage, kept)  typedef struct {
#define IN(type, name)       PAY_C_##type  name;
#define IN_ROWS(shape, name)                                                  \
    const pay_##shape##_row_t  *name;                                         \
    size_t                      name##_count;
#define END(name)            } pay_##name##_in_t;
#include "op/ops.list"

#define SHAPE(name)          extern const pay_shape_t  pay_shape_##name;
#include "op/rows.list"


static inline pay_int_t
pay_some(int64_t number)
{
    pay_int_t  some = { number, 1 };

    return some;
}


/* The number, or NULL unless it is_set. */
static inline pay_int_t
pay_maybe(int is_set, int64_t number)
{
    pay_int_t  none = { 0, 0 };

    return is_set ? pay_some(number) : none;
}


/* The description of an operation; `id` is below PAY_OP_COUNT. */
const pay_op_t *pay_op(pay_op_id_t id);

/* The role of PostgreSQL that may execute an operation: that of the gateway,
 * of the console, or of the console's acts.  PAY_ROLE_REPLICA is no operation's
 * own: the gateway, at a replica, where it has those that may be late. */
typedef enum {
    PAY_ROLE_GATEWAY = 0, PAY_ROLE_CONSOLE, PAY_ROLE_ACT, PAY_ROLE_REPLICA,
    PAY_ROLE_COUNT
} pay_op_role_t;

static inline pay_op_role_t
pay_op_role(pay_op_id_t id)
{
    switch (pay_op(id)->class) {

    case PAY_CLASS_CONSOLE:
        return PAY_ROLE_CONSOLE;

    case PAY_CLASS_ACT:
        return PAY_ROLE_ACT;

    default:
        return PAY_ROLE_GATEWAY;
    }
}


/* Whether a connection of that role has the operation. */
static inline int
pay_op_is_of(pay_op_id_t id, pay_op_role_t role)
{
    return role == PAY_ROLE_REPLICA ? pay_op(id)->may_be_late
                                    : pay_op_role(id) == role;
}


/* "created" …; "" for PAY_OUTCOME_NONE. */
const char *pay_outcome_word(pay_outcome_t outcome);


/* An argument or a column as PostgreSQL sees it. */
typedef struct {
    const char  *group;        /* of IN_ROWS: its name; else NULL */
    const char  *name;
    pay_type_t   type;         /* neither PAY_SUB nor PAY_ROWS */
} pay_column_t;

/* All arguments, and all columns behind the outcome, in order, at most
 * PAY_OP_COLUMNS_MAX; the number of them. */
unsigned pay_op_args(const pay_op_t *op, pay_column_t *args);
unsigned pay_op_columns(const pay_op_t *op, pay_column_t *columns);
/* The statement, which names the arguments, so that a function that has others
 * cannot be prepared; its length. */
size_t pay_op_sql(const pay_op_t *op, char sql[PAY_OP_SQL_MAX]);
/* The number in PostgreSQL's catalog of an array of that type. */
unsigned pay_type_array(pay_type_t type);

/* The arguments of `count` items, each the operation's argument struct, as
 * PostgreSQL's binary arrays in the arena, one for each of pay_op_args(). */
pay_status_t pay_op_encode(pay_arena_t *arena, const pay_op_t *op,
    const void *const *items, unsigned count, pay_str_t *arrays)
    PAY_MUST_CHECK;


/* The result of an operation for one item. */
typedef struct {
    const pay_op_t  *op;
    pay_outcome_t    outcome;          /* PAY_OUTCOME_NONE: it left the item
                                          out, or it cannot be believed */
    const void      *row;              /* of op->row; NULL: none; see
                                          pay_row_<shape>() */
} pay_result_t;

/* One column of one row; a binary value. */
typedef struct {
    const unsigned char  *data;
    size_t                len;
    int                   is_null;
} pay_cell_t;

/* A set of rows as a library has it. */
typedef struct {
    const void  *rows;
    unsigned     row_count;
    unsigned     column_count;
    pay_cell_t (*cell)(const void *rows, unsigned row, unsigned column);
} pay_table_t;

/* Makes one result for each of `count` items from the rows.  Rows of an item
 * are consecutive and become one row struct: see ROWS() in src/op/rows.list.
 * The slices point into the table, the structs lie in the arena.  A value that
 * the lists do not allow (an outcome, a NULL, a length, a number of columns or
 * rows, an item without a row) makes the item's result PAY_OUTCOME_NONE and the
 * status PAY_BUG; the other results are good. */
pay_status_t pay_op_decode(pay_arena_t *arena, const pay_op_t *op,
    const pay_table_t *table, pay_result_t *results, unsigned count)
    PAY_MUST_CHECK;

/* The row when it is of that shape and there is one, else NULL. */
const void *pay_result_row(const pay_result_t *result,
    const pay_shape_t *shape);

/* pay_row_checkout(result) … */
#define SHAPE(name)                                                           \
    static inline const pay_##name##_row_t *                                  \
    pay_row_##name(const pay_result_t *result)                                \
    {                                                                         \
        return pay_result_row(result, &pay_shape_##name);                    \
    }
#include "op/rows.list"


#endif /* PAY_OP_H */
