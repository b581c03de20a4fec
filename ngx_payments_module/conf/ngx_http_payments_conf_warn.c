/*
 * Checks of the configuration as a whole (nginx -t), when all servers and
 * locations are merged: the API on a plain listen is refused, and settings that
 * work but leave something open or unreachable get a warning with the remedy.
 */

#include "conf/ngx_http_payments_conf_warn.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_tls.h"
#include "pay_url.h"


/* A produced address, the handler behind it and who produces it. */
typedef struct {
    ngx_uint_t   kind;
    const char  *prefix;
    const char  *directive;
    const char  *maker;
} page_t;


static ngx_int_t check_listens(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
static ngx_int_t check_listen(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_http_conf_addr_t *addr);
static ngx_uint_t is_encrypted(const ngx_http_listen_opt_t *opt);
static void check_pages(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf);
static void check_server_pages(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, const ngx_payments_location_t *api,
    pay_str_t host);
static ngx_uint_t has_page(ngx_http_payments_main_conf_t *pmcf,
    const page_t *page, ngx_http_core_srv_conf_t *server, pay_str_t host);
static void check_webhooks(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
static ngx_uint_t check_name(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, pay_str_t host);
static ngx_uint_t has_name(ngx_http_core_srv_conf_t *server, pay_str_t host);
static ngx_uint_t name_matches(ngx_http_server_name_t *name, pay_str_t host);
static void check_metrics(ngx_conf_t *cf, ngx_payments_location_t *metrics);
static ngx_uint_t is_guarded(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf);
static void check_logs(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf);
static void check_log(ngx_conf_t *cf, ngx_payments_location_t *location);
static void check_ciphers(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
static const ngx_payments_location_t *first(
    ngx_http_payments_main_conf_t *pmcf, ngx_uint_t kind);
static void warn(ngx_conf_t *cf, const void *owner, const char *text);


static const page_t  pages[] = {
    { NGX_HTTP_PAYMENTS_CHECKOUT, "/checkout/", "payments_checkout",
      "payments_api sends buyers" },
    { NGX_HTTP_PAYMENTS_RETURN, "/return/", "payments_return",
      "the PSP sends buyers back" }
};


/* Access rules of nginx' own modules, which keep them in the first word of a
 * location's configuration: rules, a realm, an address.  The first of them has
 * a word for each family of addresses. */
static const struct {
    const char  *name;
    ngx_uint_t   words;
} guards[] = {
    { "ngx_http_access_module", 1 + NGX_HAVE_INET6 + NGX_HAVE_UNIX_DOMAIN },
    { "ngx_http_auth_basic_module", 1 },
    { "ngx_http_auth_request_module", 1 }
};


/* Errors first, as they end the reading; all others are warnings, each at its
 * line. */
ngx_int_t
ngx_http_payments_warn(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                i;
    ngx_payments_location_t  *location = pmcf->locations.elts;

    if (pmcf->merchants.nelts == 0) {
        return NGX_OK;                  /* loaded, not used */
    }

    if (check_listens(cf, pmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    check_pages(cf, pmcf);
    check_webhooks(cf, pmcf);

    for (i = 0; i < pmcf->locations.nelts; i++) {
        if (location[i].kind == NGX_HTTP_PAYMENTS_METRICS) {
            check_metrics(cf, &location[i]);
        }
    }

    check_logs(cf, pmcf);
    check_ciphers(cf, pmcf);

    if (pmcf->audience_unset) {
        warn(cf, NULL, "payments_audience is not set, so a token made for "
                           "any other gateway with the default audience is "
                           "good here: set payments_audience to this "
                           "gateway's own name");
    }

    return NGX_OK;
}


/* Each address of a port has its own list of servers. */
static ngx_int_t
check_listens(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                  i, k;
    ngx_http_conf_addr_t       *addr;
    ngx_http_conf_port_t       *port;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    if (cmcf->ports == NULL) {
        return NGX_OK;
    }

    port = cmcf->ports->elts;

    for (i = 0; i < cmcf->ports->nelts; i++) {
        addr = port[i].addrs.elts;

        for (k = 0; k < port[i].addrs.nelts; k++) {
            if (check_listen(cf, pmcf, &addr[k]) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* A bearer token that is sent in clear text once is anybody's, even if the
 * answer is a redirect to https (B7). */
static ngx_int_t
check_listen(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_http_conf_addr_t *addr)
{
    ngx_uint_t                     i, k;
    ngx_conf_t                    *at;
    ngx_http_payments_at_t         place;
    ngx_payments_location_t       *location = pmcf->locations.elts;
    ngx_http_core_srv_conf_t     **server = addr->servers.elts;
    ngx_http_payments_srv_conf_t  *pscf;

    if (is_encrypted(&addr->opt)) {
        return NGX_OK;
    }

    for (i = 0; i < pmcf->locations.nelts; i++) {
        for (k = 0; k < addr->servers.nelts; k++) {
            if ((location[i].kind != NGX_HTTP_PAYMENTS_API
                 && location[i].kind != NGX_HTTP_PAYMENTS_CONSOLE)
                || location[i].server != server[k])
            {
                continue;
            }

            pscf = server[k]->ctx->srv_conf[ngx_http_payments_module.ctx_index];

            if (pscf->insecure_http) {
                continue;
            }

            at = ngx_http_payments_at(&place, cf, location[i].owner, "", 0);
            ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                               "%s is reached over plain HTTP by "
                               "\"listen %V\", where all on the way can read "
                               "tokens: add ssl to that line, or say "
                               "\"payments_insecure_http on\" where only a "
                               "balancer that ends TLS reaches it",
                               location[i].kind == NGX_HTTP_PAYMENTS_API
                               ? "payments_api" : "payments_console",
                               &addr->opt.addr_text);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
is_encrypted(const ngx_http_listen_opt_t *opt)
{
#if (NGX_HTTP_V3)
    if (opt->quic) {
        return 1;
    }
#endif

    return opt->ssl;
}


/* Addresses of pages are made of payments_public_url, else of the Host that
 * the API was asked by, which is its own server. */
static void
check_pages(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    pay_url_t                 url;
    pay_str_t                 host = pay_string("");
    ngx_uint_t                i;
    ngx_payments_location_t  *location = pmcf->locations.elts;

    if (pmcf->public_url.len != 0
        && pay_url_parse(ngx_payments_str(pmcf->public_url), &url, NULL)
           == PAY_OK)
    {
        host = url.host;

        if (!check_name(cf, pmcf, host)) {
            return;
        }
    }

    for (i = 0; i < pmcf->locations.nelts; i++) {
        if (location[i].kind != NGX_HTTP_PAYMENTS_API) {
            continue;
        }

        check_server_pages(cf, pmcf, &location[i], host);

        if (host.len != 0) {
            return;                     /* one host for all of them */
        }
    }
}


/* The warning stands at the API's line, as its answers are the ones that name
 * the missing page. */
static void
check_server_pages(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    const ngx_payments_location_t *api, pay_str_t host)
{
    ngx_uint_t              i;
    ngx_conf_t             *at;
    ngx_http_payments_at_t  place;

    for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (has_page(pmcf, &pages[i], api->server, host)) {
            continue;
        }

        at = ngx_http_payments_at(&place, cf, api->owner, "", 0);
        ngx_conf_log_error(NGX_LOG_WARN, at, 0,
                           "%s to %s…, where no location of that host has %s: "
                           "add \"location %s { %s; }\"", pages[i].maker,
                           pages[i].prefix, pages[i].directive,
                           pages[i].prefix, pages[i].directive);
    }
}


/* The page is looked for by the host of payments_public_url, else on the API's
 * own server. */
static ngx_uint_t
has_page(ngx_http_payments_main_conf_t *pmcf, const page_t *page,
    ngx_http_core_srv_conf_t *server, pay_str_t host)
{
    ngx_uint_t                i;
    ngx_payments_location_t  *location = pmcf->locations.elts;

    for (i = 0; i < pmcf->locations.nelts; i++) {
        if (location[i].kind == page->kind
            && pay_str_is(ngx_payments_str(location[i].location->name),
                          page->prefix)
            && (host.len != 0 ? has_name(location[i].server, host)
                              : location[i].server == server))
        {
            return 1;
        }
    }

    return 0;
}


/* Some PSPs can be polled, so a missing location is a warning only. */
static void
check_webhooks(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    const ngx_payments_location_t  *api;

    api = first(pmcf, NGX_HTTP_PAYMENTS_API);

    if (api != NULL && first(pmcf, NGX_HTTP_PAYMENTS_WEBHOOK) == NULL) {
        warn(cf, api->owner, "no location has payments_webhook, so "
                                 "nothing that a PSP sends is heard: add "
                                 "\"location /webhooks/ "
                                 "{ payments_webhook; }\"");
    }
}


/* 0: it was warned, and warnings about the pages of that host would only
 * repeat it. */
static ngx_uint_t
check_name(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    pay_str_t host)
{
    ngx_uint_t                   i;
    ngx_conf_t                  *at;
    ngx_http_payments_at_t       place;
    ngx_http_core_srv_conf_t   **server;
    ngx_http_core_main_conf_t   *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    server = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        if (has_name(server[i], host)) {
            return 1;
        }
    }

    at = ngx_http_payments_at(&place, cf, pmcf, "payments_public_url", 0);
    ngx_conf_log_error(NGX_LOG_WARN, at, 0,
                       "payments_public_url \"%V\" leads buyers and PSPs to a "
                       "host that no server_name here has: correct it, or add "
                       "\"server_name %V\" to the server with the payments "
                       "locations", &pmcf->public_url,
                       &ngx_payments_nstr(host));

    return 0;
}


static ngx_uint_t
has_name(ngx_http_core_srv_conf_t *server, pay_str_t host)
{
    ngx_uint_t               i;
    ngx_http_server_name_t  *name = server->server_names.elts;

    for (i = 0; i < server->server_names.nelts; i++) {
        if (name_matches(&name[i], host)) {
            return 1;
        }
    }

    return 0;
}


/* name, *.name, .name, name.* or ~expression */
static ngx_uint_t
name_matches(ngx_http_server_name_t *name, pay_str_t host)
{
    size_t      rest;
    ngx_str_t   text = name->name, given = ngx_payments_nstr(host);

#if (NGX_PCRE)
    if (name->regex != NULL) {
        return ngx_regex_exec(name->regex->regex, &given, NULL, 0) >= 0;
    }
#endif

    if (text.len == given.len
        && ngx_strncasecmp(text.data, given.data, text.len) == 0)
    {
        return 1;
    }

    if (text.len > 1 && text.data[0] == '.'
        && given.len == text.len - 1
        && ngx_strncasecmp(text.data + 1, given.data, given.len) == 0)
    {
        return 1;
    }

    if (text.len > 2 && (text.data[0] == '.' || text.data[0] == '*')) {
        rest = text.len - (text.data[0] == '*');

        return given.len > rest
               && ngx_strncasecmp(given.data + given.len - rest,
                                  text.data + text.len - rest, rest) == 0;
    }

    return text.len > 2 && text.data[text.len - 1] == '*'
           && given.len >= text.len
           && ngx_strncasecmp(given.data, text.data, text.len - 1) == 0;
}


/* The figures show how much a merchant sells. */
static void
check_metrics(ngx_conf_t *cf, ngx_payments_location_t *metrics)
{
    if (!is_guarded(cf, metrics->location)) {
        warn(cf, metrics->owner, "payments_metrics answers everybody: add "
                                     "the addresses that collect metrics, for "
                                     "example \"allow 10.0.0.0/8; deny "
                                     "all;\"");
    }
}


/* Whether a rule is right cannot be judged; that there is none can. */
static ngx_uint_t
is_guarded(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf)
{
    void           **words;
    ngx_uint_t       i, k, n;
    ngx_module_t   **modules = cf->cycle->modules;

    for (i = 0; modules[i] != NULL; i++) {
        for (k = 0; k < sizeof(guards) / sizeof(guards[0]); k++) {
            if (ngx_strcmp(modules[i]->name, guards[k].name) != 0) {
                continue;
            }

            words = clcf->loc_conf[modules[i]->ctx_index];

            for (n = 0; words != NULL && n < guards[k].words; n++) {
                if (words[n] != NULL) {
                    return 1;
                }
            }
        }
    }

    return 0;
}


/* One warning a log: most locations share one. */
static void
check_logs(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                i, k;
    ngx_payments_location_t  *location = pmcf->locations.elts;

    for (i = 0; i < pmcf->locations.nelts; i++) {
        for (k = 0; k < i; k++) {
            if (location[k].location->error_log
                == location[i].location->error_log)
            {
                break;
            }
        }

        if (k == i) {
            check_log(cf, &location[i]);
        }
    }
}


/* Only nginx' own lines are meant: those of the module hold no token at any
 * level. */
static void
check_log(ngx_conf_t *cf, ngx_payments_location_t *location)
{
    ngx_log_t               *log;
    ngx_str_t                name;
    ngx_conf_t              *at;
    ngx_http_payments_at_t   place;

    for (log = location->location->error_log; log != NULL; log = log->next) {
        if (log->log_level <= NGX_LOG_NOTICE) {
            continue;
        }

        ngx_str_set(&name, "stderr or syslog");

        if (log->file != NULL && log->file->name.len != 0) {
            name = log->file->name;
        }

        at = ngx_http_payments_at(&place, cf, location->owner, "", 0);
        ngx_conf_log_error(NGX_LOG_WARN, at, 0,
                           "the error_log \"%V\" of this location is at level "
                           "info or debug, where nginx quotes whole header "
                           "lines, tokens among them: write \"error_log %V "
                           "notice\"", &name, &name);
    }
}


/* Several locations share a server, which is warned about once. */
static void
check_ciphers(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                i, k;
    ngx_payments_location_t  *location = pmcf->locations.elts;

    for (i = 0; i < pmcf->locations.nelts; i++) {
        for (k = 0; k < i && location[k].server != location[i].server; k++) {
            /* void */
        }

        if (k < i || ngx_http_payments_ciphers_fit(location[i].server)) {
            continue;
        }

        warn(cf, location[i].owner, "none of the server's ssl_ciphers "
                                        "fits its certificate, so clients of "
                                        "TLS 1.2 cannot connect: for an RSA "
                                        "certificate add "
                                        "ECDHE-RSA-AES128-GCM-SHA256, for an "
                                        "ECDSA one "
                                        "ECDHE-ECDSA-AES128-GCM-SHA256");
    }
}


/* NULL: no location is of that kind. */
static const ngx_payments_location_t *
first(ngx_http_payments_main_conf_t *pmcf, ngx_uint_t kind)
{
    ngx_uint_t                i;
    ngx_payments_location_t  *location = pmcf->locations.elts;

    for (i = 0; i < pmcf->locations.nelts; i++) {
        if (location[i].kind == kind) {
            return &location[i];
        }
    }

    return NULL;
}


static void
warn(ngx_conf_t *cf, const void *owner, const char *text)
{
    ngx_http_payments_at_t  place;

    ngx_conf_log_error(NGX_LOG_WARN,
                       ngx_http_payments_at(&place, cf, owner, "", 0), 0,
                       "%s", text);
}
