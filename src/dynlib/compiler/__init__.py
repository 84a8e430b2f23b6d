"""From a specification to compiled code that runs."""
