/*
 * Decodes the VIEW columns that most operations return into a checkout.  A
 * row that breaks SQL's promise is our bug, never the storefront's.
 */

#include "pay_payment.h"


static pay_status_t decode_orders(pay_arena_t *arena, pay_str_t text,
    pay_checkout_t *checkout);
static pay_status_t decode_order(pay_arena_t *arena, const pay_json_t *json,
    pay_order_t *order);
static pay_status_t decode_money(pay_arena_t *arena, const pay_json_t *json,
    pay_order_t *order);
static pay_status_t decode_decline(pay_arena_t *arena, const pay_json_t *json,
    pay_order_t *order);
static pay_status_t decode_credit(pay_arena_t *arena, const pay_json_t *json,
    pay_order_t *order);
static pay_status_t dup_member(pay_arena_t *arena, const pay_json_t *json,
    const char *member, pay_str_t *to);


pay_status_t
pay_checkout_decode(pay_arena_t *arena, const pay_value_t *view,
    pay_checkout_t *c)
{
    unsigned    i;
    pay_str_t  *texts[] = {
        &c->merchant_id, &c->checkout_id, &c->checkout_uuid, &c->psp,
        &c->nonce, &c->handle, &c->token, &c->alias, &c->hosted_url,
        &c->return_url, &c->base_url
    };

    memset(c, 0, sizeof(*c));

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!view[i].is_null) {
            PAY_TRY(pay_dup(arena, view[i].bytes, texts[i]));
        }

        if (texts[i]->len == 0 && texts[i] != &c->token
            && texts[i] != &c->alias && texts[i] != &c->hosted_url)
        {
            return PAY_BUG;
        }
    }

    if (view[11].is_null || view[14].is_null || view[18].is_null
        || pay_currency_find(view[11].bytes, &c->currency, NULL) != PAY_OK)
    {
        return PAY_BUG;
    }

    c->total_minor = view[12].number;
    c->expires_s = view[13].number;
    PAY_TRY(pay_dup(arena, view[14].bytes, &c->registration));
    c->attempt = view[15].number;

    if (!view[16].is_null) {
        PAY_TRY(pay_dup(arena, view[16].bytes, &c->code));
    }

    c->version = view[17].number;

    return decode_orders(arena, view[18].bytes, c);
}


pay_state_t
pay_checkout_state(const pay_checkout_t *checkout)
{
    return checkout->orders[0].status;
}


int
pay_checkout_is_authorized(const pay_checkout_t *checkout)
{
    return pay_checkout_state(checkout) == PAY_EXECUTING
           && checkout->orders[0].authorized_minor > 0;
}


int
pay_checkout_holds(const pay_checkout_t *checkout)
{
    unsigned  i;

    for (i = 0; i < checkout->order_count; i++) {
        if (checkout->orders[i].authorized_minor > 0) {
            return 1;
        }
    }

    return 0;
}


int
pay_checkout_rests(const pay_checkout_t *checkout)
{
    unsigned            i;
    const pay_order_t  *order;

    for (i = 0; i < checkout->order_count; i++) {
        order = &checkout->orders[i];

        if (order->status != PAY_SUCCESS && order->status != PAY_FAILED
            && order->authorized_minor == 0)
        {
            return 0;
        }
    }

    return pay_checkout_holds(checkout);
}


const pay_order_t *
pay_checkout_order(const pay_checkout_t *checkout, pay_str_t payment_order_id)
{
    unsigned  i;

    for (i = 0; i < checkout->order_count; i++) {
        if (pay_str_eq(checkout->orders[i].id, payment_order_id)) {
            return &checkout->orders[i];
        }
    }

    return NULL;
}


int64_t
pay_order_refundable(const pay_order_t *order)
{
    int64_t  left;

    left = order->captured_minor - order->refunding_minor
           - order->refunded_minor - order->charged_back_minor;

    return left > 0 ? left : 0;
}


