/*
 * The path of a request and the patterns of routes.
 */

#include "http/ngx_http_payments_route.h"


static size_t id_length(char kind, const char *pattern, pay_str_t path);


/* Bytes are compared as they are: nginx has decoded the path. */
ngx_uint_t
ngx_http_payments_route_fits(const char *pattern, pay_str_t path,
    ngx_http_payments_ids_t *ids)
{
    size_t      len;
    ngx_uint_t  n = 0;

    ngx_memzero(ids, sizeof(ngx_http_payments_ids_t));

    for ( /* void */ ; *pattern != '\0'; pattern++) {
        if (*pattern != '*' && *pattern != '+') {
            if (path.len == 0 || path.data[0] != (u_char) *pattern) {
                return 0;
            }

            len = 1;

        } else {
            len = id_length(*pattern, pattern + 1, path);

            if (len == 0 || n == NGX_HTTP_PAYMENTS_IDS_MAX) {
                return 0;
            }

            ids->id[n++] = (pay_str_t) { len, path.data };
        }

        path.data += len;
        path.len -= len;
    }

    return path.len == 0;
}


/* 0: there is none.  Behind a '+' the rest of the pattern is fixed.  A
 * seller's name may hold slashes, so '+' takes all but the tail. */
static size_t
id_length(char kind, const char *pattern, pay_str_t path)
{
    size_t   tail;
    u_char  *slash;

    if (kind == '+') {
        tail = ngx_strlen(pattern);
        return path.len > tail ? path.len - tail : 0;
    }

    slash = ngx_strlchr((u_char *) path.data,
                        (u_char *) path.data + path.len, '/');

    return slash == NULL ? path.len : (size_t) (slash - path.data);
}
