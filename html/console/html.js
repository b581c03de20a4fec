// Preact and htm in one place, and the hooks that the pages use.  Texts are
// text nodes everywhere: the policy of the page allows no other way.

import { createContext, h, render } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export { createContext, render };
export { useContext, useEffect, useRef, useState } from "./vendor/hooks.js";
export const html = htm.bind(h);
