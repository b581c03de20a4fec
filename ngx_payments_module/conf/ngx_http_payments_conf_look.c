/*
 * Name, logo, colours and texts of a merchant, read with the configuration.
 * The logo and the style sheet of the colours get the digest of their bytes
 * as their name, under which ngx_http_payments_look.c serves them from memory.
 */

#include "conf/ngx_http_payments_conf_look.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_secret.h"
#include "util/ngx_payments_conf_types.h"
#include "util/ngx_payments_memory.h"
#include "pay_crypto.h"
#include "pay_sorted.h"

#include <math.h>


#define NAME_MAX_LEN   128
#define TEXT_MAX_LEN   512
#define LOGO_MAX       (64 * 1024)
#define STYLE_MAX      1024
#define HASH_BYTES     16
#define FILE_MAX_LEN   64

/* WCAG 2.2, 1.4.3; and the background of html/style.css in both schemes. */
#define CONTRAST       4.5
#define MIDDLE         0.18           /* as far from black as from white */
#define LIGHT_CARD     "#ffffff"
#define DARK_CARD      "#1a202a"


/* A pair of colours as it was written: links and buttons, and the words on a
 * button. */
typedef struct {
    ngx_str_t   accent;
    ngx_str_t   on_accent;
} pair_t;


static ngx_int_t add_file(ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_look_t *look, const ngx_str_t *name);
static int by_name(const void *a, const void *b);
static ngx_int_t name_file(ngx_conf_t *cf, const char *kind,
    const char *extension, const ngx_str_t *bytes, ngx_str_t *name);
static char *check_logo(const ngx_str_t *file, const ngx_str_t *bytes,
    ngx_payments_look_t *look);
static ngx_uint_t ends_with(const ngx_str_t *text, const char *end);
static ngx_uint_t has_word(const ngx_str_t *bytes, const char *word);
static ngx_int_t read_pair(const ngx_str_t *text, pair_t *pair);
static ngx_uint_t is_color(const ngx_str_t *text);
static ngx_int_t check_pair(ngx_conf_t *cf, const pair_t *pair,
    const char *card, const char *scheme);
static ngx_int_t check_contrast(ngx_conf_t *cf, const ngx_str_t *color,
    const ngx_str_t *back, const char *scheme, const char *place);
static double luminance(const ngx_str_t *color);
static ngx_int_t make_style(ngx_conf_t *cf, ngx_payments_look_t *look,
    const pair_t *light, const pair_t *dark);


