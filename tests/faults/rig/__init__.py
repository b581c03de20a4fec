"""What the fault sweep is driven with (README in docs/reliability.md)."""
