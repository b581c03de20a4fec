/*
 * The lines of the configuration, kept while they are read, and written for the
 * console's page "settings".  A word is shown only where the list says so: a
 * directive that it lacks is shown without its words.
 *
 *     line ─▶ kept ─▶ its setter                 file of a key ─▶ its time
 *     all is read ─▶ lines and defaults as JSON, keys with their times
 */

#include "conf/ngx_http_payments_conf_lines.h"
#include "util/ngx_payments_memory.h"


#define LINES_MAX  (192 * 1024)
#define KEPT_MAX   16384               /* lines: more than have room in both
                                          lists, of 40 bytes each and more */
#define VALUE_MAX  400
#define HIDDEN     "…"


typedef struct {
    ngx_str_t    place;
    ngx_str_t   *words;
    ngx_uint_t   count;
} line_t;

/* The lines of a block stand together; `first` is the first of them. */
typedef struct {
    ngx_str_t           place;
    const char *const  *names;
    ngx_uint_t          first;
} block_t;

typedef struct {
    ngx_str_t   path;
    time_t      changed_s;
} file_t;

typedef enum { PLAIN, FIRST, PLACE, FILES, SECRET } look_t;

typedef struct {
    const char  *block;
    const char  *name;
    look_t       look;
    const char  *init;
} shown_t;


static void *push(ngx_conf_t *cf, ngx_array_t **array, size_t size);
static void write_line(pay_buf_t *buf, const line_t *line);
static ngx_uint_t is_place(const line_t *line, ngx_uint_t i);
static u_char *write_word(u_char *p, u_char *last, const ngx_str_t *word,
    look_t look);
static u_char *utf8_end(u_char *value, u_char *p);
static void write_blocks(pay_buf_t *buf,
    const ngx_http_payments_main_conf_t *pmcf);
static void write_default(pay_buf_t *buf, const line_t *line,
    ngx_uint_t count, const ngx_str_t *place, const char *name);
static void write_row(pay_buf_t *buf, const ngx_str_t *place, pay_str_t name,
    pay_str_t value, ngx_uint_t is_set);
static const shown_t *shown_of(const ngx_str_t *place, pay_str_t name);
static pay_str_t file_in(const ngx_str_t *word);
static int by_end(const void *a, const void *b);
static int order_of_ends(pay_str_t a, pay_str_t b);
static const file_t *find_file(const ngx_http_payments_main_conf_t *pmcf,
    pay_str_t name);
static void write_key(pay_buf_t *buf, const line_t *line, ngx_uint_t word,
    const file_t *file);
static void text(pay_buf_t *buf, const char *before, pay_str_t value);


#define LINE(block, name, look, init)  { block, #name, look, init },

static const shown_t  shown[] = {
#include "conf/ngx_http_payments_lines.list"
    { NULL, NULL, SECRET, NULL }
};

#undef LINE

/* The words NAME=FILE. */
static const char  *const  files[] = {
    "file=", "key_file=", "next_key_file=", "secret_file=", "report_user=",
    "ca_file=", "dir=", "export=", NULL
};

static ngx_str_t  http = ngx_string("http");


/* The words lie in cf->pool, the array of them is used again.  Nobody wants the
 * lines once their JSON is written: they lie in the pool that ends then.  Ten
 * thousand merchants have a hundred thousand, of which the first are shown. */
ngx_int_t
ngx_http_payments_lines_keep(ngx_conf_t *cf, ngx_str_t *place)
{
    line_t                         *line;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);

    if (pmcf->lines != NULL && pmcf->lines->nelts == KEPT_MAX) {
        return NGX_OK;
    }

    line = push(cf, &pmcf->lines, sizeof(line_t));
    if (line == NULL) {
        return NGX_ERROR;
    }

    line->place = *place;
    line->count = cf->args->nelts;
    line->words = ngx_palloc(cf->temp_pool, line->count * sizeof(ngx_str_t));
    if (line->words == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(line->words, cf->args->elts, line->count * sizeof(ngx_str_t));

    return NGX_OK;
}


