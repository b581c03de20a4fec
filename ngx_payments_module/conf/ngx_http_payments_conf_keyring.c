/*
 * payments_keyring: the keys under which the gateway seals bytes that
 * PostgreSQL keeps and must not read.
 */

#include "conf/ngx_http_payments_conf_keyring.h"
#include "conf/ngx_http_payments_secret.h"
#include "util/ngx_payments_conf_types.h"


static char *set_file(ngx_conf_t *cf, ngx_str_t *file, void *object);
static void keyring_wipe(void *data);


static const ngx_http_payments_option_t  options[] = {
    { "", .set = set_file },
    { .name = NULL }
};

ngx_http_payments_line_t  ngx_http_payments_keyring_line = { options, NULL };


/* The text of the file is wiped as soon as it is read, and the keys when the
 * configuration's pool goes. */
static char *
set_file(ngx_conf_t *cf, ngx_str_t *file, void *object)
{
    pay_err_t            err = { .slug = NULL };
    ngx_str_t            text;
    pay_status_t         status;
    pay_keyring_t       *ring = object;
    ngx_pool_cleanup_t  *cleanup;

    cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == NULL) {
        return NGX_CONF_ERROR;
    }

    cleanup->handler = keyring_wipe;
    cleanup->data = ring;

    if (ngx_http_payments_read_secret(cf, file, 1, &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    status = pay_keyring_read(ngx_payments_str(text), ring, &err);
    ngx_explicit_memzero(text.data, text.len);

    if (status != PAY_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": %s", file,
                           err.detail);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* nginx calls it when the configuration's pool goes. */
static void
keyring_wipe(void *data)
{
    pay_keyring_wipe(data);
}
