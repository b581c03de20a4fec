/*
 * The walk over argument and row structs, which have no holes.  Private to
 * src/op.
 */

#ifndef PAY_OP_PRIVATE_H
#define PAY_OP_PRIVATE_H

#include "pay_op.h"


/* As they lie in a struct: a member of type PAY_ROWS. */
typedef struct {
    const char  *first;
    size_t       count;
} pay_rows_t;


/* The size of a member in its struct.  op_table.c asserts that the sizes add
 * up to the struct's, so that a walk from member to member needs no
 * offsets. */
static inline size_t
pay_field_size(const pay_field_t *field)
{
    switch (field->type) {

    case PAY_INT:
        return field->may_be_null ? sizeof(pay_int_t) : sizeof(int64_t);

    case PAY_SUB:
        return field->shape->size;

    case PAY_ROWS:
        return sizeof(pay_rows_t);

    default:
        return sizeof(pay_str_t);
    }
}


#endif /* PAY_OP_PRIVATE_H */
