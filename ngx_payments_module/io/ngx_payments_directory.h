/*
 * Files that others put into a directory.
 */

#ifndef NGX_PAYMENTS_DIRECTORY_H
#define NGX_PAYMENTS_DIRECTORY_H

#include "util/ngx_payments.h"


#define NGX_PAYMENTS_NAME_MAX  255


/* The oldest whole file of the directory: a regular one that nobody has
 * written to for age_s seconds, and whose name neither begins with "." nor
 * ends with .part, .tmp or .filepart.  One that cannot be read comes behind all
 * others.  NGX_OK and its name, which ends with NUL; NGX_DECLINED: there is
 * none; NGX_ERROR: the directory cannot be read, see ngx_errno. */
ngx_int_t ngx_payments_directory_next(const ngx_str_t *dir, time_t age_s,
    u_char name[NGX_PAYMENTS_NAME_MAX + 1]);
/* Opens it for reading and fills *fi; NGX_INVALID_FILE when it is no regular
 * file any more. */
ngx_fd_t ngx_payments_directory_open(const ngx_str_t *dir,
    const u_char *name, struct stat *fi);
/* Moves it into that folder of the directory, which is made when it is not
 * there; where a file has the name already, `suffix` goes behind it.
 * NGX_DECLINED: the name is that of another file than `opened` by now, or the
 * file was written to, and it stays; NGX_ERROR: see ngx_errno. */
ngx_int_t ngx_payments_directory_move(const ngx_str_t *dir,
    const u_char *name, const struct stat *opened, const char *folder,
    const char *suffix);


#endif /* NGX_PAYMENTS_DIRECTORY_H */
