"""Build hook: hands the native sources to cffi. Everything else is in pyproject.toml."""

from setuptools import setup

setup(cffi_modules=["native/build.py:ffi"])
