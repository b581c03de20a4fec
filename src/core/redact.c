/*
 * Foreign text as it may stand in a log: printable ASCII without quotes, card
 * numbers masked, bounded.
 */

#include "core/pan.h"


#define PAY_ESCAPE_LEN  4      /* \xHH */
#define PAY_PAN_MARGIN  128    /* longer than a number with its separators */


static size_t pay_redact_digit(pay_str_t text, size_t at, int in_card,
    size_t masked);
static pay_str_t pay_log_piece(pay_str_t text, size_t at,
    unsigned char escape[PAY_ESCAPE_LEN]);
static int pay_pan_next(pay_str_t text, size_t from, pay_pan_span_t *span);
static pay_status_t pay_redact_again(pay_arena_t *arena, pay_str_t *safe);


/* Card numbers are looked for in the text as it came, before anything is
 * escaped, and in the result once more (pay_redact_again()).  Digits of a
 * number become "*"; its separators stay, so that a reader sees that a number
 * was there. */
pay_status_t
pay_redact(pay_arena_t *arena, pay_str_t text, size_t max, pay_str_t *safe)
{
    int             more;
    size_t          i, used, masked;
    pay_buf_t       buf;
    pay_str_t       piece, out;
    pay_pan_span_t  span;
    unsigned char   escape[PAY_ESCAPE_LEN];

    if (max > SIZE_MAX - 3) {
        return PAY_BUG;
    }

    /* each byte takes one at least: what lies behind the cut is not read */
    if (text.len > PAY_PAN_MARGIN && text.len - PAY_PAN_MARGIN > max) {
        text.len = max + PAY_PAN_MARGIN;
    }

    pay_buf_init(&buf, arena, max + 3);

    more = pay_pan_next(text, 0, &span);

    for (i = 0, used = 0, masked = 0; i < text.len; i++, used += piece.len) {

        if (more && i >= span.end) {
            more = pay_pan_next(text, span.end, &span);
        }

        masked = pay_redact_digit(text, i, more && i >= span.start, masked);

        piece = (i < masked) ? PAY_STR("*") : pay_log_piece(text, i, escape);

        if (piece.len > max - used) {
            pay_buf_text(&buf, "...");
            break;
        }

        pay_buf_add(&buf, piece);
    }

    PAY_TRY(pay_buf_done(&buf, &out));
    PAY_TRY(pay_redact_again(arena, &out));

    *safe = out;

    return PAY_OK;
}


/* Returns the offset up to which bytes are masked.  A digit may have several
 * bytes: full-width digits have three, JSON's escapes six. */
static size_t
pay_redact_digit(pay_str_t text, size_t at, int in_card, size_t masked)
{
    pay_pan_unit_t  unit;

    if (!in_card || at < masked) {
        return masked;
    }

    unit = pay_pan_unit(text, at);

    return (unit.kind == PAY_PAN_DIGIT) ? at + unit.len : masked;
}


/* Escapes bring digits of their own (\x34), which beside others may make a
 * card number of a text that had none.  The copy is made only when that
 * happens. */
static pay_status_t
pay_redact_again(pay_arena_t *arena, pay_str_t *safe)
{
    size_t           i;
    unsigned char   *out = NULL;
    pay_pan_span_t   span;

    while (pay_pan_next(*safe, 0, &span)) {

        if (out == NULL) {
            out = pay_alloc(arena, safe->len + 1);
            if (out == NULL) {
                return PAY_NO_MEMORY;
            }

            memcpy(out, safe->data, safe->len);
            out[safe->len] = '\0';
            safe->data = out;
        }

        do {
            for (i = span.start; i < span.end; i++) {
                if (pay_pan_kinds[out[i]] == PAY_PAN_DIGIT) {
                    out[i] = '*';
                }
            }
        } while (pay_pan_next(*safe, span.end, &span));
    }

    return PAY_OK;
}


/* The first card number that starts at `from` or behind it. */
static int
pay_pan_next(pay_str_t text, size_t from, pay_pan_span_t *span)
{
    text.data += from;
    text.len -= from;

    if (!pay_pan_first(text, span)) {
        return 0;
    }

    span->start += from;
    span->end += from;

    return 1;
}


/* A byte as it may stand in a log: itself, or its escape, which is put into
 * `escape`. Quotes are escaped, so that a value that a line puts between
 * quotes has one end. */
static pay_str_t
pay_log_piece(pay_str_t text, size_t at, unsigned char escape[PAY_ESCAPE_LEN])
{
    pay_str_t      piece;
    unsigned char  c;

    static const char  hex[] = "0123456789abcdef";

    c = text.data[at];

    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\'' && c != '\\') {
        piece.data = &text.data[at];
        piece.len = 1;
        return piece;
    }

    escape[0] = '\\';
    escape[1] = 'x';
    escape[2] = (unsigned char) hex[c >> 4];
    escape[3] = (unsigned char) hex[c & 15];

    piece.data = escape;
    piece.len = PAY_ESCAPE_LEN;

    return piece;
}
