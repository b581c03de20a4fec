/*
 * payments_audit: with which key the event log is sealed and days are closed,
 * how often, and where the seals go besides the database.
 */

#include "conf/ngx_http_payments_conf_audit.h"
#include "conf/ngx_http_payments_secret.h"
#include "util/ngx_payments_conf_types.h"


#define SYSLOG  "syslog:"

#define AUDIT(member)  NGX_PAYMENTS_FIELD(ngx_payments_audit_conf_t, member)


static char *set_key(ngx_conf_t *cf, ngx_str_t *file, void *object);
static char *set_export(ngx_conf_t *cf, ngx_str_t *where, void *object);
static char *check(ngx_conf_t *cf, void *object, ngx_uint_t given);
static ngx_int_t audit_key(ngx_conf_t *cf, ngx_str_t *file,
    pay_secret_t *key, char *id);
static ngx_int_t audit_next_key(ngx_conf_t *cf, ngx_str_t *file,
    ngx_payments_audit_conf_t *audit);
static char *audit_syslog(ngx_conf_t *cf, ngx_str_t *where,
    ngx_payments_audit_conf_t *audit);
static void audit_wipe(void *data);


/* Without the directive the interval stays unset: nothing is sealed. */
static const ngx_http_payments_option_t  options[] = {
    { "key_file=", .set = set_key },
    { "next_key_file=", NGX_PAYMENTS_TEXT, AUDIT(next_key) },
    { "interval=", NGX_PAYMENTS_MSEC, 10, 600000, NGX_CONF_UNSET,
      AUDIT(interval_ms) },
    { "close=", NGX_PAYMENTS_MSEC, 1000, 82800000, NGX_CONF_UNSET,
      AUDIT(close_ms) },
    { "export=", .set = set_export },
    { .name = NULL }
};

ngx_http_payments_line_t  ngx_http_payments_audit_line = { options, check };


/* The key is wiped when the configuration's pool goes: a reload leaves no old
 * key in memory. */
static char *
set_key(ngx_conf_t *cf, ngx_str_t *file, void *object)
{
    ngx_pool_cleanup_t         *cleanup;
    ngx_payments_audit_conf_t  *audit = object;

    cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == NULL) {
        return NGX_CONF_ERROR;
    }

    cleanup->handler = audit_wipe;
    cleanup->data = &audit->key;

    return audit_key(cf, file, &audit->key, audit->key_id) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* A file, or nginx' own syslog client. */
static char *
set_export(ngx_conf_t *cf, ngx_str_t *where, void *object)
{
    ngx_payments_audit_conf_t  *audit = object;

    if (ngx_strncmp(where->data, SYSLOG, sizeof(SYSLOG) - 1) == 0) {
        return audit_syslog(cf, where, audit);
    }

    audit->file = *where;

    return NGX_CONF_OK;
}


/* The numbers of seals are those of a database, so each cell has a file of its
 * own: the name of a cell that has a letter stands behind the file's.  The
 * master opens them once all is read, as logs, and workers write them. */
char *
ngx_http_payments_audit_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_str_t              name;
    ngx_uint_t             i;
    ngx_payments_cell_t  **cells = pmcf->cells.elts;

    if (pmcf->cells.nelts > 1 && pmcf->audit.syslog != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_audit exports to syslog, where nobody "
                           "could tell the seals of several cells apart: "
                           "export= to a file, which each cell has for "
                           "itself");
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < pmcf->cells.nelts && pmcf->audit.file.len != 0; i++) {
        name = pmcf->audit.file;

        if (cells[i]->letter != 0) {
            name.data = ngx_pnalloc(cf->pool, name.len + cells[i]->name.len
                                              + 2);
            if (name.data == NULL) {
                return NGX_CONF_ERROR;
            }

            name.len = ngx_sprintf(name.data, "%V.%V%Z", &pmcf->audit.file,
                                   &cells[i]->name) - name.data - 1;
        }

        cells[i]->seals = ngx_conf_open_file(cf->cycle, &name);
        if (cells[i]->seals == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* The next key is tried when the line is whole, as it is compared with the
 * present one. */
static char *
check(ngx_conf_t *cf, void *object, ngx_uint_t given)
{
    ngx_payments_audit_conf_t  *audit = object;

    (void) given;

    if (audit->key.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_audit needs key_file=: payctl audit "
                           "keygen makes one");
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_msec_value(audit->interval_ms, NGX_PAYMENTS_AUDIT_MS);

    return audit->next_key.len == 0
           || audit_next_key(cf, &audit->next_key, audit) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* The text of the file is wiped as soon as the key is read. */
static ngx_int_t
audit_key(ngx_conf_t *cf, ngx_str_t *file, pay_secret_t *key, char *id)
{
    pay_err_t       err = { .slug = NULL };
    ngx_str_t       text;
    pay_status_t    status;
    unsigned char   public_key[PAY_ED25519_KEY];

    if (ngx_http_payments_read_secret(cf, file, 1, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    status = pay_ed25519_read_private(ngx_payments_str(text), key, &err);
    ngx_explicit_memzero(text.data, text.len);

    if (status == PAY_OK) {
        status = pay_ed25519_public(key, public_key);
    }

    if (status == PAY_OK) {
        status = pay_ed25519_key_id(public_key, id);
    }

    if (status != PAY_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": %s", file,
                           err.detail != NULL ? err.detail
                                              : "libcrypto failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* It signs nothing yet: that it can is better known before the day. */
static ngx_int_t
audit_next_key(ngx_conf_t *cf, ngx_str_t *file,
    ngx_payments_audit_conf_t *audit)
{
    char          id[PAY_ED25519_KEY_ID + 1];
    ngx_int_t     rc;
    pay_secret_t  key;

    rc = audit_key(cf, file, &key, id);
    pay_secret_wipe(&key);

    if (rc == NGX_OK && ngx_strcmp(id, audit->key_id) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" holds the same key as key_file=: make "
                           "another one", file);
        return NGX_ERROR;
    }

    return rc;
}


/* nginx looks for its parameters in the line's first word, and changes it. */
static char *
audit_syslog(ngx_conf_t *cf, ngx_str_t *where,
    ngx_payments_audit_conf_t *audit)
{
    char          *rv;
    ngx_str_t     *words;
    ngx_array_t   *args = cf->args, *line;

    audit->syslog = ngx_pcalloc(cf->pool, sizeof(ngx_syslog_peer_t));
    line = ngx_array_create(cf->pool, 2, sizeof(ngx_str_t));
    words = line != NULL ? ngx_array_push_n(line, 2) : NULL;

    if (audit->syslog == NULL || words == NULL) {
        return NGX_CONF_ERROR;
    }

    words[0] = ((ngx_str_t *) args->elts)[0];
    words[1].len = where->len;
    words[1].data = ngx_pnalloc(cf->pool, where->len + 1);

    if (words[1].data == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_cpystrn(words[1].data, where->data, where->len + 1);

    cf->args = line;
    rv = ngx_syslog_process_conf(cf, audit->syslog);
    cf->args = args;

    return rv;
}


/* nginx calls it when the configuration's pool goes. */
static void
audit_wipe(void *data)
{
    pay_secret_wipe(data);
}
