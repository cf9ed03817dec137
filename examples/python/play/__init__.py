"""What quickstart.py does: programs and tests that use turnwasm, and no part of it."""
