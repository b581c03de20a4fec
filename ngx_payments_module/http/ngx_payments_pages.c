/*
 * Loads the pages when the configuration is read: from the directory that
 * payments_html names, or from the copies of html/ compiled in.  A template
 * that could not be filled in is refused here, not before a buyer's eyes.
 */

#include "http/ngx_payments_pages.h"
#include "http/ngx_payments_catalogue.h"
#include "util/ngx_payments_memory.h"
#include "payments_html.h"                       /* made by ci/embed-html */


#define PAGE_FILE_MAX   (256 * 1024)
#define TRANSLATED_MAX  (1024 * 1024)

#define compiled_in(name)  { sizeof(name), (u_char *) (name) }


/* A page: its file's name, the copy that is compiled in, and where its text
 * goes. */
typedef struct {
    const char                 *file;
    ngx_str_t                   copy;
    size_t                      offset;          /* in ngx_payments_pages_t */
    const ngx_payments_slot_t  *slots;           /* NULL: no template */
    ngx_uint_t                  translated;      /* PAY_LOCALES texts */
} page_t;


static ngx_int_t load_locales(ngx_conf_t *cf, ngx_payments_pages_t *into);
static void close_locales(void *data);
static ngx_payments_catalogue_t *load_catalogues(ngx_conf_t *cf,
    ngx_str_t *dir);
static ngx_int_t load_text(ngx_conf_t *cf, ngx_str_t *dir, const char *file,
    const ngx_str_t *copy, ngx_str_t *path, ngx_str_t *text);
static ngx_int_t load_page(ngx_conf_t *cf, ngx_str_t *dir,
    const page_t *page, const ngx_payments_catalogue_t *catalogues,
    ngx_str_t *text);
static ngx_int_t translate(ngx_conf_t *cf, ngx_str_t *path,
    const ngx_payments_catalogue_t *catalogue, ngx_uint_t n,
    const ngx_str_t *page, ngx_str_t *text);
static ngx_int_t read_page(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *text);
static ngx_int_t read_file(ngx_conf_t *cf, ngx_str_t *path, ngx_fd_t fd,
    ngx_str_t *text);
static ngx_int_t check_page(ngx_conf_t *cf, ngx_str_t *path,
    const page_t *page, ngx_str_t *text);


const ngx_payments_slot_t  ngx_payments_status_slots[] = {
    [STATUS_STYLE] = { "style_url", NGX_PAYMENTS_SLOT_TEXT },
    [STATUS_CHECKOUT] = { "checkout_id", NGX_PAYMENTS_SLOT_TEXT },
    [STATUS_TOTAL] = { "total", NGX_PAYMENTS_SLOT_TEXT },
    [STATUS_CURRENCY] = { "currency", NGX_PAYMENTS_SLOT_TEXT },
    [STATUS_TOTAL_TEXT] = { "total_text", NGX_PAYMENTS_SLOT_TEXT },
    [STATUS_UNTIL] = { "until", NGX_PAYMENTS_SLOT_TEXT },
    [STATUS_NOW] = { "now", NGX_PAYMENTS_SLOT_TEXT },
    [STATUS_SHOP_URL] = { "shop_url", NGX_PAYMENTS_SLOT_TEXT },
    [STATUS_PAY_URL] = { "pay_url", NGX_PAYMENTS_SLOT_TEXT },
    [STATUS_PREPARING] = { "preparing", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_WAITING] = { "waiting", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_PENDING] = { "pending", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_REFUSED] = { "refused", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_PAID] = { "paid", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_FAILED] = { "failed", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_DECLINED] = { "declined", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_REJECTED] = { "rejected", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_RISK] = { "risk", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_CANCELLED] = { "cancelled", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_EXPIRED] = { "expired", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_UPDATING] = { "updating", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_PAUSED] = { "paused", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_PAY] = { "pay", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_SHOP] = { "shop", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_ORDERS] = { "orders", NGX_PAYMENTS_SLOT_LIST },
    [STATUS_ORDER_ID] = { "order_id", NGX_PAYMENTS_SLOT_ITEM },
    [STATUS_AMOUNT] = { "amount", NGX_PAYMENTS_SLOT_ITEM },
    [STATUS_AMOUNT_TEXT] = { "amount_text", NGX_PAYMENTS_SLOT_ITEM },
    [STATUS_DESCRIPTION] = { "description", NGX_PAYMENTS_SLOT_ITEM },
    [STATUS_NAMED] = { "named", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_UNNAMED] = { "unnamed", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_MERCHANT] = { "merchant", NGX_PAYMENTS_SLOT_TEXT },
    [STATUS_LOGO] = { "logo", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_LOGO_URL] = { "logo_url", NGX_PAYMENTS_SLOT_TEXT },
    [STATUS_LOOK] = { "look", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_LOOK_URL] = { "look_url", NGX_PAYMENTS_SLOT_TEXT },
    [STATUS_NOTE] = { "note", NGX_PAYMENTS_SLOT_FLAG },
    [STATUS_NOTE_TEXT] = { "note_text", NGX_PAYMENTS_SLOT_TEXT },
    { NULL, NGX_PAYMENTS_SLOT_TEXT }
};
PAY_ROWS(ngx_payments_status_slots, STATUS_SLOTS + 1);

