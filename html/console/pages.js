// The pages but the payment: overviews, and all lists by one component.

import { actionsOf } from "./acts.js";
import { Data } from "./data.js";
import { html, useEffect, useState } from "./html.js";
import { FILTERS, LISTS, STATUS_WORDS, TABLES, TILES } from "./lists.js";
import { WinRate } from "./disputes.js";
import { Payment } from "./payment.js";
import { addressOf, go, useAddress, useLabel } from "./route.js";
import { Amount, Facts, Table, Time, Value, nameOf } from "./table.js";
import { ageText, momentOf, wallTime } from "./text.js";

const LIVE_S = 10;
const CURSORS = ["before", "after"];
const SPANS = [["Last hour", 1], ["Last day", 24], ["Last 7 days", 168]];

// The page of an address: its title, its content, and the form of its filters
// where it has one; the names are those of the API.
export function pageOf(name) {
    return LISTS[name] ? [LISTS[name].title, List, ListFilters]
        : OTHERS[name];
}

export function titleOf(name) {
    return pageOf(name)?.[0] || nameOf(name);
}

function Tile({ label, tile, zone }) {
    const { link } = tile;
    const addressOf = useAddress();
    return html`<li class=${tile.count ? "some" : "zero"}>
        <a href=${addressOf(link.page, link.query)}>
            <strong>${tile.is_capped ? `${tile.count} or more`
                : tile.count}</strong> <span>${label}</span></a>
        ${(tile.amounts || []).map(({ amount, currency }) => html`
            <p><${Amount} text=${amount} /> ${currency}</p>`)}
        ${tile.oldest_at ? html`<p>oldest ${ageText(tile.oldest_at, Date.now())}
            ago, <${Time} at=${tile.oldest_at} zone=${zone} /></p>` : ""}
    </li>`;
}

function Tiles({ tiles, zone }) {
    return html`<ul class="tiles">${tiles.map(tile => html`<${Tile}
        key=${tile.id} tile=${tile} label=${TILES[tile.id] || nameOf(tile.id)}
        zone=${zone} />`)}</ul>`;
}

function Psps({ rows, zone }) {
    return html`<${Table} caption="PSPs" columns=${TABLES.Psp} rows=${rows}
        zone=${zone} name="psps" />`;
}

function Now({ route }) {
    const { zone, query } = route;
    return html`<${Data} page="now" query=${query} seconds=${LIVE_S}
        zone=${zone}>${now => html`
        <h2>Open work and money at risk</h2>
        <${Tiles} tiles=${now.tiles} zone=${zone} />
        <h2>Payments</h2>
        <p>Created from <${Time} at=${now.window.from} zone=${zone} />
            ${" to "}<${Time} at=${now.window.to} zone=${zone} />${
    now.window.is_cut ? ", the newest 1,000" : ""}.</p>
        <ul class="tiles">${now.statuses.map(each => html`<${Tile}
            key=${each.status} tile=${each} zone=${zone}
            label=${STATUS_WORDS[each.status] || each.status} />`)}</ul>
        <h2>PSPs</h2>
        <${Psps} rows=${now.psps} zone=${zone} />`}<//>`;
}

function PspPage({ route }) {
    return html`<${Data} page="psps" query=${route.query} seconds=${LIVE_S}
        zone=${route.zone} count=${data => data.items.length}>${data => html`
        <${Psps} rows=${data.items} zone=${route.zone} />
        <h2>Calls of this node</h2>
        <${Table} caption="Calls, as the node that answers has seen them"
            columns=${TABLES.NodePsp} rows=${data.node} zone=${route.zone}
            name="psp-calls" />`}<//>`;
}

function Find({ route }) {
    const { zone, query } = route;
    if (!query.q) {
        return html`<p>The field at the top finds a payment by each name that it
            has: the id of an order, checkout, change or dispute, the PSP's
            token or ids, an idempotency key, a request id, or an amount such
            as 12.34 EUR.</p>`;
    }
    return html`<${Data} page="find" query=${query} seconds=${0} zone=${zone}
        count=${data => data.items.length}>${data => html`
        <${Table} caption=${`Found for ${query.q}`} columns=${TABLES.Found}
            rows=${data.items} zone=${zone} name="find" />`}<//>`;
}

// Of payctl check, which reads all of the books, as no page does.
function Checks({ checks, zone }) {
    const { checked, violated } = checks;
    if (checked === 0) {
        return html`<p>The whole books have not been checked yet: run payctl
            check as an operator.</p>`;
    }
    return html`<h2>Check of the books</h2>
        <p class=${`notice ${violated.length ? "bad" : "good"}`}>${
    violated.length ? `${violated.length} of ${checked} checks did not hold`
        : `All ${checked} checks held`}, <${Time} at=${checks.oldest_at}
            zone=${zone} />.</p>
        ${violated.length ? html`<${Table} caption="Checks that did not hold"
            columns=${TABLES.Check} rows=${violated} zone=${zone}
            name="checks" />` : ""}`;
}

