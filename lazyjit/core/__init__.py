"""The program model: sessions, dylibs, lookups and what makes symbols. Knows neither IR nor ELF."""