ngx_int_t
ngx_http_payments_lines_block(ngx_conf_t *cf, ngx_str_t *place,
    const char *const *names)
{
    block_t                        *block;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);

    if (pmcf->lines != NULL && pmcf->lines->nelts == KEPT_MAX) {
        return NGX_OK;
    }

    block = push(cf, &pmcf->blocks, sizeof(block_t));
    if (block == NULL) {
        return NGX_ERROR;
    }

    block->place = *place;
    block->names = names;
    block->first = pmcf->lines == NULL ? 0 : pmcf->lines->nelts;

    return NGX_OK;
}


ngx_int_t
ngx_http_payments_lines_file(ngx_conf_t *cf, const ngx_str_t *path,
    time_t changed_s)
{
    file_t                         *file;
    ngx_http_payments_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_payments_module);
    file = push(cf, &pmcf->files, sizeof(file_t));
    if (file == NULL) {
        return NGX_ERROR;
    }

    file->path = *path;
    file->changed_s = changed_s;

    return NGX_OK;
}


static void *
push(ngx_conf_t *cf, ngx_array_t **array, size_t size)
{
    if (*array == NULL) {
        *array = ngx_array_create(cf->temp_pool, 64, size);
    }

    return *array == NULL ? NULL : ngx_array_push(*array);
}


/* In the order of the files; then the defaults of the http block and of each
 * block.  A default of a location is not written: it may be in force in some of
 * them. */
void
ngx_http_payments_lines_write(pay_buf_t *buf,
    const ngx_http_payments_main_conf_t *pmcf, const ngx_command_t *commands)
{
    ngx_uint_t            i;
    const line_t         *line = pmcf->lines->elts;
    const ngx_command_t  *cmd;

    pay_buf_text(buf, "[");

    for (i = 0; i < pmcf->lines->nelts && buf->len < LINES_MAX; i++) {
        pay_buf_text(buf, i == 0 ? "" : ",");
        write_line(buf, &line[i]);
    }

    for (cmd = commands; cmd->name.len != 0; cmd++) {
        if (cmd->type & NGX_HTTP_MAIN_CONF) {
            write_default(buf, line, pmcf->lines->nelts, &http,
                          (const char *) cmd->name.data);
        }
    }

    write_blocks(buf, pmcf);
    pay_buf_text(buf, "]");
}


static void
write_blocks(pay_buf_t *buf, const ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t           i, end;
    const line_t        *line = pmcf->lines->elts;
    const block_t       *block;
    const char *const   *name;

    block = pmcf->blocks != NULL ? pmcf->blocks->elts : NULL;

    for (i = 0; block != NULL && i < pmcf->blocks->nelts; i++) {
        end = i + 1 < pmcf->blocks->nelts ? block[i + 1].first
                                          : pmcf->lines->nelts;

        for (name = block[i].names; *name != NULL; name++) {
            write_default(buf, &line[block[i].first], end - block[i].first,
                          &block[i].place, *name);
        }
    }
}


static void
write_line(pay_buf_t *buf, const line_t *line)
{
    u_char          value[VALUE_MAX], *p = value;
    ngx_uint_t      i;
    pay_str_t       name = ngx_payments_str(line->words[0]);
    const shown_t  *row = shown_of(&line->place, name);
    look_t          look = row == NULL ? SECRET : row->look;

    for (i = 1; i < line->count; i++) {
        p = ngx_slprintf(p, value + VALUE_MAX, i == 1 ? "" : " ");
        p = write_word(p, value + VALUE_MAX, &line->words[i],
                       look == FIRST && is_place(line, i) ? SECRET : look);
    }

    write_row(buf, &line->place, name,
              (pay_str_t) { utf8_end(value, p) - value, value }, 1);
}


/* A connection string: the first word, or the second behind a cell's name,
 * which is all that has neither "=" nor "://". */
