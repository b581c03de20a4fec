/*
 * The files of the console's pages: read from their directory when the
 * configuration is loaded, and served from memory.  A request opens no file, so
 * that no name in it leads out of the directory: it is only compared with the
 * names that were read.
 */

#include "http/ngx_http_payments_assets.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_send.h"
#include "util/ngx_http_payments_ctx.h"
#include "pay_crypto.h"


#define FILES_MAX     200
#define FILE_MAX      (1024 * 1024)
#define ALL_MAX       (4 * 1024 * 1024)
#define DEPTH_MAX     3
#define NAME_MAX_LEN  100
#define ETAG_BYTES    ((NGX_PAYMENTS_ETAG - 2) / 2)


typedef struct {
    const char  *suffix;
    ngx_str_t    type;
} kind_t;

typedef struct {
    ngx_conf_t                     *cf;
    ngx_http_payments_main_conf_t  *pmcf;
    size_t                          total;
} loader_t;


static ngx_int_t load_directory(loader_t *loader, ngx_str_t *path,
    ngx_uint_t depth);
static ngx_int_t load_entry(loader_t *loader, ngx_str_t *path,
    ngx_str_t *name, ngx_uint_t depth);
static ngx_int_t load_file(loader_t *loader, ngx_str_t *path, size_t size);
static ngx_int_t read_file(loader_t *loader, ngx_str_t *path,
    ngx_str_t *text);
static ngx_int_t set_etag(ngx_payments_asset_t *asset);
static const ngx_str_t *type_of(const ngx_str_t *path);
static ngx_uint_t is_safe(const ngx_str_t *name);
static ngx_int_t refuse(loader_t *loader, ngx_err_t err, ngx_str_t *path,
    const char *why);


static const kind_t  kinds[] = {
    { ".html", ngx_string("text/html; charset=utf-8") },
    { ".js", ngx_string("text/javascript; charset=utf-8") },
    { ".css", ngx_string("text/css; charset=utf-8") },
    { ".svg", ngx_string("image/svg+xml") },
    { ".json", ngx_string("application/json") },
    { ".woff2", ngx_string("font/woff2") },
    { NULL, ngx_null_string }
};


