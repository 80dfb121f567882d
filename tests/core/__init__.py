"""Tests of the program model."""
