// All of a payment.  The reason stands first: staff come here because a buyer
// or a merchant asks for it.

import { OrderActs, changeActs, proposalActs } from "./acts.js";
import { Data } from "./data.js";
import { html, useState } from "./html.js";
import { ACTS, DISPATCHES, EVENTS, LISTS, STATUS_WORDS, TABLES }
    from "./lists.js";
import { Proof } from "./proof.js";
import { useAddress } from "./route.js";
import { Amount, Facts, Status, Table, Time, Value, columnsOf, nameOf }
    from "./table.js";

const LIVE_S = 10;
const SUMS = [["amount", "Amount"], ["authorized", "Authorised, not captured"],
    ["captured", "Captured"], ["refunding", "Being refunded"],
    ["refunded", "Refunded"], ["charged_back", "Charged back"],
    ["refundable", "Refundable"]];
// The parts of explain() that are the same for all orders of a checkout.
const SHARED = [["dead_letters", "Dead letters"], ["exceptions", "Mismatches"],
    ["disputes", "Disputes"]];
const RETRY = { yes: "yes", no: "no", after: "not yet" };

function when(at, zone) {
    return at ? html`<${Time} at=${at} zone=${zone} />` : null;
}

function Retry({ answer, zone }) {
    return html`<strong>${RETRY[answer.answer] || answer.answer}</strong>
        ${answer.after ? html`, after ${when(answer.after, zone)}` : ""}
        . ${answer.reason}`;
}

function NextStep({ step, zone }) {
    return html`${nameOf(step.what)}${step.at
        ? html`, ${when(step.at, zone)}` : ""}`;
}

// Why it is as it is, and who has to act.
function Verdict({ order, zone }) {
    const { explain } = order;
    const step = explain.next_step;
    const mood = order.status === "FAILED" ? "bad"
        : order.status === "SUCCESS" ? "good" : "open";
    return html`<div class=${`notice ${mood}`}>
        <p><strong>${STATUS_WORDS[order.status] || order.status}${order.reason
        ? `: ${order.reason}` : ""}</strong></p>
        <p>${explain.why}</p>
        </div>
        <${Facts} facts=${[
        ["Waits for", explain.waits_for],
        ["Next step", step?.what && step.what !== "none"
            && html`<${NextStep} step=${step} zone=${zone} />`],
        ["A new checkout is safe", explain.safe_to_retry
            && html`<${Retry} answer=${explain.safe_to_retry} zone=${zone} />`],
    ]} />
        ${explain.decline ? html`<h3>The PSP's own codes</h3>
            <${Value} name="decline" value=${explain.decline} zone=${zone} />`
        : ""}`;
}

function Order({ payment, order, zone, me, onProof }) {
    const { explain, payment_order_id: id } = order;
    const { currency, orders } = payment;
    const about = orders.length === 1 ? "" : ` of ${id}`;
    return html`<section>
        <h2>Order <span class="id"><bdi>${id}</bdi></span></h2>
        <${Verdict} order=${order} zone=${zone} />
        <${Facts} facts=${[
        ...SUMS.map(([member, label]) => [label, html`<${Amount}
            text=${order[member]} /> ${currency}`]),
        ["Seller", html`<bdi>${order.seller_account}</bdi>`],
        ["Description", order.description && html`<bdi>${
            order.description}</bdi>`]]} />
        <${OrderActs} payment=${payment} order=${order} me=${me} zone=${zone}
            onProof=${onProof} />
        <h3>Timeline</h3>
        <${Table} caption=${`Timeline${about}`} columns=${EVENTS} zone=${zone}
            rows=${explain.events} name="timeline" />
        ${explain.changes.length ? html`<h3>Changes</h3>
            <${Table} caption=${`Changes${about}`} zone=${zone} name="changes"
                columns=${columnsOf(explain.changes)} rows=${explain.changes}
                actions=${me.can_act ? changeActs(me, payment) : null} />`
        : ""}
        ${["payout", "messages", "risk"].filter(part => explain[part]).map(
        part => html`<h3>${nameOf(part)}</h3><${Value} name=${part}
            value=${explain[part]} zone=${zone} level=${4} />`)}
    </section>`;
}

