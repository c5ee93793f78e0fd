"""What holds for all tests."""

from hypothesis import settings

settings.register_profile("antiphon", deadline=None, database=None)
settings.load_profile("antiphon")