const ngx_payments_slot_t  ngx_payments_problem_slots[] = {
    [PROBLEM_STYLE] = { "style_url", NGX_PAYMENTS_SLOT_TEXT },
    [PROBLEM_LIST_URL] = { "list_url", NGX_PAYMENTS_SLOT_TEXT },
    [PROBLEM_SLUG] = { "slug", NGX_PAYMENTS_SLOT_TEXT },
    [PROBLEM_STATUS] = { "status", NGX_PAYMENTS_SLOT_TEXT },
    [PROBLEM_TITLE] = { "title", NGX_PAYMENTS_SLOT_TEXT },
    [PROBLEM_MEANING] = { "meaning", NGX_PAYMENTS_SLOT_TEXT },
    [PROBLEM_REMEDY] = { "remedy", NGX_PAYMENTS_SLOT_TEXT },
    { NULL, NGX_PAYMENTS_SLOT_TEXT }
};
PAY_ROWS(ngx_payments_problem_slots, PROBLEM_SLOTS + 1);

const ngx_payments_slot_t  ngx_payments_list_slots[] = {
    [LIST_STYLE] = { "style_url", NGX_PAYMENTS_SLOT_TEXT },
    [LIST_PROBLEMS] = { "problems", NGX_PAYMENTS_SLOT_LIST },
    [LIST_URL] = { "url", NGX_PAYMENTS_SLOT_ITEM },
    [LIST_SLUG] = { "slug", NGX_PAYMENTS_SLOT_ITEM },
    [LIST_STATUS] = { "status", NGX_PAYMENTS_SLOT_ITEM },
    [LIST_TITLE] = { "title", NGX_PAYMENTS_SLOT_ITEM },
    { NULL, NGX_PAYMENTS_SLOT_TEXT }
};
PAY_ROWS(ngx_payments_list_slots, LIST_SLOTS + 1);

const ngx_payments_slot_t  ngx_payments_error_slots[] = {
    [ERROR_STYLE] = { "style_url", NGX_PAYMENTS_SLOT_TEXT },
    [ERROR_REQUEST] = { "request_id", NGX_PAYMENTS_SLOT_TEXT },
    [ERROR_STATUS] = { "status", NGX_PAYMENTS_SLOT_TEXT },
    [ERROR_NOW] = { "now", NGX_PAYMENTS_SLOT_TEXT },
    [ERROR_MISSING] = { "missing", NGX_PAYMENTS_SLOT_FLAG },
    [ERROR_MANY] = { "many", NGX_PAYMENTS_SLOT_FLAG },
    [ERROR_BUSY] = { "busy", NGX_PAYMENTS_SLOT_FLAG },
    [ERROR_BROKEN] = { "broken", NGX_PAYMENTS_SLOT_FLAG },
    [ERROR_NAMED] = { "named", NGX_PAYMENTS_SLOT_FLAG },
    [ERROR_UNNAMED] = { "unnamed", NGX_PAYMENTS_SLOT_FLAG },
    [ERROR_MERCHANT] = { "merchant", NGX_PAYMENTS_SLOT_TEXT },
    [ERROR_LOGO] = { "logo", NGX_PAYMENTS_SLOT_FLAG },
    [ERROR_LOGO_URL] = { "logo_url", NGX_PAYMENTS_SLOT_TEXT },
    [ERROR_LOOK] = { "look", NGX_PAYMENTS_SLOT_FLAG },
    [ERROR_LOOK_URL] = { "look_url", NGX_PAYMENTS_SLOT_TEXT },
    { NULL, NGX_PAYMENTS_SLOT_TEXT }
};
PAY_ROWS(ngx_payments_error_slots, ERROR_SLOTS + 1);

