/*
 * The bank's answer to a file: ISO 20022 pain.002 (versions 03 and 10), read as
 * a stream by the XML lexer of the settlement files (settle/xml.c).  Each
 * transaction becomes an event with the item's key; a status of the group or of
 * the PmtInf one about the parcel.  Many banks send rejections only: silence is
 * no acceptance.
 */

#include "payout/payout.h"
#include "settle/settle.h"


#define PAIN_PLACE     "Document/CstmrPmtStsRpt/"
#define PAIN_GROUP     PAIN_PLACE "OrgnlGrpInfAndSts"
#define PAIN_PAYMENT   PAIN_PLACE "OrgnlPmtInfAndSts"
#define PAIN_TX        PAIN_PAYMENT "/TxInfAndSts"
#define PAIN_ID        36              /* Max35Text and a NUL */
#define PAIN_WORD      5               /* a status, of four letters */
#define PAIN_AMOUNT    24
#define PAIN_EVENT_ID  (2 * PAIN_ID)
/* in an event's id, of which level of the report it is */
#define PAIN_OF_GROUP    '#'
#define PAIN_OF_PAYMENT  '/'
#define PAIN_OF_TX       ':'

/* The members of the status that is being read: of the group, of a PmtInf, of
 * a transaction. */
typedef struct {
    char  id[PAIN_ID];
    char  word[PAIN_WORD];
    char  reason[PAIN_ID];
} pain_status_t;

typedef struct {
    char           message[PAIN_ID];
    int64_t        made_us;
    pain_status_t  group;
    pain_status_t  payment;
    pain_status_t  tx;
    char           amount[PAIN_AMOUNT];
    char           currency[PAIN_WORD];
    char           iban[PAY_IBAN_MAX + 1];
} pain_state_t;

/* An element whose text is kept. */
typedef struct {
    const char  *path;
    size_t       offset;
    size_t       size;
} pain_text_t;

struct pay_payout_report_s {
    pay_settle_reader_t       *reader;
    pay_payout_event_pt        event;
    void                      *data;
};


static pay_status_t pain_row(void *data, const pay_settle_row_t *row);
static pay_status_t pain_opened(pay_settle_reader_t *reader,
    const char *path);
static pay_status_t pain_closed(pay_settle_reader_t *reader, const char *path,
    pay_str_t text, pay_str_t currency);
static void pain_keep(char *to, size_t size, pay_str_t text);
static pay_status_t pain_tell(pay_settle_reader_t *reader,
    pain_status_t *status, char of);
static void pain_money(const pain_state_t *state, pay_payout_event_t *event);
static void pain_lower(char *text);


#define PAIN_TEXT(place, member)                                              \
    { place, offsetof(pain_state_t, member),                                  \
      sizeof(((pain_state_t *) 0)->member) }

static const pain_text_t  pain_texts[] = {
    PAIN_TEXT(PAIN_PLACE "GrpHdr/MsgId", message),
    PAIN_TEXT(PAIN_GROUP "/OrgnlMsgId", group.id),
    PAIN_TEXT(PAIN_GROUP "/GrpSts", group.word),
    PAIN_TEXT(PAIN_GROUP "/StsRsnInf/Rsn/Cd", group.reason),
    PAIN_TEXT(PAIN_PAYMENT "/OrgnlPmtInfId", payment.id),
    PAIN_TEXT(PAIN_PAYMENT "/PmtInfSts", payment.word),
    PAIN_TEXT(PAIN_PAYMENT "/StsRsnInf/Rsn/Cd", payment.reason),
    PAIN_TEXT(PAIN_TX "/OrgnlEndToEndId", tx.id),
    PAIN_TEXT(PAIN_TX "/TxSts", tx.word),
    PAIN_TEXT(PAIN_TX "/StsRsnInf/Rsn/Cd", tx.reason),
    PAIN_TEXT(PAIN_TX "/OrgnlTxRef/Amt/InstdAmt", amount),
    PAIN_TEXT(PAIN_TX "/OrgnlTxRef/CdtrAcct/Id/IBAN", iban),
    { NULL, 0, 0 }
};

