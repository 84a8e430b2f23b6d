"""What observers are made of, and how several become one."""