#define VALUE(value)  [ADVICE_VALUES + (value)]
#define COLUMN(column)  [ADVICE_COLUMNS + (column)]

const ngx_payments_slot_t  ngx_payments_advice_slots[] = {
    [ADVICE_STYLE] = { "style_url", NGX_PAYMENTS_SLOT_TEXT },
    [ADVICE_LINES] = { "lines", NGX_PAYMENTS_SLOT_LIST },
    [ADVICE_MORE] = { "more", NGX_PAYMENTS_SLOT_FLAG },
    VALUE(PAY_ADVICE_PAYOUT) = { "payout_id", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_STATE) = { "state", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_MERCHANT) = { "merchant_id", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_SELLER) = { "seller_account", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_CURRENCY) = { "currency", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_PROVIDER) = { "provider", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_ACCOUNT) = { "account", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_MADE_AT) = { "made_at", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_OPENING) = { "opening", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_SALES) = { "sales", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_REFUNDS) = { "refunds", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_DISPUTES) = { "disputes", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_FEES) = { "fees", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_RESERVE) = { "reserve", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_PAYOUTS) = { "payouts", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_ADJUSTMENTS) = { "adjustments", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_PAID) = { "paid", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_CLOSING) = { "closing", NGX_PAYMENTS_SLOT_TEXT },
    VALUE(PAY_ADVICE_SHA256) = { "sha256", NGX_PAYMENTS_SLOT_TEXT },
    COLUMN(PAY_ADVICE_LINE_AT) = { "line_at", NGX_PAYMENTS_SLOT_ITEM },
    COLUMN(PAY_ADVICE_LINE_PART) = { "line_part", NGX_PAYMENTS_SLOT_ITEM },
    COLUMN(PAY_ADVICE_LINE_KIND) = { "line_kind", NGX_PAYMENTS_SLOT_ITEM },
    COLUMN(PAY_ADVICE_LINE_ORDER) = { "line_order", NGX_PAYMENTS_SLOT_ITEM },
    COLUMN(PAY_ADVICE_LINE_AMOUNT) = { "line_amount",
                                       NGX_PAYMENTS_SLOT_ITEM },
    COLUMN(PAY_ADVICE_LINE_PAID) = { "line_paid", NGX_PAYMENTS_SLOT_ITEM },
    { NULL, NGX_PAYMENTS_SLOT_TEXT }
};
PAY_ROWS(ngx_payments_advice_slots, ADVICE_SLOTS + 1);

static const page_t  pages[] = {
    { "status.html", compiled_in(payments_status_html),
      offsetof(ngx_payments_pages_t, status), ngx_payments_status_slots, 1 },
    { "problem.html", compiled_in(payments_problem_html),
      offsetof(ngx_payments_pages_t, problem), ngx_payments_problem_slots, 0 },
    { "problems.html", compiled_in(payments_problems_html),
      offsetof(ngx_payments_pages_t, problems), ngx_payments_list_slots, 0 },
    { "error.html", compiled_in(payments_error_html),
      offsetof(ngx_payments_pages_t, error), ngx_payments_error_slots, 1 },
    { "advice.html", compiled_in(payments_advice_html),
      offsetof(ngx_payments_pages_t, advice), ngx_payments_advice_slots, 0 },
    { "style.css", compiled_in(payments_style_css),
      offsetof(ngx_payments_pages_t, style), NULL, 0 },
    { NULL, ngx_null_string, 0, NULL, 0 }
};

/* In the order of the languages of pay_locale.h; the first is the model of the
 * others. */
