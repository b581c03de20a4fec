/*
 * A reader of the XML of Braintree's notifications
 * (docs/psp/braintree.md#webhooks): strict, bounded, without recursion.  What
 * could make an XML parser fetch, expand or guess does not exist here.  The
 * caller has verified the signature.
 *
 *    declaration? ─▶ <name …> ─▶ text, or elements ─▶ </name>
 *                      └─ an element without elements goes to leaf()
 */

#include "psp/braintree.h"


/* The reader's position.  `path` holds the names of the elements that are
 * open, which point into the document; its size bounds the depth, so there is
 * no recursion. */
typedef struct {
    pay_arena_t     *arena;
    pay_str_t        rest;
    pay_bt_leaf_pt   leaf;
    void            *data;
    unsigned         elements;
    unsigned         depth;
    int              had_children;     /* of the element that is open */
    int              done;             /* the top element is closed */
    pay_str_t        text;             /* since the last tag, still encoded */
    pay_str_t        path[PAY_BT_DEPTH_MAX];
} xml_t;

typedef struct {
    const char     *name;
    unsigned char   byte;
} xml_entity_t;


static pay_status_t xml_declaration(xml_t *xml);
static pay_status_t xml_text(xml_t *xml);
static pay_status_t xml_open(xml_t *xml);
static pay_status_t xml_attributes(xml_t *xml, int *closed);
static pay_status_t xml_close(xml_t *xml);
static pay_status_t xml_leaf(xml_t *xml);
static pay_status_t xml_decode(xml_t *xml, pay_str_t *out);
static size_t xml_entity(pay_str_t text, unsigned char *byte);
static int xml_number(pay_str_t text);
static pay_str_t xml_name(xml_t *xml);
static int xml_take(xml_t *xml, const char *text);
static void xml_skip_space(xml_t *xml);
static void xml_advance(xml_t *xml, size_t len);
static int xml_is_space(unsigned char c);
static int xml_is_name(unsigned char c, int first);


/* The entities that XML itself defines (XML 1.0, section 4.6).  Others need a
 * DTD, which is refused. */
static const xml_entity_t  xml_entities[] = {
    { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' },
    { "&apos;", '\'' }, { NULL, 0 }
};


/* Each turn of the loop takes at least one byte off `rest` or fails, so a
 * document of n bytes ends after n turns. */
pay_status_t
pay_bt_xml_walk(pay_arena_t *arena, pay_str_t text, pay_bt_leaf_pt leaf,
    void *data)
{
    xml_t  xml;

    memset(&xml, 0, sizeof(xml));
    xml.arena = arena;
    xml.rest = text;
    xml.leaf = leaf;
    xml.data = data;

    PAY_TRY(xml_declaration(&xml));

    while (xml.rest.len != 0) {

        if (xml.rest.data[0] != '<') {
            PAY_TRY(xml_text(&xml));

        } else if (xml_take(&xml, "</")) {
            PAY_TRY(xml_close(&xml));

        } else {
            xml_advance(&xml, 1);
            PAY_TRY(xml_open(&xml));
        }
    }

    return xml.done ? PAY_OK : PAY_INVALID;
}


/* "<?xml … ?>" once, at the very start; its version and encoding are not
 * looked at, since the texts that are used are ASCII. */
static pay_status_t
xml_declaration(xml_t *xml)
{
    size_t  i;

    if (!xml_take(xml, "<?xml ")) {
        return PAY_OK;
    }

    for (i = 0; i + 1 < xml->rest.len; i++) {
        if (xml->rest.data[i] == '<' || xml->rest.data[i] == '>') {
            return PAY_INVALID;
        }

        if (xml->rest.data[i] == '?') {
            break;
        }
    }

    xml_advance(xml, i < xml->rest.len ? i : xml->rest.len);

    return xml_take(xml, "?>") ? PAY_OK : PAY_INVALID;
}


/* Text between tags.  Outside the top element it is white space. */
static pay_status_t
xml_text(xml_t *xml)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < xml->rest.len && xml->rest.data[i] != '<'; i++) {
        c = xml->rest.data[i];

        if (xml_is_space(c)) {
            continue;
        }

        if (xml->depth == 0 || c < ' ' || c == 0x7f || c == '>') {
            return PAY_INVALID;
        }
    }

    xml->text = (pay_str_t) { i, xml->rest.data };
    xml_advance(xml, i);

    return PAY_OK;
}


/* A self-closed element is a leaf with an empty text. */
static pay_status_t
xml_open(xml_t *xml)
{
    int        closed;
    size_t     i;
    pay_str_t  name = xml_name(xml);

    if (name.len == 0 || xml->done || xml->depth == PAY_BT_DEPTH_MAX
        || xml->elements == PAY_BT_ELEMENTS_MAX)
    {
        return PAY_INVALID;
    }

    /* no mixed content: an element has text or elements */
    for (i = 0; i < xml->text.len; i++) {
        if (!xml_is_space(xml->text.data[i])) {
            return PAY_INVALID;
        }
    }

    PAY_TRY(xml_attributes(xml, &closed));

    xml->elements++;
    xml->path[xml->depth++] = name;
    xml->had_children = 0;
    xml->text = PAY_STR("");

    if (!closed) {
        return PAY_OK;
    }

    return xml_leaf(xml);
}