static pay_status_t
decode_orders(pay_arena_t *arena, pay_str_t text, pay_checkout_t *checkout)
{
    size_t             i, n;
    pay_json_t        *json;
    pay_status_t       status;
    const pay_json_t  *money;
    pay_json_limits_t  limits = { 64 * 1024, 0, 0, 0 };

    status = pay_json_parse(text, &limits, &json, NULL);
    if (status != PAY_OK) {
        return status == PAY_INVALID ? PAY_BUG : status;
    }

    n = pay_json_size(json);
    if (n == 0 || n > PAY_ORDERS_MAX) {
        pay_json_free(json);
        return PAY_BUG;
    }

    checkout->orders = pay_calloc(arena, n * sizeof(pay_order_t));
    if (checkout->orders == NULL) {
        status = PAY_NO_MEMORY;
    }

    for (i = 0; i < n && status == PAY_OK; i++) {
        status = decode_order(arena, pay_json_at(json, i),
                              &checkout->orders[i]);
    }

    money = pay_json_get(pay_json_at(json, 0), "money");
    checkout->manual = pay_json_is_true(pay_json_get(money, "manual"));
    checkout->order_count = (unsigned) n;
    pay_json_free(json);

    return status;
}


static pay_status_t
decode_order(pay_arena_t *arena, const pay_json_t *json, pay_order_t *order)
{
    pay_str_t  state;

    PAY_TRY(dup_member(arena, json, "id", &order->id));
    PAY_TRY(dup_member(arena, json, "seller", &order->seller));

    if (pay_json_integer(pay_json_get(json, "amount"), &order->amount_minor)
        != PAY_OK
        || pay_json_string(pay_json_get(json, "status"), &state) != PAY_OK
        || !pay_state_parse(state, &order->status))
    {
        return PAY_BUG;
    }

    if (dup_member(arena, json, "reason", &order->reason) == PAY_NO_MEMORY) {
        return PAY_NO_MEMORY;
    }

    return decode_money(arena, pay_json_get(json, "money"), order);
}


/* Absent while nothing has happened to it. */
static pay_status_t
decode_money(pay_arena_t *arena, const pay_json_t *json, pay_order_t *order)
{
    unsigned  i;

    const struct {
        const char  *name;
        int64_t     *to;
    } members[] = {
        { "authorized", &order->authorized_minor },
        { "captured", &order->captured_minor },
        { "refunding", &order->refunding_minor },
        { "refunded", &order->refunded_minor },
        { "charged_back", &order->charged_back_minor }
    };

    if (json == NULL || pay_json_type(json) == PAY_JSON_NULL) {
        return PAY_OK;
    }

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (pay_json_integer(pay_json_get(json, members[i].name),
                             members[i].to) != PAY_OK
            || *members[i].to < 0)
        {
            return PAY_BUG;
        }
    }

    PAY_TRY(decode_decline(arena, pay_json_get(json, "decline"), order));

    return decode_credit(arena, json, order);
}


static pay_status_t
decode_decline(pay_arena_t *arena, const pay_json_t *json, pay_order_t *order)
{
    return pay_json_type(json) == PAY_JSON_OBJECT
           ? pay_json_write(arena, json, &order->decline) : PAY_OK;
}


static pay_status_t
decode_credit(pay_arena_t *arena, const pay_json_t *json, pay_order_t *order)
{
    pay_str_t  code;

    if (pay_json_string(pay_json_get(json, "credit_currency"), &code)
        != PAY_OK)
    {
        return PAY_OK;
    }

    if (pay_currency_find(code, &order->credit, NULL) != PAY_OK
        || pay_json_integer(pay_json_get(json, "credit_minor"),
                            &order->credit_minor) != PAY_OK)
    {
        return PAY_BUG;
    }

    PAY_TRY(dup_member(arena, json, "credit_rate", &order->credit_rate));

    return dup_member(arena, json, "credit_until", &order->credit_until);
}


static pay_status_t
dup_member(pay_arena_t *arena, const pay_json_t *json, const char *member,
    pay_str_t *to)
{
    pay_str_t  value;

    if (pay_json_string(pay_json_get(json, member), &value) != PAY_OK) {
        return PAY_BUG;
    }

    return pay_dup(arena, value, to);
}
