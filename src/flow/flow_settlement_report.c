/*
 * A look at the reports that a PSP's webhooks have announced, one after the
 * other: each is downloaded by the name that was announced, out of the place
 * that the configuration names, and is read like a file of a directory.
 *
 * The URL of an announcement is a stranger's text: it is compared and never
 * called.  A report that cannot be had is tried again later, and later each
 * time; one that stands elsewhere is refused for good.
 */

#include "flow_settlement.h"
#include "pay_crypto.h"


#define REPORTS_MAX   32               /* of one look */
#define USER_MAX      1024             /* bytes: name, password, as base64 */
#define FOREIGN       "foreign-url"
#define STATUS_OK     200


static pay_status_t report_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static int report_is_ours(const pay_settle_source_t *source,
    const pay_report_row_t *row);
static pay_status_t report_fetch(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t report_came(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static const char *why_not(unsigned status);
static pay_status_t report_end(pay_flow_t *flow, const char *code,
    int64_t again_ms, pay_effect_t *effect);
static pay_status_t report_ended(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


pay_status_t
settlement_report_next(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_status_t          status;
    settlement_t         *look = flow->state;
    pay_get_report_in_t  in = { .psp = look->source->psp->name };

    if (look->report == NULL) {
        look->report = pay_calloc(flow->arena, sizeof(settlement_report_t));
        if (look->report == NULL) {
            return PAY_NO_MEMORY;
        }
    }

    if (settlement_must_renew(flow, input, settlement_report_next, effect,
                              &status))
    {
        return status;
    }

    if (look->report->count == REPORTS_MAX) {
        return settlement_end(flow, look->report->code, effect);
    }

    return pay_do_get_report(flow, effect, &in, report_found);
}


static pay_status_t
report_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t            *look = flow->state;
    const pay_report_row_t  *row = pay_row_report(&input->result);

    if (input->kind != PAY_INPUT_ROW) {
        return settlement_end(flow, "not-asked", effect);
    }

    if (input->result.outcome != PAY_OUTCOME_FOUND || row == NULL) {
        return settlement_end(flow, look->report->code, effect);
    }

    look->report->count++;
    memset(&look->settled, 0, sizeof(look->settled));
    look->settled.source = look->source->name;
    PAY_TRY(pay_dup(flow->arena, row->name, &look->report->name));

    if (report_is_ours(look->source, row)) {
        return report_fetch(flow, effect);
    }

    look->settled.state = "refused";
    look->settled.why = FOREIGN;
    look->ended = look->settled;
    flow->settled = &look->ended;

    return report_end(flow, FOREIGN, 0, effect);
}


/* The announced URL is the name below the configured place, to the letter:
 * another scheme, host, port or path, a user, a query are other letters. */
static int
report_is_ours(const pay_settle_source_t *source, const pay_report_row_t *row)
{
    size_t     base = source->reports.len;
    pay_str_t  end;

    if (row->url.len != base + 1 + row->name.len
        || memcmp(row->url.data, source->reports.data, base) != 0
        || row->url.data[base] != '/')
    {
        return 0;
    }

    end.data = row->url.data + base + 1;
    end.len = row->name.len;

    return pay_str_eq(end, row->name);
}


static pay_status_t
report_fetch(pay_flow_t *flow, pay_effect_t *effect)
{
    pay_str_t                   user;
    settlement_t               *look = flow->state;
    const pay_settle_source_t  *source = look->source;
    pay_http_request_t         *request = &effect->http;

    memset(request, 0, sizeof(*request));
    request->method = PAY_STR("GET");
    PAY_TRY(pay_format(flow->scratch, &request->url, PAY_SETTLE_URL_MAX,
                       "%.*s/%.*s", pay_fmt(source->reports),
                       pay_fmt(look->report->name)));
    PAY_TRY(pay_base64_encode(flow->scratch, source->report_user, &user));
    request->fields[0].name = PAY_STR("Authorization");
    PAY_TRY(pay_format(flow->scratch, &request->fields[0].value, USER_MAX,
                       "Basic %.*s", pay_fmt(user)));
    request->field_count = 1;

    effect->kind = PAY_DO_FILE;
    effect->file = PAY_FILE_FETCH;
    effect->settlement = source;
    flow->step = report_came;

    return PAY_OK;
}


/* The digest is that of the bytes: the same report imported by hand is the same
 * file. */
static pay_status_t
report_came(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t      *look = flow->state;
    const pay_file_t  *file = input->file;
    const char        *code;

    if (input->is_stopping) {
        return settlement_end(flow, "stopped", effect);
    }

    code = file->failure != PAY_FAILURE_NONE ? pay_failure_name(file->failure)
                                             : why_not(file->status);

    return code == NULL ? settlement_open(flow, look->report->name,
                                          file->sha256, effect)
                        : report_end(flow, code, look->source->interval_ms,
                                     effect);
}


/* A literal; NULL: it is there.  No redirect is followed. */
static const char *
why_not(unsigned status)
{
    if (status == STATUS_OK) {
        return NULL;
    }

    return status / 100 == 3 ? "redirect"
           : status == 401 || status == 403 ? "auth" : "http-error";
}


/* Refused bytes may be a page of a server in trouble: the report itself may be
 * there later. */
pay_status_t
settlement_report_read(pay_flow_t *flow, const char *why, pay_effect_t *effect)
{
    settlement_t  *look = flow->state;

    return report_end(flow, why, look->source->interval_ms, effect);
}


static pay_status_t
report_end(pay_flow_t *flow, const char *code, int64_t again_ms,
    pay_effect_t *effect)
{
    settlement_t         *look = flow->state;
    pay_end_report_in_t   in = {
        .psp = look->source->psp->name,
        .name = look->report->name,
        .code = pay_str_of(code),
        .again_ms = again_ms
    };

    if (look->settled.file_id != 0) {
        in.file_id = pay_some(look->settled.file_id);
    }

    if (code != NULL) {
        look->report->code = code;
    }

    return pay_do_end_report(flow, effect, &in, report_ended);
}


static pay_status_t
report_ended(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    return input->kind == PAY_INPUT_ROW
           ? settlement_report_next(flow, input, effect)
           : settlement_end(flow, "not-stored", effect);
}
