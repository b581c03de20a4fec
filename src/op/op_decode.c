/*
 * Rows of PostgreSQL → row structs.  What the lists do not allow is never
 * guessed: the item has no result then.
 */

#include "op.h"


/* A row on its way into a struct. */
typedef struct {
    const pay_table_t  *table;
    unsigned            row;
    unsigned            column;        /* the next one */
    char               *line;          /* where the columns of a ROWS() go */
    char               *rows;          /* its member, once it was met */
} cursor_t;


static void list_columns(const pay_shape_t *shape, pay_column_t *columns,
    unsigned *n);
static size_t line_size(const pay_shape_t *shape);
static unsigned item_of(const pay_table_t *table, unsigned row,
    unsigned count);
static int take_row(const pay_op_t *op, cursor_t *at, char *to,
    pay_result_t *result);
static int add_line(const cursor_t *at, const char *to,
    const pay_result_t *result);
static pay_outcome_t outcome_of(const pay_op_t *op, pay_cell_t cell);
static int take_shape(const pay_shape_t *shape, cursor_t *at, char *to,
    int *is_there);
static int take_rows(const pay_field_t *field, cursor_t *at, char *to,
    int *is_there);
static int take_cell(const pay_field_t *field, pay_cell_t cell, char *to);


/* Columns in the sequence of the list; a SUB or ROWS stands for its own
 * columns, as the SQL type of the row spells them out. */
unsigned
pay_op_columns(const pay_op_t *op, pay_column_t *columns)
{
    unsigned  n = 0;

    if (op->row != NULL) {
        list_columns(op->row, columns, &n);
    }

    return n;
}


static void
list_columns(const pay_shape_t *shape, pay_column_t *columns, unsigned *n)
{
    unsigned            i;
    const pay_field_t  *field;

    for (i = 0; i < shape->field_count; i++) {
        field = &shape->fields[i];

        if (field->shape != NULL) {
            list_columns(field->shape, columns, n);

        } else {
            columns[(*n)++] = (pay_column_t) { NULL, field->name,
                                               field->type };
        }
    }
}


/*
 *   table:  item outcome columns…      results:  [item - 1]
 *             1   found   …        ──▶            op, outcome, row
 *             1   found   …        ──▶            (a line more of the same row)
 *             2   none    NULL…    ──▶            op, outcome, row NULL
 *
 * All structs of the batch lie in one allocation: `rows` has room for a struct
 * each row, `lines` behind it for the repeated part.  Nothing is copied: texts
 * point into the table, which ends with the step.  A row that breaks the
 * list's promise takes the result of its own item and of no other one; the
 * status is PAY_BUG then, which the glue logs. */
pay_status_t
pay_op_decode(pay_arena_t *arena, const pay_op_t *op,
    const pay_table_t *table, pay_result_t *results, unsigned count)
{
    char          *rows, *lines;
    size_t         size, of_line;
    unsigned       row, item, last;
    cursor_t       at = { table, 0, 0, NULL, NULL };
    pay_column_t   columns[PAY_OP_COLUMNS_MAX];
    pay_result_t  *result;
    pay_status_t   status = PAY_OK;

    memset(results, 0, count * sizeof(pay_result_t));

    if (table->column_count != pay_op_columns(op, columns) + 2) {
        return PAY_BUG;
    }

    size = (op->row != NULL) ? op->row->size : 0;
    of_line = (op->row != NULL) ? line_size(op->row) : 0;

    rows = pay_calloc(arena, table->row_count * (size + of_line) + 1);
    if (rows == NULL) {
        return PAY_NO_MEMORY;
    }

    lines = rows + table->row_count * size;

    for (row = 0, last = 0; row < table->row_count; row++, last = item) {
        at.row = row;
        at.line = lines + row * of_line;

        item = item_of(table, row, count);
        if (item == 0) {
            status = PAY_BUG;
            continue;
        }

        /* op is NULL until the item's first row, so that it also says whether
         * there was one. */
        result = &results[item - 1];

        /* one that stands apart, or behind one that is not right */
        if ((result->op != NULL
             && (item != last || result->outcome == PAY_OUTCOME_NONE))
            || !take_row(op, &at, rows + row * size, result))
        {
            *result = (pay_result_t) { op, PAY_OUTCOME_NONE, NULL };
            status = PAY_BUG;
        }
    }

    return status;
}


/* The size of the repeated part of a row, 0 when the shape has no ROWS(). */
static size_t
line_size(const pay_shape_t *shape)
{
    size_t    size;
    unsigned  i;

    for (i = 0, size = 0; i < shape->field_count && size == 0; i++) {
        if (shape->fields[i].type == PAY_ROWS) {
            size = shape->fields[i].shape->size;

        } else if (shape->fields[i].type == PAY_SUB) {
            size = line_size(shape->fields[i].shape);
        }
    }

    return size;
}


/* The 1-based number of the item, from an int4 in network byte order; 0 when
 * the column is none, or is the number of no item. */
static unsigned
item_of(const pay_table_t *table, unsigned row, unsigned count)
{
    uint32_t    item;
    pay_cell_t  cell = table->cell(table->rows, row, 0);

    if (cell.is_null || cell.len != 4) {
        return 0;
    }

    item = (uint32_t) cell.data[0] << 24 | (uint32_t) cell.data[1] << 16
           | (uint32_t) cell.data[2] << 8 | cell.data[3];

    return item <= count ? item : 0;
}


