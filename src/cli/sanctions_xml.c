/*
 * Reads sdn.xml of OFAC, which has the entries and their aliases in one file:
 *
 *    <sdnList xmlns="…">
 *     <publshInformation><Record_Count>1</Record_Count></publshInformation>
 *     <sdnEntry><uid>7</uid><firstName>Joe</firstName>
 *      <lastName>LISTED</lastName>
 *      <akaList><aka><category>strong</category><lastName>LYSTED</lastName>
 *      </aka></akaList></sdnEntry></sdnList>
 *
 * Names are spelled as in sdn.csv and alt.csv ("LISTED, Joe"), so that both
 * kinds of files give the same names.  The lexer is that of settlements: a
 * document type, and so every entity, is refused.
 */

#include "cli/sanctions.h"

#include "settle/settle.h"

#include "pay_time.h"


#define SDN_LIST     "sdnList"
#define SDN_ENTRY    SDN_LIST "/sdnEntry"
#define SDN_ALIAS    SDN_ENTRY "/akaList/aka"
#define NAME_PART    1024              /* bytes; longer is no name of OFAC */
#define WRONG_MAX    512

typedef struct {
    size_t         len;
    unsigned char  text[NAME_PART];
} part_t;

/* The name of an entry or of an alias. */
typedef struct {
    part_t  first;
    part_t  last;
} named_t;

typedef struct {
    pay_arena_t      *arena;
    pay_sanctions_t  *to;
    int64_t           stated;          /* entries, by the file's own count */
    int64_t           entries;
    part_t            id;
    named_t           entry;
    named_t           alias;
    int               is_weak;
} sdn_t;

typedef struct {
    const char  *path;
    size_t       offset;
} sdn_part_t;


static pay_status_t sdn_row(void *data, const pay_settle_row_t *row);
static pay_status_t sdn_opened(pay_settle_reader_t *reader, const char *path);
static pay_status_t sdn_closed(pay_settle_reader_t *reader, const char *path,
    pay_str_t text, pay_str_t currency);
static pay_status_t sdn_part(pay_settle_reader_t *reader, const char *path,
    pay_str_t text);
static pay_status_t sdn_alias(pay_settle_reader_t *reader, sdn_t *sdn);
static pay_status_t sdn_entry(pay_settle_reader_t *reader, sdn_t *sdn);
static pay_status_t sdn_name(pay_settle_reader_t *reader, sdn_t *sdn,
    const named_t *named);
static pay_status_t sdn_finish(pay_settle_reader_t *reader);
static pay_status_t sdn_refuse(pay_settle_reader_t *reader,
    const char *expected);
static const char *sdn_wrong(pay_arena_t *arena,
    const pay_settle_reader_t *reader);


/* The older one is that of files before May 2024. */
static const char *const  sdn_namespaces[] = {
    "https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/"
    "exports/XML",
    "http://tempuri.org/sdnList.xsd",
    NULL
};

static const sdn_part_t  sdn_parts[] = {
    { SDN_ENTRY "/uid", offsetof(sdn_t, id) },
    { SDN_ENTRY "/firstName", offsetof(sdn_t, entry.first) },
    { SDN_ENTRY "/lastName", offsetof(sdn_t, entry.last) },
    { SDN_ALIAS "/firstName", offsetof(sdn_t, alias.first) },
    { SDN_ALIAS "/lastName", offsetof(sdn_t, alias.last) },
    { NULL, 0 }
};

static const pay_settle_format_t  sdn_format = {
    .name = "sdn.xml",
    .medium = "xml",
    .lexer = &pay_settle_xml,
    .namespaces = sdn_namespaces,
    .opened = sdn_opened,
    .closed = sdn_closed,
    .finish = sdn_finish
};


pay_status_t
pay_sanctions_read_xml(pay_arena_t *arena, pay_str_t file,
    pay_sanctions_t *to, const char **wrong)
{
    sdn_t                 *sdn = pay_calloc(arena, sizeof(*sdn));
    pay_status_t           status;
    pay_settle_reader_t   *reader = NULL;
    pay_settle_options_t   options = { .row = sdn_row, .data = sdn };

    *wrong = "no memory";

    if (sdn == NULL) {
        return PAY_NO_MEMORY;
    }

    sdn->arena = arena;
    sdn->to = to;

    PAY_TRY(pay_settle_open_as(arena, &sdn_format, &options, &reader));

    status = pay_settle_feed(reader, file);

    if (status == PAY_OK) {
        status = pay_settle_end(reader);
    }

    if (status == PAY_OK) {
        to->entries++;
        to->aliases++;

    } else if (status == PAY_INVALID) {
        *wrong = sdn_wrong(arena, reader);
    }

    pay_settle_close(reader);

    return status;
}


/* There are names here, and no rows. */
static pay_status_t
sdn_row(void *data, const pay_settle_row_t *row)
{
    (void) data;
    (void) row;

    return PAY_BUG;
}


