"""What compiled code and Python agree on: statuses, slots, arguments, the state of a run."""