/* 0 when the row breaks its promise.  The first row of an item makes its
 * result, each further one adds a line and must repeat the outcome. */
static int
take_row(const pay_op_t *op, cursor_t *at, char *to, pay_result_t *result)
{
    int            is_there = 0;
    pay_outcome_t  outcome;

    outcome = outcome_of(op, at->table->cell(at->table->rows, at->row, 1));
    at->column = 2;
    at->rows = NULL;

    if (outcome == PAY_OUTCOME_NONE
        || (op->row != NULL && !take_shape(op->row, at, to, &is_there)))
    {
        return 0;
    }

    if (result->op == NULL) {
        result->op = op;
        result->outcome = outcome;
        result->row = is_there ? to : NULL;
        return 1;
    }

    return result->outcome == outcome && result->row != NULL
           && add_line(at, to, result);
}


/* Counts one more line of an item.  Its struct lies right behind that of the
 * line before, because rows of an item stand together; 0 when the operation
 * knows no lines, or one of the two has none. */
static int
add_line(const cursor_t *at, const char *to, const pay_result_t *result)
{
    char        *first;
    pay_rows_t   rows, more;

    if (at->rows == NULL) {
        return 0;
    }

    first = (char *) result->row + (at->rows - to);
    memcpy(&rows, first, sizeof(rows));
    memcpy(&more, at->rows, sizeof(more));

    if (rows.count == 0 || more.count == 0) {
        return 0;
    }

    rows.count++;
    memcpy(first, &rows, sizeof(rows));

    return 1;
}


/* Only words that the list allows to this operation: a word of another one
 * would lead a flow into a step that it has no branch for. */
static pay_outcome_t
outcome_of(const pay_op_t *op, pay_cell_t cell)
{
    unsigned   i;
    pay_str_t  word = { cell.len, cell.data };

    if (cell.is_null) {
        return PAY_OUTCOME_NONE;
    }

    for (i = 1; i < PAY_OUTCOME_COUNT; i++) {
        if ((op->outcomes >> i & 1)
            && pay_str_is(word, pay_outcome_word((pay_outcome_t) i)))
        {
            return (pay_outcome_t) i;
        }
    }

    return PAY_OUTCOME_NONE;
}


/* 0: it breaks the list's promise.  A shape that may be NULL as a whole is
 * always there. */
static int
take_shape(const pay_shape_t *shape, cursor_t *at, char *to, int *is_there)
{
    int                 has_any = 0;
    unsigned            i, needed = 0, missing = 0;
    pay_cell_t          cell;
    const pay_field_t  *field;

    for (i = 0; i < shape->field_count; i++, to += pay_field_size(field)) {
        field = &shape->fields[i];

        if (field->shape != NULL) {
            if (!(field->type == PAY_SUB
                  ? take_shape(field->shape, at, to, is_there)
                  : take_rows(field, at, to, is_there)))
            {
                return 0;
            }

            continue;
        }

        /* Columns and members run in step, as the same list made both. */
        cell = at->table->cell(at->table->rows, at->row, at->column++);
        needed += !field->may_be_null;
        missing += !field->may_be_null && cell.is_null;
        has_any |= !cell.is_null;

        if (!cell.is_null && !take_cell(field, cell, to)) {
            return 0;
        }
    }

    *is_there |= has_any || needed == 0;

    return missing == 0 || !has_any;
}


/* Reads the first line of an item's ROWS(); add_line() counts the others. */
static int
take_rows(const pay_field_t *field, cursor_t *at, char *to, int *is_there)
{
    int         has_line = 0;
    pay_rows_t  rows = { NULL, 0 };

    if (!take_shape(field->shape, at, at->line, &has_line)) {
        return 0;
    }

    if (has_line) {
        rows.first = at->line;
        rows.count = 1;
        *is_there = 1;
    }

    memcpy(to, &rows, sizeof(rows));
    at->rows = to;

    return 1;
}


/* Text is borrowed from the table.  A bigint has eight bytes in network byte
 * order; another length means that SQL returns another type than the list
 * says. */
static int
take_cell(const pay_field_t *field, pay_cell_t cell, char *to)
{
    size_t      i;
    uint64_t    number = 0;
    pay_str_t   bytes = { cell.len, cell.data };
    pay_int_t   some;

    if (field->type != PAY_INT) {
        memcpy(to, &bytes, sizeof(bytes));
        return 1;
    }

    if (cell.len != 8) {
        return 0;
    }

    for (i = 0; i < 8; i++) {
        number = number << 8 | cell.data[i];
    }

    some = pay_some((int64_t) number);
    memcpy(to, &some, field->may_be_null ? sizeof(some) : sizeof(number));

    return 1;
}


/* NULL for a row of another shape, so that a step that reads the wrong shape
 * finds no row instead of misreading one. */
const void *
pay_result_row(const pay_result_t *result, const pay_shape_t *shape)
{
    return (result->op != NULL && result->op->row == shape)
           ? result->row : NULL;
}
