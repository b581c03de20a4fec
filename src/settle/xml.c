/*
 * XML, by expat; this file is the only one that knows it.  A document type, so
 * every declaration of an entity, ends the reading before anything could be
 * fetched or expanded.  Depth, texts and the size of one token are bounded.
 *
 *    expat: start ─▶ path grows,  format->opened(path)
 *           text  ─▶ kept while the open element is a leaf
 *           end   ─▶ format->closed(path, text, Ccy), path shrinks
 */

#include <expat.h>

#include "settle/settle.h"


#define XML_MARK        '|'            /* between namespace and local name */
#define XML_TEXT_MAX    8192
#define XML_CURRENCY    8

/* The parser's state.  `path` is the names of the open elements joined with
 * '/', and `lengths` how long it was before each; `is_leaf` is 1 until an
 * element within the open one begins. */
typedef struct {
    pay_settle_reader_t  *reader;
    XML_Parser            parser;
    pay_status_t          status;
    int64_t               fed;         /* bytes */
    int64_t               lines;       /* before the first byte fed */
    unsigned              depth;
    size_t                path_len;
    size_t                lengths[PAY_SETTLE_DEPTH];
    int                   is_leaf;
    size_t                currency_len;
    size_t                text_len;
    char                  path[PAY_SETTLE_PATH_MAX];
    unsigned char         currency[XML_CURRENCY];
    unsigned char         text[XML_TEXT_MAX];
} xml_t;


static int xml_fits(unsigned char first);
static pay_status_t xml_open(pay_settle_reader_t *reader);
static pay_status_t xml_feed(pay_settle_reader_t *reader, pay_str_t bytes);
static pay_status_t xml_end(pay_settle_reader_t *reader);
static pay_status_t xml_result(pay_settle_reader_t *reader, xml_t *xml,
    enum XML_Status status);
static void xml_close(pay_settle_reader_t *reader);
static void XMLCALL xml_start(void *data, const XML_Char *name,
    const XML_Char **attributes);
static pay_status_t xml_down(xml_t *xml, const char *name,
    const char **attributes);
static int xml_is_known(const pay_settle_format_t *format, const char *name);
static void XMLCALL xml_stop(void *data, const XML_Char *name);
static pay_status_t xml_up(xml_t *xml);
static void XMLCALL xml_text(void *data, const XML_Char *text, int len);
static void XMLCALL xml_doctype(void *data, const XML_Char *name,
    const XML_Char *system, const XML_Char *public, int has_internal);
static void xml_fail(xml_t *xml, pay_status_t status);
static void xml_line(xml_t *xml);


const pay_settle_lexer_t  pay_settle_xml = {
    xml_fits, xml_open, xml_feed, xml_end, xml_close
};


static int
xml_fits(unsigned char first)
{
    return first == '<';
}


/* XML_ParserCreateNS() joins namespace and name with XML_MARK, which stands in
 * neither. */
static pay_status_t
xml_open(pay_settle_reader_t *reader)
{
    xml_t  *xml = pay_calloc(reader->arena, sizeof(*xml));

    if (xml == NULL) {
        return PAY_NO_MEMORY;
    }

    xml->reader = reader;
    xml->lines = reader->line - 1;
    xml->parser = XML_ParserCreateNS(NULL, XML_MARK);
    if (xml->parser == NULL) {
        return PAY_NO_MEMORY;
    }

    reader->lex = xml;

    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, xml_start, xml_stop);
    XML_SetCharacterDataHandler(xml->parser, xml_text);
    XML_SetStartDoctypeDeclHandler(xml->parser, xml_doctype);

    return PAY_OK;
}


/* expat is stopped from within its handlers; their status comes first. */
static pay_status_t
xml_feed(pay_settle_reader_t *reader, pay_str_t bytes)
{
    xml_t  *xml = reader->lex;

    xml->fed += (int64_t) bytes.len;

    PAY_TRY(xml_result(reader, xml,
                       XML_Parse(xml->parser, (const char *) bytes.data,
                                 (int) bytes.len, XML_FALSE)));

    /* expat holds back no more than the beginning of one token */
    if (xml->fed - XML_GetCurrentByteIndex(xml->parser) > PAY_SETTLE_LINE_MAX) {
        xml_line(xml);
        reader->row_line = reader->line;
        return pay_settle_refuse(reader, "line-too-long", "",
                                 "tags and comments of at most %d bytes",
                                 PAY_SETTLE_LINE_MAX);
    }

    return PAY_OK;
}


static pay_status_t
xml_end(pay_settle_reader_t *reader)
{
    xml_t  *xml = reader->lex;

    return xml_result(reader, xml, XML_Parse(xml->parser, "", 0, XML_TRUE));
}


/* The first error counts, ours before expat's: a parser that was stopped
 * reports "aborted". */
static pay_status_t
xml_result(pay_settle_reader_t *reader, xml_t *xml, enum XML_Status status)
{
    xml_line(xml);

    if (xml->status != PAY_OK || status == XML_STATUS_OK) {
        return xml->status;
    }

    reader->row_line = reader->line;

    if (XML_GetErrorCode(xml->parser) == XML_ERROR_NO_MEMORY) {
        return PAY_NO_MEMORY;
    }

    return pay_settle_refuse(reader, "xml-invalid", xml->path,
                             "valid XML (%s)",
                             XML_ErrorString(XML_GetErrorCode(xml->parser)));
}