/* Each entry and each alias begins with nothing of the one before. */
static pay_status_t
sdn_opened(pay_settle_reader_t *reader, const char *path)
{
    sdn_t  *sdn = reader->options.data;

    if (strchr(path, '/') == NULL && strcmp(path, SDN_LIST) != 0) {
        return sdn_refuse(reader, "the top element sdnList");
    }

    if (strcmp(path, SDN_ENTRY) == 0) {
        sdn->id.len = 0;
        sdn->entry.first.len = 0;
        sdn->entry.last.len = 0;

    } else if (strcmp(path, SDN_ALIAS) == 0) {
        sdn->is_weak = 0;
        sdn->alias.first.len = 0;
        sdn->alias.last.len = 0;
    }

    return PAY_OK;
}


static pay_status_t
sdn_closed(pay_settle_reader_t *reader, const char *path, pay_str_t text,
    pay_str_t currency)
{
    sdn_t  *sdn = reader->options.data;

    (void) currency;

    if (strcmp(path, SDN_ENTRY) == 0) {
        return sdn_entry(reader, sdn);
    }

    if (strcmp(path, SDN_ALIAS) == 0) {
        return sdn_alias(reader, sdn);
    }

    text = pay_settle_trim(text);

    if (strcmp(path, SDN_ALIAS "/category") == 0) {
        sdn->is_weak = pay_str_is(text, "weak");
        return PAY_OK;
    }

    if (strcmp(path, SDN_LIST "/publshInformation/Record_Count") == 0
        && pay_digits_parse(text, &sdn->stated) != PAY_OK)
    {
        return sdn_refuse(reader, "a number of entries in Record_Count");
    }

    return sdn_part(reader, path, text);
}


/* A name that was cut would be another name: it is refused. */
static pay_status_t
sdn_part(pay_settle_reader_t *reader, const char *path, pay_str_t text)
{
    part_t            *part;
    const sdn_part_t  *row;

    for (row = sdn_parts; row->path != NULL; row++) {
        if (strcmp(path, row->path) != 0) {
            continue;
        }

        part = (part_t *) ((char *) reader->options.data + row->offset);

        if (part->len != 0) {
            return sdn_refuse(reader, "uid, firstName and lastName once each");
        }

        if (text.len > sizeof(part->text)) {
            return sdn_refuse(reader, "names of at most 1024 bytes");
        }

        if (text.len != 0) {
            memcpy(part->text, text.data, text.len);
        }

        part->len = text.len;
    }

    return PAY_OK;
}


/* OFAC does not ask for a comparison with weak aliases, and alt.csv has none of
 * them. */
static pay_status_t
sdn_alias(pay_settle_reader_t *reader, sdn_t *sdn)
{
    if (sdn->is_weak) {
        sdn->to->weak++;
        return PAY_OK;
    }

    return sdn_name(reader, sdn, &sdn->alias);
}


static pay_status_t
sdn_entry(pay_settle_reader_t *reader, sdn_t *sdn)
{
    if (sdn->entry.last.len == 0) {
        return sdn_refuse(reader, "a lastName in each sdnEntry");
    }

    sdn->entries++;

    return sdn_name(reader, sdn, &sdn->entry);
}


/* An alias without a name is none. */
static pay_status_t
sdn_name(pay_settle_reader_t *reader, sdn_t *sdn, const named_t *named)
{
    pay_str_t  name;
    pay_str_t  id = { sdn->id.len, sdn->id.text };
    pay_str_t  first = { named->first.len, named->first.text };
    pay_str_t  last = { named->last.len, named->last.text };

    if (!pay_sanctions_is_id(id)) {
        return sdn_refuse(reader, "uid, a number, before all else of an "
                          "sdnEntry");
    }

    PAY_TRY(pay_format(sdn->arena, &name, 2 * NAME_PART + 2, "%.*s%s%.*s",
                       pay_fmt(last),
                       last.len != 0 && first.len != 0 ? ", " : "",
                       pay_fmt(first)));

    return pay_sanctions_add(sdn->arena, id, name, sdn->to);
}


static pay_status_t
sdn_finish(pay_settle_reader_t *reader)
{
    const sdn_t  *sdn = reader->options.data;

    return sdn->entries >= sdn->stated
           ? PAY_OK
           : sdn_refuse(reader, "as many entries as Record_Count says");
}


static pay_status_t
sdn_refuse(pay_settle_reader_t *reader, const char *expected)
{
    reader->row_line = reader->line;

    return pay_settle_refuse(reader, "sdn", "", "%s", expected);
}


static const char *
sdn_wrong(pay_arena_t *arena, const pay_settle_reader_t *reader)
{
    pay_str_t                    text;
    const pay_settle_refusal_t  *refusal = pay_settle_refusal(reader);

    if (refusal == NULL
        || pay_format(arena, &text, WRONG_MAX, "line %lld: expected %s",
                      (long long) refusal->line, refusal->expected)
           != PAY_OK)
    {
        return "the file is no sdn.xml";
    }

    return (const char *) text.data;
}
