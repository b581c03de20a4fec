/*
 * A page of the console: one operation, which judges the right to it.  Its page
 * is JSON and is handed on as it came.
 */

#include "flow_util.h"
#include "pay_console.h"


#define DETAIL_MAX  512


static pay_status_t console_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t console_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t refuse(pay_flow_t *flow, const char *slug,
    const char *before, const pay_console_row_t *row, pay_effect_t *effect);


static const pay_flow_type_t  console_type = {
    .name = "console", .start = console_start
};


/* All texts of *staff and *asked are the flow's. */
pay_status_t
pay_flow_console(pay_flow_t *flow, const pay_staff_t *staff,
    const pay_console_asked_t *asked)
{
    pay_read_page_in_t  *in;

    in = pay_calloc(flow->arena, sizeof(pay_read_page_in_t));
    if (in == NULL) {
        return PAY_NO_MEMORY;
    }

    in->page = pay_str_of(pay_console_page_name(asked->page));
    in->staff = staff->subject;
    in->merchants = staff->merchants;
    in->query = asked->query;
    PAY_TRY(pay_roles_write(flow->arena, staff->roles, &in->roles));
    pay_flow_begin(flow, &console_type, in);

    return PAY_OK;
}


static pay_status_t
console_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    (void) input;

    return pay_do_read_page(flow, effect, flow->state, console_found);
}


static pay_status_t
console_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_reply_t              *reply;
    const pay_console_row_t  *row = pay_row_console(&input->result);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    switch (input->result.outcome) {

    case PAY_OUTCOME_NOT_FOUND:
        return pay_done_problem(flow, effect, "not-found", NULL);

    case PAY_OUTCOME_REFUSED:
        return refuse(flow, "forbidden", "This page needs the role ", row,
                      effect);

    case PAY_OUTCOME_INVALID:
        return refuse(flow, "validation-error", "", row, effect);

    default:
        break;
    }

    if (row == NULL) {
        return PAY_BUG;
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(pay_dup(flow->arena, row->page, &reply->body));
    reply->is_personal = row->personal != 0;
    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}


/* In the place of a page stands the end of the sentence. */
static pay_status_t
refuse(pay_flow_t *flow, const char *slug, const char *before,
    const pay_console_row_t *row, pay_effect_t *effect)
{
    pay_str_t  detail;

    if (row == NULL) {
        return PAY_BUG;
    }

    PAY_TRY(pay_format(flow->arena, &detail, DETAIL_MAX, "%s%.*s", before,
                       pay_fmt(row->page)));

    return pay_done_problem(flow, effect, slug, (const char *) detail.data);
}