ngx_int_t
ngx_http_payments_load_assets(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    loader_t                loader = { cf, pmcf, 0 };
    const pay_str_t         index = PAY_STR("index.html");
    ngx_payments_console_conf_t  *console = &pmcf->console;

    if (!console->is_served) {
        return NGX_OK;
    }

    if (ngx_array_init(&console->assets, cf->pool, 32,
                       sizeof(ngx_payments_asset_t)) != NGX_OK
        || load_directory(&loader, &console->html, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_payments_asset(pmcf, index) == NULL) {
        return refuse(&loader, 0, &console->html,
                      "has no index.html: copy html/console of the module's "
                      "source there");
    }

    return NGX_OK;
}


static ngx_int_t
load_directory(loader_t *loader, ngx_str_t *path, ngx_uint_t depth)
{
    ngx_dir_t  dir;
    ngx_int_t  rc = NGX_OK;
    ngx_str_t  name;

    if (depth == DEPTH_MAX) {
        return refuse(loader, 0, path, "is a directory too deep: put its "
                      "files higher, at most 2 below the console's own");
    }

    if (ngx_open_dir(path, &dir) == NGX_ERROR) {
        return refuse(loader, ngx_errno, path, "cannot be opened: name the "
                      "directory html/console of the module's source, or a "
                      "copy, by payments_console_html");
    }

    while (rc == NGX_OK) {
        ngx_set_errno(0);

        if (ngx_read_dir(&dir) == NGX_ERROR) {
            if (ngx_errno != NGX_ENOMOREFILES) {
                rc = refuse(loader, ngx_errno, path, "cannot be read: check "
                            "the disk");
            }

            break;
        }

        name.data = ngx_de_name(&dir);
        name.len = ngx_de_namelen(&dir);

        /* "." and "..", and the files that editors leave */
        if (name.data[0] != '.' && name.data[name.len - 1] != '~') {
            rc = load_entry(loader, path, &name, depth);
        }
    }

    if (ngx_close_dir(&dir) == NGX_ERROR) {
        rc = refuse(loader, ngx_errno, path, "cannot be closed: check the "
                    "disk");
    }

    return rc;
}


/* Links are followed, as a release may be one. */
static ngx_int_t
load_entry(loader_t *loader, ngx_str_t *path, ngx_str_t *name,
    ngx_uint_t depth)
{
    u_char           *p;
    ngx_str_t         whole;
    ngx_file_info_t   info;

    whole.len = path->len + 1 + name->len;
    whole.data = ngx_pnalloc(loader->cf->pool, whole.len + 1);
    if (whole.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(whole.data, path->data, path->len);
    *p++ = '/';
    p = ngx_cpymem(p, name->data, name->len);
    *p = '\0';

    if (!is_safe(name)) {
        return refuse(loader, 0, &whole, "has a name that no page may use: "
                      "rename it to a-z 0-9 . _ -, at most 100 characters");
    }

    if (ngx_file_info(whole.data, &info) == NGX_FILE_ERROR) {
        return refuse(loader, ngx_errno, &whole, "cannot be looked at: check "
                      "its rights");
    }

    if (ngx_is_dir(&info)) {
        return load_directory(loader, &whole, depth + 1);
    }

    if (!ngx_is_file(&info)) {
        return refuse(loader, 0, &whole, "is not a regular file: put the file "
                      "itself there");
    }

    return load_file(loader, &whole, (size_t) ngx_file_size(&info));
}


static ngx_int_t
load_file(loader_t *loader, ngx_str_t *path, size_t size)
{
    const ngx_str_t              *type = type_of(path);
    ngx_payments_asset_t         *asset;
    ngx_payments_console_conf_t  *console = &loader->pmcf->console;

    if (type == NULL) {
        return refuse(loader, 0, path, "is no file of a page: only html, js, "
                      "css, svg, json and woff2 are served; put it elsewhere");
    }

    if (size == 0 || size > FILE_MAX || loader->total + size > ALL_MAX
        || console->assets.nelts == FILES_MAX)
    {
        return refuse(loader, 0, path, "is empty or too much: a file may have "
                      "1 MiB, all together 4 MiB, and there may be 200");
    }

    asset = ngx_array_push(&console->assets);
    if (asset == NULL) {
        return NGX_ERROR;
    }

    loader->total += size;
    asset->name.data = path->data + console->html.len + 1;
    asset->name.len = path->len - console->html.len - 1;
    asset->type = *type;
    asset->text.len = size;

    return read_file(loader, path, &asset->text) == NGX_OK
           && set_etag(asset) == NGX_OK ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
read_file(loader_t *loader, ngx_str_t *path, ngx_str_t *text)
{
    ssize_t   n = -1;
    ngx_fd_t  fd;

    text->data = ngx_pnalloc(loader->cf->pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd != NGX_INVALID_FILE) {
        n = ngx_read_fd(fd, text->data, text->len);
        (void) ngx_close_file(fd);
    }

    if (n != (ssize_t) text->len) {
        return refuse(loader, ngx_errno, path, "cannot be read: check its "
                      "rights, or whether it is being written");
    }

    return NGX_OK;
}


static ngx_int_t
set_etag(ngx_payments_asset_t *asset)
{
    u_char  digest[PAY_SHA256_SIZE];

    if (pay_sha256(ngx_payments_str(asset->text), digest) != PAY_OK) {
        return NGX_ERROR;
    }

    asset->etag[0] = '"';
    (void) ngx_hex_dump(asset->etag + 1, digest, ETAG_BYTES);
    asset->etag[NGX_PAYMENTS_ETAG - 1] = '"';
    asset->etag[NGX_PAYMENTS_ETAG] = '\0';

    return NGX_OK;
}


static const ngx_str_t *
type_of(const ngx_str_t *path)
{
    size_t         len;
    const kind_t  *kind;

    for (kind = kinds; kind->suffix != NULL; kind++) {
        len = ngx_strlen(kind->suffix);

        if (path->len > len
            && ngx_strncmp(path->data + path->len - len, kind->suffix, len)
               == 0)
        {
            return &kind->type;
        }
    }

    return NULL;
}


/* Such a name stands for itself in an address. */
static ngx_uint_t
is_safe(const ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.'
            && c != '_' && c != '-')
        {
            return 0;
        }
    }

    return name->len <= NAME_MAX_LEN;
}


static ngx_int_t
refuse(loader_t *loader, ngx_err_t err, ngx_str_t *path, const char *why)
{
    ngx_conf_log_error(NGX_LOG_EMERG, loader->cf, err,
                       "payments_console: \"%V\" %s", path, why);

    return NGX_ERROR;
}


const ngx_payments_asset_t *
ngx_http_payments_asset(const ngx_http_payments_main_conf_t *pmcf,
    pay_str_t name)
{
    ngx_uint_t                   i;
    const ngx_payments_asset_t  *asset = pmcf->console.assets.elts;

    for (i = 0; i < pmcf->console.assets.nelts; i++) {
        if (pay_str_eq(ngx_payments_str(asset[i].name), name)) {
            return &asset[i];
        }
    }

    return NULL;
}


/* The filter adds the policy of pages, and that each use asks again whether
 * the file is still the same. */
ngx_int_t
ngx_http_payments_send_asset(ngx_http_request_t *r,
    const ngx_payments_asset_t *asset)
{
    ngx_str_t                 etag, none = ngx_null_string;
    ngx_str_t                 type = asset->type, text = asset->text;
    ngx_http_payments_ctx_t  *ctx = ngx_http_payments_get_ctx(r);

    etag.data = (u_char *) asset->etag;
    etag.len = NGX_PAYMENTS_ETAG;
    ctx->asset = 1;

    if (ngx_http_payments_add_header(r, "ETag", etag) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_payments_is_known(r, asset->etag)
           ? ngx_http_payments_send(r, NGX_HTTP_NOT_MODIFIED, &none, &none)
           : ngx_http_payments_send(r, NGX_HTTP_OK, &type, &text);
}


/* RFC 9110 13.1.2.  A text within another one cannot be taken for the tag: it
 * begins and ends with a quote and has none inside. */
ngx_uint_t
ngx_http_payments_is_known(ngx_http_request_t *r, const u_char *etag)
{
    ngx_str_t        *value;
    ngx_uint_t        count;
    ngx_table_elt_t  *header;

    header = ngx_http_payments_find_header(r, "If-None-Match", &count);
    if (header == NULL || count != 1) {
        return 0;
    }

    value = &header->value;

    return (value->len == 1 && value->data[0] == '*')
           || ngx_strnstr(value->data, (char *) etag, value->len)
              != NULL;
}
