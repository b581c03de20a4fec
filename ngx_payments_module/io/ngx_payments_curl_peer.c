/*
 * The certificate of the PSP that answers.  It was verified before the first
 * byte of the request went out: this only remembers when it ends.
 */

#include "io/ngx_payments_curl_peer.h"
#include "shm/ngx_payments_count.h"

#include <curl/curl.h>
#include <openssl/ssl.h>

#include "pay_flow.h"


#define ISSUER_TEXT  128               /* with its NUL */
#define DAY_S        86400


/* libcurl may be built with another library: then nothing is known. */
void
ngx_payments_easy_peer(ngx_payments_http_t *http)
{
    int                         days, seconds;
    char                        issuer[ISSUER_TEXT];
    pay_str_t                   psp = http->psp->psp.name;
    const X509                 *cert;
    struct curl_tlssessioninfo *tls = NULL;

    if (pay_call_is_aside(http->call)
        || curl_easy_getinfo(http->easy, CURLINFO_TLS_SSL_PTR, &tls)
           != CURLE_OK
        || tls == NULL || tls->backend != CURLSSLBACKEND_OPENSSL
        || tls->internals == NULL || !ngx_payments_wants_certificate(psp))
    {
        return;
    }

    cert = SSL_get0_peer_certificate(tls->internals);

    if (cert == NULL
        || !ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert))
        || X509_NAME_oneline(X509_get_issuer_name(cert), issuer,
                             sizeof(issuer)) == NULL)
    {
        ERR_clear_error();
        return;
    }

    ngx_payments_count_certificate(psp, ngx_time() + (time_t) days * DAY_S
                                   + seconds, pay_str_of(issuer));
}
