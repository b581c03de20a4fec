// Starts the console, or says which part of it is missing.  The libraries are
// no part of the source: ci/vendor puts them into vendor/.

import("./app.js").then(
    app => app.start(document.getElementById("console")),
    error => {
        const place = document.querySelector("main p");
        place.setAttribute("role", "alert");
        place.textContent = "The console cannot start, because a file of it "
            + "is missing or damaged. Its libraries lie in the directory "
            + "vendor of payments_console_html: ci/install --node and "
            + "ci/vendor of the module's source put them there, and nginx "
            + "must be reloaded then. The browser says: " + error.message;
    });