/* name="value", to the end of the tag. */
static pay_status_t
xml_attributes(xml_t *xml, int *closed)
{
    size_t         i;
    unsigned char  quote;

    for ( ;; ) {
        i = xml->rest.len;
        xml_skip_space(xml);

        *closed = xml_take(xml, "/>");
        if (*closed || xml_take(xml, ">")) {
            return PAY_OK;
        }

        if (i == xml->rest.len || xml_name(xml).len == 0
            || !xml_take(xml, "=") || xml->rest.len == 0)
        {
            return PAY_INVALID;
        }

        quote = xml->rest.data[0];
        if (quote != '"' && quote != '\'') {
            return PAY_INVALID;
        }

        for (i = 1; i < xml->rest.len && xml->rest.data[i] != quote; i++) {
            if (xml->rest.data[i] == '<' || xml->rest.data[i] < ' ') {
                return PAY_INVALID;
            }
        }

        if (i == xml->rest.len) {
            return PAY_INVALID;
        }

        xml_advance(xml, i + 1);
    }
}


/* The name must be that of the innermost open element: a document that is not
 * well-formed is refused rather than repaired. */
static pay_status_t
xml_close(xml_t *xml)
{
    size_t     i;
    pay_str_t  name = xml_name(xml);

    xml_skip_space(xml);

    if (!xml_take(xml, ">") || xml->depth == 0
        || !pay_str_eq(name, xml->path[xml->depth - 1]))
    {
        return PAY_INVALID;
    }

    if (!xml->had_children) {
        return xml_leaf(xml);
    }

    for (i = 0; i < xml->text.len; i++) {
        if (!xml_is_space(xml->text.data[i])) {
            return PAY_INVALID;
        }
    }

    xml->text = PAY_STR("");
    xml->depth--;
    xml->done = (xml->depth == 0);

    return PAY_OK;
}


/* Closes an element that has no elements in it. */
static pay_status_t
xml_leaf(xml_t *xml)
{
    pay_str_t  text;

    PAY_TRY(xml_decode(xml, &text));
    PAY_TRY(xml->leaf(xml->path, xml->depth, text, xml->data));

    xml->text = PAY_STR("");
    xml->had_children = 1;             /* the one around it now has one */
    xml->depth--;
    xml->done = (xml->depth == 0);

    return PAY_OK;
}


/* White space around the text goes.  A text beyond PAY_BT_TEXT_MAX is cut one
 * byte behind that limit, so that the checks of its user see that it is too
 * long. */
static pay_status_t
xml_decode(xml_t *xml, pay_str_t *out)
{
    size_t          i, n, step;
    pay_str_t       text = xml->text, rest;
    unsigned char  *bytes;

    while (text.len && xml_is_space(text.data[0])) {
        text.data++;
        text.len--;
    }

    while (text.len && xml_is_space(text.data[text.len - 1])) {
        text.len--;
    }

    bytes = pay_alloc(xml->arena, (text.len < PAY_BT_TEXT_MAX)
                                  ? text.len + 1 : PAY_BT_TEXT_MAX + 1);
    if (bytes == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0, n = 0; i < text.len; i += step) {
        rest = (pay_str_t) { text.len - i, text.data + i };
        step = 1;

        if (n <= PAY_BT_TEXT_MAX) {
            bytes[n] = rest.data[0];
        }

        if (rest.data[0] == '&') {
            step = xml_entity(rest, &bytes[n <= PAY_BT_TEXT_MAX ? n : 0]);

            if (step == 0) {
                return PAY_INVALID;
            }
        }

        n += (n <= PAY_BT_TEXT_MAX);
    }

    *out = (pay_str_t) { n, bytes };

    return PAY_OK;
}


/* How long the entity is that the text begins with; 0 when it is none. */
static size_t
xml_entity(pay_str_t text, unsigned char *byte)
{
    size_t               len;
    const xml_entity_t  *row;

    for (row = xml_entities; row->name != NULL; row++) {
        len = strlen(row->name);

        if (text.len >= len && memcmp(text.data, row->name, len) == 0) {
            *byte = row->byte;
            return len;
        }
    }

    *byte = '&';

    return xml_number(text) ? 1 : 0;
}


/* &#…; or &#x…; of at most seven digits.  Such a reference stays as it is
 * written: none of the texts that are used needs one, and decoding would need
 * a check of the character. */
static int
xml_number(pay_str_t text)
{
    int            hex;
    size_t         i, first;
    unsigned char  c;

    if (text.len < 4 || text.data[1] != '#') {
        return 0;
    }

    hex = (text.data[2] == 'x');
    first = hex ? 3 : 2;

    for (i = first; i < text.len && i < first + 8; i++) {
        c = text.data[i];

        if (c == ';') {
            return i > first;
        }

        if (!(c >= '0' && c <= '9')
            && !(hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))))
        {
            return 0;
        }
    }

    return 0;
}


/* Empty when there is no name or it is longer than PAY_BT_NAME_MAX. */
static pay_str_t
xml_name(xml_t *xml)
{
    size_t     i;
    pay_str_t  name;

    for (i = 0; i < xml->rest.len && i <= PAY_BT_NAME_MAX; i++) {
        if (!xml_is_name(xml->rest.data[i], i == 0)) {
            break;
        }
    }

    name = (pay_str_t) { (i > PAY_BT_NAME_MAX) ? 0 : i, xml->rest.data };
    xml_advance(xml, i);

    return name;
}


static int
xml_take(xml_t *xml, const char *text)
{
    size_t  len = strlen(text);

    if (xml->rest.len < len || memcmp(xml->rest.data, text, len) != 0) {
        return 0;
    }

    xml_advance(xml, len);

    return 1;
}


static void
xml_skip_space(xml_t *xml)
{
    while (xml->rest.len && xml_is_space(xml->rest.data[0])) {
        xml_advance(xml, 1);
    }
}


static void
xml_advance(xml_t *xml, size_t len)
{
    xml->rest.data += len;
    xml->rest.len -= len;
}


static int
xml_is_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}


static int
xml_is_name(unsigned char c, int first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
           || (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}