static ngx_uint_t
is_place(const line_t *line, ngx_uint_t i)
{
    ngx_uint_t        is_named;
    const ngx_str_t  *first = &line->words[1];

    is_named = line->count > 2
               && ngx_strlchr(first->data, first->data + first->len, '=')
                  == NULL
               && ngx_strnstr(first->data, "://", first->len) == NULL;

    return i == (is_named ? 2 : 1);
}


/* An address is cut behind its path, as a key may stand there. */
static u_char *
write_word(u_char *p, u_char *last, const ngx_str_t *word, look_t look)
{
    u_char      *end;
    size_t       len = word->len;
    pay_str_t    file;

    if (look == SECRET || look == PLACE) {
        return ngx_slprintf(p, last, HIDDEN);
    }

    file = look == FILES ? file_in(word) : PAY_STR("");

    if (file.len != 0) {
        return ngx_slprintf(p, last, "%*s" HIDDEN, word->len - file.len,
                            word->data);
    }

    if (ngx_strnstr(word->data, "://", word->len) != NULL) {
        end = ngx_strlchr(word->data, word->data + word->len, '?');
        len = end == NULL ? len : (size_t) (end - word->data);
    }

    return ngx_slprintf(p, last, "%*s%s", len, word->data,
                        len == word->len ? "" : "?" HIDDEN);
}


/* A value that was cut may end within a character. */
static u_char *
utf8_end(u_char *value, u_char *p)
{
    u_char  *end = p;

    if (p < value + VALUE_MAX) {
        return p;
    }

    while (end > value && (end[-1] & 0xc0) == 0x80) {
        end--;
    }

    return end > value && end[-1] >= 0xc0 ? end - 1 : p;
}


/* Unless one of these lines says it. */
static void
write_default(pay_buf_t *buf, const line_t *line, ngx_uint_t count,
    const ngx_str_t *place, const char *name)
{
    ngx_uint_t      i;
    const shown_t  *row = shown_of(place, pay_str_of(name));

    if (buf->len >= LINES_MAX) {
        return;
    }

    for (i = 0; i < count; i++) {
        if (pay_str_is(ngx_payments_str(line[i].words[0]), name)
            && pay_str_eq(ngx_payments_str(line[i].place),
                          ngx_payments_str(*place)))
        {
            return;
        }
    }

    pay_buf_text(buf, ",");
    write_row(buf, place, pay_str_of(name),
              pay_str_of(row == NULL ? "" : row->init), 0);
}


static void
write_row(pay_buf_t *buf, const ngx_str_t *place, pay_str_t name,
    pay_str_t value, ngx_uint_t is_set)
{
    text(buf, "{\"place\":", ngx_payments_str(*place));
    text(buf, ",\"name\":", name);
    text(buf, ",\"value\":", value);
    pay_buf_text(buf, is_set ? ",\"is_set\":true}" : ",\"is_set\":false}");
}


/* The row of the block, if there is one, before that of any place. */
static const shown_t *
shown_of(const ngx_str_t *place, pay_str_t name)
{
    size_t          len;
    const shown_t  *row, *found = NULL;

    for (row = shown; row->name != NULL; row++) {
        if (!pay_str_is(name, row->name)) {
            continue;
        }

        len = ngx_strlen(row->block);

        if (len == 0) {
            found = row;

        } else if (place->len > len
                   && ngx_strncmp(place->data, row->block, len) == 0
                   && place->data[len] == ' ')
        {
            return row;
        }
    }

    return found;
}


/* The name of a file in a word NAME=FILE, or empty. */
static pay_str_t
file_in(const ngx_str_t *word)
{
    size_t       len;
    ngx_uint_t   i;

    for (i = 0; files[i] != NULL; i++) {
        len = ngx_strlen(files[i]);

        if (word->len > len && ngx_strncmp(word->data, files[i], len) == 0) {
            return (pay_str_t) { word->len - len, word->data + len };
        }
    }

    return PAY_STR("");
}


