// The address is the state: page, filters, zone and cell stand in it, so that
// links can be passed on and the back button works.

import { createContext, useContext, useEffect, useState } from "./html.js";
import { isZone } from "./text.js";

export const BASE = new URL("./", import.meta.url).pathname;

const listeners = new Set();
// The cell that a part of a page is about, whose links stay in that cell: each
// cell has a database of its own.  Empty where the gateway has only one.
export const Cell = createContext("");

function read() {
    const query = Object.fromEntries(new URLSearchParams(location.search));
    const zone = query.zone && isZone(query.zone) ? query.zone : "UTC";
    const cell = query.cell || "";
    delete query.zone;
    delete query.cell;
    return { page: pageName(), query, zone, cell };
}

export function pageName() {
    return location.pathname.slice(BASE.length) || "now";
}

let route = read();
let place = location.pathname + location.search;

// Without a cell the address is one of all cells.
export function addressOf(page, query = {}, zone = route.zone,
    cell = route.cell) {
    const fields = new URLSearchParams(query);
    if (zone !== "UTC") {
        fields.set("zone", zone);
    }
    if (cell) {
        fields.set("cell", cell);
    }
    const text = fields.toString();
    return `${BASE}${page === "now" ? "" : page}${text ? `?${text}` : ""}`;
}

export function useCell() {
    return useContext(Cell);
}

// addressOf() for links in a part of a page.
export function useAddress() {
    const cell = useCell();
    return (page, query) => addressOf(page, query, route.zone, cell);
}

// The words with the cell behind them: two parts of a page have none alike.
export function useLabel() {
    const cell = useCell();
    return words => cell ? `${words}, cell ${cell}` : words;
}

// isMove: to another page, whose heading takes the focus.
export function go(address, isMove = true) {
    if (address !== location.pathname + location.search) {
        history.pushState(null, "", address);
    }
    changed(isMove);
}

function changed(isMove) {
    place = location.pathname + location.search;
    route = { ...read(), isMove };
    for (const listener of listeners) {
        listener(route);
    }
}

export function useRoute() {
    const [found, set] = useState(route);
    useEffect(() => {
        listeners.add(set);
        return () => listeners.delete(set);
    }, []);
    return found;
}

// Links of the console change the address without a load; with a key held they
// do as everywhere: a new tab, a window, a download.
function follow(event) {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0
        || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey
        || link.target || link.hasAttribute("download")
        || link.origin !== location.origin || link.hash
        || !link.pathname.startsWith(BASE)) {
        return;
    }
    event.preventDefault();
    go(link.pathname + link.search);
}

document.addEventListener("click", follow);
// A link to a part of the page, such as the skip link, is no move.
addEventListener("popstate", () => {
    if (place !== location.pathname + location.search) {
        changed(true);
    }
});
