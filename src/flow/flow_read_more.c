/*
 * The GETs about what follows a sale: the changes of an order, what a seller
 * is owed.  One operation, one answer.
 */

#include "flow_util.h"
#include "pay_id.h"


/* A GET of one change, or of all changes of a kind when change_id is empty. */
typedef struct {
    pay_change_kind_t  kind;
    pay_str_t          order_id;
    pay_str_t          change_id;
} read_change_t;

/* A GET of a balance, or of a page of the statement when has_statement is
 * set. */
typedef struct {
    pay_str_t        seller;
    int              has_statement;
    pay_statement_t  statement;
} read_seller_t;


static pay_status_t change_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t change_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t changes_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t seller_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t balance_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t statement_found(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static int is_found(const pay_input_t *input);
static pay_status_t done_without(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


static const pay_flow_type_t  change_type = {
    .name = "read", .start = change_start, .may_be_late = 1
};


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
    pay_flow_begin(flow, &change_type, read);
    flow->merchant_id = merchant_id;

    return PAY_OK;
}


static const pay_flow_type_t  seller_type = {
    .name = "read", .start = seller_start, .may_be_late = 1
};


/* The statement's parameters are copied: they are the request's. */
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

    pay_flow_begin(flow, &seller_type, read);
    flow->merchant_id = merchant_id;

    return PAY_OK;
}


static pay_status_t
change_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    read_change_t       *read = flow->state;
    pay_get_change_in_t  one = {
        .merchant_id = flow->merchant_id,
        .payment_order_id = read->order_id,
        .change_id = read->change_id
    };
    pay_list_changes_in_t    all = {
        .merchant_id = flow->merchant_id,
        .payment_order_id = read->order_id,
        .kind = pay_str_of(pay_change_word(read->kind))
    };

    (void) input;

    if (!pay_id_is_valid(read->order_id)
        || (read->change_id.len > 0 && !pay_id_is_valid(read->change_id)))
    {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    flow->order_id = read->order_id;

    return read->change_id.len > 0
           ? pay_do_get_change(flow, effect, &one, change_found)
           : pay_do_list_changes(flow, effect, &all, changes_found);
}


/* A change of another kind under this path is not found: /refunds/{id} never
 * shows a capture. */
static pay_status_t
change_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_reply_t             *reply;
    pay_change_t             change;
    read_change_t           *read = flow->state;
    pay_checkout_t          *checkout;
    const pay_change_row_t  *row = pay_row_change(&input->result);

    if (pay_move_next(flow, input)) {
        return change_start(flow, input, effect);
    }

    if (!is_found(input)) {
        return done_without(flow, input, effect);
    }

    checkout = pay_alloc(flow->arena, sizeof(pay_checkout_t));
    if (checkout == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(pay_change_decode(flow->arena, row, &change));
    PAY_TRY(pay_checkout_decode(flow->arena, &row->checkout, checkout));

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
changes_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_reply_t              *reply;
    read_change_t            *read = flow->state;
    const pay_changes_row_t  *row = pay_row_changes(&input->result);

    if (pay_move_next(flow, input)) {
        return change_start(flow, input, effect);
    }

    if (!is_found(input)) {
        return done_without(flow, input, effect);
    }

    if (row == NULL) {
        return PAY_BUG;
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(pay_changes_render(flow->arena, read->kind, read->order_id,
                               row->changes, &reply->body));
    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}


/* A statement is read backwards by sequence number: `before` is the cursor,
 * and 0 begins at the newest line. */
static pay_status_t
seller_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    read_seller_t        *read = flow->state;
    pay_get_balance_in_t  balance = {
        .merchant_id = flow->merchant_id, .seller_account = read->seller
    };
    pay_get_statement_in_t     in = {
        .merchant_id = flow->merchant_id, .seller_account = read->seller
    };

    (void) input;

    if (!pay_seller_is_valid(read->seller)) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    if (!read->has_statement) {
        return pay_do_get_balance(flow, effect, &balance, balance_found);
    }

    in.currency = pay_str_of(read->statement.currency->code);
    in.before_seq = pay_maybe(read->statement.before > 0,
                              read->statement.before);
    in.limit = read->statement.limit;

    return pay_do_get_statement(flow, effect, &in, statement_found);
}


static pay_status_t
balance_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_reply_t               *reply;
    read_seller_t             *read = flow->state;
    const pay_balances_row_t  *row = pay_row_balances(&input->result);

    if (pay_move_next(flow, input)) {
        return seller_start(flow, input, effect);
    }

    if (!is_found(input)) {
        return done_without(flow, input, effect);
    }

    if (row == NULL) {
        return PAY_BUG;
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(pay_balance_render(flow->arena, read->seller, row->balances,
                               &reply->body));
    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}


static pay_status_t
statement_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_reply_t                *reply;
    read_seller_t              *read = flow->state;
    const pay_statement_row_t  *row = pay_row_statement(&input->result);

    if (pay_move_next(flow, input)) {
        return seller_start(flow, input, effect);
    }

    if (!is_found(input)) {
        return done_without(flow, input, effect);
    }

    if (row == NULL) {
        return PAY_BUG;
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(pay_statement_render(flow->arena, read->seller, &read->statement,
                                 row->statement, &reply->body));
    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}


static int
is_found(const pay_input_t *input)
{
    return input->result.outcome == PAY_OUTCOME_FOUND;
}


/* A seller without a wallet and a seller of another merchant are both not
 * found. */
static pay_status_t
done_without(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    return (input->kind == PAY_INPUT_DB_FAILED)
           ? pay_done_db_failed(flow, input, effect)
           : pay_done_problem(flow, effect, "not-found", NULL);
}