function Money({ route }) {
    const { zone, query } = route;
    return html`<${Data} page="money" query=${query} seconds=${60}
        zone=${zone}>${money => html`
        <${Tiles} tiles=${[money.suspense]} zone=${zone} />
        <${Facts} facts=${[["Orders are compared with the ledger next",
        money.books && html`<${Time} at=${money.books.run_at}
            zone=${zone} />`]]} />
        ${money.checks ? html`<${Checks} checks=${money.checks}
            zone=${zone} />` : ""}
        <h2>Money on its way</h2>
        <${Table} caption="Entries that no file has brought, by age"
            columns=${TABLES.Ageing} rows=${money.ageing} zone=${zone}
            name="ageing" />
        <h2>Accounts of the ledger</h2>
        ${money.accounts.until ? html`<p>As of <${Time}
            at=${money.accounts.until} zone=${zone} />; a debit is positive, a
            credit negative.</p>` : ""}
        <${Table} caption="Balances of accounts" columns=${TABLES.Account}
            rows=${money.accounts.rows} zone=${zone} name="accounts" />
        <h2>Balances</h2>
        <${Table} caption="Balances that PSPs state" columns=${TABLES.Balance}
            rows=${money.balances} zone=${zone} name="balances" />`}<//>`;
}

function Webhooks({ route, me }) {
    const { zone, query } = route;
    return html`<${Data} page="webhooks" query=${query} seconds=${LIVE_S}
        zone=${zone}>${hooks => html`
        <${Tiles} zone=${zone} tiles=${[hooks.inbox, hooks.quarantine,
        hooks.failed, hooks.due].filter(Boolean)} />
        <h2>Storefronts</h2>
        <${Table} caption="Addresses of storefronts" columns=${TABLES.Endpoint}
            rows=${hooks.endpoints} zone=${zone} name="endpoints"
            actions=${actionsOf("webhooks", me)} />`}<//>`;
}

// A place is shown when it is opened: there may be hundreds.
function Place({ name, rows, zone }) {
    const [isOpen, setOpen] = useState(false);
    const set = rows.filter(each => each.is_set).length;
    return html`<details onToggle=${event => setOpen(event.target.open)}>
        <summary><bdi>${name}</bdi>: ${set} set${set < rows.length
        ? `, ${rows.length - set} by default` : ""}</summary>
        ${isOpen ? html`<${Table} caption=${`Directives of ${name}`}
            columns=${TABLES.Directive} rows=${rows} zone=${zone}
            name="directives" />` : ""}</details>`;
}

function Directives({ rows, zone }) {
    const places = new Map();
    for (const row of rows) {
        places.set(row.place, [...places.get(row.place) || [], row]);
    }
    return html`<h2>Directives in force</h2>
        <p>${"… stands for a secret, or for the place of one."}</p>
        ${[...places].map(([name, all]) => html`<${Place} key=${name}
            name=${name} rows=${all} zone=${zone} />`)}`;
}

function Settings({ route }) {
    return html`<${Data} page="settings" query=${route.query} seconds=${0}
        zone=${route.zone}>${data => html`
        <h2>Database</h2>
        <${Value} name="database" value=${data.database} zone=${route.zone} />
        <h2>Keys</h2>
        <${Table} caption="Keys by the age of their files"
            columns=${TABLES.Key} rows=${data.keys} zone=${route.zone}
            name="keys" />
        <${Directives} rows=${data.directives} zone=${route.zone} />
        <h2>Configuration</h2>
        <${Value} name="settings" value=${data.settings}
            zone=${route.zone} />`}<//>`;
}

function Me({ me, route }) {
    return html`<${Facts} facts=${[
        ["Logged in as", html`<bdi>${me.staff}</bdi>`],
        ["Roles", me.roles.join(", ")],
        ["Merchants", me.merchants === "*" ? "all" : me.merchants.join(", ")],
        ["Sees tokens of PSPs", me.sees_tokens ? "yes" : "no"],
        ["May see data of buyers", me.sees_personal ? "yes" : "no"],
        ["Cells", me.cells.length > 1 && me.cells.join(", ")],
        ["Time zone", route.zone],
    ]} />`;
}

function Choice({ name, values, value }) {
    const all = value && !values.includes(value) ? [value, ...values] : values;
    return html`<select id=${`filter-${name}`} name=${name}>
        <option value="" selected=${!value}>all</option>
        ${all.map(each => html`<option value=${each}
            selected=${each === value}>${each}</option>`)}
    </select>`;
}

// The span ends at the press and not when the page was drawn, which may be
// hours ago.  Each use of a link begins with a press: a new tab, a copy, too.
function Span({ label, hours, addressOfSpan }) {
    const address = () => addressOfSpan(new Date(Date.now() - hours * 3600000)
        .toISOString().replace(/\.[0-9]+Z$/, "Z"));

    function renew(event) {
        event.currentTarget.href = address();
    }

    return html`<a href=${address()} onPointerDown=${renew}
        onClick=${renew}>${label}</a>`;
}

