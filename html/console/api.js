// The console's JSON.  The token comes from a cookie that a proxy has set, or
// from the person, who pastes it: then it stays in this tab.  Trouble becomes
// words.

import { useEffect, useState } from "./html.js";
import { BASE, useCell } from "./route.js";

const KEY = "payments-console-token";
const LOADING = { data: null, at: null, problem: null, isLoading: true };
const RETRY_S = 10;
const WORDS = {
    0: "The gateway cannot be reached, or its log-in page came between: "
        + "reload this page if it stays so.",
    401: "Your token is missing, wrong or too old: log in again.",
    403: "You may not see this.",
    404: "There is no such thing, or not for your merchants.",
    422: "The address has a filter that this page does not understand.",
    429: "Too many requests came from here. The page asks again soon.",
    503: "The database cannot be reached, or payments come first at the "
        + "moment. The page asks again soon.",
};

let onSignOut = () => {};
let noteExports = false;
const watches = new Set();

export function watchSignOut(listener) {
    onSignOut = listener;
}

export function setToken(token) {
    if (token) {
        sessionStorage.setItem(KEY, token);
    } else {
        sessionStorage.removeItem(KEY);
    }
}

export function hasToken() {
    return sessionStorage.getItem(KEY) !== null;
}

// {text, etag, at}, {at} when it is still the one that `held` is the tag of, or
// {problem}; throws only when the signal has called it off.  Who holds one may
// get an answer that is some seconds old: `at` says of when it is.
export function ask(address, signal, held) {
    return request(address, { signal, held });
}

// The same of an act.  Its request id is made once for each dialog, so that an
// act that is sent twice is done once.
export function tell(act, body, cell) {
    return request(`act/${act}${fieldsOf(cell ? { cell } : {})}`, {
        method: "POST", body: JSON.stringify(body),
        headers: { "Content-Type": "application/json",
            "X-Payments-Console": "1" },
    });
}

// Who has saved which rows is kept where the console can write.
export function keepExports(isKept) {
    noteExports = isKept;
}

export function noteExport(page, filter, rows, cell) {
    if (noteExports) {
        tell("export", { request: crypto.randomUUID(), object: page,
            filter: filter.replace(/[^ -~]/g, "?").slice(0, 1024), rows },
        cell);
    }
}

// All pages that are shown ask again: something was changed.
export function refresh() {
    for (const next of watches) {
        next();
    }
}

function fieldsOf(query) {
    const fields = new URLSearchParams(query).toString();
    return fields ? `?${fields}` : "";
}

async function request(address, { signal, held, headers: more,
    ...options }) {
    const token = sessionStorage.getItem(KEY);
    const headers = { Accept: "application/json, application/problem+json",
        ...more };
    if (token) {
        headers.Authorization = `Bearer ${token}`;
    }
    if (held) {
        headers["If-None-Match"] = held;
    }
    try {
        const answer = await fetch(`${BASE}api/${address}`, {
            ...options, headers, signal, cache: "no-store",
            credentials: "same-origin", redirect: "error",
        });
        if (answer.status === 304) {
            return { at: timeOf(answer) };
        }
        const text = await answer.text();
        return answer.ok
            ? { text, etag: answer.headers.get("ETag"), at: timeOf(answer) }
            : { problem: problemOf(answer, text) };
    } catch (error) {
        if (signal?.aborted) {
            throw error;
        }
        return { problem: { status: 0, words: WORDS[0], retry: RETRY_S } };
    }
}

function timeOf(answer) {
    const sent = Date.parse(answer.headers.get("Date")) || Date.now();
    const age = Number(answer.headers.get("Age")) || 0;
    return new Date(sent - age * 1000).toISOString();
}

function problemOf(answer, text) {
    let document = {};
    try {
        document = JSON.parse(text);
    } catch {
        // a proxy's page: the status says enough
    }
    const { status } = answer;
    const words = WORDS[status]
        || `The gateway answered ${status}${document.title
            ? `: ${document.title}` : ""}.`;
    return {
        status, words, title: document.title || "",
        detail: document.detail || "",
        instance: document.instance || "",
        retry: Number(answer.headers.get("Retry-After")) || RETRY_S,
    };
}

// Asks for a page, and again every so many seconds while the tab is seen; 0:
// only until it has come.  tell() is called with each state.
function watch(address, seconds, tell) {
    const call = new AbortController();
    let timer = 0, etag = null, due = false, state = LOADING;

    function plan(after) {
        clearTimeout(timer);
        due = true;
        if (!document.hidden) {
            timer = setTimeout(next, after * 1000 * (0.75 + Math.random() / 2));
        }
    }

    function show(change) {
        state = { ...state, isLoading: false, ...change };
        tell(state);
    }

    function take(got) {
        if (got.problem) {
            show({ problem: got.problem });
            return got.problem;
        }
        if (got.text === undefined) {
            show({ at: got.at, problem: null });
        } else {
            etag = got.etag;
            show({ at: got.at, problem: null, data: JSON.parse(got.text) });
        }
        return null;
    }

    async function next() {
        due = false;
        try {
            const problem = take(await ask(address, call.signal, etag));
            if (problem?.status === 401) {
                onSignOut();
            } else if (problem && [0, 429, 503].includes(problem.status)) {
                plan(problem.retry);
            } else if (seconds && !problem) {
                plan(seconds);
            }
        } catch (error) {
            if (!call.signal.aborted) {
                throw error;
            }
        }
    }

    function seen() {
        clearTimeout(timer);
        if (!document.hidden && due) {
            next();
        }
    }

    // without the tag, so that no answer of before comes
    function again() {
        clearTimeout(timer);
        etag = null;
        next();
    }

    document.addEventListener("visibilitychange", seen);
    watches.add(again);
    next();

    return () => {
        watches.delete(again);
        document.removeEventListener("visibilitychange", seen);
        clearTimeout(timer);
        call.abort();
    };
}

export function usePage(page, query, seconds) {
    const cell = useCell();
    const address = page + fieldsOf(cell ? { ...query, cell } : query);
    const [state, set] = useState({ address: "", ...LOADING });
    useEffect(
        () => watch(address, seconds, found => set({ address, ...found })),
        [address, seconds]);
    return state.address === address ? state : LOADING;
}
