/*
 * What the bodies of all requests have in common: members that are known,
 * documents within bounds, no card numbers.  Private to src/api.
 */

#ifndef PAY_API_PARSE_H
#define PAY_API_PARSE_H

#include "pay_json.h"


/* PAY_INVALID when a name or a string in it, or the raw text, looks like a
 * card number. */
pay_status_t pay_parse_card_data(const pay_json_t *json, pay_str_t body,
    pay_err_t *err) PAY_MUST_CHECK;

/* PAY_INVALID for a member that is not among `allowed` (ends with NULL); the
 * pointer is that of the order of that index, -1: of the body. */
pay_status_t pay_parse_members(const pay_json_t *json,
    const char *const *allowed, int index, pay_err_t *err) PAY_MUST_CHECK;

/* The member as JSON text of at most `max` bytes. */
pay_status_t pay_parse_document(pay_arena_t *arena, const pay_json_t *value,
    const char *pointer, size_t max, pay_str_t *text, pay_err_t *err)
    PAY_MUST_CHECK;

/* The member "metadata" as JSON text: names and plain values within bounds;
 * *text stays as it is when it is absent. */
pay_status_t pay_parse_metadata(pay_arena_t *arena, const pay_json_t *body,
    pay_str_t *text, pay_err_t *err) PAY_MUST_CHECK;


#endif /* PAY_API_PARSE_H */
