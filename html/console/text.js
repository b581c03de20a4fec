// Values as texts.  Amounts stay strings: a number would lose digits beyond
// 2^53.  The text on the screen and the one in a CSV file are the same.

const AMOUNT = /^(-?)([0-9]+)(\.[0-9]+)?$/;
const FORMULA = /^ *[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const formats = new Map();

export function ownZone() {
    return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

export function isZone(zone) {
    try {
        return Boolean(formatOf(zone));
    } catch {
        return false;
    }
}

function formatOf(zone) {
    if (!formats.has(zone)) {
        formats.set(zone, new Intl.DateTimeFormat("en-GB", {
            timeZone: zone, hourCycle: "h23", timeZoneName: "longOffset",
            year: "numeric", month: "2-digit", day: "2-digit",
            hour: "2-digit", minute: "2-digit", second: "2-digit",
        }));
    }
    return formats.get(zone);
}

function partsOf(at, zone) {
    const parts = {};
    for (const { type, value } of formatOf(zone).formatToParts(at)) {
        parts[type] = value;
    }
    const offset = parts.timeZoneName.replace("GMT", "");
    parts.offset = offset === "" || offset === "+00:00" ? "Z" : offset;
    return parts;
}

// With the offset from UTC, so that the hour that a clock shows twice in autumn
// is not ambiguous (RFC 3339 with a blank).
export function timeText(iso, zone) {
    const at = Date.parse(iso);
    if (Number.isNaN(at)) {
        return String(iso);
    }
    const p = partsOf(at, zone);
    return `${p.year}-${p.month}-${p.day} `
        + `${p.hour}:${p.minute}:${p.second}${p.offset}`;
}

// The value of an input of the type datetime-local.
export function wallTime(iso, zone) {
    return timeText(iso, zone).slice(0, 19).replace(" ", "T");
}

// The moment at which clocks of the zone show that time; the offset is looked
// up twice, as it changes near the guess on some days.
export function momentOf(wall, zone) {
    const guess = Date.parse(wall.length === 16 ? `${wall}:00Z` : `${wall}Z`);
    if (Number.isNaN(guess)) {
        return null;
    }
    let at = guess;
    for (let i = 0; i < 2; i++) {
        at = guess - offsetOf(at, zone);
    }
    return new Date(at).toISOString().replace(/\.[0-9]+Z$/, "Z");
}

function offsetOf(at, zone) {
    const found = /^([+-])([0-9]{2}):([0-9]{2})/.exec(partsOf(at, zone).offset);
    if (!found) {
        return 0;
    }
    const minutes = Number(found[2]) * 60 + Number(found[3]);
    return (found[1] === "-" ? -1 : 1) * minutes * 60000;
}

export function ageText(iso, now) {
    const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
    for (const [unit, name] of [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"]]) {
        if (seconds >= unit) {
            return `${Math.floor(seconds / unit)} ${name}`;
        }
    }
    return `${Math.floor(seconds)} s`;
}

// "1234567.89" as ["1", "234", "567.89"], for gaps that are not characters: a
// copied amount can be searched for.
export function groupsOf(text) {
    const found = AMOUNT.exec(text);
    if (!found || found[2].length < 5) {
        return [text];
    }
    const groups = found[2].replace(/\B(?=([0-9]{3})+$)/g, " ").split(" ");
    groups[0] = found[1] + groups[0];
    groups[groups.length - 1] += found[3] || "";
    return groups;
}

export function valueAt(row, path) {
    return path.split(".").reduce((value, name) => value?.[name], row);
}

export function plain(value) {
    if (value === null || value === undefined) {
        return "";
    }
    if (typeof value === "boolean") {
        return value ? "yes" : "no";
    }
    if (Array.isArray(value)) {
        return value.map(inner).join(", ");
    }
    return typeof value !== "object" ? String(value)
        : Object.entries(value).map(
            ([name, each]) => `${name}: ${inner(each)}`).join("; ");
}

function inner(value) {
    return value !== null && typeof value === "object" ? `(${plain(value)})`
        : plain(value);
}

// A column is [path, label, kind].
export function cellText([path, , kind], row, zone) {
    const value = valueAt(row, path);
    return kind === "time" && value ? timeText(value, zone) : plain(value);
}

// RFC 4180.  A text that a spreadsheet would take for a formula gets a quote
// mark before it; a number with a sign is none.
export function csvCell(text) {
    const isFormula = FORMULA.test(text) && !AMOUNT.test(text);
    const guarded = isFormula ? `'${text}` : text;
    return /[",\r\n]/.test(guarded) || guarded !== guarded.trim()
        ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

export function csvOf(columns, rows, zone) {
    const lines = [
        columns.map(([, label]) => label),
        ...rows.map(row => columns.map(each => cellText(each, row, zone))),
    ];
    return lines.map(cells => cells.map(csvCell).join(",") + "\r\n").join("");
}
