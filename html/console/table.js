// A table of rows, with what its screen shows as a CSV file.

import { noteExport } from "./api.js";
import { html } from "./html.js";
import { pageName, useAddress, useCell, useLabel } from "./route.js";
import { cellText, csvOf, groupsOf, plain, timeText, valueAt } from "./text.js";

const GOOD = ["SUCCESS", "won", "paid", "settled", "resolved", "approved",
    "closed", "enabled", "valid", "DONE", "explained", "booked", "proven"];
const BAD = ["FAILED", "lost", "open", "failed", "late", "unknown", "UNKNOWN",
    "returned", "held", "old", "disabled", "escalated", "refused",
    "unexplained", "half-open", "ended", "ends soon"];

export function Time({ at, zone }) {
    return html`<time datetime=${at}>${timeText(at, zone)}</time>`;
}

export function Amount({ text }) {
    const [first, ...others] = groupsOf(text);
    return html`<span class="amount">${first}${others.map(
        each => html`<span class="group">${each}</span>`)}</span>`;
}

export function Status({ text }) {
    const mood = GOOD.includes(text) ? "good" : BAD.includes(text) ? "bad" : "";
    return html`<span class=${`status ${mood}`}>${text}</span>`;
}

function addressIn(kind, row, addressOf) {
    const merchant = row.merchant_id ? { merchant: row.merchant_id } : {};
    switch (kind) {
        case "checkout":
            return addressOf("payment",
                { checkout: row.checkout_id, ...merchant });
        case "order":
            return addressOf("payment",
                { order: row.payment_order_id, ...merchant });
        case "unknown":
        case "inbox":
            return addressOf(kind, { psp: row.psp });
        case "account":
            return addressOf(row.link.page, row.link.query);
        case "waterfall":
            return addressOf(kind, { file: row.file_id });
        default:
            return null;
    }
}

// linked: a figure, with the address of its rows in the member links.
const NUMBERS = ["amount", "number", "unknown", "inbox", "linked",
    "account"];
const IDS = ["id", "checkout", "order"];

function look(kind) {
    return NUMBERS.includes(kind) ? "figure" : IDS.includes(kind) ? "id"
        : kind === "wide" ? "wide" : "";
}

function Content({ column, row, zone }) {
    const [path, , kind] = column;
    const addressOf = useAddress();
    const text = cellText(column, row, zone);
    if (text === "") {
        return "";
    }
    if (kind === "time") {
        return html`<${Time} at=${valueAt(row, path)} zone=${zone} />`;
    }
    if (kind === "amount") {
        return html`<${Amount} text=${text} />`;
    }
    if (kind === "status") {
        return html`<${Status} text=${text} />`;
    }
    const address = kind === "linked" ? row.links[path]
        : addressIn(kind, row, addressOf);
    if (kind === "account") {
        return html`<a href=${address}><${Amount} text=${text} /></a>`;
    }
    return address ? html`<a href=${address}><bdi>${text}</bdi></a>`
        : html`<bdi>${text}</bdi>`;
}

function Row({ columns, row, zone, actions }) {
    return html`<tr>${columns.map((column, i) => {
        const empty = cellText(column, row, zone) === "" ? " none" : "";
        const content = html`<${Content} column=${column} row=${row}
            zone=${zone} />`;
        return i === 0
            ? html`<th scope="row" class=${look(column[2])}
                data-label=${column[1]}>${content}</th>`
            : html`<td class=${look(column[2]) + empty}
                data-label=${column[1]}>${content}</td>`;
    })}${actions ? html`<td class="actions" data-label="Actions">${
        actions(row)}</td>` : ""}</tr>`;
}

// Columns without any value on this screen are left out, here and in the file.
export function filled(columns, rows, zone) {
    return columns.filter((column, i) => i === 0
        || rows.some(row => cellText(column, row, zone) !== ""));
}

