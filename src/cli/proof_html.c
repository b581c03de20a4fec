/*
 * The proof of an order as a printable page: it has all members of the
 * document, is one file without script, and fetches nothing.  All texts in it
 * are strangers' and are escaped.
 */

#include "cli/proof.h"
#include "cli/table.h"

#include <string.h>


#define HTML_DEPTH  8          /* deeper values are printed as JSON */

typedef struct {
    FILE         *out;
    pay_arena_t  *arena;
    int           depth;
    int           is_top;      /* its members are sections */
} html_t;


static pay_status_t html_value(html_t *html, const pay_json_t *value);
static pay_status_t html_member(pay_str_t name, const pay_json_t *value,
    void *data);
static pay_status_t html_array(html_t *html, const pay_json_t *array);
static pay_status_t html_rows(html_t *html, const pay_json_t *array);
static pay_status_t html_head(pay_str_t name, const pay_json_t *value,
    void *data);
static pay_status_t html_cell(pay_str_t name, const pay_json_t *value,
    void *data);
static pay_status_t html_line(html_t *html, const pay_json_t *value);
static void html_name(html_t *html, pay_str_t name);
static pay_status_t html_text(html_t *html, pay_str_t text);


static const char  head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,"
    " initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src"
    " 'none'; style-src 'unsafe-inline'\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n"
    "<title>Proof of a payment</title>\n<style>\n"
    "body { font: 10pt/1.4 sans-serif; color: #000; background: #fff;"
    " margin: 2em auto; max-width: 70em; padding: 0 1em; }\n"
    "table { border-collapse: collapse; width: 100%; }\n"
    "th, td { border: 1px solid #767676; padding: .2em .4em; text-align:"
    " left; vertical-align: top; overflow-wrap: anywhere; }\n"
    "dt { font-weight: bold; } dd { margin: 0 0 .3em 1em; overflow-wrap:"
    " anywhere; }\n"
    ".wide { overflow-x: auto; }\n"
    "@media print { body { margin: 0; max-width: none; } section {"
    " break-inside: avoid-page; } }\n"
    "</style>\n</head>\n<body>\n<main>\n<h1>Proof of a payment</h1>\n"
    "<p>This page shows the signed document of the proof. The file beside it"
    " is the proof: <code>payctl proof verify FILE --pub KEY</code> checks its"
    " signature, the chain of its events and their seals.</p>\n";

static const char  tail[] = "</main>\n</body>\n</html>\n";


int
pay_cli_proof_html(FILE *out, const pay_json_t *document)
{
    pay_heap_t    *heap = pay_heap_create();
    pay_status_t   status;
    html_t         html = { .out = out, .is_top = 1 };

    if (heap == NULL) {
        return 0;
    }

    html.arena = pay_heap_arena(heap);
    fputs(head, out);
    status = pay_json_each(document, html_member, &html);
    fputs(tail, out);
    pay_heap_destroy(heap);

    return status == PAY_OK && fflush(out) == 0 && !ferror(out);
}


static pay_status_t
html_value(html_t *html, const pay_json_t *value)
{
    pay_str_t     text;
    pay_status_t  status;

    switch (pay_json_type(value)) {

    case PAY_JSON_OBJECT:
        if (++html->depth > HTML_DEPTH) {
            break;
        }

        fputs("<dl>\n", html->out);
        status = pay_json_each(value, html_member, html);
        fputs("</dl>\n", html->out);
        html->depth--;
        return status;

    case PAY_JSON_ARRAY:
        if (++html->depth > HTML_DEPTH) {
            break;
        }

        status = html_array(html, value);
        html->depth--;
        return status;

    case PAY_JSON_NULL:
        fputs("&ndash;", html->out);
        return PAY_OK;

    case PAY_JSON_STRING:
        PAY_TRY(pay_json_string(value, &text));
        return html_text(html, text);

    default:
        break;
    }

    PAY_TRY(pay_json_write(html->arena, value, &text));

    return html_text(html, text);
}


