"""A batch into a store, to be killed on the way: ``python killed.py STORE WHAT``.

It says so each time a part is in the store.
"""

import sys

from fastpath.stored import CALLS, batch_into

from dynlib.runtime.batch.store import Store

if __name__ == "__main__":
    put = Store.put

    def put_and_say(self: Store, first: int, table: object) -> None:
        put(self, first, table)
        sys.stdout.write("part\n")
        sys.stdout.flush()

    Store.put = put_and_say
    batch_into(sys.argv[1], **CALLS[sys.argv[2]]())
