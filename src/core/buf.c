/*
 * The growing byte buffer (pay_buf_t) and its escapers.  Growth doubles
 * within the arena, the old piece stays behind; one byte is always kept free
 * for the NUL that pay_buf_done() puts behind the text.
 */

#include "pay_arena.h"


#define PAY_BUF_FIRST_SIZE  128


typedef struct {
    /* 0 ends the table; a NUL byte itself has no entity. */
    unsigned char  byte;
    const char    *entity;
} pay_entity_t;


static int pay_buf_reserve(pay_buf_t *buf, size_t more);
static const char *pay_entity_of(unsigned char byte);


/* RFC 3986, 2.3 */
static const unsigned char  pay_unreserved[256] = {
    ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['0' ... '9'] = 1,
    ['-'] = 1, ['.'] = 1, ['_'] = 1, ['~'] = 1
};

/* The characters that end a text or a quoted attribute in HTML, or begin an
 * entity.  The apostrophe is numeric because HTML 4 knows no &apos;. */
static const pay_entity_t  pay_entities[] = {
    { '&', "&amp;" },
    { '<', "&lt;" },
    { '>', "&gt;" },
    { '"', "&quot;" },
    { '\'', "&#39;" },
    { 0, NULL }
};


/* The limit belongs to the buffer and not to each call, because a document is
 * put together from many pieces of which each alone is within bounds. */
void
pay_buf_init(pay_buf_t *buf, pay_arena_t *arena, size_t max)
{
    memset(buf, 0, sizeof(*buf));

    buf->arena = arena;
    buf->max = max;
    buf->first = PAY_BUF_FIRST_SIZE;
    buf->status = PAY_OK;
}


void
pay_buf_expect(pay_buf_t *buf, size_t size)
{
    buf->first = size;
}


/* A failed buffer stays failed, and an empty slice may have no address. */
void
pay_buf_add(pay_buf_t *buf, pay_str_t bytes)
{
    if (bytes.len == 0 || !pay_buf_reserve(buf, bytes.len)) {
        return;
    }

    memcpy(buf->data + buf->len, bytes.data, bytes.len);
    buf->len += bytes.len;
}


void
pay_buf_text(pay_buf_t *buf, const char *text)
{
    pay_buf_add(buf, pay_str_of(text));
}


/* The smallest number has no positive counterpart in 64 bits: it is negated
 * one short and corrected as an unsigned number. */
void
pay_buf_int(pay_buf_t *buf, int64_t number)
{
    unsigned char  text[PAY_INT_TEXT_MAX];

    pay_buf_add(buf, pay_int_text(number, text));
}


pay_str_t
pay_int_text(int64_t number, unsigned char text[PAY_INT_TEXT_MAX])
{
    size_t    at = PAY_INT_TEXT_MAX;
    uint64_t  rest;

    rest = number < 0 ? (uint64_t) -(number + 1) + 1 : (uint64_t) number;

    do {
        text[--at] = (unsigned char) ('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);

    if (number < 0) {
        text[--at] = '-';
    }

    return (pay_str_t) { PAY_INT_TEXT_MAX - at, text + at };
}


/* Measured first, so that each byte is written where it belongs: bodies of
 * forms are nothing else. */
void
pay_buf_percent(pay_buf_t *buf, pay_str_t bytes)
{
    static const char  hex[] = "0123456789ABCDEF";

    size_t          i, len = bytes.len;
    unsigned char  *p;

    for (i = 0; i < bytes.len; i++) {
        len += 2u * !pay_unreserved[bytes.data[i]];
    }

    if (len == 0 || !pay_buf_reserve(buf, len)) {
        return;
    }

    p = buf->data + buf->len;
    buf->len += len;

    for (i = 0; i < bytes.len; i++) {
        if (pay_unreserved[bytes.data[i]]) {
            *p++ = bytes.data[i];
            continue;
        }

        *p++ = '%';
        *p++ = (unsigned char) hex[bytes.data[i] >> 4];
        *p++ = (unsigned char) hex[bytes.data[i] & 15];
    }
}


/* Runs of plain bytes go out in one piece; most texts hold no special
 * character. */
void
pay_buf_html(pay_buf_t *buf, pay_str_t text)
{
    size_t       i;
    size_t       from = 0;
    const char  *entity;

    for (i = 0; i < text.len && buf->status == PAY_OK; i++) {
        entity = pay_entity_of(text.data[i]);
        if (entity == NULL) {
            continue;
        }

        pay_buf_add(buf, (pay_str_t) { i - from, text.data + from });
        pay_buf_text(buf, entity);
        from = i + 1;
    }

    if (from < text.len) {
        pay_buf_add(buf, (pay_str_t) { text.len - from, text.data + from });
    }
}


/* The bytes are dropped at once: a text that was cut off must not reach
 * anybody, neither by pay_buf_done() nor by a look into the struct. */
void
pay_buf_fail(pay_buf_t *buf, pay_status_t status)
{
    if (buf->status != PAY_OK) {
        return;
    }

    buf->status = status;
    buf->data = NULL;
    buf->len = 0;
    buf->size = 0;
}


/* An empty buffer gives the empty text and not NULL, so that a caller may hand
 * it on without a case for it.  The text stays valid as long as the arena; the
 * buffer must not be appended to any more, since it would move. */
pay_status_t
pay_buf_done(pay_buf_t *buf, pay_str_t *out)
{
    if (buf->status != PAY_OK) {
        return buf->status;
    }

    if (buf->data == NULL) {
        *out = PAY_STR("");
        return PAY_OK;
    }

    buf->data[buf->len] = '\0';
    *out = (pay_str_t) { buf->len, buf->data };

    return PAY_OK;
}


/* Makes room for `more` bytes and one for the NUL; 0 when the buffer has
 * failed. The bound on len keeps the doubling below from overflowing. */
static int
pay_buf_reserve(pay_buf_t *buf, size_t more)
{
    size_t          size;
    unsigned char  *data;

    if (buf->status != PAY_OK) {
        return 0;
    }

    if (more > buf->max - buf->len || buf->len + more >= SIZE_MAX / 2) {
        pay_buf_fail(buf, PAY_INVALID);
        return 0;
    }

    if (buf->len + more < buf->size) {
        return 1;
    }

    size = buf->size != 0 ? buf->size : buf->first;
    while (size <= buf->len + more) {
        size *= 2;
    }

    /* The old piece stays in the arena until its end; doubling bounds the
     * waste by the size of the result. */
    data = pay_alloc(buf->arena, size);
    if (data == NULL) {
        pay_buf_fail(buf, PAY_NO_MEMORY);
        return 0;
    }

    if (buf->len != 0) {
        memcpy(data, buf->data, buf->len);
    }

    buf->data = data;
    buf->size = size;

    return 1;
}


static const char *
pay_entity_of(unsigned char byte)
{
    const pay_entity_t  *entity;

    for (entity = pay_entities; entity->entity != NULL; entity++) {
        if (entity->byte == byte) {
            return entity->entity;
        }
    }

    return NULL;
}