/* The debtor's side alone is settled with ACSC, the creditor has it with
 * ACCC. */
static const pay_payout_word_t  pain_words[] = {
    { "RCVD", PAY_PAYOUT_SENDING },
    { "PDNG", PAY_PAYOUT_SENDING },
    { "ACTC", PAY_PAYOUT_SENDING },
    { "ACCP", PAY_PAYOUT_SENDING },
    { "ACSP", PAY_PAYOUT_SENDING },
    { "ACWC", PAY_PAYOUT_SENDING },
    { "ACSC", PAY_PAYOUT_SENT },
    { "ACCC", PAY_PAYOUT_PAID },
    { "RJCT", PAY_PAYOUT_FAILED },
    { "CANC", PAY_PAYOUT_CANCELLED },
    { NULL, PAY_PAYOUT_UNKNOWN }
};

/* No funds, a wrong sum, a malformed file, a wrong day. */
static const char *const  pain_ours[] = {
    "am04", "am10", "ff01", "dt01", NULL
};

static const char *const  pain_namespaces[] = {
    "urn:iso:std:iso:20022:tech:xsd:pain.002.001.03",
    "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10", NULL
};

static const pay_settle_format_t  pain_format = {
    .name = "pain.002",
    .medium = "xml",
    .lexer = &pay_settle_xml,
    .state_size = sizeof(pain_state_t),
    .namespaces = pain_namespaces,
    .opened = pain_opened,
    .closed = pain_closed
};


pay_status_t
pay_payout_report_open(pay_arena_t *arena, pay_payout_event_pt event,
    void *data, pay_payout_report_t **report)
{
    pay_payout_report_t   *made = pay_calloc(arena, sizeof(*made));
    pay_settle_options_t   options;

    if (made == NULL) {
        return PAY_NO_MEMORY;
    }

    made->event = event;
    made->data = data;

    memset(&options, 0, sizeof(options));
    options.row = pain_row;
    options.data = made;

    PAY_TRY(pay_settle_open_as(arena, &pain_format, &options,
                               &made->reader));

    *report = made;

    return PAY_OK;
}


pay_status_t
pay_payout_report_feed(pay_payout_report_t *report, pay_str_t bytes)
{
    return pay_settle_feed(report->reader, bytes);
}


pay_status_t
pay_payout_report_end(pay_payout_report_t *report)
{
    return pay_settle_end(report->reader);
}


void
pay_payout_report_close(pay_payout_report_t *report)
{
    if (report != NULL) {
        pay_settle_close(report->reader);
    }
}


const char *
pay_payout_report_refusal(const pay_payout_report_t *report, int64_t *line)
{
    const pay_settle_refusal_t  *refusal;

    refusal = pay_settle_refusal(report->reader);
    *line = (refusal != NULL) ? refusal->line : 0;

    return (refusal != NULL) ? refusal->reason : NULL;
}


/* A report has no rows of settlements. */
static pay_status_t
pain_row(void *data, const pay_settle_row_t *row)
{
    (void) data;
    (void) row;

    return PAY_BUG;
}


/* Nothing of one transaction goes over to the next. */
static pay_status_t
pain_opened(pay_settle_reader_t *reader, const char *path)
{
    pain_state_t  *state = reader->state;

    if (strcmp(path, PAIN_PAYMENT) == 0) {
        memset(&state->payment, 0, sizeof(state->payment));

    } else if (strcmp(path, PAIN_TX) == 0) {
        memset(&state->tx, 0, sizeof(state->tx));
        state->amount[0] = '\0';
        state->currency[0] = '\0';
        state->iban[0] = '\0';
    }

    return PAY_OK;
}


