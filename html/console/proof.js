// The proof of an order as a page to print.  The file holds the signed bytes;
// payctl proof verify checks them.

import { html } from "./html.js";
import { Facts, Value, save } from "./table.js";

export function Proof({ text, zone, onClose }) {
    const { proof, key_id: key } = JSON.parse(text);
    const name = `payments-proof-${proof.payment_order_id}`;
    const { log, seals, version, ...shown } = proof;
    return html`<article class="proof">
        <p class="tools">
            <button type="button" onClick=${() => save(name, "json",
        "application/json", text)}>Save as JSON</button>
            <button type="button" class="quiet"
                onClick=${() => print()}>Print</button>
            <button type="button" class="quiet" onClick=${onClose}>Back to the
                payment</button></p>
        <h2>Proof of order <span class="id"><bdi>${
            proof.payment_order_id}</bdi></span></h2>
        <${Facts} facts=${[["Form", version],
        ["Events of the log", log.length], ["Seals", seals.length],
        ["Signed with the key", html`<span class="id">${key}</span>`]]} />
        <p>The saved file has the events, their seals and the signature, which
            payctl proof verify checks without a database. This page shows what
            it says.</p>
        <${Value} name="proof" value=${shown} zone=${zone} />
    </article>`;
}
