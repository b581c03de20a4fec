/*
 * One bounded line out of a stranger's text, without control characters,
 * values between quotes and a secret.
 */

#include "pay_line.h"


#define LINES_MAX  2


static int starts(pay_str_t text, size_t at, pay_str_t what);
static size_t put(char line[PAY_LINE_SIZE], size_t len, const char *text);


size_t
pay_line(char line[PAY_LINE_SIZE], pay_str_t text, int unquote,
    pay_str_t secret)
{
    int            quoted = 0, blank = 1;
    size_t         i, len = 0;
    unsigned       lines = 0;
    unsigned char  c;

    for (i = 0; i < text.len && len < PAY_LINE_SIZE - 1; i++) {
        c = text.data[i];

        if (starts(text, i, secret)) {
            len = put(line, len, "***");
            i += secret.len - 1;
            blank = 0;
            continue;
        }

        if (c == '\n' && ++lines == LINES_MAX) {
            break;
        }

        if (c == '"') {
            quoted = !quoted;

        } else if (quoted && unquote) {
            continue;
        }

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            if (blank) {
                continue;
            }

            c = ' ';

        } else if (c < ' ' || c > '~') {
            c = '?';
        }

        blank = c == ' ';
        line[len++] = (char) c;
    }

    while (len > 0 && line[len - 1] == ' ') {
        len--;
    }

    line[len] = '\0';

    return len;
}


static int
starts(pay_str_t text, size_t at, pay_str_t what)
{
    return what.len != 0 && text.len - at >= what.len
           && memcmp(text.data + at, what.data, what.len) == 0;
}


static size_t
put(char line[PAY_LINE_SIZE], size_t len, const char *text)
{
    while (*text != '\0' && len < PAY_LINE_SIZE - 1) {
        line[len++] = *text++;
    }

    return len;
}