function Head({ payment, zone }) {
    const { amount, currency, orders } = payment;
    return html`<${Facts} facts=${[
        ["Checkout", html`<span class="id"><bdi>${
            payment.checkout_id}</bdi></span>`],
        ["Status", orders.map(each => html`<${Status}
            text=${each.status} /> `)],
        ["Total", html`<${Amount} text=${amount} /> ${currency}`],
        ["Merchant", payment.merchant_id],
        ["PSP", payment.psps.length > 1
            ? `${payment.psp} (of ${payment.psps.join(", ")})` : payment.psp],
        ["Created", when(payment.created_at, zone)],
        ["Can be paid until", when(payment.expires_at, zone)],
        ["Method", payment.payment_method],
        ["Capture", payment.capture],
        ["Decision about the risk", payment.risk],
        ["Created by request", payment.request_id && html`<span
            class="id">${payment.request_id}</span>`],
    ]} />`;
}

function Shared({ explain, zone }) {
    return html`
        <h2>Calls to PSPs</h2>
        <${Table} caption="Calls, with how far their bytes came" zone=${zone}
            columns=${DISPATCHES} rows=${explain.dispatches} name="calls" />
        ${SHARED.filter(([part]) => explain[part].length).map(
        ([part, title]) => html`<h2>${title}</h2>
            <${Table} caption=${title} columns=${columnsOf(explain[part])}
                rows=${explain[part]} zone=${zone} name=${part} />`)}
        ${explain.late_success ? html`<h2>Late payment</h2>
            <${Value} name="late_success" value=${explain.late_success}
                zone=${zone} />` : ""}`;
}

// Each look at these data is logged with the name of who looks.
function Personal({ payment, query, me, zone }) {
    const addressOf = useAddress();
    const parts = ["buyer", "card", "metadata"].filter(
        part => payment[part] !== null);
    return html`<h2>The buyer</h2>
        ${payment.is_masked && me.sees_personal ? html`<p><a
            class="button quiet" href=${addressOf("payment",
        { ...query, personal: "1" })}>Show the buyer's data</a> Your name and
            this payment are logged then.</p>` : ""}
        ${parts.length === 0 ? html`<p class="empty">The storefront has sent no
            data about the buyer.</p>` : ""}
        ${parts.map(part => html`<h3>${nameOf(part)}</h3>
            <${Value} name=${part} value=${payment[part]} zone=${zone}
                level=${4} />`)}`;
}

// Who has acted, and the proposals that wait.
function Acts({ payment, me, zone }) {
    const { acts, proposals, checkout_id: checkout } = payment;
    const addressOf = useAddress();
    return html`
        ${proposals.length ? html`<h2>Waiting for a second person</h2>
            <${Table} caption="Proposals" columns=${LISTS.approvals.columns}
                rows=${proposals} zone=${zone} name="proposals"
                actions=${me.can_act ? proposalActs(me) : null} />` : ""}
        ${acts.length ? html`<h2>Acts of staff</h2>
            <${Table} caption="Acts of staff about this payment"
                columns=${ACTS} rows=${acts} zone=${zone} name="acts" />
            ${me.pages.includes("acts") ? html`<p><a href=${addressOf("acts",
        { object: checkout })}>All acts about this payment</a></p>` : ""}`
        : ""}`;
}

export function Payment({ route, me }) {
    const { query, zone } = route;
    const isOpen = "personal" in query;
    const [proof, setProof] = useState(null);
    if (proof) {
        return html`<${Proof} text=${proof} zone=${zone}
            onClose=${() => setProof(null)} />`;
    }
    return html`<${Data} page="payment" query=${query} zone=${zone}
        seconds=${isOpen ? 0 : LIVE_S}>${payment => {
        const { orders } = payment;
        return html`
            <${Head} payment=${payment} zone=${zone} />
            ${orders.map(order => html`<${Order} key=${order.payment_order_id}
                payment=${payment} order=${order} zone=${zone} me=${me}
                onProof=${setProof} />`)}
            <${Acts} payment=${payment} me=${me} zone=${zone} />
            <${Shared} explain=${orders[0].explain} zone=${zone} />
            <h2>Ledger</h2>
            <${Table} caption="Lines of the journal, oldest first"
                columns=${TABLES.LedgerLine} rows=${payment.ledger}
                zone=${zone} name="ledger" />
            <${Personal} payment=${payment} query=${query} me=${me}
                zone=${zone} />`;
    }}<//>`;
}
