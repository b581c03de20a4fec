"""The mock PSP's control API: its faults, its buyers and its books."""

from .client import plain


class Mock:
    def __init__(self, url):
        self.url = url
        self.http = plain(base_url=f"{url}/_control", timeout=30)

    def close(self):
        self.http.close()

    def _call(self, method, path, **options):
        answer = self.http.request(method, path, **options)
        answer.raise_for_status()
        return answer.json()

    def books(self, **wanted) -> dict:
        """All, or what concerns one nonce=, token= or reference=."""
        return self._call("GET", "/books", params=wanted)

    def calls(self, nonce) -> list:
        """The API calls with that nonce, refused ones included."""
        return self.books(nonce=nonce)["requests"]

    def faults(self, *faults) -> list:
        return self._call("POST", "/faults", json=list(faults))["faults"]

    def clear_faults(self):
        self._call("DELETE", "/faults")

    def release(self):
        """Lets the answers go that the fault "hold" keeps back."""
        self._call("POST", "/faults/release")

    def settings(self, **values) -> dict:
        return self._call("POST", "/settings", json=values)

    def pay(self, token, result="paid", **more) -> dict:
        body = {"token": token, "result": result, **more}
        return self._call("POST", "/pay", json=body)

    def call(self, what, **body) -> dict:
        """What is done at the PSP: capture, refund, dispute, release, fee,
        end."""
        return self._call("POST", f"/{what}", json=body)

    def webhook(self, **message) -> dict:
        """Has the mock send one; the gateway's answer comes back."""
        return self._call("POST", "/webhook", json=message)
