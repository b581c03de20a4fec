"""Every page that the gateway shows to people, in each of its states."""

STATES = (
    "preparing",
    "waiting",
    "pending",
    "refused",
    "paused",
    "paid",
    "failed",
    "cancelled",
    "expired",
)
PROBLEMS = ("problem", "problems")
ERRORS = ("missing",)
PAGES = STATES + ERRORS + PROBLEMS
NOBODY = "A" * 32
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
        if page == "missing":
            return f"{self.url}/checkout/{NOBODY}"
        if page == "problem":
            return f"{self.url}/problems/idempotency-key-reused"
        if page not in self.made:
            self.made[page] = self._sale(page).status_url
        return self.made[page] + ("?pause=1" if page == "paused" else "")

    def _sale(self, page: str):
        if page == "preparing":
            return self.sales.preparing()
        if page in ("pending", "refused"):
            return self.sales("stripe").attempt(page)
        sale = self.sales("generic", description="Ada's book of engines")
        if page in RESULTS:
            sale.settle(RESULTS[page])
        return sale