static pay_status_t
pain_closed(pay_settle_reader_t *reader, const char *path, pay_str_t text,
    pay_str_t currency)
{
    pain_state_t       *state = reader->state;
    const pain_text_t  *row;

    if (strcmp(path, PAIN_TX) == 0) {
        return pain_tell(reader, &state->tx, PAIN_OF_TX);
    }

    if (strcmp(path, PAIN_PAYMENT) == 0) {
        return pain_tell(reader, &state->payment, PAIN_OF_PAYMENT);
    }

    if (strcmp(path, PAIN_GROUP) == 0) {
        return pain_tell(reader, &state->group, PAIN_OF_GROUP);
    }

    if (strcmp(path, PAIN_PLACE "GrpHdr/CreDtTm") == 0) {
        state->made_us = pay_payout_time_us(pay_settle_trim(text));
        return PAY_OK;
    }

    for (row = pain_texts; row->path != NULL; row++) {
        if (strcmp(path, row->path) == 0) {
            pain_keep((char *) state + row->offset, row->size,
                      pay_settle_trim(text));
        }
    }

    if (currency.len != 0) {
        pain_keep(state->currency, sizeof(state->currency), currency);
    }

    return PAY_OK;
}


/* A text that is too long or has other bytes than visible ASCII is none: it is
 * no id of ours. */
static void
pain_keep(char *to, size_t size, pay_str_t text)
{
    size_t  i;

    to[0] = '\0';

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') {
            return;
        }
    }

    if (text.len < size) {
        memcpy(to, text.data, text.len);
        to[text.len] = '\0';
    }
}


/* AM05 ("duplication") refuses this copy and says that another one is there:
 * the money may have been paid.  A file, its PmtInf and its only transaction
 * may have one key: the sign between the parts of an event's id tells them
 * apart, or the second would be taken for a repetition of the first. */
static pay_status_t
pain_tell(pay_settle_reader_t *reader, pain_status_t *status, char of)
{
    int                   is_tx = of == PAIN_OF_TX;
    char                  id[PAIN_EVENT_ID], type[PAIN_WORD];
    size_t                len = 0;
    pain_state_t         *state = reader->state;
    pay_payout_event_t    event;
    pay_payout_report_t  *report = reader->options.data;

    if (status->id[0] == '\0' || status->word[0] == '\0') {
        return PAY_OK;
    }

    memcpy(type, status->word, sizeof(type));
    pain_lower(type);
    pain_lower(status->reason);

    memset(&event, 0, sizeof(event));
    event.type = pay_str_of(type);
    event.code = pay_str_of(status->reason);
    event.state = pay_str_is(event.code, "am05")
                  ? PAY_PAYOUT_UNKNOWN
                  : pay_payout_word(pain_words, pay_str_of(status->word));
    event.is_ours = pay_psp_is_one_of(event.code, pain_ours);
    event.occurred_us = state->made_us;

    if (is_tx && pay_payout_key_is_valid(pay_str_of(status->id))) {
        event.key = pay_str_of(status->id);
        event.parcel = pay_str_of(state->payment.id);
        pain_money(state, &event);

    } else if (!is_tx) {
        event.parcel = pay_str_of(status->id);

    } else {
        return PAY_OK;                 /* another system's transaction */
    }

    len = strlen(state->message);
    memcpy(id, state->message, len);
    id[len++] = of;
    memcpy(id + len, status->id, strlen(status->id));
    event.event_id = (pay_str_t) { len + strlen(status->id),
                                   (unsigned char *) id };

    return report->event(report->data, &event);
}


static void
pain_money(const pain_state_t *state, pay_payout_event_t *event)
{
    size_t                 len = strlen(state->iban);
    const pay_currency_t  *currency;

    if (pay_currency_find(pay_str_of(state->currency), &currency, NULL)
        == PAY_OK)
    {
        event->has_amount = 1;
        event->currency = pay_str_of(currency->code);

        if (!pay_payout_decimal(pay_str_of(state->amount), currency,
                                &event->amount_minor))
        {
            event->amount_minor = 0;
        }
    }

    if (len > PAY_PAYOUT_END_MAX) {
        event->account_end = pay_str_of(state->iban + len
                                        - PAY_PAYOUT_END_MAX);
    }
}


/* As codes stand in rows and logs. */
static void
pain_lower(char *text)
{
    for ( /* void */ ; *text != '\0'; text++) {
        if (*text >= 'A' && *text <= 'Z') {
            *text = (char) (*text | 0x20);

        } else if (!(*text >= 'a' && *text <= 'z')
                   && !(*text >= '0' && *text <= '9'))
        {
            *text = '_';
        }
    }
}