static const struct {
    const char  *file;
    ngx_str_t    copy;
}  texts[] = {
    { "locale/en.txt", compiled_in(payments_locale_en_txt) },
    { "locale/de.txt", compiled_in(payments_locale_de_txt) },
    { "locale/fr.txt", compiled_in(payments_locale_fr_txt) },
    { "locale/es.txt", compiled_in(payments_locale_es_txt) },
    { "locale/pt-BR.txt", compiled_in(payments_locale_pt_BR_txt) },
    { "locale/ja.txt", compiled_in(payments_locale_ja_txt) },
    { "locale/ar.txt", compiled_in(payments_locale_ar_txt) },
};
PAY_ROWS(texts, PAY_LOCALES);


/* One bad page refuses the configuration, the old one goes on. */
ngx_int_t
ngx_http_payments_load_pages(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_str_t                 *text;
    const page_t              *page;
    ngx_payments_catalogue_t  *catalogues;

    catalogues = load_catalogues(cf, &pmcf->html);

    if (catalogues == NULL || load_locales(cf, &pmcf->pages) != NGX_OK) {
        return NGX_ERROR;
    }

    for (page = pages; page->file != NULL; page++) {
        text = (ngx_str_t *) ((u_char *) &pmcf->pages + page->offset);

        if (load_page(cf, &pmcf->html, page, catalogues, text) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* ICU's memory is malloc'ed: it ends with the configuration. */
static ngx_int_t
load_locales(ngx_conf_t *cf, ngx_payments_pages_t *into)
{
    ngx_uint_t           n;
    ngx_pool_cleanup_t  *cleanup;

    cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == NULL) {
        return NGX_ERROR;
    }

    cleanup->handler = close_locales;
    cleanup->data = into;

    for (n = 0; n < PAY_LOCALES; n++) {
        into->locales[n] = pay_locale_open(n);

        if (into->locales[n] == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "ICU does not know the language \"%s\": "
                               "install its data, Debian's libicu72",
                               pay_locale_tag(n));
            return NGX_ERROR;
        }
    }

    /* ICU reads its data at first use: now, and not before a buyer's eyes */
    (void) pay_locale_pick(PAY_STR("en"), 0);

    return NGX_OK;
}


static void
close_locales(void *data)
{
    ngx_uint_t             n;
    ngx_payments_pages_t  *opened = data;

    for (n = 0; n < PAY_LOCALES; n++) {
        pay_locale_close(opened->locales[n]);
        opened->locales[n] = NULL;
    }
}


/* NULL: one is refused, which has been logged. */
static ngx_payments_catalogue_t *
load_catalogues(ngx_conf_t *cf, ngx_str_t *dir)
{
    ngx_str_t                  path, text;
    ngx_uint_t                 n;
    const char                *wrong;
    ngx_payments_place_t       place;
    ngx_payments_catalogue_t  *all;

    all = ngx_pcalloc(cf->temp_pool, PAY_LOCALES * sizeof(*all));
    if (all == NULL) {
        return NULL;
    }

    for (n = 0; n < PAY_LOCALES; n++) {
        if (load_text(cf, dir, texts[n].file, &texts[n].copy, &path, &text)
            != NGX_OK)
        {
            return NULL;
        }

        wrong = ngx_payments_catalogue_read(&all[n], ngx_payments_str(text),
                                            &place);
        if (wrong != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the texts \"%V\", line %ui: %s \"%V\"", &path,
                               place.line, wrong,
                               &ngx_payments_nstr(place.text));
            return NULL;
        }

        wrong = ngx_payments_catalogue_compare(&all[0], &all[n], &place);
        if (wrong != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the texts \"%V\": %s \"%V\"", &path, wrong,
                               &ngx_payments_nstr(place.text));
            return NULL;
        }
    }

    return all;
}


/* With a directory all files come from there: half of an own design would be
 * none. */
