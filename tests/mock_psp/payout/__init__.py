"""Pay-out providers: the other half of this mock, which pays sellers.

One file a provider, true to that provider's documents and knowing nothing of
the gateway's adapters; README.md, "Pay-outs", says what each of them has.
"""
