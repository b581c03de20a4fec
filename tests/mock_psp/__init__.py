"""A payment service provider that behaves, for tests and the demo.

It speaks the dialects of several PSPs, keeps books, serves the hosted payment
page, sends signed webhooks with retries, and misbehaves only
when its control API says so.  It holds nothing but test data, listens on
127.0.0.1 only and must never be given real card numbers.
"""