static ngx_int_t
load_text(ngx_conf_t *cf, ngx_str_t *dir, const char *file,
    const ngx_str_t *copy, ngx_str_t *path, ngx_str_t *text)
{
    u_char  *p;

    if (dir->len == 0) {
        *text = *copy;
        path->len = ngx_strlen(file);
        path->data = (u_char *) file;

        return NGX_OK;
    }

    path->data = ngx_pnalloc(cf->pool, dir->len + 1 + ngx_strlen(file) + 1);
    if (path->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(path->data, "%V/%s%Z", dir, file);
    path->len = p - path->data - 1;

    return read_page(cf, path, text);
}


/* A page that is translated becomes one text for each language. */
static ngx_int_t
load_page(ngx_conf_t *cf, ngx_str_t *dir, const page_t *page,
    const ngx_payments_catalogue_t *catalogues, ngx_str_t *text)
{
    ngx_str_t   path, read;
    ngx_uint_t  n;

    if (load_text(cf, dir, page->file, &page->copy, &path, &read) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!page->translated) {
        *text = read;
        return check_page(cf, &path, page, text);
    }

    for (n = 0; n < PAY_LOCALES; n++) {
        if (translate(cf, &path, &catalogues[n], n, &read, &text[n]) != NGX_OK
            || check_page(cf, &path, page, &text[n]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
translate(ngx_conf_t *cf, ngx_str_t *path,
    const ngx_payments_catalogue_t *catalogue, ngx_uint_t n,
    const ngx_str_t *page, ngx_str_t *text)
{
    pay_buf_t              out;
    pay_str_t              done;
    const char            *wrong;
    pay_arena_t            arena = ngx_payments_arena(cf->pool);
    ngx_payments_place_t   place;

    pay_buf_init(&out, &arena, TRANSLATED_MAX);
    wrong = ngx_payments_catalogue_fill(catalogue,
                                        pay_str_of(pay_locale_tag(n)),
                                        pay_locale_is_rtl(n) ? PAY_STR("rtl")
                                                             : PAY_STR("ltr"),
                                        ngx_payments_str(*page), &out, &place);
    if (wrong != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the page \"%V\", line %ui: %s \"%V\"", path,
                           place.line, wrong, &ngx_payments_nstr(place.text));
        return NGX_ERROR;
    }

    if (pay_buf_done(&out, &done) != PAY_OK) {
        return NGX_ERROR;
    }

    *text = ngx_payments_nstr(done);

    return NGX_OK;
}


static ngx_int_t
read_page(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *text)
{
    ngx_fd_t   fd;
    ngx_int_t  rc;

    /* a pipe in its place must not hang the start */

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "cannot open the page \"%V\": copy html/ of the "
                           "module's source into that directory, or remove "
                           "payments_html for the pages compiled in", path);
        return NGX_ERROR;
    }

    rc = read_file(cf, path, fd, text);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", path);
    }

    return rc;
}


/* Read into the configuration's memory: a request never opens a file. */
static ngx_int_t
read_file(ngx_conf_t *cf, ngx_str_t *path, ngx_fd_t fd, ngx_str_t *text)
{
    off_t            size;
    ssize_t          n;
    ngx_file_info_t  info;

    if (ngx_fd_info(fd, &info) == NGX_FILE_ERROR || !ngx_is_file(&info)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the page \"%V\" is not a regular file: put the "
                           "file itself there", path);
        return NGX_ERROR;
    }

    size = ngx_file_size(&info);

    if (size == 0 || size > PAGE_FILE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the page \"%V\" has %O bytes: it must have 1 to "
                           "%d", path, size, PAGE_FILE_MAX);
        return NGX_ERROR;
    }

    text->data = ngx_pnalloc(cf->pool, (size_t) size);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, text->data, (size_t) size);

    if (n != (ssize_t) size) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, n < 0 ? ngx_errno : 0,
                           "cannot read the page \"%V\": check the disk, or "
                           "whether the file is being written", path);
        return NGX_ERROR;
    }

    text->len = (size_t) size;

    return NGX_OK;
}


/* The line number and the tag are named, for the one who wrote the page. */
static ngx_int_t
check_page(ngx_conf_t *cf, ngx_str_t *path, const page_t *page,
    ngx_str_t *text)
{
    pay_str_t    where;
    ngx_uint_t   line;
    const char  *wrong;

    if (page->slots == NULL) {
        return NGX_OK;
    }

    wrong = ngx_payments_template_check(ngx_payments_str(*text), page->slots,
                                        &where, &line);
    if (wrong == NULL) {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "the page \"%V\", line %ui: %s \"%V\"", path, line,
                       wrong, &ngx_payments_nstr(where));

    return NGX_ERROR;
}
