/*
 * The common part of the Braintree adapter's files: braintree.c (events) and
 * braintree_xml.c, the reader of the few XML constructs that its notifications
 * have.  No other file includes this.
 */

#ifndef PAY_SRC_PSP_BRAINTREE_H
#define PAY_SRC_PSP_BRAINTREE_H

#include "psp/psp.h"


#define PAY_BT_DEPTH_MAX     16        /* elements in elements */
#define PAY_BT_ELEMENTS_MAX  4096      /* of one notification */
#define PAY_BT_NAME_MAX      64
#define PAY_BT_TEXT_MAX      256       /* of a text that is handed on */


/* Called for each element without elements in it: the names from the top down
 * to it, and its text, white space around it removed, entities resolved.
 * PAY_INVALID stops the reader. */
typedef pay_status_t (*pay_bt_leaf_pt)(const pay_str_t *path, unsigned depth,
    pay_str_t text, void *data);

/* Walks an untrusted document.  Known are one declaration at its start,
 * elements with attributes (which are ignored), text, the five entities of XML
 * and references by number, which stay as they are.  PAY_INVALID for anything
 * else (DTDs, comments, CDATA, instructions), for what is not well-formed, and
 * beyond the limits above; a longer text is handed on cut by one byte more
 * than PAY_BT_TEXT_MAX, so that no check of it can pass.  Iterative. */
pay_status_t pay_bt_xml_walk(pay_arena_t *arena, pay_str_t text,
    pay_bt_leaf_pt leaf, void *data) PAY_MUST_CHECK;


#endif /* PAY_SRC_PSP_BRAINTREE_H */
