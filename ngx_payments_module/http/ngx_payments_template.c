/*
 * Templates: one scanner for tags, one pass that checks them when the
 * configuration is read, one that fills them in for a request.  Both keep a
 * short stack of open sections; nothing recurses.
 *
 *     <p>{{total}} {{currency}}</p>            a value, escaped
 *     {{#paid}}<p>Paid.</p>{{/paid}}           kept or left out
 *     {{#orders}}<li>{{order_id}}{{/orders}}   once for each item
 */

#include "http/ngx_payments_template.h"


#define NAME_MAX_LEN  32
#define NO_SLOT       ((ngx_uint_t) -1)


typedef enum {
    TAG_NONE = 0,              /* no further tag */
    TAG_VALUE,
    TAG_OPEN,
    TAG_CLOSE,
    TAG_BROKEN                 /* "{{" without a "}}" behind a short name */
} tag_kind_e;

/* A tag as found; `slot` is NO_SLOT when its name is not known. */
typedef struct {
    tag_kind_e   kind;
    size_t       start;        /* of "{{" */
    size_t       end;          /* behind "}}" */
    pay_str_t    whole;
    ngx_uint_t   slot;
} tag_t;

/* An open section; `turn` counts the items of a list. */
typedef struct {
    ngx_uint_t   slot;
    size_t       start;        /* of the opening tag */
    size_t       body;         /* behind it */
    ngx_uint_t   turn;
} section_t;

typedef struct {
    section_t    open[NGX_PAYMENTS_NESTING];
    ngx_uint_t   depth;
} sections_t;


static tag_t next_tag(pay_str_t page, size_t from,
    const ngx_payments_slot_t *slots);
static size_t find(pay_str_t page, size_t from, const char *two);
static ngx_uint_t find_slot(const ngx_payments_slot_t *slots, pay_str_t name);
static const char *check_tag(const tag_t *tag,
    const ngx_payments_slot_t *slots, sections_t *stack);
static const char *check_open(const tag_t *tag,
    const ngx_payments_slot_t *slots, sections_t *stack);
static ngx_uint_t inside_list(const ngx_payments_slot_t *slots,
    const sections_t *stack, ngx_uint_t *turn);
static size_t enter(pay_str_t page, const tag_t *tag,
    const ngx_payments_slot_t *slots, const ngx_payments_value_t *values,
    sections_t *stack);
static void add_value(pay_buf_t *buf, const tag_t *tag,
    const ngx_payments_slot_t *slots, const ngx_payments_value_t *values,
    const sections_t *stack);


/* All that could go wrong is found here, so rendering has no errors but the
 * buffer's. */
const char *
ngx_payments_template_check(pay_str_t page, const ngx_payments_slot_t *slots,
    pay_str_t *where, ngx_uint_t *line)
{
    tag_t        tag;
    size_t       pos, i;
    sections_t     stack;
    const char  *wrong;

    stack.depth = 0;

    for (pos = 0; /* void */ ; pos = tag.end) {
        tag = next_tag(page, pos, slots);

        if (tag.kind == TAG_NONE && stack.depth == 0) {
            return NULL;
        }

        wrong = check_tag(&tag, slots, &stack);
        if (wrong != NULL) {
            break;
        }
    }

    if (tag.kind == TAG_NONE) {
        tag = next_tag(page, stack.open[stack.depth - 1].start, slots);
    }

    *where = tag.whole;
    *line = 1;

    for (i = 0; i < tag.start; i++) {
        *line += page.data[i] == '\n';
    }

    return wrong;
}


/* A closing tag of a list goes back to its body until all items had their
 * turn. */
