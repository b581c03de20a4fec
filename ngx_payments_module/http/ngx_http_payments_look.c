/*
 * Serves the files of a merchant's look from the configuration's memory.  Their
 * names are digests of their bytes, so a browser may keep them for ever.
 */

#include "http/ngx_http_payments_look.h"
#include "http/ngx_http_payments_send.h"
#include "util/ngx_http_payments_ctx.h"
#include "pay_sorted.h"


#define PATH_MAX_LEN  4096
#define ISOLATE       "\xe2\x81\xa8"
#define END_ISOLATE   "\xe2\x81\xa9"


static ngx_str_t  style_type = ngx_string("text/css; charset=utf-8");
static ngx_str_t  svg_type = ngx_string("image/svg+xml");
static ngx_str_t  png_type = ngx_string("image/png");


static ngx_int_t send_file(ngx_http_request_t *r, ngx_str_t *type,
    ngx_str_t *bytes);


ngx_int_t
ngx_http_payments_look(ngx_http_request_t *r)
{
    size_t                          i;
    pay_str_t                       name;
    ngx_payments_look_t            *look;
    const ngx_payments_look_file_t  *files;
    ngx_http_payments_loc_conf_t   *plcf;
    ngx_http_payments_main_conf_t  *pmcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);
    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    if (r->uri.len <= plcf->prefix.len) {
        return NGX_DECLINED;
    }

    name.len = r->uri.len - plcf->prefix.len;
    name.data = r->uri.data + plcf->prefix.len;

    files = pmcf->look_files.elts;
    i = pay_sorted_find(files, pmcf->look_files.nelts,
                        sizeof(ngx_payments_look_file_t),
                        offsetof(ngx_payments_look_file_t, name), name);

    if (i == pmcf->look_files.nelts) {
        return NGX_DECLINED;
    }

    look = files[i].look;

    return pay_str_eq(name, ngx_payments_str(look->style_file))
           ? send_file(r, &style_type, &look->style)
           : send_file(r, look->logo_is_svg ? &svg_type : &png_type,
                       &look->logo);
}


const ngx_payments_look_t *
ngx_http_payments_look_of(const ngx_http_payments_main_conf_t *pmcf,
    pay_str_t merchant_id)
{
    const pay_merchant_t      *merchant;
    ngx_payments_merchant_t  **merchants = pmcf->merchants.elts;

    merchant = pay_env_merchant(&pmcf->env, merchant_id);

    return merchant == NULL ? NULL
           : &merchants[merchant - pmcf->env.merchants]->look;
}


/* The merchant's name is isolated, since its direction may be another one than
 * the page's (UAX #9: FSI and PDI). */
pay_status_t
ngx_http_payments_look_show(const ngx_payments_look_t *look,
    pay_arena_t *arena, pay_str_t prefix,
    ngx_http_payments_shown_look_t *shown)
{
    ngx_memzero(shown, sizeof(ngx_http_payments_shown_look_t));

    if (look == NULL) {
        return PAY_OK;
    }

    shown->has_name = look->name.len != 0;
    shown->has_logo = look->logo_file.len != 0;
    shown->has_style = look->style_file.len != 0;

    PAY_TRY(pay_format(arena, &shown->name, PATH_MAX_LEN,
                       ISOLATE "%.*s" END_ISOLATE,
                       pay_fmt(ngx_payments_str(look->name))));
    PAY_TRY(pay_format(arena, &shown->logo_url, PATH_MAX_LEN, "%.*s%.*s",
                       pay_fmt(prefix),
                       pay_fmt(ngx_payments_str(look->logo_file))));

    return pay_format(arena, &shown->style_url, PATH_MAX_LEN, "%.*s%.*s",
                      pay_fmt(prefix),
                      pay_fmt(ngx_payments_str(look->style_file)));
}


/* `kept` has the filter send other header fields than those of a page. */
static ngx_int_t
send_file(ngx_http_request_t *r, ngx_str_t *type, ngx_str_t *bytes)
{
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_payments_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->kept = 1;

    return ngx_http_payments_send(r, NGX_HTTP_OK, type, bytes);
}
