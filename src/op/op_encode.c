/*
 * Argument structs → PostgreSQL's binary array format (array_recv):
 * dimensions, null flag, element type, length, lower bound, then each element
 * with its length.
 */

#include "op.h"


#define OID_BYTEA  17
#define OID_INT8   20
#define OID_TEXT   25
#define OID_JSONB  3802

#define ARRAY_HEADER   20
#define JSONB_VERSION  1


/* The elements of one array, wherever they lie. */
typedef struct {
    pay_arena_t        *arena;
    const pay_field_t  *field;
    const void        **elements;
    size_t              count;
} array_t;


static void list_args(const pay_op_t *op, pay_column_t *args, unsigned *n);
static pay_status_t encode_rows(pay_arena_t *arena, const pay_field_t *field,
    const void *const *items, unsigned count, size_t offset,
    pay_str_t *arrays);
static pay_status_t encode_item_numbers(array_t *array,
    const void *const *items, unsigned count, size_t offset, pay_str_t *out);
static size_t count_rows(const void *const *items, unsigned count,
    size_t offset);
static pay_status_t encode(const array_t *array, pay_str_t *out);
static int is_null(const pay_field_t *field, const void *element);
static size_t size_of(const pay_field_t *field, const void *element);
static unsigned char *put_element(unsigned char *p, const pay_field_t *field,
    const void *element);
static unsigned char *put_int32(unsigned char *p, uint32_t number);
static size_t add(char *sql, size_t len, const char *text);


static const struct {
    /* OIDs of pg_type.dat, which never change; array is that of the array
     * type. */
    uint32_t  element;
    unsigned  array;
} oids[] = {
    [PAY_TEXT] = { OID_TEXT, 1009 },
    [PAY_BYTES] = { OID_BYTEA, 1001 },
    [PAY_INT] = { OID_INT8, 1016 },
    [PAY_JSON] = { OID_JSONB, 3807 }
};
PAY_ROWS(oids, PAY_JSON + 1);


unsigned
pay_type_array(pay_type_t type)
{
    return oids[type].array;
}


/* The SQL arguments in the sequence of the list.  An IN_ROWS() is several: the
 * number of the item that each row belongs to, then an array for each
 * column. */
unsigned
pay_op_args(const pay_op_t *op, pay_column_t *args)
{
    unsigned  n = 0;

    list_args(op, args, &n);

    return n;
}


static void
list_args(const pay_op_t *op, pay_column_t *args, unsigned *n)
{
    unsigned            i, k;
    const pay_field_t  *field, *column;

    for (i = 0; i < op->in_count; i++) {
        field = &op->in[i];

        if (field->type != PAY_ROWS) {
            args[(*n)++] = (pay_column_t) { NULL, field->name, field->type };
            continue;
        }

        args[(*n)++] = (pay_column_t) { field->name, "item", PAY_INT };

        for (k = 0; k < field->shape->field_count; k++) {
            column = &field->shape->fields[k];
            args[(*n)++] = (pay_column_t) { field->name, column->name,
                                            column->type };
        }
    }
}


/* Arguments are named (p_x=>$1): PREPARE fails at connect when the database
 * has a function of another version, instead of putting values into wrong
 * places.  The text depends on the list alone, so that nothing of a request is
 * ever SQL. */
size_t
pay_op_sql(const pay_op_t *op, char sql[PAY_OP_SQL_MAX])
{
    char          number[4];
    size_t        len;
    unsigned      i, n;
    pay_column_t  args[PAY_OP_COLUMNS_MAX];

    static const char  *const  schemas[PAY_ROLE_COUNT] = {
        [PAY_ROLE_GATEWAY] = "pay_api.",
        [PAY_ROLE_CONSOLE] = "pay_console.",
        [PAY_ROLE_ACT] = "pay_console_act."
    };

    n = pay_op_args(op, args);
    len = add(sql, 0, "SELECT * FROM ");
    len = add(sql, len, schemas[pay_op_role(op->id)]);
    len = add(sql, len, op->name);

    for (i = 0; i < n; i++) {
        len = add(sql, len, (i == 0) ? "(p_" : ",p_");

        if (args[i].group != NULL) {
            len = add(sql, len, args[i].group);
            len = add(sql, len, "_");
        }

        /* At most 64 arguments (PAY_OP_COLUMNS_MAX): two digits. */
        number[0] = (char) ('0' + (i + 1) / 10);
        number[1] = (char) ('0' + (i + 1) % 10);
        number[2] = '\0';

        len = add(sql, len, args[i].name);
        len = add(sql, len, "=>$");
        len = add(sql, len, number[0] == '0' ? number + 1 : number);
    }

    return add(sql, len, ")");
}


