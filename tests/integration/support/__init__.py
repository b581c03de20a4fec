"""What the integration tests share; conftest.py turns it into fixtures."""
