/*
 * Bounds of untrusted JSON text, found in one pass without recursion or
 * allocation, so that jansson (which recurses 2,048 deep) never sees hostile
 * nesting, a container of a million members or a million containers: each
 * value costs it some 100 ns and 80 bytes, however short its text is.  Up to
 * the first syntax error this scan and jansson agree on the depth; behind it
 * jansson reads nothing.
 */

#include "json_scan.h"


typedef struct {
    /* Containers that are open at this byte, and the limits that the caller
     * has set. */
    unsigned   depth;
    unsigned   max_depth;
    unsigned   max_width;
    unsigned   max_values;
    unsigned   values;         /* as if no container were empty */
    unsigned   commas[PAY_JSON_DEPTH_HARD + 1];    /* by depth */
} pay_scan_t;


static size_t pay_scan_string(pay_str_t text, size_t at);
static const char *pay_scan_value(pay_scan_t *scan);
static const char *pay_scan_byte(pay_scan_t *scan, unsigned char byte);


/* Counts brackets and commas outside of strings.  It need not know JSON: it
 * must never count fewer values or levels than jansson would read, and for a
 * text that is not JSON any verdict is right. */
pay_status_t
pay_json_scan(pay_str_t text, unsigned max_depth, unsigned max_width,
    unsigned max_values, pay_err_t *err)
{
    size_t       at;
    pay_scan_t   scan;
    const char  *trouble;

    if (max_depth > PAY_JSON_DEPTH_HARD) {
        return PAY_BUG;
    }

    scan.depth = 0;
    scan.max_depth = max_depth;
    scan.max_width = max_width;
    scan.max_values = max_values;
    scan.values = 1;
    scan.commas[0] = 0;

    for (at = 0; at < text.len; at++) {
        if (text.data[at] == '"') {
            at = pay_scan_string(text, at);
            continue;
        }

        trouble = pay_scan_byte(&scan, text.data[at]);
        if (trouble != NULL) {
            (void) pay_refuse(err, "invalid-json", trouble);
            pay_err_say(err, "%.*s, at byte %zu.",
                        (int) strlen(trouble) - 1, trouble, at + 1);
            return PAY_INVALID;
        }
    }

    return PAY_OK;
}


/* The offset of the closing quote, or of the end of the text.  A backslash
 * takes the next byte along, so that an escaped quote closes nothing. */
static size_t
pay_scan_string(pay_str_t text, size_t at)
{
    for (at++; at < text.len && text.data[at] != '"'; at++) {
        if (text.data[at] == '\\') {
            at++;
        }
    }

    return at;
}


/* NULL, or the sentence for the sender.  A closing bracket too many is
 * jansson's to refuse; here it must only keep the depth from wrapping. */
static const char *
pay_scan_byte(pay_scan_t *scan, unsigned char byte)
{
    switch (byte) {

    case '{':
    case '[':
        if (scan->depth == scan->max_depth) {
            return "The JSON text is nested too deeply.";
        }

        scan->commas[++scan->depth] = 0;
        return pay_scan_value(scan);

    case '}':
    case ']':
        if (scan->depth > 0) {
            scan->depth--;
        }

        return NULL;

    case ',':
        /* n commas part n + 1 members */
        if (++scan->commas[scan->depth] >= scan->max_width) {
            return "An object or array of the JSON text has too many members.";
        }

        return pay_scan_value(scan);

    default:
        return NULL;
    }
}


/* A comma parts two values, and a container holds one. */
static const char *
pay_scan_value(pay_scan_t *scan)
{
    return (++scan->values > scan->max_values)
           ? "The JSON text has too many values." : NULL;
}
