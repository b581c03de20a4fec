/*
 * The bytes of a settlement file and their digest, for payctl settlement
 * import, which reads a file more than once: whether it read the same bytes
 * again is seen here, and nowhere by the file's name, size or time.
 */

#include "cli/settlement.h"
#include "pay_crypto.h"

#include <stdio.h>

#include <openssl/evp.h>


#define READ_SIZE  65536


static int bytes_read(FILE *file, EVP_MD_CTX *context,
    settlement_bytes_pt take, void *data);


int
pay_cli_settlement_bytes(FILE *file, settlement_bytes_pt take, void *data,
    char sha256[PAY_SHA256_SIZE * 2 + 1])
{
    int             is_done;
    size_t          i;
    unsigned        size;
    EVP_MD_CTX     *context = EVP_MD_CTX_new();
    unsigned char   digest[EVP_MAX_MD_SIZE];

    is_done = context != NULL
              && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1
              && bytes_read(file, context, take, data)
              && EVP_DigestFinal_ex(context, digest, &size) == 1;
    EVP_MD_CTX_free(context);

    for (i = 0; is_done && i < PAY_SHA256_SIZE; i++) {
        snprintf(&sha256[2 * i], 3, "%02x", digest[i]);
    }

    return is_done && fseek(file, 0, SEEK_SET) == 0;
}


static int
bytes_read(FILE *file, EVP_MD_CTX *context, settlement_bytes_pt take,
    void *data)
{
    size_t         n;
    unsigned char  text[READ_SIZE];

    while ((n = fread(text, 1, sizeof(text), file)) > 0) {
        if (EVP_DigestUpdate(context, text, n) != 1) {
            return 0;
        }

        if (take != NULL) {
            take(data, (pay_str_t) { n, text });
        }
    }

    return !ferror(file);
}