/* A value that does not fit is left out, and PostgreSQL refuses the rest. */
static size_t
add(char *sql, size_t len, const char *text)
{
    size_t  size = strlen(text);

    if (len + size >= PAY_OP_SQL_MAX) {
        return len;
    }

    memcpy(sql + len, text, size + 1);

    return len + size;
}


/*
 *   items:  { a1, b1 } { a2, b2 }   ──▶   arrays:  a = {a1, a2}, b = {b1, b2}
 *
 * One array for each argument, whatever the number of items is: the statement
 * stays the same, so that it is planned once.  `elements` points at the
 * members where they lie; nothing is copied before encode() writes them. */
pay_status_t
pay_op_encode(pay_arena_t *arena, const pay_op_t *op,
    const void *const *items, unsigned count, pay_str_t *arrays)
{
    size_t              offset;
    unsigned            i, k;
    array_t             array = { arena, NULL, NULL, count };
    const pay_field_t  *field;

    array.elements = pay_alloc(arena, count * sizeof(void *));
    if (array.elements == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0, offset = 0; i < op->in_count; i++) {
        field = array.field = &op->in[i];

        if (field->type == PAY_ROWS) {
            PAY_TRY(encode_rows(arena, field, items, count, offset, arrays));
            arrays += 1 + field->shape->field_count;

        } else {
            for (k = 0; k < count; k++) {
                array.elements[k] = (const char *) items[k] + offset;
            }

            PAY_TRY(encode(&array, arrays++));
        }

        offset += pay_field_size(field);
    }

    return PAY_OK;
}


/* The rows of all items in one array for each column, those of an item
 * together and in their sequence; SQL groups them again by the array of item
 * numbers. */
