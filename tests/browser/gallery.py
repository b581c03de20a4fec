"""Every page that the gateway shows to people, in each of its states."""

STATES = (
    "preparing",
    "waiting",
    "paused",
    "paid",
    "failed",
    "cancelled",
    "expired",
)
PROBLEMS = ("problem", "problems")
PAGES = STATES + PROBLEMS
RESULTS = {
    "paid": "paid",
    "failed": "declined",
    "cancelled": "cancelled",
    "expired": "expired",
}


class Gallery:
    """address(page) -> its URL; a checkout is made when first asked for."""

    def __init__(self, url: str, sales):
        self.url = url
        self.sales = sales
        self.made = {}

    def address(self, page: str) -> str:
        if page == "problems":
            return f"{self.url}/problems"
        if page == "problem":
            return f"{self.url}/problems/idempotency-key-reused"
        if page not in self.made:
            self.made[page] = self._sale(page).status_url
        return self.made[page] + ("?pause=1" if page == "paused" else "")

    def _sale(self, page: str):
        if page == "preparing":
            return self.sales.preparing()
        sale = self.sales("generic")
        if page in RESULTS:
            sale.settle(RESULTS[page])
        return sale