/* Keys are the files of lines whose files are not shown.  A name is the end of
 * its full name. */
void
ngx_http_payments_lines_keys(pay_buf_t *buf,
    const ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t      i, k, n = 0;
    pay_str_t       name;
    const line_t   *line = pmcf->lines->elts;
    const file_t   *file;
    const shown_t  *row;

    if (pmcf->files != NULL) {
        ngx_qsort(pmcf->files->elts, pmcf->files->nelts, sizeof(file_t),
                  by_end);
    }

    pay_buf_text(buf, "[");

    for (i = 0; i < pmcf->lines->nelts && buf->len < 2 * LINES_MAX; i++) {
        row = shown_of(&line[i].place, ngx_payments_str(line[i].words[0]));

        for (k = 1; k < line[i].count; k++) {
            name = row == NULL || row->look < FILES ? PAY_STR("")
                   : row->look == FILES ? file_in(&line[i].words[k])
                   : ngx_payments_str(line[i].words[k]);
            file = find_file(pmcf, name);

            if (file != NULL) {
                pay_buf_text(buf, n++ == 0 ? "" : ",");
                write_key(buf, &line[i], k, file);
            }
        }
    }

    pay_buf_text(buf, "]");
}


static int
by_end(const void *a, const void *b)
{
    const file_t  *one = a, *two = b;

    return order_of_ends(ngx_payments_str(one->path),
                         ngx_payments_str(two->path));
}


/* The order of the texts as they are read from their ends. */
static int
order_of_ends(pay_str_t a, pay_str_t b)
{
    while (a.len != 0 && b.len != 0) {
        a.len--;
        b.len--;

        if (a.data[a.len] != b.data[b.len]) {
            return a.data[a.len] < b.data[b.len] ? -1 : 1;
        }
    }

    return (a.len > b.len) - (a.len < b.len);
}


/* The files are sorted by their ends: of all whose end is `name` the shortest
 * is the first that is not before it. */
static const file_t *
find_file(const ngx_http_payments_main_conf_t *pmcf, pay_str_t name)
{
    ngx_str_t      path;
    ngx_uint_t     low = 0, high, middle;
    const file_t  *file;

    file = pmcf->files != NULL ? pmcf->files->elts : NULL;
    high = file != NULL && name.len != 0 ? pmcf->files->nelts : 0;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (order_of_ends(ngx_payments_str(file[middle].path), name) < 0) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    if (name.len == 0 || file == NULL || low == pmcf->files->nelts) {
        return NULL;
    }

    path = file[low].path;

    return path.len >= name.len
           && ngx_memcmp(path.data + path.len - name.len, name.data, name.len)
              == 0
           ? &file[low] : NULL;
}


/* kid= of the line tells the keys of a merchant apart, else its place in the
 * line. */
static void
write_key(pay_buf_t *buf, const line_t *line, ngx_uint_t word,
    const file_t *file)
{
    ngx_uint_t  i;
    pay_str_t   kid = PAY_STR("");

    for (i = 1; i < line->count; i++) {
        if (line->words[i].len > 4
            && ngx_strncmp(line->words[i].data, "kid=", 4) == 0)
        {
            kid = ngx_payments_str(line->words[i]);
            kid.data += 4;
            kid.len -= 4;
        }
    }

    text(buf, "{\"place\":", ngx_payments_str(line->place));
    text(buf, ",\"name\":", ngx_payments_str(line->words[0]));
    text(buf, ",\"kid\":", kid);
    pay_buf_text(buf, ",\"word\":");
    pay_buf_int(buf, (int64_t) word);
    pay_buf_text(buf, ",\"changed_s\":");
    pay_buf_int(buf, (int64_t) file->changed_s);
    pay_buf_text(buf, "}");
}


static void
text(pay_buf_t *buf, const char *before, pay_str_t value)
{
    pay_buf_text(buf, before);
    pay_buf_text(buf, "\"");
    pay_buf_json(buf, value);
    pay_buf_text(buf, "\"");
}
