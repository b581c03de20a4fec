/*
 * The requester as the event log names it: the key that signed the token, and
 * the token's subject.  The log is never changed, so a text that is not fit for
 * it is left out.
 */

#include "pay_json.h"
#include "pay_jwt.h"
#include "pay_pan.h"


#define BY_MAX  512


/* A subject is a text of the merchant's choice that would stay for years:
 * other scripts and control bytes would make a log hard to compare, blanks
 * alone are nobody's name, a card number must not be stored anywhere
 * (docs/security.md T13). */
int
pay_jwt_subject_is_fit(pay_str_t subject)
{
    size_t  i, blanks = 0;

    if (subject.len > PAY_JWT_SUB_MAX) {
        return 0;
    }

    for (i = 0; i < subject.len; i++) {
        if (subject.data[i] < 0x20 || subject.data[i] > 0x7e) {
            return 0;
        }

        blanks += (subject.data[i] == ' ');
    }

    return blanks < subject.len && !pay_pan_found(subject);
}


/* `kid` is that of our configuration, so that it needs no such check. */
pay_status_t
pay_jwt_asker(pay_arena_t *arena, pay_str_t kid, pay_str_t subject,
    pay_str_t *json)
{
    pay_buf_t  buf;

    pay_buf_init(&buf, arena, BY_MAX);
    pay_buf_text(&buf, "{\"kid\":\"");
    pay_buf_json(&buf, kid);

    if (pay_jwt_subject_is_fit(subject)) {
        pay_buf_text(&buf, "\",\"sub\":\"");
        pay_buf_json(&buf, subject);
    }

    pay_buf_text(&buf, "\"}");

    return pay_buf_done(&buf, json);
}
