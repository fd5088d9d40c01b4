"""Speed, memory and API calls, measured. `make bench` runs every file here that has `bench()`, and prints one table with the goals."""