// actions is a function from a row to its buttons, or nothing.
export function Table({ caption: words, columns, rows, zone, name, actions }) {
    const cell = useCell();
    const caption = useLabel()(words);
    if (rows.length === 0) {
        return html`<p class="empty">${caption}: none.</p>`;
    }
    const shown = filled(columns, rows, zone);
    return html`<div class="table">
        <div class="scroll" role="region" tabindex="0" aria-label=${caption}>
        <table>
        <caption>${caption}</caption>
        <thead><tr>${shown.map(([, label, kind]) => html`
            <th scope="col" class=${look(kind)}>${label}</th>`)}${actions
        ? html`<th scope="col">Actions</th>` : ""}</tr></thead>
        <tbody>${rows.map(row => html`
            <${Row} columns=${shown} row=${row} zone=${zone}
                actions=${actions} />`)}</tbody>
        </table></div>
        <p class="tools"><button type="button" class="quiet"
            aria-label=${`Save as CSV: ${caption}`}
            onClick=${() => saveRows(name, shown, rows, zone,
        cell)}>Save as CSV</button></p>
    </div>`;
}

function saveRows(name, columns, rows, zone, cell) {
    save(`payments-${name}${cell ? `-${cell}` : ""}`, "csv",
        "text/csv;charset=utf-8", csvOf(columns, rows, zone));
    noteExport(pageName(), `${name} ${location.search}`, rows.length, cell);
}

export function save(name, ending, type, text) {
    const stamp = new Date().toISOString().replace(/[-:]|\.[0-9]+/g, "");
    const address = URL.createObjectURL(new Blob([text], { type }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `${name}-${stamp}.${ending}`;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
}

function isRows(value) {
    return Array.isArray(value) && value.length > 0
        && value.every(each => each !== null && typeof each === "object"
            && !Array.isArray(each));
}

function kindOf(name, value) {
    return /(_at|_until|^at|^after)$/.test(name) && /^\d{4}-/.test(value)
        ? "time" : /_ids?$|^(id|nonce|token|reference|kid)$/.test(name)
            ? "id" : "";
}

// Columns of rows that the document leaves open: all members, as they come.
export function columnsOf(rows) {
    const names = [...new Set(rows.flatMap(Object.keys))];
    return names.map(name => {
        const value = rows.map(row => row[name]).find(each => each !== null);
        return [name, nameOf(name), kindOf(name, value)];
    });
}

export function nameOf(member) {
    const words = member.replaceAll("_", " ").replace(
        /\b(psp|url|jwt|ip|http)(?=s?\b)/g, word => word.toUpperCase());
    return words.charAt(0).toUpperCase() + words.slice(1);
}

// Any value: an object as a list of its members, rows as a table.
export function Value({ name, value, zone, level = 3 }) {
    if (isRows(value)) {
        return html`<${Table} caption=${nameOf(name)}
            columns=${columnsOf(value)} rows=${value} zone=${zone}
            name=${name} />`;
    }
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
        const text = kindOf(name, value) === "time" ? timeText(value, zone)
            : plain(value);
        return html`<bdi>${text || "–"}</bdi>`;
    }
    const members = Object.entries(value);
    const isDeep = ([, each]) => isRows(each)
        || (each !== null && typeof each === "object" && !Array.isArray(each));
    const heading = `h${Math.min(level, 6)}`;
    return html`
        <${Facts} facts=${members.filter(each => !isDeep(each)).map(
            ([key, each]) => [nameOf(key), html`<${Value} name=${key}
                value=${each} zone=${zone} />`])} />
        ${members.filter(isDeep).map(([key, each]) => html`<section>
            ${isRows(each) ? "" : html`<${heading}>${nameOf(key)}<//>`}
            <${Value} name=${key} value=${each} zone=${zone}
                level=${level + 1} /></section>`)}`;
}

// [[label, value], …] as a list of descriptions.
export function Facts({ facts }) {
    const shown = facts.filter(([, value]) => value !== null && value !== ""
        && value !== undefined && value !== false);
    return shown.length === 0 ? "" : html`<dl>${shown.map(([label, value]) =>
        html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`;
}
