// The frame of all pages: who is logged in, the search, the menu, the zone.

import { Dialogs } from "./acts.js";
import { ask, hasToken, keepExports, setToken, watchSignOut } from "./api.js";
import { Heading } from "./data.js";
import { html, render, useEffect, useState } from "./html.js";
import { pageOf, titleOf } from "./pages.js";
import { Cell, addressOf, go, useRoute } from "./route.js";
import { ownZone } from "./text.js";

const MENU = [
    ["", ["now", "payments", "plots"]],
    ["Work", ["approvals", "unknown", "late", "letters", "mismatches",
        "changes", "jobs"]],
    ["Money", ["money", "flight", "wallets", "settlement", "waterfall",
        "exceptions", "payouts", "batches"]],
    ["Risk", ["risk", "disputes"]],
    ["PSPs", ["psps", "webhooks", "inbox", "quarantine", "deliveries"]],
    ["System", ["acts", "audit", "settings"]],
];

function SignIn({ problem, onToken }) {
    const [words, setWords] = useState("");

    function send(event) {
        event.preventDefault();
        const token = new FormData(event.target).get("token").trim();
        if (/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(token)) {
            setWords("");
            onToken(token);
        } else {
            setWords("That is no token: it has three parts with points "
                + "between.");
        }
    }

    return html`<main class="sign" id="main">
        <h1 tabindex="-1">Payments console</h1>
        <p>Log in where your company logs in; then reload this page. Without
            such a log-in paste a token of staff here: it is forgotten when this
            tab is closed.</p>
        ${words || problem.words ? html`<div class="notice bad" role="alert">
            <p>${words || problem.words}</p>
            ${problem.detail ? html`<p>${problem.detail}</p>` : ""}
            </div>` : ""}
        ${problem.status === 401 ? "" : html`<button type="button"
            onClick=${() => onToken(null)}>Try again</button>`}
        <form onSubmit=${send}>
            <label for="token">Token</label>
            <textarea id="token" name="token" rows="6" required
                spellcheck=${false} autocomplete="off"
                autocapitalize="off"></textarea>
            <button>Continue</button>
        </form>
    </main>`;
}

function Search({ route }) {
    function send(event) {
        event.preventDefault();
        const q = new FormData(event.target).get("q").trim();
        if (q) {
            go(addressOf("find", { q }, route.zone, ""));
        }
    }

    return html`<form class="search" role="search" onSubmit=${send}>
        <label for="search">Find a payment</label>
        <input id="search" name="q" type="search" maxlength="128"
            autocomplete="off" spellcheck=${false}
            placeholder="any id, or an amount"
            key=${route.page === "find" ? route.query.q : ""}
            defaultValue=${route.page === "find" ? route.query.q || "" : ""} />
        <button>Search</button>
    </form>`;
}

function Zone({ route }) {
    const zones = [...new Set(["UTC", ownZone(), route.zone])];
    return html`<div class="zone"><label for="zone">Times in</label>
        <select id="zone" onChange=${event => go(addressOf(route.page,
        route.query, event.target.value), false)}>
        ${zones.map(zone => html`<option value=${zone}
            selected=${zone === route.zone}>${zone}</option>`)}
        </select></div>`;
}

// The pages of a list are those of one cell: another one begins at the first.
function CellChoice({ route, me }) {
    const { before, after, ...query } = route.query;
    return me.cells.length < 2 ? "" : html`<div class="zone">
        <label for="cell">Cell</label>
        <select id="cell" onChange=${event => go(addressOf(route.page, query,
        route.zone, event.target.value), false)}>
        <option value="" selected=${!route.cell}>all</option>
        ${me.cells.map(cell => html`<option value=${cell}
            selected=${cell === route.cell}>${cell}</option>`)}
        </select></div>`;
}

function Menu({ route, me }) {
    const [isOpen, setOpen] = useState(false);
    useEffect(() => setOpen(false), [route.page]);
    const groups = MENU.map(([name, pages]) =>
        [name, pages.filter(page => me.pages.includes(page))]);
    return html`<nav class="menu" aria-label="Pages">
        <button type="button" class="quiet" aria-expanded=${isOpen
        ? "true" : "false"} aria-controls="pages"
            onClick=${() => setOpen(!isOpen)}>Menu</button>
        <div id="pages" class=${isOpen ? "is-open" : ""}>
        ${groups.filter(([, pages]) => pages.length).map(([name, pages]) =>
        html`${name ? html`<p>${name}</p>` : ""}<ul>${pages.map(page => html`
            <li><a href=${addressOf(page)} aria-current=${page === route.page
            ? "page" : null}>${titleOf(page)}</a></li>`)}</ul>`)}
        </div></nav>`;
}

function Person({ me, onLeave }) {
    return html`<p class="person"><a href=${addressOf("me")}><bdi>${
        me.staff}</bdi></a>
        ${hasToken() ? html`<button type="button" class="quiet"
            onClick=${onLeave}>Forget token</button>` : ""}</p>`;
}

function Page({ route, me }) {
    const found = pageOf(route.page);
    if (!found) {
        return html`<${Heading} title="Not found" route=${route} />
            <p>The console has no such page.</p>`;
    }
    const [title, Content, Form] = found;
    return html`<${Heading} title=${title} route=${route} />
        ${Form ? html`<${Form} route=${route} />` : ""}
        ${cellsOf(route, me).map((cell, n, all) => html`<${Cell.Provider}
            key=${`${route.page} ${cell}`} value=${cell}>
            ${all.length > 1 ? html`<h2 class="cell">Cell ${cell}</h2>` : ""}
            <${Content} route=${route} me=${me} /><//>`)}`;
}

// Whose data the page shows, one below the other.
function cellsOf({ page, cell }, { cells }) {
    return cells.length === 1 || page === "me" ? [""]
        : cell ? [cell] : cells;
}

function App() {
    const route = useRoute();
    const [{ me, problem }, setState] = useState({});

    async function enter(token) {
        if (token) {
            setToken(token);
        }
        const got = await ask("me");
        if (got.problem?.status === 401) {
            leave(hasToken() ? got.problem : { status: 401 });
        } else {
            const me = got.text && JSON.parse(got.text);
            keepExports(Boolean(me?.can_act));
            setState(me ? { me } : got);
        }
    }

    function leave(why) {
        setToken(null);
        setState({ problem: why });
    }

    useEffect(() => {
        watchSignOut(() => leave({ status: 401,
            words: "Your token has run out: log in again." }));
        enter();
    }, []);

    if (problem) {
        return html`<${SignIn} problem=${problem} onToken=${enter} />`;
    }
    if (!me) {
        return html`<main class="sign"><h1>Payments console</h1>
            <p role="status">Loading …</p></main>`;
    }
    return html`
        <a class="skip" href="#main">Skip to the content</a>
        <header>
            <p class="brand"><a href=${addressOf("now")}>Payments
                console</a></p>
            <${Search} route=${route} />
            <${CellChoice} route=${route} me=${me} />
            <${Zone} route=${route} />
            <${Person} me=${me} onLeave=${() => leave({ status: 401 })} />
        </header>
        <${Menu} route=${route} me=${me} />
        <main id="main" tabindex="-1"><${Page} route=${route}
            me=${me} /></main>
        <${Dialogs} />`;
}

export function start(place) {
    place.replaceChildren();
    render(html`<${App} />`, place);
}
