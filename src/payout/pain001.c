/*
 * Credit transfers as a file for a bank: ISO 20022 pain.001.001.09 in the
 * subset of the SEPA credit transfer (docs/payout-providers.md#pain001).  The
 * file is written as a stream: a head, each item, a foot; memory does not grow
 * with it.  The elements stand in the order of the schema, which counts.
 *
 * The number of items and their sum stand in the head, so that they are
 * announced before; a file whose items are others is not to be used.
 */

#include "payout/payout.h"
#include "pay_time.h"


#define PAIN_NAMESPACE  "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
#define PAIN_ID_MAX     35
#define PAIN_MAX_MINOR  INT64_C(99999999999)   /* 999,999,999.99 */
#define PAIN_ITEMS_MAX  1000000


static pay_status_t pain_head(pay_payout_file_t *file, pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    int64_t count, int64_t sum_minor);
static void pain_agent(pay_payout_file_t *file, const char *element,
    pay_str_t bic);
static pay_status_t pain_fits(const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_err_t *err);
static int pain_id_is_valid(pay_str_t id);
static void pain_add(pay_payout_file_t *file, const char *before,
    pay_str_t text, const char *after);
static void pain_bytes(pay_payout_file_t *file, pay_str_t bytes);
static void pain_amount(pay_payout_file_t *file, int64_t minor);
static pay_status_t pain_flush(pay_payout_file_t *file);


static const pay_payout_limit_t  pain_limits[] = {
    { "EUR", 1, PAIN_MAX_MINOR, 0 }, { "", 0, 0, 0 }
};

/* Whether a bank refuses a file that it has is the bank's affair: there is no
 * window, and an operator decides when nobody knows whether it arrived. */
const pay_payout_adapter_t  pay_payout_pain001 = {
    .name = "pain001",
    .scheme = NULL,
    .traits = PAY_PAYOUT_IS_FILE,
    .steps = { { "file", 0, 1 } },
    .items_max = PAIN_ITEMS_MAX,
    .looks = 0,
    .return_days = 60,
    .to = PAY_PAYOUT_TO(PAY_PAYOUT_TO_IBAN),
    .limits = pain_limits
};


pay_status_t
pay_payout_file_begin(pay_payout_file_t *file, pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    const pay_payout_sums_t *sums, pay_payout_write_pt write, void *data,
    pay_err_t *err)
{
    PAY_TRY(pain_fits(account, parcel, err));

    if (sums->count <= 0 || sums->count > PAIN_ITEMS_MAX
        || sums->minor <= 0 || sums->minor > PAY_AMOUNT_MAX_MINOR)
    {
        return PAY_BUG;
    }

    memset(file, 0, offsetof(pay_payout_file_t, out));
    file->write = write;
    file->data = data;
    file->said = *sums;

    PAY_TRY(pain_head(file, arena, account, parcel, sums->count,
                      sums->minor));

    return pain_flush(file);
}


/* Everything that stands in the XML has been checked to be of characters that
 * need no escape, but for &, < and >, which are none of them: see
 * pay_payout_is_latin(). */
pay_status_t
pay_payout_file_item(pay_payout_file_t *file, const pay_payout_item_t *item,
    pay_err_t *err)
{
    PAY_TRY(pay_payout_fits(&pay_payout_pain001, item, err));

    if (file->has_ended
        || pay_amount_add(file->seen.minor, item->amount_minor,
                          &file->seen.minor, NULL) != PAY_OK)
    {
        return PAY_BUG;
    }

    file->seen.count++;

    pain_add(file, "<CdtTrfTxInf>\n<PmtId><EndToEndId>", item->key,
             "</EndToEndId></PmtId>\n<Amt><InstdAmt Ccy=\"EUR\">");
    pain_amount(file, item->amount_minor);
    pain_add(file, "</InstdAmt></Amt>\n", PAY_STR(""), "");

    if (item->to.bic.len != 0) {
        pain_agent(file, "CdtrAgt", item->to.bic);
    }

    pain_add(file, "<Cdtr><Nm>", item->to.name, "</Nm></Cdtr>\n");
    pain_add(file, "<CdtrAcct><Id><IBAN>", item->to.iban,
             "</IBAN></Id></CdtrAcct>\n");

    if (item->text.len != 0) {
        pain_add(file, "<RmtInf><Ustrd>", item->text, "</Ustrd></RmtInf>\n");
    }

    pain_add(file, "</CdtTrfTxInf>\n", PAY_STR(""), "");

    return pain_flush(file);
}


pay_status_t
pay_payout_file_end(pay_payout_file_t *file)
{
    if (file->has_ended || file->seen.count != file->said.count
        || file->seen.minor != file->said.minor)
    {
        return PAY_BUG;
    }

    file->has_ended = 1;
    pain_add(file, "</PmtInf>\n</CstmrCdtTrfInitn>\n</Document>\n",
             PAY_STR(""), "");

    return pain_flush(file);
}


