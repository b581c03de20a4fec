/*
 * Reads catalogues, compares them, and puts their texts into pages.
 *
 *     waiting_head = We are waiting for your payment      in html/locale/en.txt
 *     <h1>{{@waiting_head}}</h1>                          in html/status.html
 */

#include "http/ngx_payments_catalogue.h"

#include "pay_locale.h"


#define NAME_MAX_LEN  32
#define TEXT_MAX_LEN  2048
#define TAG           "{{@"


static const char *read_line(ngx_payments_catalogue_t *catalogue,
    pay_str_t line);
static ngx_uint_t is_name(pay_str_t name);
static const char *check_text(pay_str_t text);
static const ngx_payments_text_t *find(
    const ngx_payments_catalogue_t *catalogue, pay_str_t name);
static ngx_uint_t holds(pay_str_t text, pay_str_t of);
static ngx_uint_t times(pay_str_t text, pay_str_t placeholder);
static pay_str_t next_placeholder(pay_str_t *rest);
static size_t find_bytes(pay_str_t text, size_t from, pay_str_t bytes);


/* The line that is wrong is the place. */
const char *
ngx_payments_catalogue_read(ngx_payments_catalogue_t *catalogue,
    pay_str_t bytes, ngx_payments_place_t *place)
{
    size_t       pos, end;
    const char  *wrong;

    catalogue->count = 0;
    place->line = 0;

    for (pos = 0; pos < bytes.len; pos = end + 1) {
        end = find_bytes(bytes, pos, PAY_STR("\n"));

        place->line++;
        place->text = (pay_str_t) { end - pos, bytes.data + pos };

        if (place->text.len != 0
            && place->text.data[place->text.len - 1] == '\r')
        {
            place->text.len--;
        }

        if (place->text.len == 0 || place->text.data[0] == '#') {
            continue;
        }

        wrong = read_line(catalogue, place->text);
        if (wrong != NULL) {
            /* enough to find it */
            place->text.len = ngx_min(place->text.len, NAME_MAX_LEN);
            return wrong;
        }
    }

    return NULL;
}


/* A text that one language lacks would be seen by its buyers alone. */
const char *
ngx_payments_catalogue_compare(const ngx_payments_catalogue_t *model,
    const ngx_payments_catalogue_t *catalogue, ngx_payments_place_t *place)
{
    ngx_uint_t                  i;
    const ngx_payments_text_t  *text;

    for (i = 0; i < model->count; i++) {
        place->text = model->texts[i].name;
        text = find(catalogue, model->texts[i].name);

        if (text == NULL) {
            return "en.txt has a text that is missing here, add";
        }

        if (!holds(text->text, model->texts[i].text)
            || !holds(model->texts[i].text, text->text))
        {
            return "the placeholders are not those of en.txt, correct";
        }
    }

    for (i = 0; i < catalogue->count; i++) {
        place->text = catalogue->texts[i].name;

        if (find(model, catalogue->texts[i].name) == NULL) {
            return "en.txt has no such text, remove or correct";
        }
    }

    return NULL;
}


const char *
ngx_payments_catalogue_fill(const ngx_payments_catalogue_t *catalogue,
    pay_str_t lang, pay_str_t dir, pay_str_t page, pay_buf_t *out,
    ngx_payments_place_t *place)
{
    size_t                      pos, start, end;
    pay_str_t                   name;
    const ngx_payments_text_t  *text;

    place->line = 1;

    for (pos = 0; /* void */ ; pos = end + 2) {
        start = find_bytes(page, pos, PAY_STR(TAG));
        pay_buf_add(out, (pay_str_t) { start - pos, page.data + pos });

        for ( /* void */ ; pos < start; pos++) {
            place->line += page.data[pos] == '\n';
        }

        if (start == page.len) {
            return NULL;
        }

        end = find_bytes(page, start, PAY_STR("}}"));
        name.data = page.data + start + sizeof(TAG) - 1;
        name.len = end - start - (sizeof(TAG) - 1);
        text = find(catalogue, name);

        if (end < page.len && pay_str_is(name, "lang")) {
            pay_buf_html(out, lang);

        } else if (end < page.len && pay_str_is(name, "dir")) {
            pay_buf_html(out, dir);

        } else if (end < page.len && text != NULL) {
            pay_buf_html(out, text->text);

        } else {
            place->text.data = page.data + start;
            place->text.len = ngx_min(end + 2 - start, NAME_MAX_LEN);
            place->text.len = ngx_min(place->text.len, page.len - start);
            return "no catalogue has the text, remove or correct";
        }
    }
}


