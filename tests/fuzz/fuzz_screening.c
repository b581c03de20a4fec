/*
 * Fuzz target: answers of providers of sanctions screening.  Input: a byte that
 * names the status, one how the call ended, then the body.  Whatever the
 * bytes: a holder is clear or a hit by an answer to this question with a 2xx
 * alone, a failure has a code, and no text could trip a log or a row over.
 */

#include "fuzz.h"

#include "../answer.h"
#include "pay_json.h"
#include "pay_payout.h"


#define must  FUZZ_CHECK
#define ID    "d-1-2-3"

static void check_answer(const pay_http_answer_t *answer,
    const pay_screening_result_t *result);
static int is_said(pay_str_t body, const char *member, const char *text);
static void check_word(pay_str_t word, size_t max);


static const unsigned  statuses[] = {
    200, 201, 202, 302, 400, 401, 403, 404, 409, 422, 429, 500
};

static const pay_sent_t  ends[] = {
    PAY_ANSWERED, PAY_ANSWERED, PAY_ANSWERED, PAY_SENT_SOME, PAY_SENT_NOTHING
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pay_heap_t              *heap;
    pay_http_answer_t        answer;
    pay_screening_result_t   result;

    if (size < 2) {
        return 0;
    }

    heap = pay_heap_create();
    must(heap != NULL);

    answer = answer_blank(ends[data[1] % (sizeof(ends) / sizeof(ends[0]))]);
    answer.status = statuses[data[0] % (sizeof(statuses)
                                        / sizeof(statuses[0]))];
    answer.body = (pay_str_t) { size - 2, data + 2 };
    must(pay_screening_answer(pay_heap_arena(heap), PAY_STR(ID), &answer,
                              &result) == PAY_OK);
    check_answer(&answer, &result);
    pay_heap_destroy(heap);

    return 0;
}


static void
check_answer(const pay_http_answer_t *answer,
    const pay_screening_result_t *result)
{
    must((unsigned) result->answer < PAY_SCREENING_COUNT);
    must((result->answer == PAY_SCREENING_FAILED) == (result->code.len != 0));
    must(result->answer == PAY_SCREENING_FAILED
         || result->unread.rule == NULL);
    must(result->answer == PAY_SCREENING_HIT || result->reference.len == 0);
    must(result->answer == PAY_SCREENING_FAILED
         || (answer->sent == PAY_ANSWERED && answer->status / 100 == 2
             && is_said(answer->body, "id", ID)
             && is_said(answer->body, "result",
                        result->answer == PAY_SCREENING_CLEAR ? "clear"
                                                              : "hit")));
    check_word(result->code, PAY_PSP_CODE_MAX);
    check_word(result->reference, PAY_PSP_TOKEN_MAX);
}


static int
is_said(pay_str_t body, const char *member, const char *text)
{
    int          is = 0;
    pay_str_t    said;
    pay_json_t  *json;

    if (pay_json_parse(body, NULL, &json, NULL) == PAY_OK) {
        is = pay_json_string(pay_json_get(json, member), &said) == PAY_OK
             && pay_str_is(said, text);
        pay_json_free(json);
    }

    return is;
}


static void
check_word(pay_str_t word, size_t max)
{
    size_t  i;

    must(word.len <= max);

    for (i = 0; i < word.len; i++) {
        must(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789_.:~-", word.data[i]) != NULL
             && word.data[i] != '\0');
    }
}
