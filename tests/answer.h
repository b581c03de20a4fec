/*
 * Between a flow and its PSP, for whatever plays the PSP in a test written in
 * C: the answer of which nothing is known yet, and a field of a request.
 */

#ifndef TESTS_ANSWER_H
#define TESTS_ANSWER_H

#include <string.h>

#include "pay_psp.h"


/* Nothing said about the time of the next try. */
static inline pay_http_answer_t
answer_blank(pay_sent_t sent)
{
    pay_http_answer_t  answer;

    memset(&answer, 0, sizeof(answer));
    answer.sent = sent;
    answer.retry_after_s = -1;
    answer.should_retry = -1;

    return answer;
}


/* The value of the last field of that name, empty without one; *count: how
 * many there are. */
static inline pay_str_t
request_field(const pay_http_request_t *request, const char *name,
    unsigned *count)
{
    unsigned   i;
    pay_str_t  value = pay_string("");

    *count = 0;

    for (i = 0; i < request->field_count; i++) {
        if (pay_str_is(request->fields[i].name, name)) {
            value = request->fields[i].value;
            (*count)++;
        }
    }

    return value;
}


#endif /* TESTS_ANSWER_H */
