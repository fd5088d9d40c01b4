"""The REST API: one file per group of routes. Each defines `routes`; `server` puts them together."""
