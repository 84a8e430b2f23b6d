"""How large an expression may be.

A model is data from anywhere: reading it must neither hang nor exhaust memory, and no formula
that a person means comes near these numbers.
"""

MAX_TEXT = 20_000  # characters of one expression
MAX_NESTING = 100  # brackets within brackets
MAX_DEPTH = 250  # operators waiting for their right-hand side, brackets included
MAX_DIGITS = 400  # characters of one number
MAX_EXPONENT = 1_000  # literal integer exponent
MAX_RANGE = 100_000  # turns of one sum or prod with literal bounds
MAX_TURNS = 1_000_000  # turns of sums within sums, all bounds literal
MAX_LOOPS = 8  # sums within sums
MAX_LAG = 1_000  # steps back
MAX_INLINING = 100_000  # pieces that the inlining of functions may visit, for one expression
MAX_ERRORS = 20  # problems that are looked for in one expression
MAX_CALLS = 64  # functions calling functions
MAX_EVALUATIONS = 1_000_000  # operations in evaluating a numeric expression
MAX_PRINTED = 20_000  # operations in an expression written out as text or LaTeX
