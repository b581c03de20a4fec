/*
 * The configuration as staff see it on the console's page "settings".
 */

#ifndef NGX_HTTP_PAYMENTS_SETTINGS_H
#define NGX_HTTP_PAYMENTS_SETTINGS_H

#include "util/ngx_payments_conf_types.h"


/* Writes it as JSON, when all is read and a location is a console. */
ngx_int_t ngx_http_payments_settings(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


#endif /* NGX_HTTP_PAYMENTS_SETTINGS_H */
