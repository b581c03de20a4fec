// A style sheet that a first load does not bring.

import { BASE } from "./route.js";

export function loadStyle(name) {
    if (!document.head.querySelector(`link[href="${BASE}${name}"]`)) {
        const link = document.createElement("link");
        link.rel = "stylesheet";
        link.href = `${BASE}${name}`;
        document.head.append(link);
        return new Promise(done => {
            link.addEventListener("load", done);
            link.addEventListener("error", done);
        });
    }
    return Promise.resolve();
}
