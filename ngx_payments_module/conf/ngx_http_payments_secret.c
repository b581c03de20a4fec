/*
 * Files that are read once, at configuration time, by the master: secrets,
 * and certificates that the core is handed as text.
 */

#include "conf/ngx_http_payments_secret.h"
#include "conf/ngx_http_payments_conf_lines.h"


#define SECRET_FILE_MAX  16384


static ngx_int_t read_whole(ngx_conf_t *cf, ngx_str_t *path,
    ngx_uint_t secret, size_t max, ngx_str_t *bytes);
static ngx_int_t check_file(ngx_conf_t *cf, ngx_str_t *path, ngx_fd_t fd,
    ngx_uint_t secret, size_t max, size_t *size);


/* White space at the end is an editor's, never the secret's.  The bytes are
 * followed by a NUL, for libraries that want one. */
ngx_int_t
ngx_http_payments_read_secret(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t secret, ngx_str_t *bytes)
{
    ngx_str_t  path = *name;

    if (read_whole(cf, &path, secret, SECRET_FILE_MAX, bytes) != NGX_OK) {
        return NGX_ERROR;
    }

    while (bytes->len > 0 && bytes->data[bytes->len - 1] <= ' ') {
        bytes->len--;
    }

    bytes->data[bytes->len] = '\0';

    if (bytes->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is empty: put the key into it", &path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_payments_read_file(ngx_conf_t *cf, ngx_str_t *name, size_t max,
    ngx_str_t *bytes)
{
    ngx_str_t  path = *name;

    return read_whole(cf, &path, 0, max, bytes);
}


/* Read by the master as root, before workers drop their rights: no worker
 * needs to read a secret's file (T33). */
static ngx_int_t
read_whole(ngx_conf_t *cf, ngx_str_t *path, ngx_uint_t secret, size_t max,
    ngx_str_t *bytes)
{
    size_t     size;
    ssize_t    n;
    ngx_fd_t   fd;
    ngx_int_t  rc;

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "cannot open \"%V\": create the file, readable by "
                           "nginx's master only", path);
        return NGX_ERROR;
    }

    rc = check_file(cf, path, fd, secret, max, &size);

    if (rc == NGX_OK) {
        bytes->data = ngx_pnalloc(cf->pool, size + 1);
        n = bytes->data == NULL ? -1 : ngx_read_fd(fd, bytes->data, size);
        bytes->len = size;
        rc = n == (ssize_t) size ? NGX_OK : NGX_ERROR;
    }

    ngx_close_file(fd);

    return rc;
}


/* By the descriptor and not by the name, so that nothing can be exchanged
 * between the check and the read.  The group may read. */
static ngx_int_t
check_file(ngx_conf_t *cf, ngx_str_t *path, ngx_fd_t fd, ngx_uint_t secret,
    size_t max, size_t *size)
{
    ngx_file_info_t  info;

    if (ngx_fd_info(fd, &info) == NGX_FILE_ERROR || !ngx_is_file(&info)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a regular file", path);
        return NGX_ERROR;
    }

    if (secret && (info.st_mode & (S_IROTH|S_IWOTH|S_IWGRP))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" holds a secret and others can read or "
                           "change it: chmod 0400 it", path);
        return NGX_ERROR;
    }

    if (ngx_file_size(&info) > (off_t) max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is larger than %uzk: it is no such file",
                           path, max / 1024);
        return NGX_ERROR;
    }

    *size = (size_t) ngx_file_size(&info);

    return ngx_http_payments_lines_file(cf, path, ngx_file_mtime(&info));
}
