"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# A busy machine makes no test fail.
settings.register_profile("antiphon", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("antiphon")
