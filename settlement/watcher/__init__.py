"""The watcher: reads committed batches, checks every leaf it has data for, and challenges the false ones.

    documents   a batch's data as a document; sources: where such documents come from
    judgement   which leaves are false, exactly as the program judges them
    chain       what the watcher reads of the chain; moves: what it sends
    progress    what it remembers across restarts
    watch       one round after the other; events: what it says

Importing this module loads none of them.
"""
