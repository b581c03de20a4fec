/*
 * A page of the console: one operation, which judges the right to it.  Its page
 * is JSON and is handed on as it came.  One with data of a person waits until
 * the look is written down, where the console may write at all.
 */

#include "flow_util.h"
#include "pay_flow_console.h"
#include "pay_json.h"


#define DETAIL_MAX  512

typedef struct {
    pay_read_page_in_t   in;
    int                  can_act;
    pay_reply_t         *reply;
} console_t;


static pay_status_t console_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t console_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t write_look(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t look_written(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t refuse(pay_flow_t *flow, const char *slug,
    const char *before, const pay_console_row_t *row, pay_effect_t *effect);


static const pay_flow_type_t  console_type = {
    .name = "console", .start = console_start
};


/* All texts of *staff and *asked are the flow's. */
pay_status_t
pay_flow_console(pay_flow_t *flow, const pay_staff_t *staff,
    const pay_console_asked_t *asked, int can_act)
{
    console_t           *console;
    pay_read_page_in_t  *in;

    console = pay_calloc(flow->arena, sizeof(console_t));
    if (console == NULL) {
        return PAY_NO_MEMORY;
    }

    console->can_act = can_act;
    in = &console->in;
    in->page = pay_str_of(pay_console_page_name(asked->page));
    in->staff = staff->subject;
    in->merchants = staff->merchants;
    in->query = asked->query;
    PAY_TRY(pay_roles_write(flow->arena, staff->roles, &in->roles));
    pay_flow_begin(flow, &console_type, console);

    return PAY_OK;
}


static pay_status_t
console_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    console_t  *console = flow->state;

    (void) input;

    return pay_do_read_page(flow, effect, &console->in, console_found);
}


static pay_status_t
console_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    console_t                *console = flow->state;
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

    if (reply->is_personal && console->can_act) {
        console->reply = reply;
        return write_look(flow, effect);
    }

    pay_do_done(effect, reply);

    return PAY_OK;
}


static pay_status_t
write_look(pay_flow_t *flow, pay_effect_t *effect)
{
    console_t          *console = flow->state;
    pay_json_t         *body = pay_json_object_new();
    pay_status_t        status;
    pay_make_act_in_t   in;

    memset(&in, 0, sizeof(in));
    in.act = PAY_STR("look");
    in.staff = console->in.staff;
    in.roles = console->in.roles;
    in.merchants = console->in.merchants;
    in.login_age_s = -1;
    in.terms = PAY_STR("{}");
    in.request_id = flow->request_id;

    status = pay_json_set_string(body, "request", flow->request_id);

    if (status == PAY_OK) {
        status = pay_json_set_string(body, "object", console->in.page);
    }

    if (status == PAY_OK) {
        status = pay_json_set_string(body, "query", console->in.query);
    }

    if (status == PAY_OK) {
        status = pay_json_write(flow->arena, body, &in.body);
    }

    pay_json_free(body);
    PAY_TRY(status);

    return pay_do_make_act(flow, effect, &in, look_written);
}


static pay_status_t
look_written(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    console_t  *console = flow->state;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    if (input->result.outcome != PAY_OUTCOME_DONE) {
        return pay_done_problem(flow, effect, "forbidden",
                                "The look could not be written down.");
    }

    pay_do_done(effect, console->reply);

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
