/*
 * The parts of a request that its checks need: header fields, the URL that
 * clients see, and the word for a refusal.
 */

#include "http/ngx_http_payments_request.h"
#include "util/ngx_payments_conf_types.h"
#include "pay_url.h"


#define MAX_AGE     "max-age="
#define DIGITS_MAX  9


/* payments_public_url if it is set; else the Host of the request, which the
 * client chooses, so whatever is no plain authority becomes localhost. */
ngx_int_t
ngx_http_payments_base_url(ngx_http_request_t *r, pay_str_t *url)
{
    u_char                         *p;
    ngx_str_t                       scheme, host;
    pay_url_t                       parsed;
    ngx_http_core_srv_conf_t       *cscf;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    if (pmcf->public_url.len != 0) {
        *url = ngx_payments_str(pmcf->public_url);
        return NGX_OK;
    }

    ngx_str_set(&scheme, "http");

#if (NGX_HTTP_SSL)
    if (r->connection->ssl) {
        ngx_str_set(&scheme, "https");
    }
#endif

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
    host = r->headers_in.host != NULL ? r->headers_in.host->value
                                      : cscf->server_name;

    if (host.len == 0) {
        ngx_str_set(&host, "localhost");
    }

    p = ngx_pnalloc(r->pool, scheme.len + 3 + host.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    url->data = p;
    url->len = ngx_sprintf(p, "%V://%V", &scheme, &host) - p;

    if (pay_url_parse(*url, &parsed, NULL) != PAY_OK || parsed.path.len != 0
        || parsed.query.len != 0 || parsed.fragment.len != 0)
    {
        *url = PAY_STR("https://localhost");
    }

    return NGX_OK;
}


/* All fields of one name are counted, so that a check may refuse two. */
ngx_table_elt_t *
ngx_http_payments_find_header(ngx_http_request_t *r, const char *name,
    ngx_uint_t *count)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header, *found;

    len = ngx_strlen(name);
    part = &r->headers_in.headers.part;
    header = part->elts;
    found = NULL;
    *count = 0;

    for (i = 0; /* void */ ; i++) {
        if (i >= part->nelts) {
            if (part->next == NULL) {
                return found;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].hash != 0 && header[i].key.len == len
            && ngx_strncasecmp(header[i].key.data, (u_char *) name, len) == 0)
        {
            found = found == NULL ? &header[i] : found;
            (*count)++;
        }
    }
}


ngx_int_t
ngx_http_payments_refuse(pay_err_t *err, const char *slug, const char *detail)
{
    (void) pay_refuse(err, slug, detail);

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_payments_max_age(ngx_http_request_t *r)
{
    size_t            len = sizeof(MAX_AGE) - 1;
    ngx_int_t         seconds;
    ngx_str_t        *value;
    ngx_uint_t        count;
    ngx_table_elt_t  *header;

    header = ngx_http_payments_find_header(r, "Cache-Control", &count);
    if (header == NULL) {
        return NGX_DECLINED;
    }

    value = &header->value;

    if (count != 1 || value->len <= len || value->len > len + DIGITS_MAX
        || ngx_strncasecmp(value->data, (u_char *) MAX_AGE, len) != 0)
    {
        return 0;
    }

    seconds = ngx_atoi(value->data + len, value->len - len);

    return seconds == NGX_ERROR ? 0 : seconds;
}
