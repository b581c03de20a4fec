"""Measures the page in a browser: what overflows, is small or hard to hit."""

MEASURE = """
const small = [], narrow = [], wide = [];
const name = at => at.tagName + "." + at.className + " "
    + at.textContent.trim().slice(0, 40);
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
    const text = walk.currentNode, at = text.parentElement;
    if (!text.data.trim()) continue;
    const size = parseFloat(getComputedStyle(at).fontSize);
    if (size < 16) small.push([name(at), size]);
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects())
        if (box.left < -0.5 || box.right > arguments[0] + 0.5)
            wide.push([name(at), box.left, box.right]);
}
const links = [...document.querySelectorAll("a, button, input, select")];
for (const link of links) {
    const box = link.getBoundingClientRect();
    if (box.width < 44 || box.height < 44)
        narrow.push([name(link), box.width, box.height]);
}
const back = getComputedStyle(document.body);
return {small, narrow, wide, links: links.length,
    scroll: document.documentElement.scrollWidth,
    back: back.backgroundColor, text: back.color};
"""


def brightness(colour: str) -> float:
    """0 to 1, of rgb(r, g, b)"""
    parts = colour[colour.index("(") + 1 : -1].split(",")[:3]
    return sum(float(part) for part in parts) / 3 / 255


def measure(driver, width: int) -> dict:
    return driver.execute_script(MEASURE, width)