/* Objects and arrays of the document are sections of the page. */
static pay_status_t
html_member(pay_str_t name, const pay_json_t *value, void *data)
{
    html_t           *html = data;
    pay_status_t      status;
    const int         is_top = html->is_top;
    pay_json_type_t   type = pay_json_type(value);

    if (is_top && (type == PAY_JSON_OBJECT || type == PAY_JSON_ARRAY)) {
        fputs("<section>\n<h2>", html->out);
        html_name(html, name);
        fputs("</h2>\n", html->out);

    } else {
        fputs(is_top ? "<dl><dt>" : "<dt>", html->out);
        html_name(html, name);
        fputs("</dt><dd>", html->out);
    }

    html->is_top = 0;
    status = html_value(html, value);
    html->is_top = is_top;

    if (is_top && (type == PAY_JSON_OBJECT || type == PAY_JSON_ARRAY)) {
        fputs("</section>\n", html->out);

    } else {
        fputs(is_top ? "</dd></dl>\n" : "</dd>\n", html->out);
    }

    return status;
}


static pay_status_t
html_array(html_t *html, const pay_json_t *array)
{
    size_t        i;
    pay_status_t  status = PAY_OK;

    if (pay_json_size(array) == 0) {
        fputs("<p>none</p>\n", html->out);
        return PAY_OK;
    }

    if (pay_json_type(pay_json_at(array, 0)) == PAY_JSON_OBJECT) {
        return html_rows(html, array);
    }

    fputs("<ol>\n", html->out);

    for (i = 0; status == PAY_OK && i < pay_json_size(array); i++) {
        fputs("<li>", html->out);
        status = html_line(html, pay_json_at(array, i));
        fputs("</li>\n", html->out);
    }

    fputs("</ol>\n", html->out);

    return status;
}


/* All objects of an array have the same members. */
static pay_status_t
html_rows(html_t *html, const pay_json_t *array)
{
    size_t        i;
    pay_status_t  status;

    fputs("<div class=\"wide\"><table>\n<thead><tr>", html->out);
    status = pay_json_each(pay_json_at(array, 0), html_head, html);
    fputs("</tr></thead>\n<tbody>\n", html->out);

    for (i = 0; status == PAY_OK && i < pay_json_size(array); i++) {
        fputs("<tr>", html->out);
        status = pay_json_each(pay_json_at(array, i), html_cell, html);
        fputs("</tr>\n", html->out);
    }

    fputs("</tbody></table></div>\n", html->out);

    return status;
}


static pay_status_t
html_head(pay_str_t name, const pay_json_t *value, void *data)
{
    html_t  *html = data;

    (void) value;

    fputs("<th scope=\"col\">", html->out);
    html_name(html, name);
    fputs("</th>", html->out);

    return PAY_OK;
}


static pay_status_t
html_cell(pay_str_t name, const pay_json_t *value, void *data)
{
    html_t        *html = data;
    pay_status_t   status;

    (void) name;

    fputs("<td>", html->out);
    status = html_line(html, value);
    fputs("</td>", html->out);

    return status;
}


/* A line of the log is JSON within a text, of which a reader wants the
 * members. */
static pay_status_t
html_line(html_t *html, const pay_json_t *value)
{
    pay_err_t      ignored;
    pay_str_t      text;
    pay_json_t    *line;
    pay_status_t   status;

    if (pay_json_string(value, &text) == PAY_OK && text.len > 0
        && text.data[0] == '{'
        && pay_json_parse(text, NULL, &line, &ignored) == PAY_OK)
    {
        status = html_value(html, line);
        pay_json_free(line);
        return status;
    }

    return html_value(html, value);
}


/* "three_d_secure" is "three d secure". */
static void
html_name(html_t *html, pay_str_t name)
{
    size_t     i;
    pay_str_t  text;

    if (pay_dup(html->arena, name, &text) != PAY_OK) {
        return;
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] == '_') {
            ((unsigned char *) text.data)[i] = ' ';
        }
    }

    (void) html_text(html, text);
}


/* Characters that steer a screen or turn the direction of a line come out as
 * "?", as on a terminal. */
static pay_status_t
html_text(html_t *html, pay_str_t text)
{
    size_t       i;
    pay_str_t    copy;
    const char  *at;

    PAY_TRY(pay_dup(html->arena, text, &copy));
    at = (const char *) copy.data;

    for (i = 0; i < copy.len; i++) {
        switch (at[i]) {

        case '&':
            fputs("&amp;", html->out);
            break;

        case '<':
            fputs("&lt;", html->out);
            break;

        case '>':
            fputs("&gt;", html->out);
            break;

        case '"':
            fputs("&quot;", html->out);
            break;

        case '\n':
            fputs("<br>", html->out);
            break;

        default:
            (void) pay_cli_put(html->out, at + i, 1);

            while ((at[i + 1] & 0xc0) == 0x80) {
                i++;
            }
        }
    }

    return PAY_OK;
}