void
ngx_payments_template_render(pay_buf_t *buf, pay_str_t page,
    const ngx_payments_slot_t *slots, const ngx_payments_value_t *values)
{
    tag_t       tag;
    size_t      pos;
    sections_t    stack;
    section_t  *top;

    pos = 0;
    stack.depth = 0;

    for ( ;; ) {
        tag = next_tag(page, pos, slots);
        pay_buf_add(buf, (pay_str_t) { tag.start - pos, page.data + pos });
        pos = tag.end;

        switch (tag.kind) {

        case TAG_VALUE:
            add_value(buf, &tag, slots, values, &stack);
            break;

        case TAG_OPEN:
            pos = enter(page, &tag, slots, values, &stack);
            break;

        case TAG_CLOSE:
            top = &stack.open[stack.depth - 1];

            /* each end has its beginning, ngx_payments_template_check() saw:
             * NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
            if (++top->turn < values[top->slot].count) {
                pos = top->body;

            } else {
                stack.depth--;
            }

            break;

        default:
            return;
        }
    }
}


/* Blanks are not allowed in a tag, so "{{ name }}" is an unknown
 * placeholder. */
static tag_t
next_tag(pay_str_t page, size_t from, const ngx_payments_slot_t *slots)
{
    tag_t      tag;
    size_t     end;
    pay_str_t  name;

    tag.kind = TAG_NONE;
    tag.slot = NO_SLOT;
    tag.start = find(page, from, "{{");
    tag.end = page.len;
    tag.whole = (pay_str_t) { 0, NULL };

    if (tag.start == page.len) {
        return tag;
    }

    end = find(page, tag.start + 2, "}}");
    tag.whole.data = page.data + tag.start;
    tag.whole.len = ngx_min(end - tag.start, NAME_MAX_LEN);

    if (end == page.len || end - tag.start > NAME_MAX_LEN) {
        tag.kind = TAG_BROKEN;
        return tag;
    }

    name.data = page.data + tag.start + 2;
    name.len = end - tag.start - 2;
    tag.kind = TAG_VALUE;
    tag.end = end + 2;
    tag.whole.len = tag.end - tag.start;

    if (name.len != 0 && (name.data[0] == '#' || name.data[0] == '/')) {
        tag.kind = name.data[0] == '#' ? TAG_OPEN : TAG_CLOSE;
        name.data++;
        name.len--;
    }

    tag.slot = find_slot(slots, name);

    return tag;
}


/* The position of the next pair of bytes equal to `two`, or the page's end. */
static size_t
find(pay_str_t page, size_t from, const char *two)
{
    size_t  i;

    for (i = from; i + 1 < page.len; i++) {
        if (page.data[i] == (u_char) two[0]
            && page.data[i + 1] == (u_char) two[1])
        {
            return i;
        }
    }

    return page.len;
}


static ngx_uint_t
find_slot(const ngx_payments_slot_t *slots, pay_str_t name)
{
    ngx_uint_t  i;

    for (i = 0; slots[i].name != NULL; i++) {
        if (pay_str_is(name, slots[i].name)) {
            return i;
        }
    }

    return NO_SLOT;
}


/* NULL, or the beginning of a sentence that ends with the tag's text. */
static const char *
check_tag(const tag_t *tag, const ngx_payments_slot_t *slots, sections_t *stack)
{
    ngx_uint_t  turn;

    if (tag->kind == TAG_NONE) {
        return "a section is never closed, add the {{/name}} of";
    }

    if (tag->kind == TAG_BROKEN) {
        return "a placeholder lacks its }} or has too long a name, mend";
    }

    if (tag->slot == NO_SLOT) {
        return "unknown placeholder, remove or correct";
    }

    if (tag->kind == TAG_OPEN) {
        return check_open(tag, slots, stack);
    }

    if (tag->kind == TAG_CLOSE) {
        if (stack->depth == 0
            || stack->open[stack->depth - 1].slot != tag->slot)
        {
            return "this is not the section to close here, correct";
        }

        stack->depth--;
        return NULL;
    }

    switch (slots[tag->slot].kind) {

    case NGX_PAYMENTS_SLOT_TEXT:
        return NULL;

    case NGX_PAYMENTS_SLOT_ITEM:
        return inside_list(slots, stack, &turn)
               ? NULL : "this stands in a list only, move";

    default:
        return "this is a section, write {{#name}}…{{/name}} instead of";
    }
}


/* The bounds are those of the stack: rendering does not check them again. */
static const char *
check_open(const tag_t *tag, const ngx_payments_slot_t *slots,
    sections_t *stack)
{
    ngx_uint_t           i, turn;
    ngx_payments_slot_e  kind;

    kind = slots[tag->slot].kind;

    if (kind != NGX_PAYMENTS_SLOT_FLAG && kind != NGX_PAYMENTS_SLOT_LIST) {
        return "this is a value, write {{name}} instead of";
    }

    if (stack->depth == NGX_PAYMENTS_NESTING) {
        return "sections are nested too deeply, take out";
    }

    for (i = 0; i < stack->depth; i++) {
        if (stack->open[i].slot == tag->slot) {
            return "this section is open already, take out";
        }
    }

    if (kind == NGX_PAYMENTS_SLOT_LIST && inside_list(slots, stack, &turn)) {
        return "a list cannot stand in a list, move";
    }

    stack->open[stack->depth].slot = tag->slot;
    stack->open[stack->depth].start = tag->start;
    stack->open[stack->depth].turn = 0;
    stack->depth++;

    return NULL;
}


/* At most one list is open, as lists do not nest. */
static ngx_uint_t
inside_list(const ngx_payments_slot_t *slots, const sections_t *stack,
    ngx_uint_t *turn)
{
    ngx_uint_t  i;

    for (i = 0; i < stack->depth; i++) {
        if (slots[stack->open[i].slot].kind == NGX_PAYMENTS_SLOT_LIST) {
            *turn = stack->open[i].turn;
            return 1;
        }
    }

    return 0;
}


/* Where rendering goes on: in the section, or behind it when it is left out.
 * A section cannot contain itself, so the next closing tag with its name
 * ends it. */
static size_t
enter(pay_str_t page, const tag_t *tag, const ngx_payments_slot_t *slots,
    const ngx_payments_value_t *values, sections_t *stack)
{
    tag_t       close;
    section_t  *top;

    if (values[tag->slot].count != 0) {
        top = &stack->open[stack->depth++];
        top->slot = tag->slot;
        top->body = tag->end;
        top->turn = 0;

        return tag->end;
    }

    close = *tag;

    while (close.kind != TAG_NONE
           && !(close.kind == TAG_CLOSE && close.slot == tag->slot))
    {
        close = next_tag(page, close.end, slots);
    }

    return close.end;
}


/* Escaped without exception: no value of a page is HTML. */
static void
add_value(pay_buf_t *buf, const tag_t *tag, const ngx_payments_slot_t *slots,
    const ngx_payments_value_t *values, const sections_t *stack)
{
    ngx_uint_t                   turn;
    const ngx_payments_value_t  *value;

    value = &values[tag->slot];

    if (slots[tag->slot].kind == NGX_PAYMENTS_SLOT_TEXT) {
        pay_buf_html(buf, value->text);

    } else if (inside_list(slots, stack, &turn)) {
        pay_buf_html(buf, value->items[turn]);
    }
}
