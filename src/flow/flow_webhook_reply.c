/*
 * Answers to the sender of a webhook, for the messages of PSPs and for those of
 * pay-out providers.
 */

#include "flow_util.h"


pay_status_t
pay_webhook_ack(pay_flow_t *flow, const pay_sig_scheme_t *scheme,
    pay_reply_t **reply)
{
    PAY_TRY(pay_reply_new(flow, scheme->ack != NULL ? PAY_REPLY_TEXT
                                                    : PAY_REPLY_JSON,
                          200, reply));

    if (scheme->ack == NULL) {
        return pay_format(flow->arena, &(*reply)->body, 64,
                          "{\"outcome\":\"%s\"}", flow->outcome);
    }

    (*reply)->body = pay_str_of(scheme->ack);

    return PAY_OK;
}


/* The signature was right, so the sender is the PSP, and its message does not
 * read as docs say: a new version, or a defect of ours.  A PSP gets no
 * details; only the developer of a PSP that speaks our own protocol does. */
pay_status_t
pay_webhook_unread(pay_flow_t *flow, pay_err_t *err, int is_ours,
    pay_effect_t *effect)
{
    pay_str_t         rule;
    pay_psp_unread_t  unread;

    PAY_TRY(pay_dup(flow->arena, pay_str_of(err->detail), &rule));

    unread.member = NULL;
    unread.rule = rule.len != 0 ? (const char *) rule.data
                                : "it is malformed";

    pay_flow_unread(flow, "webhook", &unread);
    PAY_TRY(pay_dup(flow->arena, pay_str_of(err->pointer),
                    &flow->unread_member));

    err->slug = "webhook-payload-invalid";
    flow->label = "payload";

    return is_ours ? pay_done_refused(flow, effect, err)
                   : pay_done_problem(flow, effect, err->slug, NULL);
}
