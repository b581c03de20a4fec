/*
 * Downloads a settlement report into a file without a name, piece by piece as
 * it comes, so that its size costs no memory; a bound on its bytes and on the
 * time holds for all of it.
 *
 * The server of reports is not the API: it has no circuit and no access token,
 * so the call goes to libcurl directly and says nothing about the PSP's
 * health.
 */

#include "run/ngx_payments_fetch.h"
#include "io/ngx_payments_curl.h"
#include "shm/ngx_payments_count.h"


#define REPORT_MAX   (256 * 1024 * 1024)   /* bytes */
#define FILE_ACCESS  0600


static ngx_int_t keep_piece(ngx_payments_http_t *http, const char *data,
    size_t len);
static void fetched(ngx_payments_http_t *http);
static const ngx_str_t *temp_path(void);


/* A name is needed for a moment only: a crash leaves nothing behind. */
ngx_fd_t
ngx_payments_fetch_file(void)
{
    ngx_fd_t          fd;
    u_char           *end, name[NGX_MAX_PATH];
    const ngx_str_t  *path = temp_path();

    if (path == NULL) {
        return NGX_INVALID_FILE;
    }

    end = ngx_snprintf(name, sizeof(name) - 1, "%V/payments.%P.%08xD%08xD",
                       path, ngx_pid, (uint32_t) ngx_random(),
                       (uint32_t) ngx_random());
    *end = '\0';

    fd = ngx_open_tempfile(name, 0, FILE_ACCESS);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "payments: a settlement report cannot be downloaded: no "
                      "file can be made in client_body_temp_path, path:%V",
                      path);
    }

    return fd;
}


ngx_int_t
ngx_payments_fetch(ngx_payments_fetch_t *fetch, ngx_payments_flow_t *flow,
    const ngx_payments_settlement_t *settlement,
    const pay_http_request_t *request)
{
    ngx_int_t             rc;
    ngx_payments_http_t  *http = &flow->http;

    ngx_memzero(http, sizeof(ngx_payments_http_t));
    fetch->size = 0;
    fetch->is_full = 0;

    http->request = request;
    http->psp = &settlement->client;
    http->call = PAY_CALL_SETTLEMENT;
    http->request_id = flow->core.request_id;
    http->pool = flow->pool;
    http->data = fetch;
    http->timeout = settlement->client.total_timeout;
    http->sink = keep_piece;
    http->finished = fetched;

    rc = ngx_payments_curl_call(http);
    http->request = NULL;

    return rc;
}


/* NGX_ERROR ends the call. */
static ngx_int_t
keep_piece(ngx_payments_http_t *http, const char *data, size_t len)
{
    ngx_payments_fetch_t  *fetch = http->data;

    if ((off_t) len > REPORT_MAX - fetch->size) {
        http->too_large = 1;
        return NGX_ERROR;
    }

    if (write(fetch->fd, data, len) != (ssize_t) len
        || EVP_DigestUpdate(fetch->digest, data, len) != 1)
    {
        fetch->is_full = 1;
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "payments: a settlement report cannot be downloaded: "
                      "there is no room for it in client_body_temp_path");
        return NGX_ERROR;
    }

    fetch->size += (off_t) len;

    return NGX_OK;
}


static void
fetched(ngx_payments_http_t *http)
{
    ngx_payments_fetch_t     *fetch = http->data;
    const pay_http_answer_t  *answer = &http->answer;

    ngx_payments_count_psp(http->psp, http->call, answer,
                           ngx_current_msec - http->started,
                           http->request_id, http->trace_id);

    if (answer->failure != PAY_FAILURE_NONE || answer->status != NGX_HTTP_OK) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "payments: a settlement report was not downloaded, "
                      "psp:%V, why:%s, status:%ui",
                      &ngx_payments_nstr(http->psp->psp.name),
                      answer->failure != PAY_FAILURE_NONE
                      ? pay_failure_name(answer->failure) : "-",
                      (ngx_uint_t) answer->status);
    }

    fetch->done(fetch, answer);
}


/* nginx makes this directory at its start, for the user of its workers. */
static const ngx_str_t *
temp_path(void)
{
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_core_srv_conf_t   **servers;
    ngx_http_core_main_conf_t   *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_core_module);
    if (cmcf == NULL || cmcf->servers.nelts == 0) {
        return NULL;
    }

    servers = cmcf->servers.elts;
    clcf = servers[0]->ctx->loc_conf[ngx_http_core_module.ctx_index];

    return &clcf->client_body_temp_path->name;
}
