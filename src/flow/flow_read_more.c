/*
 * The GETs about what follows a sale: the changes of an order, what a seller
 * is owed.  One operation, one answer.
 */

#include "flow_util.h"
#include "pay_id.h"


typedef struct {
    pay_change_kind_t  kind;
    pay_str_t          order_id;
    pay_str_t          change_id;
} read_change_t;

typedef struct {
    pay_str_t        seller;
    int              has_statement;
    pay_statement_t  statement;
} read_seller_t;


static pay_status_t change_start(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t change_found(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t changes_found(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t seller_start(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t seller_found(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static int is_found(const pay_event_t *event);
static pay_status_t done_without(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);


pay_status_t
pay_flow_read_change(pay_flow_t *flow, pay_change_kind_t kind,
    pay_str_t merchant_id, pay_str_t order_id, pay_str_t change_id)
{
    read_change_t  *read;

    read = pay_calloc(flow->arena, sizeof(read_change_t));
    if (read == NULL) {
        return PAY_NO_MEMORY;
    }

    read->kind = kind;
    read->order_id = order_id;
    read->change_id = change_id;
    flow->name = "read";
    flow->state = read;
    flow->step = change_start;
    flow->merchant_id = merchant_id;

    return PAY_OK;
}


pay_status_t
pay_flow_read_seller(pay_flow_t *flow, pay_str_t merchant_id,
    pay_str_t seller, const pay_statement_t *statement)
{
    read_seller_t  *read;

    read = pay_calloc(flow->arena, sizeof(read_seller_t));
    if (read == NULL) {
        return PAY_NO_MEMORY;
    }

    read->seller = seller;

    if (statement != NULL) {
        read->has_statement = 1;
        read->statement = *statement;
    }

    flow->name = "read";
    flow->state = read;
    flow->step = seller_start;
    flow->merchant_id = merchant_id;

    return PAY_OK;
}


static pay_status_t
change_start(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_value_t    *v;
    read_change_t  *read = flow->state;

    (void) event;

    if (!pay_id_is_valid(read->order_id)
        || (read->change_id.len > 0 && !pay_id_is_valid(read->change_id)))
    {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    v = pay_calloc(flow->arena, 3 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    flow->order_id = read->order_id;
    v[0] = pay_value_text(flow->merchant_id);
    v[1] = pay_value_text(read->order_id);

    if (read->change_id.len > 0) {
        v[2] = pay_value_text(read->change_id);
        pay_do_db(flow, effect, PAY_OP_GET_CHANGE, v, change_found);

    } else {
        v[2] = pay_value_text(pay_str_of(pay_change_word(read->kind)));
        pay_do_db(flow, effect, PAY_OP_LIST_CHANGES, v, changes_found);
    }

    return PAY_OK;
}


static pay_status_t
change_found(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_reply_t     *reply;
    pay_change_t     change;
    read_change_t   *read = flow->state;
    pay_checkout_t  *checkout;

    if (!is_found(event)) {
        return done_without(flow, event, effect);
    }

    checkout = pay_alloc(flow->arena, sizeof(pay_checkout_t));
    if (checkout == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(pay_change_decode(flow->arena, event->row + 1, &change));
    PAY_TRY(pay_checkout_decode(flow->arena,
                                event->row + 1 + PAY_CHANGE_COLUMNS,
                                checkout));

    if (change.kind != read->kind) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    pay_flow_note(flow, checkout);
    flow->order_id = read->order_id;

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(pay_change_render(flow->arena, &change, checkout->checkout_id,
                              &reply->body));
    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}


static pay_status_t
changes_found(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_reply_t    *reply;
    read_change_t  *read = flow->state;

    if (!is_found(event)) {
        return done_without(flow, event, effect);
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(pay_changes_render(flow->arena, read->kind, read->order_id,
                               event->row[1].bytes, &reply->body));
    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}


static pay_status_t
seller_start(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_value_t    *v;
    read_seller_t  *read = flow->state;

    (void) event;

    if (!pay_seller_is_valid(read->seller)) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    v = pay_calloc(flow->arena, 5 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(flow->merchant_id);
    v[1] = pay_value_text(read->seller);

    if (!read->has_statement) {
        pay_do_db(flow, effect, PAY_OP_GET_BALANCE, v, seller_found);
        return PAY_OK;
    }

    v[2] = pay_value_text(pay_str_of(read->statement.currency->code));
    v[3] = (read->statement.before > 0)
           ? pay_value_int(read->statement.before) : pay_value_null();
    v[4] = pay_value_int(read->statement.limit);
    pay_do_db(flow, effect, PAY_OP_GET_STATEMENT, v, seller_found);

    return PAY_OK;
}


static pay_status_t
seller_found(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_reply_t    *reply;
    read_seller_t  *read = flow->state;

    if (!is_found(event)) {
        return done_without(flow, event, effect);
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(read->has_statement
            ? pay_statement_render(flow->arena, read->seller,
                                   &read->statement, event->row[1].bytes,
                                   &reply->body)
            : pay_balance_render(flow->arena, read->seller,
                                 event->row[1].bytes, &reply->body));
    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}


static int
is_found(const pay_event_t *event)
{
    return event->kind == PAY_EVENT_ROW
           && pay_str_is(event->row[0].bytes, "found");
}


static pay_status_t
done_without(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    return (event->kind == PAY_EVENT_DB_FAILED)
           ? pay_done_db_failed(flow, event, effect)
           : pay_done_problem(flow, effect, "not-found", NULL);
}
