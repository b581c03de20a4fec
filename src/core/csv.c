/*
 * Cells of a CSV, see pay_csv.h.
 */

#include "pay_csv.h"

#include <string.h>


static int is_formula(pay_str_t text);


void
pay_csv_cell(pay_str_t text, pay_buf_t *buf)
{
    if (pay_csv_is_number(text)) {
        pay_buf_add(buf, text);

    } else if (text.len > 0) {
        pay_csv_text(text, buf);
    }
}


void
pay_csv_text(pay_str_t text, pay_buf_t *buf)
{
    size_t  i, from = 0;

    pay_buf_text(buf, is_formula(text) ? "\"'" : "\"");

    for (i = 0; i < text.len; i++) {
        if (text.data[i] == '"') {
            pay_buf_add(buf, (pay_str_t) { i + 1 - from, text.data + from });
            from = i;                  /* once more */
        }
    }

    pay_buf_add(buf, (pay_str_t) { text.len - from, text.data + from });
    pay_buf_text(buf, "\"");
}


int
pay_csv_is_number(pay_str_t text)
{
    size_t  i, digits = 0, points = 0;

    for (i = (text.len > 0 && text.data[0] == '-'); i < text.len; i++) {
        if (text.data[i] == '.') {
            if (points++ > 0 || digits == 0) {
                return 0;
            }

        } else if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;

        } else {
            digits++;
        }
    }

    return digits > 0 && text.data[text.len - 1] != '.';
}


/* The first character behind blanks counts: some programs drop those.  The last
 * four are the full-width forms of = + - @ in UTF-8. */
static int
is_formula(pay_str_t text)
{
    size_t  i, n;

    static const pay_str_t  signs[] = {
        pay_string("="), pay_string("+"), pay_string("-"), pay_string("@"),
        pay_string("\t"), pay_string("\r"), pay_string("\n"),
        pay_string("\xEF\xBC\x9D"), pay_string("\xEF\xBC\x8B"),
        pay_string("\xEF\xBC\x8D"), pay_string("\xEF\xBC\xA0")
    };

    for (i = 0; i < text.len && text.data[i] == ' '; i++) { /* void */ }

    for (n = 0; n < sizeof(signs) / sizeof(signs[0]); n++) {
        if (text.len - i >= signs[n].len
            && memcmp(text.data + i, signs[n].data, signs[n].len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
