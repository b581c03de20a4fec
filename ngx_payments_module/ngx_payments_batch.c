/*
 * PostgreSQL's binary array format (array_recv): dimensions, null flag,
 * element type, length, lower bound, then each element with its length.
 */

#include "ngx_payments_batch.h"


#define OID_BYTEA  17
#define OID_INT8   20
#define OID_TEXT   25
#define OID_JSONB  3802

#define ARRAY_HEADER   20
#define JSONB_VERSION  1


static size_t element_size(pay_type_t type, const pay_value_t *value);
static u_char *put_element(u_char *p, pay_type_t type,
    const pay_value_t *value);
static u_char *put_int32(u_char *p, uint32_t number);
static u_char *put_int64(u_char *p, uint64_t number);


static const struct {
    uint32_t    element;
    ngx_uint_t  array;
} oids[] = {
    [PAY_TEXT] = { OID_TEXT, 1009 },
    [PAY_BYTES] = { OID_BYTEA, 1001 },
    [PAY_INT] = { OID_INT8, 1016 },
    [PAY_JSON] = { OID_JSONB, 3807 }
};


ngx_uint_t
ngx_payments_batch_array_oid(pay_type_t type)
{
    return oids[type].array;
}


ngx_int_t
ngx_payments_batch_encode(ngx_pool_t *pool, const pay_op_t *op,
    ngx_uint_t arg, ngx_payments_call_t **calls, ngx_uint_t n,
    ngx_str_t *array)
{
    u_char      *p;
    size_t       size;
    ngx_uint_t   i, has_null;
    pay_type_t   type;

    type = op->in[arg];
    size = ARRAY_HEADER;
    has_null = 0;

    for (i = 0; i < n; i++) {
        size += 4 + element_size(type, &calls[i]->args[arg]);
        has_null |= calls[i]->args[arg].is_null != 0;
    }

    p = ngx_palloc(pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    array->data = p;
    array->len = size;

    p = put_int32(p, 1);
    p = put_int32(p, (uint32_t) has_null);
    p = put_int32(p, oids[type].element);
    p = put_int32(p, (uint32_t) n);
    p = put_int32(p, 1);

    for (i = 0; i < n; i++) {
        p = put_element(p, type, &calls[i]->args[arg]);
    }

    return NGX_OK;
}


ngx_int_t
ngx_payments_batch_decode(pay_type_t type, ngx_uint_t is_null,
    const u_char *data, size_t len, pay_value_t *value)
{
    size_t    i;
    uint64_t  number;

    ngx_memzero(value, sizeof(pay_value_t));

    if (is_null) {
        value->is_null = 1;
        return NGX_OK;
    }

    if (type != PAY_INT) {
        value->bytes.data = data;
        value->bytes.len = len;
        return NGX_OK;
    }

    if (len != 8) {
        return NGX_ERROR;
    }

    number = 0;

    for (i = 0; i < 8; i++) {
        number = number << 8 | data[i];
    }

    value->number = (int64_t) number;

    return NGX_OK;
}


ngx_uint_t
ngx_payments_batch_item(const u_char *data, size_t len)
{
    if (len != 4) {
        return 0;
    }

    return (ngx_uint_t) data[0] << 24 | (ngx_uint_t) data[1] << 16
           | (ngx_uint_t) data[2] << 8 | data[3];
}


static size_t
element_size(pay_type_t type, const pay_value_t *value)
{
    if (value->is_null) {
        return 0;
    }

    switch (type) {

    case PAY_INT:
        return 8;

    case PAY_JSON:
        return 1 + value->bytes.len;

    default:
        return value->bytes.len;
    }
}


static u_char *
put_element(u_char *p, pay_type_t type, const pay_value_t *value)
{
    if (value->is_null) {
        return put_int32(p, (uint32_t) -1);
    }

    p = put_int32(p, (uint32_t) element_size(type, value));

    if (type == PAY_INT) {
        return put_int64(p, (uint64_t) value->number);
    }

    if (type == PAY_JSON) {
        *p++ = JSONB_VERSION;
    }

    return ngx_cpymem(p, value->bytes.data, value->bytes.len);
}


static u_char *
put_int32(u_char *p, uint32_t number)
{
    *p++ = (u_char) (number >> 24);
    *p++ = (u_char) (number >> 16);
    *p++ = (u_char) (number >> 8);
    *p++ = (u_char) number;

    return p;
}


static u_char *
put_int64(u_char *p, uint64_t number)
{
    p = put_int32(p, (uint32_t) (number >> 32));

    return put_int32(p, (uint32_t) number);
}