/* Two merchants with one logo have one name for it, and either will do. */
char *
ngx_http_payments_looks_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                 i;
    ngx_payments_look_t       *look;
    ngx_payments_merchant_t  **merchants = pmcf->merchants.elts;

    (void) cf;

    for (i = 0; i < pmcf->merchants.nelts; i++) {
        look = &merchants[i]->look;

        if (add_file(pmcf, look, &look->style_file) != NGX_OK
            || add_file(pmcf, look, &look->logo_file) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    ngx_qsort(pmcf->look_files.elts, pmcf->look_files.nelts,
              sizeof(ngx_payments_look_file_t), by_name);

    return NGX_CONF_OK;
}


static ngx_int_t
add_file(ngx_http_payments_main_conf_t *pmcf, ngx_payments_look_t *look,
    const ngx_str_t *name)
{
    ngx_payments_look_file_t  *file;

    if (name->len == 0) {
        return NGX_OK;
    }

    file = ngx_array_push(&pmcf->look_files);
    if (file == NULL) {
        return NGX_ERROR;
    }

    file->name = ngx_payments_str(*name);
    file->look = look;

    return NGX_OK;
}


static int
by_name(const void *a, const void *b)
{
    const ngx_payments_look_file_t  *one = a, *two = b;

    return pay_str_cmp(one->name, two->name);
}


char *
ngx_http_payments_display_name(ngx_conf_t *cf, void *object)
{
    ngx_str_t                *value = cf->args->elts;
    ngx_payments_merchant_t  *merchant = object;

    if (value[1].len == 0 || value[1].len > NAME_MAX_LEN
        || !pay_locale_is_shown(ngx_payments_str(value[1])))
    {
        return "must be 1 to 128 bytes of UTF-8 without control characters "
               "and characters that turn the direction of text";
    }

    merchant->look.name = value[1];

    return NGX_CONF_OK;
}


/* A page shows it as an image only, so scripts in it never run; the answer's
 * policy says so again, for those who open it alone. */
char *
ngx_http_payments_page_logo(ngx_conf_t *cf, void *object)
{
    char                     *rv;
    ngx_str_t                *value = cf->args->elts;
    ngx_payments_merchant_t  *merchant = object;
    ngx_payments_look_t      *look = &merchant->look;

    if (ngx_http_payments_read_file(cf, &value[1], LOGO_MAX, &look->logo)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    rv = check_logo(&value[1], &look->logo, look);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return name_file(cf, "logo", look->logo_is_svg ? "svg" : "png",
                     &look->logo, &look->logo_file)
           == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* light=#RRGGBB,#RRGGBB dark=#RRGGBB,#RRGGBB */
char *
ngx_http_payments_page_colors(ngx_conf_t *cf, void *object)
{
    pair_t                    light, dark;
    ngx_str_t                *value = cf->args->elts, word;
    ngx_uint_t                i;
    ngx_payments_merchant_t  *merchant = object;

    ngx_memzero(&light, sizeof(light));
    ngx_memzero(&dark, sizeof(dark));

    for (i = 1; i < cf->args->nelts; i++) {
        if (!((ngx_http_payments_option(&value[i], "light=", &word) == NGX_OK
               && light.accent.len == 0 && read_pair(&word, &light) == NGX_OK)
              || (ngx_http_payments_option(&value[i], "dark=", &word)
                  == NGX_OK && dark.accent.len == 0
                  && read_pair(&word, &dark) == NGX_OK)))
        {
            return "must be light=#RRGGBB,#RRGGBB dark=#RRGGBB,#RRGGBB: links "
                   "and buttons, then the words on a button";
        }
    }

    if ((light.accent.len != 0
         && check_pair(cf, &light, LIGHT_CARD, "light") != NGX_OK)
        || (dark.accent.len != 0
            && check_pair(cf, &dark, DARK_CARD, "dark") != NGX_OK))
    {
        return NGX_CONF_ERROR;
    }

    return make_style(cf, &merchant->look, &light, &dark) == NGX_OK
           && name_file(cf, "look", "css", &merchant->look.style,
                        &merchant->look.style_file) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* A text for one language, or for all that have none of their own. */
char *
ngx_http_payments_page_text(ngx_conf_t *cf, void *object)
{
    ngx_str_t                *value = cf->args->elts, *text, *slot;
    ngx_uint_t                n;
    ngx_payments_merchant_t  *merchant = object;

    text = &value[cf->args->nelts - 1];
    slot = &merchant->look.text;

    if (cf->args->nelts == 3) {
        n = pay_locale_find(ngx_payments_str(value[1]));

        if (n == PAY_LOCALES) {
            return "names a language without pages: use en, de, fr, es, "
                   "pt-BR, ja or ar";
        }

        slot = &merchant->look.texts[n];
    }

    if (slot->len != 0) {
        return "stands twice for one language: keep one";
    }

    if (text->len == 0 || text->len > TEXT_MAX_LEN
        || !pay_locale_is_shown(ngx_payments_str(*text)))
    {
        return "must be 1 to 512 bytes of UTF-8 without control characters "
               "and characters that turn the direction of text";
    }

    *slot = *text;

    return NGX_CONF_OK;
}


/* A new content has a new name: browsers may keep the old one for ever. */
static ngx_int_t
name_file(ngx_conf_t *cf, const char *kind, const char *extension,
    const ngx_str_t *bytes, ngx_str_t *name)
{
    pay_str_t    hash, text;
    u_char       digest[PAY_SHA256_SIZE];
    pay_arena_t  arena = ngx_payments_arena(cf->pool);

    if (pay_sha256(ngx_payments_str(*bytes), digest) != PAY_OK
        || pay_hex_encode(&arena, (pay_str_t) { HASH_BYTES, digest }, &hash)
           != PAY_OK
        || pay_format(&arena, &text, FILE_MAX_LEN, "%s-%.*s.%s", kind,
                      pay_fmt(hash), extension) != PAY_OK)
    {
        return NGX_ERROR;
    }

    *name = ngx_payments_nstr(text);

    return NGX_OK;
}


static char *
check_logo(const ngx_str_t *file, const ngx_str_t *bytes,
    ngx_payments_look_t *look)
{
    static const u_char  png[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a,
                                   '\n' };

    if (ends_with(file, ".png")) {
        return bytes->len > sizeof(png)
               && ngx_memcmp(bytes->data, png, sizeof(png)) == 0
               ? NGX_CONF_OK : "names a file that is no PNG";
    }

    look->logo_is_svg = 1;

    if (!ends_with(file, ".svg")) {
        return "must name a file that ends with .svg or .png";
    }

    if (!has_word(bytes, "<svg")) {
        return "names a file that is no SVG";
    }

    return has_word(bytes, "<script") || has_word(bytes, "<!ENTITY")
           || has_word(bytes, "<foreignObject")
           ? "names an SVG with a script, an entity or foreign content: "
             "export it as a plain one"
           : NGX_CONF_OK;
}


static ngx_uint_t
ends_with(const ngx_str_t *text, const char *end)
{
    size_t  len = ngx_strlen(end);

    return text->len > len
           && ngx_strcmp(text->data + text->len - len, end) == 0;
}


static ngx_uint_t
has_word(const ngx_str_t *bytes, const char *word)
{
    return ngx_strlcasestrn(bytes->data, bytes->data + bytes->len,
                            (u_char *) word, ngx_strlen(word) - 1) != NULL;
}


static ngx_int_t
read_pair(const ngx_str_t *text, pair_t *pair)
{
    u_char  *comma;

    comma = ngx_strlchr(text->data, text->data + text->len, ',');
    if (comma == NULL) {
        return NGX_DECLINED;
    }

    pair->accent.data = text->data;
    pair->accent.len = comma - text->data;
    pair->on_accent.data = comma + 1;
    pair->on_accent.len = text->len - pair->accent.len - 1;

    return is_color(&pair->accent) && is_color(&pair->on_accent)
           ? NGX_OK : NGX_DECLINED;
}


static ngx_uint_t
is_color(const ngx_str_t *text)
{
    u_char  bytes[3];
    u_char  lower[6];

    if (text->len != 7 || text->data[0] != '#') {
        return 0;
    }

    ngx_strlow(lower, text->data + 1, sizeof(lower));

    return pay_hex_decode((pay_str_t) { sizeof(lower), lower }, bytes,
                          sizeof(bytes)) == PAY_OK;
}


/* Words on a button, and links on the page. */
static ngx_int_t
check_pair(ngx_conf_t *cf, const pair_t *pair, const char *card,
    const char *scheme)
{
    ngx_str_t  back;

    back = ngx_payments_nstr(pay_str_of(card));

    return check_contrast(cf, &pair->on_accent, &pair->accent, scheme,
                          "the button") == NGX_OK
           && check_contrast(cf, &pair->accent, &back, scheme, "the page")
              == NGX_OK
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
check_contrast(ngx_conf_t *cf, const ngx_str_t *color, const ngx_str_t *back,
    const char *scheme, const char *place)
{
    double  a = luminance(color), b = luminance(back), contrast;

    contrast = (fmax(a, b) + 0.05) / (fmin(a, b) + 0.05);

    if (contrast >= CONTRAST) {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "page_colors %s=: %V on %V, the color of %s, has a "
                       "contrast of %ui.%02ui:1, and many cannot read less "
                       "than 4.5:1: choose a %s color", scheme, color, back,
                       place, (ngx_uint_t) contrast,
                       (ngx_uint_t) (contrast * 100) % 100,
                       b > MIDDLE ? "darker" : "lighter");

    return NGX_ERROR;
}


/* WCAG 2.2, "relative luminance". */
static double
luminance(const ngx_str_t *color)
{
    double                     part, sum = 0;
    ngx_uint_t                 i;
    static const double        weights[] = { 0.2126, 0.7152, 0.0722 };

    for (i = 0; i < 3; i++) {
        part = (double) ngx_hextoi(color->data + 1 + 2 * i, 2) / 255;
        part = part <= 0.04045 ? part / 12.92
                               : pow((part + 0.055) / 1.055, 2.4);
        sum += weights[i] * part;
    }

    return sum;
}


static ngx_int_t
make_style(ngx_conf_t *cf, ngx_payments_look_t *look, const pair_t *light,
    const pair_t *dark)
{
    ngx_uint_t     i;
    pay_buf_t      buf;
    pay_str_t      style;
    pay_arena_t    arena = ngx_payments_arena(cf->pool);
    const pair_t  *pairs[] = { light, dark };
    static const char *const  schemes[] = { "light", "dark" };

    pay_buf_init(&buf, &arena, STYLE_MAX);

    for (i = 0; i < 2; i++) {
        if (pairs[i]->accent.len != 0) {
            pay_buf_text(&buf, "@media (prefers-color-scheme: ");
            pay_buf_text(&buf, schemes[i]);
            pay_buf_text(&buf, ") {\n    :root {\n        --link: ");
            pay_buf_add(&buf, ngx_payments_str(pairs[i]->accent));
            pay_buf_text(&buf, ";\n        --button: ");
            pay_buf_add(&buf, ngx_payments_str(pairs[i]->accent));
            pay_buf_text(&buf, ";\n        --on-button: ");
            pay_buf_add(&buf, ngx_payments_str(pairs[i]->on_accent));
            pay_buf_text(&buf, ";\n    }\n}\n");
        }
    }

    if (pay_buf_done(&buf, &style) != PAY_OK) {
        return NGX_ERROR;
    }

    look->style = ngx_payments_nstr(style);

    return NGX_OK;
}
