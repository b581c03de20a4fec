/*
 * The header fields of a call as libcurl takes them: the adapter's, the access
 * token, and those of libcurl's own that are left out.
 */

#include "io/ngx_payments_curl_fields.h"


/* Expect, Content-Type, Authorization */
#define OWN_FIELDS  3


static unsigned list_fields(const ngx_payments_http_t *http,
    pay_http_field_t *fields);
static struct curl_slist *make_list(const pay_http_field_t *fields,
    unsigned count);
static char *add_line(char *p, const pay_http_field_t *field);


/* The list belongs to the call until easy_destroy(), as libcurl does not copy
 * it. */
ngx_int_t
ngx_payments_easy_fields(CURL *easy, ngx_payments_http_t *http)
{
    unsigned          count;
    pay_http_field_t  fields[PAY_HTTP_HEADERS_MAX + OWN_FIELDS];

    count = list_fields(http, fields);

    http->headers = make_list(fields, count);
    if (http->headers == NULL) {
        return NGX_ERROR;
    }

    /* a proxy sees none of them */
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long) CURLHEADER_SEPARATE);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);

    return NGX_OK;
}


/* libcurl's texts end at a NUL: one within would cut a URL or a field short. */
ngx_uint_t
ngx_payments_easy_is_text(pay_str_t s)
{
    return s.len == 0
           || ngx_strlchr((u_char *) s.data, (u_char *) s.data + s.len, '\0')
              == NULL;
}


/* libcurl leaves a field out that has no value. */
static unsigned
list_fields(const ngx_payments_http_t *http, pay_http_field_t *fields)
{
    unsigned                 i, typed = 0, count = 0;
    const pay_http_field_t  *field;

    /* no "Expect: 100-continue": it would cost a round trip */
    fields[count++] = (pay_http_field_t) { PAY_STR("Expect"), PAY_STR("") };

    for (i = 0; i < http->request->field_count; i++) {
        field = &http->request->fields[i];
        typed |= pay_str_is(field->name, "Content-Type");
        fields[count++] = *field;
    }

    /* libcurl would call any body a form */
    if (!typed) {
        fields[count++] = (pay_http_field_t) { PAY_STR("Content-Type"),
                                               PAY_STR("") };
    }

    if (http->authorization.len != 0) {
        fields[count++] = (pay_http_field_t) { PAY_STR("Authorization"),
                                               http->authorization };
    }

    return count;
}


/* In one piece, which libcurl's own functions would make of two for each line:
 * it is kept while a call waits.  NULL: no memory, or a byte that would end a
 * line's text. */
static struct curl_slist *
make_list(const pay_http_field_t *fields, unsigned count)
{
    char               *p;
    size_t              size = 0;
    unsigned            i;
    struct curl_slist  *list;

    for (i = 0; i < count; i++) {
        if (!ngx_payments_easy_is_text(fields[i].name)
            || !ngx_payments_easy_is_text(fields[i].value))
        {
            return NULL;
        }

        size += sizeof(struct curl_slist) + fields[i].name.len + 2
                + fields[i].value.len + 1;
    }

    list = ngx_alloc(size, ngx_cycle->log);
    if (list == NULL) {
        return NULL;
    }

    p = (char *) (list + count);

    for (i = 0; i < count; i++) {
        list[i].data = p;
        list[i].next = i + 1 < count ? &list[i + 1] : NULL;
        p = add_line(p, &fields[i]);
    }

    return list;
}


/* The line has libcurl's form, in which "Name:" without a value removes that
 * field. */
static char *
add_line(char *p, const pay_http_field_t *field)
{
    p = (char *) ngx_cpymem(p, field->name.data, field->name.len);
    *p++ = ':';
    *p++ = ' ';

    if (field->value.len != 0) {
        p = (char *) ngx_cpymem(p, field->value.data, field->value.len);
    }

    *p++ = '\0';

    return p;
}