static void
xml_close(pay_settle_reader_t *reader)
{
    XML_ParserFree(((xml_t *) reader->lex)->parser);
}


/* The line is taken from expat before anything is judged, so that a refusal
 * names it. */
static void XMLCALL
xml_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
    xml_t  *xml = data;

    if (xml->status == PAY_OK) {
        xml_line(xml);
        xml_fail(xml, xml_down(xml, name, attributes));
    }
}


/* The document's namespace is looked at once, at its top element. */
static pay_status_t
xml_down(xml_t *xml, const char *name, const char **attributes)
{
    size_t                      len;
    const char                 *local = strrchr(name, XML_MARK);
    const pay_settle_format_t  *format = xml->reader->format;

    if (xml->depth == 0 && !xml_is_known(format, name)) {
        xml->reader->row_line = xml->reader->line;
        return pay_settle_refuse(xml->reader, "namespace", "xmlns",
                                 "%s or its like", format->namespaces[0]);
    }

    local = local != NULL ? local + 1 : name;
    len = strlen(local);

    if (xml->depth == PAY_SETTLE_DEPTH
        || len + 2 > sizeof(xml->path) - xml->path_len)
    {
        return pay_settle_refuse(xml->reader, "too-deep", "",
                                 "at most %d elements within each other",
                                 PAY_SETTLE_DEPTH);
    }

    xml->lengths[xml->depth++] = xml->path_len;

    if (xml->path_len != 0) {
        xml->path[xml->path_len++] = '/';
    }

    memcpy(xml->path + xml->path_len, local, len + 1);
    xml->path_len += len;

    xml->is_leaf = 1;
    xml->text_len = 0;
    xml->currency_len = 0;

    for ( /* void */ ; attributes[0] != NULL; attributes += 2) {
        len = strlen(attributes[1]);

        if (strcmp(attributes[0], "Ccy") == 0 && len <= XML_CURRENCY) {
            memcpy(xml->currency, attributes[1], len);
            xml->currency_len = len;
        }
    }

    return format->opened(xml->reader, xml->path);
}


/* Expat joins namespace and local name with "|". */
static int
xml_is_known(const pay_settle_format_t *format, const char *name)
{
    size_t              len = strcspn(name, "|");
    const char *const  *known;

    for (known = format->namespaces; *known != NULL; known++) {
        if (strlen(*known) == len && memcmp(*known, name, len) == 0) {
            return 1;
        }
    }

    return 0;
}


/* A callback of expat cannot fail: the first refusal is kept in xml->status,
 * and nothing more is done behind it. */
static void XMLCALL
xml_stop(void *data, const XML_Char *name)
{
    xml_t  *xml = data;

    (void) name;

    if (xml->status == PAY_OK) {
        xml_line(xml);
        xml_fail(xml, xml_up(xml));
    }
}


/* Text between elements is white space of the layout and is dropped: only a
 * leaf has a text. */
static pay_status_t
xml_up(xml_t *xml)
{
    pay_str_t     text = { xml->is_leaf ? xml->text_len : 0, xml->text };
    pay_str_t     currency = { xml->is_leaf ? xml->currency_len : 0,
                               xml->currency };
    pay_status_t  status;

    status = xml->reader->format->closed(xml->reader, xml->path, text,
                                         currency);

    xml->path_len = xml->lengths[--xml->depth];
    xml->path[xml->path_len] = '\0';
    xml->is_leaf = 0;
    xml->text_len = 0;

    return status;
}


/* expat hands texts over in pieces, at line ends and entities. */
static void XMLCALL
xml_text(void *data, const XML_Char *text, int len)
{
    xml_t  *xml = data;

    if (xml->status != PAY_OK || !xml->is_leaf) {
        return;
    }

    if ((size_t) len > sizeof(xml->text) - xml->text_len) {
        xml_line(xml);
        xml->reader->row_line = xml->reader->line;
        xml_fail(xml, pay_settle_refuse(xml->reader, "text-too-long",
                                        xml->path, "at most %d bytes",
                                        XML_TEXT_MAX));
        return;
    }

    memcpy(xml->text + xml->text_len, text, (size_t) len);
    xml->text_len += (size_t) len;
}


/* Stopping here is before any declaration of an entity is read, which is how
 * "billion laughs" and external entities are excluded (CWE-776, CWE-611). */
static void XMLCALL
xml_doctype(void *data, const XML_Char *name, const XML_Char *system,
    const XML_Char *public, int has_internal)
{
    xml_t  *xml = data;

    (void) name;
    (void) system;
    (void) public;
    (void) has_internal;

    xml_line(xml);
    xml->reader->row_line = xml->reader->line;
    xml_fail(xml, pay_settle_refuse(xml->reader, "doctype", "",
                                    "XML without a document type"));
}


/* expat may call more handlers before it stops, so each looks at the status
 * first. */
static void
xml_fail(xml_t *xml, pay_status_t status)
{
    if (status != PAY_OK && xml->status == PAY_OK) {
        xml->status = status;
        (void) XML_StopParser(xml->parser, XML_FALSE);
    }
}


/* expat counts lines from 1; lines before the first byte that it got are
 * added. */
static void
xml_line(xml_t *xml)
{
    xml->reader->line = xml->lines
                        + (int64_t) XML_GetCurrentLineNumber(xml->parser);
}
