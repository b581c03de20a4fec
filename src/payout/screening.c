/*
 * The question to a provider of sanctions screening, a small JSON protocol of
 * ours (docs/payout-providers.md#screening), and its answer.  No trouble of
 * the network or of a parser becomes a clear holder.
 */

#include "payout/payout.h"


#define SCREENING_PATH  "/v1/screenings"


static pay_status_t read_result(pay_arena_t *arena, pay_str_t id,
    const pay_json_t *json, pay_screening_result_t *result);


/* The key is the question's id, so that a provider may count questions. */
pay_status_t
pay_screening_request(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t id, const pay_payout_destination_t *to,
    pay_http_request_t *request)
{
    pay_buf_t           body;
    pay_http_request_t  made;

    memset(&made, 0, sizeof(made));
    PAY_TRY(pay_psp_request_init(arena, account, "POST", SCREENING_PATH,
                                 PAY_STR(""), &made));
    pay_psp_field_add(&made, "Idempotency-Key", id);

    pay_buf_init(&body, arena, PAY_PSP_REQUEST_MAX);
    pay_payout_text(&body, "{\"id\":", id);
    pay_payout_text(&body, ",\"name\":", to->name);

    if (to->country.len != 0) {
        pay_payout_text(&body, ",\"country\":", to->country);
    }

    pay_buf_text(&body, "}");
    PAY_TRY(pay_payout_body(&body, &made));

    *request = made;

    return PAY_OK;
}


pay_status_t
pay_screening_answer(pay_arena_t *arena, pay_str_t id,
    const pay_http_answer_t *answer, pay_screening_result_t *result)
{
    pay_json_t              *json;
    pay_status_t             status;
    pay_psp_changed_t        judged;
    pay_screening_result_t   made;

    PAY_TRY(pay_psp_change_open(arena, answer, pay_psp_error_plain, &json,
                                &judged));

    memset(&made, 0, sizeof(made));
    made.code = judged.code;
    made.retry_after_s = judged.retry_after_s;
    made.unread = judged.unread;

    if (json != NULL) {
        status = read_result(arena, id, json, &made);
        pay_json_free(json);
        PAY_TRY(status);
    }

    *result = made;

    return PAY_OK;
}


/* An answer to another question is one about another holder.  The word is read
 * to the letter: pay_psp_word_get() would make words alike that are not. */
static pay_status_t
read_result(pay_arena_t *arena, pay_str_t id, const pay_json_t *json,
    pay_screening_result_t *result)
{
    pay_str_t  text;

    if (pay_json_string(pay_json_get(json, "id"), &text) != PAY_OK
        || !pay_str_eq(text, id))
    {
        result->code = PAY_STR("answer_mismatch");
        pay_psp_unread(&result->unread, "id", "must repeat the id");
        return PAY_OK;
    }

    if (pay_json_string(pay_json_get(json, "result"), &text) != PAY_OK) {
        text = PAY_STR("");
    }

    if (pay_str_is(text, "clear")) {
        result->answer = PAY_SCREENING_CLEAR;

    } else if (pay_str_is(text, "hit")) {
        result->answer = PAY_SCREENING_HIT;
        PAY_TRY(pay_psp_token_may(arena, json, "reference",
                                  &result->reference));

    } else {
        result->code = PAY_STR("answer_invalid");
        pay_psp_unread(&result->unread, "result", "must be clear or hit");
        return PAY_OK;
    }

    result->code = PAY_STR("");
    pay_psp_unread(&result->unread, NULL, NULL);

    return PAY_OK;
}
