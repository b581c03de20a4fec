/*
 * GET of a list for finance.  JSON is a page, of one operation; CSV is all that
 * the query selects, of as many as it takes.
 */

#include "flow_util.h"


typedef struct {
    pay_finance_query_t  query;
    pay_buf_t            csv;
    size_t               rows;
    unsigned             pages;
} finance_t;


static pay_status_t finance_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t ask_page(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t ask_sums(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t ask_payouts(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t ask_advice(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t finance_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t add_page(pay_flow_t *flow, pay_str_t page,
    pay_effect_t *effect);
static pay_status_t show_advice(pay_flow_t *flow, pay_str_t page,
    pay_effect_t *effect);
static pay_status_t done_with(pay_flow_t *flow, pay_reply_kind_t kind,
    pay_str_t body, pay_effect_t *effect);


static const pay_flow_type_t  finance_type = {
    .name = "read", .start = finance_start, .may_be_late = 1
};


pay_status_t
pay_flow_finance(pay_flow_t *flow, pay_str_t merchant_id,
    const pay_finance_query_t *query)
{
    finance_t  *finance;

    finance = pay_calloc(flow->arena, sizeof(finance_t));
    if (finance == NULL) {
        return PAY_NO_MEMORY;
    }

    finance->query = *query;
    pay_buf_init(&finance->csv, flow->arena, PAY_EXPORT_SIZE_MAX);
    pay_flow_begin(flow, &finance_type, finance);
    flow->merchant_id = merchant_id;

    return PAY_OK;
}


static pay_status_t
finance_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    finance_t  *finance = flow->state;

    (void) input;

    if (finance->query.is_csv) {
        pay_finance_csv_head(&finance->query, &finance->csv);
    }

    return ask_page(flow, effect);
}


static pay_status_t
ask_page(pay_flow_t *flow, pay_effect_t *effect)
{
    const pay_finance_query_t      *query = &((finance_t *) flow->state)->query;
    pay_list_settlement_files_in_t  files = {
        .merchant_id = flow->merchant_id, .file_id = query->id,
        .source = query->source, .psp = query->psp, .state = query->state,
        .day = query->day, .before = query->before, .limit = query->limit
    };
    pay_list_settlement_rows_in_t   rows = {
        .merchant_id = flow->merchant_id, .file_id = query->file_id,
        .psp = query->psp, .currency = query->currency,
        .class = query->class, .state = query->state, .day = query->day,
        .before = query->before, .limit = query->limit
    };
    pay_list_settlement_exceptions_in_t   exceptions = {
        .merchant_id = flow->merchant_id, .exception_id = query->id,
        .psp = query->psp, .currency = query->currency,
        .class = query->class, .state = query->state, .day = query->day,
        .before = query->before, .limit = query->limit
    };
    pay_list_closes_in_t            closes = {
        .merchant_id = flow->merchant_id, .day = query->day,
        .before = query->before, .limit = query->limit
    };

    switch (query->list) {

    case PAY_FINANCE_PAYOUTS:
    case PAY_FINANCE_BATCHES:
    case PAY_FINANCE_DESTINATIONS:
        return ask_payouts(flow, effect);

    case PAY_FINANCE_ADVICE:
        return ask_advice(flow, effect);

    case PAY_FINANCE_FILES:
        return pay_do_list_settlement_files(flow, effect, &files,
                                            finance_found);

    case PAY_FINANCE_ROWS:
        return pay_do_list_settlement_rows(flow, effect, &rows, finance_found);

    case PAY_FINANCE_EXCEPTIONS:
        return pay_do_list_settlement_exceptions(flow, effect, &exceptions,
                                                 finance_found);

    case PAY_FINANCE_AGEING:
    case PAY_FINANCE_BALANCES:
        return ask_sums(flow, effect);

    default:
        return pay_do_list_closes(flow, effect, &closes, finance_found);
    }
}


/* Lists that have no pages. */
static pay_status_t
ask_sums(pay_flow_t *flow, pay_effect_t *effect)
{
    const pay_finance_query_t        *query =
        &((finance_t *) flow->state)->query;
    pay_list_settlement_ageing_in_t  ageing = {
        .merchant_id = flow->merchant_id, .psp = query->psp,
        .currency = query->currency
    };
    pay_list_psp_balances_in_t       balances = {
        .merchant_id = flow->merchant_id, .psp = query->psp,
        .currency = query->currency
    };

    return query->list == PAY_FINANCE_AGEING
           ? pay_do_list_settlement_ageing(flow, effect, &ageing,
                                           finance_found)
           : pay_do_list_psp_balances(flow, effect, &balances, finance_found);
}


static pay_status_t
ask_payouts(pay_flow_t *flow, pay_effect_t *effect)
{
    const pay_finance_query_t  *query = &((finance_t *) flow->state)->query;

    pay_list_payouts_in_t  payouts = {
        .merchant_id = flow->merchant_id, .payout_id = query->payout_id,
        .seller_account = { query->seller_len, query->seller },
        .provider = query->provider, .currency = query->currency,
        .state = query->state, .day = query->day, .before = query->before,
        .limit = query->limit
    };

    pay_list_payout_batches_in_t  batches = {
        .merchant_id = flow->merchant_id, .batch_id = query->payout_id,
        .provider = query->provider, .currency = query->currency,
        .state = query->state, .day = query->day, .before = query->before,
        .limit = query->limit
    };

    pay_list_destinations_in_t  destinations = {
        .merchant_id = flow->merchant_id, .destination_id = query->payout_id,
        .seller_account = payouts.seller_account
    };

    switch (query->list) {

    case PAY_FINANCE_PAYOUTS:
        return pay_do_list_payouts(flow, effect, &payouts, finance_found);

    case PAY_FINANCE_BATCHES:
        return pay_do_list_payout_batches(flow, effect, &batches,
                                          finance_found);

    default:
        return pay_do_list_destinations(flow, effect, &destinations,
                                        finance_found);
    }
}


static pay_status_t
ask_advice(pay_flow_t *flow, pay_effect_t *effect)
{
    const pay_finance_query_t  *query = &((finance_t *) flow->state)->query;

    pay_get_payout_advice_in_t  advice = {
        .merchant_id = flow->merchant_id, .payout_id = query->payout_id,
        .before = query->before, .limit = query->limit
    };

    return pay_do_get_payout_advice(flow, effect, &advice, finance_found);
}


static pay_status_t
finance_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_str_t              body;
    finance_t             *finance = flow->state;
    const pay_page_row_t  *row = pay_row_page(&input->result);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    if (input->result.outcome == PAY_OUTCOME_NOT_FOUND) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    if (input->result.outcome == PAY_OUTCOME_CONTRADICTION) {
        flow->outcome = "contradiction";
        return pay_done_problem(flow, effect, "internal-error", NULL);
    }

    if (input->result.outcome != PAY_OUTCOME_FOUND || row == NULL) {
        return PAY_BUG;
    }

    flow->outcome = "found";

    if (finance->query.is_csv) {
        return add_page(flow, row->page, effect);
    }

    if (finance->query.is_html) {
        return show_advice(flow, row->page, effect);
    }

    PAY_TRY(pay_dup(flow->arena, row->page, &body));

    return done_with(flow, PAY_REPLY_JSON, body, effect);
}


/* An export is whole, or it is refused. */
static pay_status_t
add_page(pay_flow_t *flow, pay_str_t page, pay_effect_t *effect)
{
    pay_str_t     body;
    finance_t    *finance = flow->state;
    pay_status_t  status;

    PAY_TRY(pay_finance_csv_rows(flow->scratch, &finance->query, page,
                                 &finance->csv, &finance->rows,
                                 &finance->query.before));
    finance->pages++;
    status = pay_buf_done(&finance->csv, &body);

    if (status == PAY_NO_MEMORY) {
        return status;
    }

    if (status != PAY_OK || finance->rows > PAY_EXPORT_ROWS_MAX
        || (finance->query.before.is_set
            && finance->pages == PAY_EXPORT_PAGES_MAX))
    {
        return pay_done_problem(flow, effect, "validation-error",
                                "an export has at most 10000 rows: ask for one "
                                "day, one file, one PSP");
    }

    return finance->query.before.is_set
           ? ask_page(flow, effect)
           : done_with(flow, PAY_REPLY_CSV, body, effect);
}


static pay_status_t
show_advice(pay_flow_t *flow, pay_str_t page, pay_effect_t *effect)
{
    pay_reply_t   *reply;
    pay_advice_t  *advice = pay_calloc(flow->arena, sizeof(pay_advice_t));

    if (advice == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(pay_advice_read(flow->arena, page, advice));
    PAY_TRY(pay_reply_new(flow, PAY_REPLY_ADVICE, 200, &reply));
    reply->advice = advice;
    pay_do_done(effect, reply);

    return PAY_OK;
}


static pay_status_t
done_with(pay_flow_t *flow, pay_reply_kind_t kind, pay_str_t body,
    pay_effect_t *effect)
{
    pay_reply_t  *reply;

    PAY_TRY(pay_reply_new(flow, kind, 200, &reply));
    reply->body = body;
    pay_do_done(effect, reply);

    return PAY_OK;
}
