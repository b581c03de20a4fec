/*
 * The bounds check in front of jansson; private to src/core.
 */

#ifndef PAY_JSON_SCAN_H
#define PAY_JSON_SCAN_H

#include "pay_json.h"


/* PAY_OK when no container of `text` lies deeper than max_depth or holds
 * more than max_width members or elements, and when all of them together are
 * at most max_values; else PAY_INVALID "invalid-json".  Says nothing about
 * whether the text is JSON.  max_depth is at most PAY_JSON_DEPTH_HARD. */
pay_status_t pay_json_scan(pay_str_t text, unsigned max_depth,
    unsigned max_width, unsigned max_values, pay_err_t *err) PAY_MUST_CHECK;


#endif /* PAY_JSON_SCAN_H */
