/*
 * payctl proof: proof.c makes and verifies the signed proof of an order,
 * proof_html.c prints it as a page.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_PROOF_H
#define PAY_SRC_CLI_PROOF_H

#include <stdio.h>

#include "pay_json.h"


/* Writes a page with all of the document; 0: no memory, or it cannot be
 * written. */
int pay_cli_proof_html(FILE *out, const pay_json_t *document);


#endif /* PAY_SRC_CLI_PROOF_H */