static pay_status_t
encode_rows(pay_arena_t *arena, const pay_field_t *field,
    const void *const *items, unsigned count, size_t offset,
    pay_str_t *arrays)
{
    size_t              n, inner, row, k;
    unsigned            i;
    array_t             array = { arena, NULL, NULL, 0 };
    pay_rows_t          rows;
    const pay_shape_t  *shape = field->shape;

    array.count = count_rows(items, count, offset);
    array.elements = pay_alloc(arena, (array.count + 1) * sizeof(void *));
    if (array.elements == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(encode_item_numbers(&array, items, count, offset, arrays++));

    for (k = 0, inner = 0; k < shape->field_count; k++) {
        array.field = &shape->fields[k];

        for (i = 0, n = 0; i < count; i++) {
            memcpy(&rows, (const char *) items[i] + offset, sizeof(rows));

            for (row = 0; row < rows.count; row++) {
                array.elements[n++] = rows.first + row * shape->size + inner;
            }
        }

        PAY_TRY(encode(&array, arrays++));
        inner += pay_field_size(array.field);
    }

    return PAY_OK;
}


/* Rows of all items.  Members are read by memcpy(), because their struct's
 * type is not known here. */
static size_t
count_rows(const void *const *items, unsigned count, size_t offset)
{
    size_t      n;
    unsigned    i;
    pay_rows_t  rows;

    for (i = 0, n = 0; i < count; i++) {
        memcpy(&rows, (const char *) items[i] + offset, sizeof(rows));
        n += rows.count;
    }

    return n;
}


/* Numbers from 1, as PostgreSQL's arrays count. */
static pay_status_t
encode_item_numbers(array_t *array, const void *const *items, unsigned count,
    size_t offset, pay_str_t *out)
{
    size_t       n, row;
    int64_t     *numbers;
    unsigned     i;
    pay_rows_t   rows;

    static const pay_field_t  item = { "item", PAY_INT, 0, NULL };

    numbers = pay_alloc(array->arena, (array->count + 1) * sizeof(int64_t));
    if (numbers == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0, n = 0; i < count; i++) {
        memcpy(&rows, (const char *) items[i] + offset, sizeof(rows));

        for (row = 0; row < rows.count; row++, n++) {
            numbers[n] = i + 1;
            array->elements[n] = &numbers[n];
        }
    }

    array->field = &item;

    return encode(array, out);
}


/* Writes one array as array_recv() reads it.  An array without elements has no
 * dimensions, and so neither length nor lower bound. */
static pay_status_t
encode(const array_t *array, pay_str_t *out)
{
    size_t          i, size = ARRAY_HEADER;
    uint32_t        has_null = 0;
    unsigned char  *p;

    for (i = 0; i < array->count; i++) {
        size += 4 + size_of(array->field, array->elements[i]);
        has_null |= (uint32_t) is_null(array->field, array->elements[i]);
    }

    p = pay_alloc(array->arena, size);
    if (p == NULL) {
        return PAY_NO_MEMORY;
    }

    out->data = p;

    /* Dimensions, 0 or 1; then whether NULLs follow; then the type of the
     * elements. */
    p = put_int32(p, array->count != 0);
    p = put_int32(p, has_null);
    p = put_int32(p, oids[array->field->type].element);

    /* Length and lower bound of the one dimension. */
    if (array->count != 0) {
        p = put_int32(p, (uint32_t) array->count);
        p = put_int32(p, 1);
    }

    for (i = 0; i < array->count; i++) {
        p = put_element(p, array->field, array->elements[i]);
    }

    out->len = (size_t) (p - out->data);

    return PAY_OK;
}


/* INT_OR_NULL says so itself; for the others the empty slice is NULL
 * (docs/architecture.md#the-seam). */
static int
is_null(const pay_field_t *field, const void *element)
{
    if (!field->may_be_null) {
        return 0;
    }

    return (field->type == PAY_INT)
           ? !((const pay_int_t *) element)->is_set
           : ((const pay_str_t *) element)->len == 0;
}


/* Bytes of the element behind its length; a jsonb has a version in front of
 * its text. */
static size_t
size_of(const pay_field_t *field, const void *element)
{
    if (is_null(field, element)) {
        return 0;
    }

    switch (field->type) {

    case PAY_INT:
        return 8;

    case PAY_JSON:
        return 1 + ((const pay_str_t *) element)->len;

    default:
        return ((const pay_str_t *) element)->len;
    }
}


/* -1 as length is NULL, in which case no bytes follow. */
static unsigned char *
put_element(unsigned char *p, const pay_field_t *field, const void *element)
{
    uint64_t          number;
    const pay_str_t  *bytes = element;

    if (is_null(field, element)) {
        return put_int32(p, (uint32_t) -1);
    }

    p = put_int32(p, (uint32_t) size_of(field, element));

    if (field->type == PAY_INT) {
        /* the first member of a pay_int_t, too */
        memcpy(&number, element, sizeof(number));
        p = put_int32(p, (uint32_t) (number >> 32));

        return put_int32(p, (uint32_t) number);
    }

    if (field->type == PAY_JSON) {
        *p++ = JSONB_VERSION;
    }

    if (bytes->len != 0) {
        memcpy(p, bytes->data, bytes->len);
    }

    return p + bytes->len;
}


static unsigned char *
put_int32(unsigned char *p, uint32_t number)
{
    *p++ = (unsigned char) (number >> 24);
    *p++ = (unsigned char) (number >> 16);
    *p++ = (unsigned char) (number >> 8);
    *p++ = (unsigned char) number;

    return p;
}
