/*
 * One bounded line out of a stranger's text, without control characters,
 * values between quotes and a secret.
 */

#include "pay_line.h"


/* libpq's messages about a connection have a second line that names the cause;
 * more of them would only make the log's line longer. */
#define LINES_MAX  2


static int starts(pay_str_t text, size_t at, pay_str_t what);
static size_t put(char line[PAY_LINE_SIZE], size_t len, const char *text);


/* Goes byte by byte, because every rule can begin anywhere: the secret is
 * looked for before anything else, or it would survive where a quotation
 * begins within it.  An opening quote that is never closed hides the rest of
 * the text. */
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

        /* The quotes themselves stay, so that a reader sees that a value was
         * there. */
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

        /* Bytes outside ASCII, too: a line of the log must survive any viewer,
         * and libpq's messages come in the server's encoding. */
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


/* An empty secret is in no text; otherwise it would begin at each byte. */
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