/* name = text */
static const char *
read_line(ngx_payments_catalogue_t *catalogue, pay_str_t line)
{
    size_t                at;
    ngx_payments_text_t  *text;

    at = find_bytes(line, 0, PAY_STR(" = "));

    if (at == line.len || !is_name((pay_str_t) { at, line.data })) {
        return "a line is no \"name = text\" with a name of a-z 0-9 _, "
               "correct";
    }

    if (catalogue->count == NGX_PAYMENTS_TEXTS_MAX) {
        return "there are too many texts, remove";
    }

    if (find(catalogue, (pay_str_t) { at, line.data }) != NULL) {
        return "a text stands twice, remove";
    }

    text = &catalogue->texts[catalogue->count++];
    text->name = (pay_str_t) { at, line.data };
    text->text = (pay_str_t) { line.len - at - 3, line.data + at + 3 };

    return check_text(text->text);
}


static ngx_uint_t
is_name(pay_str_t name)
{
    size_t  i;
    u_char  c;

    for (i = 0; i < name.len; i++) {
        c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) {
            return 0;
        }
    }

    return name.len != 0 && name.len <= NAME_MAX_LEN - sizeof(TAG) - 1;
}


/* Sections stand in pages; a text has values alone. */
static const char *
check_text(pay_str_t text)
{
    pay_str_t  placeholder;

    if (text.len == 0 || text.len > TEXT_MAX_LEN
        || !pay_locale_is_shown(text))
    {
        return "a text is empty, too long, or not clean UTF-8, correct";
    }

    while (text.len != 0) {
        placeholder = next_placeholder(&text);

        if (placeholder.len != 0
            && (placeholder.len < sizeof("{{}}")
                || placeholder.data[placeholder.len - 1] != '}'
                || !is_name((pay_str_t) { placeholder.len - 4,
                                          placeholder.data + 2 })))
        {
            return "a placeholder of a text is no {{name}}, correct";
        }
    }

    return NULL;
}


static const ngx_payments_text_t *
find(const ngx_payments_catalogue_t *catalogue, pay_str_t name)
{
    ngx_uint_t  i;

    for (i = 0; i < catalogue->count; i++) {
        if (pay_str_eq(catalogue->texts[i].name, name)) {
            return &catalogue->texts[i];
        }
    }

    return NULL;
}


/* 1 when `text` has each placeholder of `of` as often. */
static ngx_uint_t
holds(pay_str_t text, pay_str_t of)
{
    pay_str_t  rest = of, placeholder;

    while (rest.len != 0) {
        placeholder = next_placeholder(&rest);

        if (placeholder.len != 0
            && times(text, placeholder) != times(of, placeholder))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
times(pay_str_t text, pay_str_t placeholder)
{
    ngx_uint_t  count = 0;

    while (text.len != 0) {
        count += pay_str_eq(next_placeholder(&text), placeholder);
    }

    return count;
}


/* "{{…}}", and *rest is what stands behind it; empty: there is no other.  One
 * that is not closed reaches to the end. */
static pay_str_t
next_placeholder(pay_str_t *rest)
{
    size_t     start, end;
    pay_str_t  found;

    start = find_bytes(*rest, 0, PAY_STR("{{"));
    end = ngx_min(find_bytes(*rest, start, PAY_STR("}}")) + 2, rest->len);

    found = (pay_str_t) { end - start, rest->data + start };
    rest->data += end;
    rest->len -= end;

    return found;
}


/* The place of the next such bytes, or the end. */
static size_t
find_bytes(pay_str_t text, size_t from, pay_str_t bytes)
{
    size_t  i;

    for (i = from; i + bytes.len <= text.len; i++) {
        if (ngx_memcmp(text.data + i, bytes.data, bytes.len) == 0) {
            return i;
        }
    }

    return text.len;
}
