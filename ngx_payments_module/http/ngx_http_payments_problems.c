/*
 * The locations of payments_problems (the list of problem types and a page for
 * each), and the style sheet of all pages.
 */

#include "http/ngx_http_payments_problems.h"
#include "http/ngx_http_payments_page.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_send.h"
#include "util/ngx_payments_memory.h"


#define PATH_MAX_LEN  4096
#define ALLOW         "GET, HEAD, OPTIONS"


static ngx_int_t send_style(ngx_http_request_t *r);
static ngx_int_t problem_list(ngx_http_request_t *r, pay_str_t base);
static pay_status_t set_problems(pay_arena_t *arena, pay_str_t base,
    ngx_payments_value_t *v);
static ngx_int_t problem_page(ngx_http_request_t *r, pay_str_t base,
    const pay_problem_t *problem);
static ngx_int_t send_page(ngx_http_request_t *r, ngx_str_t *page,
    const ngx_payments_slot_t *slots, const ngx_payments_value_t *values);


/* The addresses of `type` in problem documents lead here (PD3). */
ngx_int_t
ngx_http_payments_problems(ngx_http_request_t *r)
{
    pay_str_t                      base, rest;
    const pay_problem_t           *problem;
    ngx_http_payments_loc_conf_t  *plcf;

    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        return ngx_http_payments_method_not_allowed(r, ALLOW);
    }

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);
    base = ngx_payments_str(plcf->prefix);

    while (base.len != 0 && base.data[base.len - 1] == '/') {
        base.len--;
    }

    if (r->uri.len < base.len) {
        return ngx_http_payments_problem(r, "not-found", NULL, NULL);
    }

    rest.len = r->uri.len - base.len;
    rest.data = r->uri.data + base.len;

    if (rest.len == 0 || pay_str_is(rest, "/")) {
        return problem_list(r, base);
    }

    if (pay_str_is(rest, "/style.css")) {
        return send_style(r);
    }

    if (rest.data[0] == '/') {
        rest.data++;
        rest.len--;

        problem = pay_problem_find(rest);
        if (problem != NULL) {
            return problem_page(r, base, problem);
        }
    }

    return ngx_http_payments_problem(r, "not-found", NULL, NULL);
}


/* The buyer's pages name the style sheet by the prefix of their own
 * location. */
ngx_int_t
ngx_http_payments_style(ngx_http_request_t *r)
{
    pay_str_t                      rest;
    ngx_http_payments_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    if (r->uri.len < plcf->prefix.len) {
        return NGX_DECLINED;
    }

    rest.len = r->uri.len - plcf->prefix.len;
    rest.data = r->uri.data + plcf->prefix.len;

    if (!pay_str_is(rest, "style.css")) {
        return NGX_DECLINED;
    }

    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        return ngx_http_payments_method_not_allowed(r, ALLOW);
    }

    return send_style(r);
}


/* The style sheet is in memory since the configuration was read. */
static ngx_int_t
send_style(ngx_http_request_t *r)
{
    ngx_http_payments_main_conf_t  *pmcf;
    static ngx_str_t                type =
        ngx_string("text/css; charset=utf-8");

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    return ngx_http_payments_send(r, NGX_HTTP_OK, &type, &pmcf->pages.style);
}


/* The list is made anew for each request, as the prefix is the location's. */
static ngx_int_t
problem_list(ngx_http_request_t *r, pay_str_t base)
{
    pay_arena_t                     arena = ngx_payments_arena(r->pool);
    ngx_payments_value_t            v[LIST_SLOTS];
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    ngx_memzero(v, sizeof(v));

    if (pay_format(&arena, &v[LIST_STYLE].text, PATH_MAX_LEN,
                   "%.*s/style.css", pay_fmt(base)) != PAY_OK
        || set_problems(&arena, base, v) != PAY_OK)
    {
        return ngx_http_payments_problem(r, "internal-error", NULL, NULL);
    }

    return send_page(r, &pmcf->pages.problems,
                     ngx_payments_list_slots, v);
}


/* The table is the core's, so the page cannot miss a problem. */
static pay_status_t
set_problems(pay_arena_t *arena, pay_str_t base, ngx_payments_value_t *v)
{
    ngx_uint_t            i, n, slot;
    const pay_problem_t  *problem = pay_problem_table();

    for (n = 0; problem[n].slug != NULL; n++) { /* void */ }

    for (slot = LIST_URL; slot <= LIST_TITLE; slot++) {
        v[slot].items = pay_calloc(arena, n * sizeof(pay_str_t));
        if (v[slot].items == NULL) {
            return PAY_NO_MEMORY;
        }
    }

    for (i = 0; i < n; i++) {
        v[LIST_SLUG].items[i] = pay_str_of(problem[i].slug);
        v[LIST_TITLE].items[i] = pay_str_of(problem[i].title);
        PAY_TRY(pay_format(arena, &v[LIST_URL].items[i], PATH_MAX_LEN,
                           "%.*s/%s", pay_fmt(base), problem[i].slug));
        PAY_TRY(pay_format(arena, &v[LIST_STATUS].items[i], 16, "%u",
                           problem[i].status));
    }

    v[LIST_PROBLEMS].count = n;

    return PAY_OK;
}


/* The texts are constants of the core. */
static ngx_int_t
problem_page(ngx_http_request_t *r, pay_str_t base,
    const pay_problem_t *problem)
{
    pay_arena_t                     arena = ngx_payments_arena(r->pool);
    ngx_payments_value_t            v[PROBLEM_SLOTS];
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_payments_module);

    ngx_memzero(v, sizeof(v));
    v[PROBLEM_SLUG].text = pay_str_of(problem->slug);
    v[PROBLEM_TITLE].text = pay_str_of(problem->title);
    v[PROBLEM_MEANING].text = pay_str_of(problem->meaning);
    v[PROBLEM_REMEDY].text = pay_str_of(problem->remedy);

    if (pay_format(&arena, &v[PROBLEM_STYLE].text, PATH_MAX_LEN,
                   "%.*s/style.css", pay_fmt(base)) != PAY_OK
        || pay_format(&arena, &v[PROBLEM_LIST_URL].text, PATH_MAX_LEN,
                      "%.*s/", pay_fmt(base)) != PAY_OK
        || pay_format(&arena, &v[PROBLEM_STATUS].text, 16, "%u",
                      problem->status) != PAY_OK)
    {
        return ngx_http_payments_problem(r, "internal-error", NULL, NULL);
    }

    return send_page(r, &pmcf->pages.problem,
                     ngx_payments_problem_slots, v);
}


/* Status 200 also for the page about an error: the page is the answer. */
static ngx_int_t
send_page(ngx_http_request_t *r, ngx_str_t *page,
    const ngx_payments_slot_t *slots, const ngx_payments_value_t *values)
{
    ngx_str_t         html;
    static ngx_str_t  type = ngx_string("text/html; charset=utf-8");

    if (ngx_http_payments_render(r, page, slots, values, &html) != NGX_OK) {
        return ngx_http_payments_problem(r, "internal-error", NULL, NULL);
    }

    return ngx_http_payments_send(r, NGX_HTTP_OK, &type, &html);
}