static pay_status_t
pain_head(pay_payout_file_t *file, pay_arena_t *arena,
    const pay_payout_account_t *account, const pay_payout_parcel_t *parcel,
    int64_t count, int64_t sum_minor)
{
    pay_str_t      made, number;
    unsigned char  text[PAY_INT_TEXT_MAX];

    PAY_TRY(pay_time_format(arena, parcel->made_s, &made));
    number = pay_int_text(count, text);

    pain_add(file, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<Document xmlns=\"" PAIN_NAMESPACE "\">\n<CstmrCdtTrfInitn>\n"
             "<GrpHdr>\n<MsgId>", parcel->key, "</MsgId>\n");
    pain_add(file, "<CreDtTm>", made, "</CreDtTm>\n");
    pain_add(file, "<NbOfTxs>", number, "</NbOfTxs>\n<CtrlSum>");
    pain_amount(file, sum_minor);
    pain_add(file, "</CtrlSum>\n<InitgPty><Nm>", account->debtor_name,
             "</Nm></InitgPty>\n</GrpHdr>\n");
    pain_add(file, "<PmtInf>\n<PmtInfId>", parcel->key,
             "</PmtInfId>\n<PmtMtd>TRF</PmtMtd>\n"
             "<BtchBookg>true</BtchBookg>\n");
    pain_add(file, "<NbOfTxs>", number, "</NbOfTxs>\n<CtrlSum>");
    pain_amount(file, sum_minor);
    pain_add(file, "</CtrlSum>\n<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl>"
             "</PmtTpInf>\n<ReqdExctnDt><Dt>", parcel->execute_on,
             "</Dt></ReqdExctnDt>\n");
    pain_add(file, "<Dbtr><Nm>", account->debtor_name, "</Nm></Dbtr>\n");
    pain_add(file, "<DbtrAcct><Id><IBAN>", account->debtor_iban,
             "</IBAN></Id></DbtrAcct>\n");
    pain_agent(file, "DbtrAgt", account->debtor_bic);
    pain_add(file, "<ChrgBr>SLEV</ChrgBr>\n", PAY_STR(""), "");

    return PAY_OK;
}


/* NOTPROVIDED stands for a bank that the IBAN names. */
static void
pain_agent(pay_payout_file_t *file, const char *element, pay_str_t bic)
{
    pain_add(file, "<", pay_str_of(element), "><FinInstnId>");

    if (bic.len != 0) {
        pain_add(file, "<BICFI>", bic, "</BICFI>");

    } else {
        pain_add(file, "<Othr><Id>NOTPROVIDED</Id></Othr>", PAY_STR(""), "");
    }

    pain_add(file, "</FinInstnId></", pay_str_of(element), ">\n");
}


/* The configuration's account is checked here, since nothing else does. */
static pay_status_t
pain_fits(const pay_payout_account_t *account,
    const pay_payout_parcel_t *parcel, pay_err_t *err)
{
    if (!pain_id_is_valid(parcel->key) || parcel->made_s <= 0
        || parcel->execute_on.len != 10)
    {
        return PAY_BUG;
    }

    return (pay_payout_is_latin(account->debtor_name, PAY_PAYOUT_NAME_MAX)
            && pay_iban_is_valid(account->debtor_iban)
            && (account->debtor_bic.len == 0
                || pay_bic_is_valid(account->debtor_bic)))
           ? PAY_OK : pay_refuse(err, "configuration", "a bank file needs the "
                                 "debtor's name in the characters of SEPA, "
                                 "an IBAN, and a BIC or none");
}


static int
pain_id_is_valid(pay_str_t id)
{
    return pay_psp_token_is_valid(id) && id.len <= PAIN_ID_MAX
           && memchr(id.data, '_', id.len) == NULL;
}


static void
pain_add(pay_payout_file_t *file, const char *before, pay_str_t text,
    const char *after)
{
    pain_bytes(file, pay_str_of(before));
    pain_bytes(file, text);
    pain_bytes(file, pay_str_of(after));
}


/* An item takes less than half of the room, the head less than all of it: the
 * check is a guard against a mistake of ours. */
static void
pain_bytes(pay_payout_file_t *file, pay_str_t bytes)
{
    if (bytes.len > sizeof(file->out) - file->len) {
        file->is_full = 1;
        return;
    }

    if (bytes.len != 0) {
        memcpy(file->out + file->len, bytes.data, bytes.len);
        file->len += bytes.len;
    }
}


/* Euros and two digits of cents. */
static void
pain_amount(pay_payout_file_t *file, int64_t minor)
{
    unsigned char  text[PAY_INT_TEXT_MAX];
    unsigned char  cents[3] = { '.', (unsigned char) ('0' + minor % 100 / 10),
                                (unsigned char) ('0' + minor % 10) };

    pain_bytes(file, pay_int_text(minor / 100, text));
    pain_bytes(file, (pay_str_t) { sizeof(cents), cents });
}


static pay_status_t
pain_flush(pay_payout_file_t *file)
{
    size_t  len = file->len;

    if (file->is_full) {
        return PAY_BUG;
    }

    file->len = 0;

    return file->write(file->data, (pay_str_t) { len, file->out });
}