export function Filters({ name, list, route }) {
    const { query, zone } = route;
    const names = Object.entries(list.filters);
    if (names.length === 0) {
        return "";
    }

    function send(event) {
        event.preventDefault();
        const fields = {};
        for (const [key, text] of new FormData(event.target)) {
            const value = text.trim();
            if (value) {
                fields[key] = isTime(key) ? momentOf(value, zone) : value;
            }
        }
        go(addressOf(name, fields));
    }

    const rest = { ...query };
    CURSORS.concat("from", "to").forEach(each => delete rest[each]);
    return html`<form class="filters" onSubmit=${send}>
        ${names.map(([key, values]) => html`<div
            class=${isTime(key) ? "is-time" : ""}>
            <label for=${`filter-${key}`}>${FILTERS[key]}${isTime(key)
    ? ` (${zone})` : ""}</label>
            ${values ? html`<${Choice} name=${key} values=${values}
                value=${query[key]} />`
    : html`<input id=${`filter-${key}`} name=${key} autocomplete="off"
                type=${isTime(key) ? "datetime-local" : "text"} step="1"
                maxlength="128" defaultValue=${isTime(key) && query[key]
        ? wallTime(query[key], zone) : query[key] || ""} />`}
        </div>`)}
        <div class="actions"><button>Show</button>
            ${Object.keys(query).length ? html`<a class="button quiet"
                href=${addressOf(name)}>Clear</a>` : ""}</div>
        ${"from" in list.filters ? html`<p class="spans">${
        (list.spans || SPANS).map(([label, hours, more]) => html`<${Span}
            label=${label} hours=${hours} addressOfSpan=${from => addressOf(
    name, { ...rest, ...more, from })} />`)}</p>` : ""}
    </form>`;
}

function ListFilters({ route }) {
    return html`<${Filters} key=${JSON.stringify(route)} name=${route.page}
        list=${LISTS[route.page]} route=${route} />`;
}

function isTime(name) {
    return name === "from" || name === "to";
}

function Pager({ name, list, query, next, isShort }) {
    const key = list.next || "before";
    const addressOf = useAddress(), label = useLabel();
    const first = { ...query };
    delete first[key];
    return html`<nav class="pager" aria-label=${label("Pages of the list")}>
        ${key in query ? html`<a class="button quiet"
            href=${addressOf(name, first)}>First page</a>` : ""}
        ${next !== null ? html`<a class="button quiet"
            href=${addressOf(name, { ...query, [key]: next })}>Next page</a>`
        : ""}
        ${next !== null && isShort ? html`<p>A page looks at 2,000 ${
        name === "ledger" ? "entries" : "checkouts"} and shows those that fit:
            more may follow.</p>` : ""}
    </nav>`;
}

// A list keeps up to date on its first page only, so that nothing moves under
// the eyes of a person who reads on.
function List({ route, me }) {
    const { page: name, query, zone } = route;
    const list = LISTS[name];
    const isFirst = !CURSORS.some(each => each in query);
    const seconds = isFirst ? list.seconds ?? LIVE_S : 0;
    const limit = Number(query.limit) || 50;
    return html`
        <${Data} page=${name} query=${query} seconds=${seconds} zone=${zone}
            count=${data => data.items.length}>${data => html`
            ${data.rate ? html`<${WinRate} rate=${data.rate} />` : ""}
            <${Table} caption=${`${list.title}, ${list.order}`}
                columns=${list.columns} rows=${data.items} zone=${zone}
                name=${name} actions=${actionsOf(name, me)} />
            <${Pager} name=${name} list=${list} query=${query}
                next=${data.next}
                isShort=${data.items.length < limit} />`}<//>`;
}

// Parts that a first load need not bring.
function later(file, name) {
    return function Later(props) {
        const [{ Content, why }, set] = useState({});
        useEffect(() => {
            import(file).then(found => set({ Content: found[name] }),
                error => set({ why: error.message }));
        }, []);
        return why ? html`<p class="notice bad" role="alert">A part of the
            console is missing: ${why}</p>`
            : Content ? html`<${Content} ...${props} />`
                : html`<p class="empty">Loading …</p>`;
    };
}

const OTHERS = {
    plots: ["Plots", later("./plots.js", "Plots"),
        later("./plots.js", "PlotFilters")],
    flight: ["Money in flight", later("./flight.js", "Flight")],
    waterfall: ["Waterfall", later("./flight.js", "Waterfall")],
    now: ["Now", Now],
    find: ["Search", Find],
    payment: ["Payment", Payment],
    psps: ["PSPs", PspPage],
    money: ["Money", Money],
    webhooks: ["Webhooks", Webhooks],
    settings: ["Settings", Settings],
    me: ["You", Me],
};
