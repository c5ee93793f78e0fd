"""Tests against servers nobody here wrote, running on this machine."""
